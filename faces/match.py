"""One face against another: distances, and what a distance means.

Never a bare yes or no. Thresholds belong to a network and a normalisation; a template made by others is not compared at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from faces.arrays import Vector
from faces.cohort import Cohort
from faces.encoder import unit
from faces.policy import MatchThresholds, Policy
from faces.template import Template


class Decision(StrEnum):
    """sure: the same person. different: another one. doubtful: a person decides."""

    SURE = "sure"
    DOUBTFUL = "doubtful"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Match:
    """How far the probe is from the enrolled face, and what that means.

    `distance` is Euclidean between vectors of unit length; `normalised` is that of `faces.cohort`, where one was used.
    `evaluation` names what measured the thresholds: the policy's version, or the cohort.
    """

    distance: float
    decision: Decision
    normalised: float | None
    thresholds: MatchThresholds | None
    evaluation: str


def match(probe: Template, templates: Sequence[Template], policy: Policy, cohort: Cohort | None = None) -> Match | None:
    """The probe against the mean of a person's templates; None where none of them may be compared.

    The mean of three templates errs far less than the nearest of them: what they share is the person.
    """
    comparable = [template.vector for template in templates if template.compatible(probe)]
    if not comparable:
        return None
    enrolled, found = unit(np.mean([unit(vector) for vector in comparable], axis=0)), unit(probe.vector)
    apart = distance(found, enrolled)
    plain_thresholds = policy.match_thresholds(probe.model, probe.normalisation)
    plain = decide(apart, plain_thresholds)
    if cohort is not None and (cohort.model, cohort.normalisation) == (probe.model, probe.normalisation):
        normalised = cohort.normalise(found, enrolled)
        thresholds = cohort.thresholds or policy.match_thresholds(cohort.model, cohort.scoring)
        if normalised is not None and thresholds is not None:
            decision = reconcile(plain, decide(normalised, thresholds))
            name = cohort.name if cohort.thresholds else policy.version
            return Match(apart, decision, normalised, thresholds, name)
    return Match(apart, plain, None, plain_thresholds, policy.version)


def decide(apart: float, thresholds: MatchThresholds | None) -> Decision:
    """What a distance means. Without thresholds measured for this network nothing is sure, and nobody is refused by it."""
    if thresholds is None:
        return Decision.DOUBTFUL
    if apart <= thresholds.sure:
        return Decision.SURE
    return Decision.DIFFERENT if apart > thresholds.different else Decision.DOUBTFUL


def reconcile(plain: Decision, normalised: Decision) -> Decision:
    """The normalised decision, unless the plain distance says the very opposite: then a person decides."""
    return Decision.DOUBTFUL if {plain, normalised} == {Decision.SURE, Decision.DIFFERENT} else normalised


def distance(one: Vector, other: Vector) -> float:
    """Euclidean, 0 for the same vector."""
    return float(np.linalg.norm(one.astype(np.float64) - other.astype(np.float64)))
