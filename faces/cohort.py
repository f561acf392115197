"""Score normalisation: how alike two faces are, against how alike each of them is to strangers anyway.

Some faces resemble everybody in the eyes of a network, above all those of a population it hardly saw in training; one
threshold for all then refuses some people and lets others' doubles in. Adaptive symmetric normalisation (AS-norm; Matejka
et al. 2017, Cumani et al. 2011) takes for each of the two faces the 20 most similar members of a cohort, and expresses the
similarity of the two in their means and deviations:

    s' = ((s - m1) / d1 + (s - m2) / d2) / 2

A deviation of 20 numbers is uncertain, and where it comes out too small by chance the score explodes: the few strangers who
passed by far did so by that. So a quarter of each variance is that of a typical member (an empirical Bayes estimate).

The cohort must be of the same population and the same cameras; one photographed otherwise did harm. So it is a sample of
the other enrolled people (`models/face_cohorts.py`), and which thresholds belong to it is measured on them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from faces.arrays import Vector
from faces.encoder import unit
from faces.policy import MatchThresholds
from faces.template import Template

NEAREST = 20
LEAST = 2 * NEAREST
"""Faces below which nothing is normalised: the nearest of so few say nothing."""
STEADYING = 0.25
SUFFIX = f"+asnorm{NEAREST}-{STEADYING}"


@dataclass(frozen=True, eq=False)
class Cohort:
    """Other people's faces: n x length, of unit length, all of one model and one normalisation.

    `people` names who each row is, so that nobody is compared with themselves. `thresholds` are those that were measured
    with this very cohort, under the name of the evaluation that measured them; None leaves those of the policy in force.
    """

    vectors: NDArray[np.float32] = field(repr=False)
    people: tuple[str, ...] = field(repr=False)
    model: str
    normalisation: str
    name: str
    thresholds: MatchThresholds | None = None
    typical: float = 0.0
    """The variance among the nearest of a typical member; measured here unless it is given."""

    def __post_init__(self) -> None:
        if self.vectors.shape[0] != len(self.people):
            raise ValueError("a cohort names a person for each of its faces")
        told = self.thresholds
        if told is not None and (told.model, told.normalisation) != (self.model, self.scoring):
            raise ValueError("these thresholds were measured with another network or another normalisation")
        if not self.typical and len(self.people) > NEAREST:
            object.__setattr__(self, "typical", typical_variance(self.vectors, self.people))

    @classmethod
    def of(
        cls, members: Sequence[tuple[str, Template]], name: str, thresholds: MatchThresholds | None = None
    ) -> Cohort:
        """A cohort of (person, template), all of one model and one normalisation.

        Raises:
            ValueError: there is nobody, or the templates cannot be compared with each other.
        """
        kinds = {(template.model, template.normalisation) for _, template in members}
        if len(kinds) != 1:
            raise ValueError("a cohort has members, of one network and one normalisation")
        vectors = unit(np.stack([template.vector for _, template in members]))
        return cls(vectors, tuple(person for person, _ in members), *kinds.pop(), name, thresholds)

    def without(self, people: Sequence[str]) -> Cohort:
        """The same without these people."""
        left = [at for at, person in enumerate(self.people) if person not in people]
        return replace(self, vectors=self.vectors[left], people=tuple(self.people[at] for at in left))

    @property
    def scoring(self) -> str:
        """The normalisation that thresholds for these scores belong to."""
        return self.normalisation + SUFFIX

    def normalise(self, one: Vector, other: Vector) -> float | None:
        """The normalised distance of two faces of unit length: the score with its sign turned, so that less is more alike.

        None where fewer than `LEAST` faces are left.
        """
        if len(self.people) < LEAST:
            return None
        similarity = float(one @ other)
        scores = [(similarity - mean) / spread for mean, spread in (self._nearest(face) for face in (one, other))]
        return -sum(scores) / 2

    def _nearest(self, face: Vector) -> tuple[float, float]:
        """Mean and steadied deviation of the similarities to the nearest members."""
        alike = np.partition(self.vectors @ face, -NEAREST)[-NEAREST:]
        return float(alike.mean()), steadied(float(alike.var()), self.typical)


def typical_variance(vectors: NDArray[np.float32], people: Sequence[str]) -> float:
    """The median over the members of the variance among their nearest others."""
    names = np.array(people)
    similar = vectors @ vectors.T
    similar[names[:, None] == names[None, :]] = -np.inf
    nearest = np.partition(similar, -NEAREST, axis=1)[:, -NEAREST:]
    spreads = nearest[np.isfinite(nearest).all(axis=1)].var(axis=1)
    return float(np.median(spreads)) if len(spreads) else 0.0


def steadied(variance: float, typical: float) -> float:
    """The deviation that a score is divided by; never nothing, as among copies of one photograph."""
    return max(math.sqrt((1 - STEADYING) * variance + STEADYING * typical), 1e-6)
