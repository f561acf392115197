"""How often the match is wrong: false accepts and false rejects over pairs of photographs or templates.

A pair is genuine (two pictures of one person) or an impostor pair (of two people). At a threshold, the false accept rate
(FAR) is the share of impostor pairs at or below it, the false reject rate (FRR) that of genuine pairs above it; where both
are the same lies the equal error rate (ISO/IEC 19795-1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faces.arrays import Vector
from faces.cohort import LEAST, NEAREST, STEADYING, Cohort
from faces.encoder import unit
from faces.match import Decision, match
from faces.policy import DEFAULT_POLICY, Policy
from faces.template import Template

OUTCOMES = {Decision.SURE: "pass", Decision.DOUBTFUL: "review", Decision.DIFFERENT: "fail"}
PLAIN_THRESHOLDS = tuple(round(0.10 + 0.005 * step, 3) for step in range(101))
NORMALISED_THRESHOLDS = tuple(round(-12 + 0.05 * step, 2) for step in range(301))

PASSING = 1 / 1000
"""Strangers that may pass."""
PASSING_MEASURED = 1 / 2000
"""Strangers of the sample that may pass: half, because the sample is not everybody."""
REFUSED = 1 / 200
"""Right people whom the match alone may refuse; the others it does not recognise go to a person."""

TOO_FEW_PEOPLE = "too_few_people"
TOO_FEW_PAIRS = "too_few_pairs"
NOT_MEASURED = "not_measured"
DOES_NOT_HELP = "does_not_help"


@dataclass(frozen=True)
class Pair:
    """Two photographs by name, whether they show one person, and what the list says about the pair besides."""

    one: str
    other: str
    same: bool
    group: str = ""


@dataclass(frozen=True)
class Rates:
    """What a list of scored pairs comes to. Shares are 0 to 1, None where there is no pair of that kind."""

    pairs: int
    genuine: int
    impostor: int
    unusable: int
    eer: float | None
    thresholds: tuple[tuple[float, float | None, float | None], ...]
    """(threshold, FAR, FRR)"""
    policy: dict[str, dict[str, float]]
    """genuine and impostor, each the shares that pass, go to review and fail"""

    def as_dict(self) -> dict[str, Any]:
        rows = [{"threshold": at, "far": far, "frr": frr} for at, far, frr in self.thresholds]
        return {
            "pairs": self.pairs,
            "genuine": self.genuine,
            "impostor": self.impostor,
            "unusable": self.unusable,
            "eer": self.eer,
            "thresholds": rows,
            "policy": self.policy,
        }


@dataclass(frozen=True)
class Accuracy:
    """How well one kind of distance tells people apart.

    frr: right people refused where one stranger in a thousand is accepted. far: strangers at or below the `sure` in force.
    None where nothing could be measured.
    """

    eer: float | None
    frr: float | None
    far: float | None

    def as_dict(self) -> dict[str, float | None]:
        return {"eer": self.eer, "frr": self.frr, "far": self.far}


@dataclass(frozen=True)
class Calibration:
    """What scores against a cohort mean, and whether to use it: `why_not` is None then, else one of the four words above."""

    people: int
    genuine: int
    impostor: int
    plain: Accuracy | None
    normalised: Accuracy | None
    sure: float | None
    different: float | None
    why_not: str | None

    @property
    def used(self) -> bool:
        return self.why_not is None

    def as_dict(self) -> dict[str, Any]:
        known = self.sure is not None and self.different is not None
        return {
            "people": self.people,
            "genuine": self.genuine,
            "impostor": self.impostor,
            "plain": self.plain.as_dict() if self.plain else None,
            "normalised": self.normalised.as_dict() if self.normalised else None,
            "thresholds": {"sure": self.sure, "different": self.different} if known else None,
            "used": self.used,
            "why_not": self.why_not,
        }


@dataclass(frozen=True)
class Scored:
    """One pair with its distance, or without where a photograph could not be used."""

    pair: Pair
    distance: float | None = None
    decision: Decision | None = None
    normalised: bool = False
    """Whether the distance was: where too few other people are left it is the plain one, on another scale."""


def score(
    pairs: Iterable[Pair],
    templates: Mapping[str, Template],
    person: Callable[[str], str],
    policy: Policy = DEFAULT_POLICY,
    cohort: Cohort | None = None,
) -> list[Scored]:
    """Match every pair as an attempt would be matched; `templates` by photograph, without those that are unusable.

    With a cohort of enough people the distances are the normalised ones. The two people of a pair are left out of it.
    """
    done = []
    for pair in pairs:
        one, other = templates.get(pair.one), templates.get(pair.other)
        if one is None or other is None:
            done.append(Scored(pair))
            continue
        others = cohort.without((person(pair.one), person(pair.other))) if cohort else None
        found = match(one, [other], policy, others)
        if found is None:
            done.append(Scored(pair))
        elif found.normalised is None:
            done.append(Scored(pair, found.distance, found.decision))
        else:
            done.append(Scored(pair, found.normalised, found.decision, normalised=True))
    return done


def rates(scored: Sequence[Scored], thresholds: Sequence[float]) -> Rates:
    """The error rates of scored pairs at these thresholds, and what the policy decided about them."""
    usable = [row for row in scored if row.distance is not None]
    genuine = np.array([row.distance for row in usable if row.pair.same], dtype=np.float64)
    impostor = np.array([row.distance for row in usable if not row.pair.same], dtype=np.float64)
    return Rates(
        pairs=len(scored),
        genuine=len(genuine),
        impostor=len(impostor),
        unusable=len(scored) - len(usable),
        eer=equal_error_rate(genuine, impostor),
        thresholds=tuple((at, _share(impostor <= at), _share(genuine > at)) for at in thresholds),
        policy={
            "genuine": _outcomes([row.decision for row in usable if row.pair.same]),
            "impostor": _outcomes([row.decision for row in usable if not row.pair.same]),
        },
    )


def equal_error_rate(genuine: NDArray[np.float64], impostor: NDArray[np.float64]) -> float | None:
    """Where FAR and FRR meet, the mean of both at the nearest threshold; None without pairs of both kinds."""
    if not len(genuine) or not len(impostor):
        return None
    at = np.unique(np.concatenate([genuine, impostor]))
    far = np.searchsorted(np.sort(impostor), at, side="right") / len(impostor)
    frr = 1 - np.searchsorted(np.sort(genuine), at, side="right") / len(genuine)
    nearest = int(np.argmin(np.abs(far - frr)))
    return float((far[nearest] + frr[nearest]) / 2)


def false_rejects_at(genuine: NDArray[np.float64], impostor: NDArray[np.float64], far: float) -> float:
    """The FRR at the largest threshold that accepts at most this share of strangers."""
    return float((genuine > accepting(impostor, far)).mean())


def accepting(impostor: NDArray[np.float64], far: float) -> float:
    """The largest threshold among the distances at which at most this share of strangers is accepted.

    Below the nearest stranger of all where not even one may be accepted.
    """
    inside = np.sort(impostor)
    allowed = int(far * len(inside))
    at = inside[allowed] if allowed < len(inside) else np.inf
    return float(np.nextafter(at, -np.inf))


def calibrate(
    people: Cohort,
    cohort: Cohort,
    genuine: Sequence[tuple[str, Vector, Vector]],
    policy: Policy = DEFAULT_POLICY,
    *,
    least_people: int,
    least_pairs: int,
) -> Calibration:
    """Measure what normalising by a cohort brings, and the thresholds for it.

    `people` hold one face each; all pairs of them are the strangers. `genuine` are (person, face, face) of one person from
    different sources. Nobody is normalised by themselves or by the other one of the pair, whoever the cohort shares.

    sure is the stricter of the policy's and what `PASSING_MEASURED` of the strangers reach, different the laxer of the policy's
    and what `REFUSED` of the right people exceed. The cohort is used where it refuses fewer right people than plain
    distances do, both accepting `PASSING` of the strangers; and never without thresholds in the policy to begin with.
    """
    count = len(people.people)
    plain_policy = policy.match_thresholds(people.model, people.normalisation)
    own_policy = policy.match_thresholds(cohort.model, cohort.scoring)
    if count < least_people or len(cohort.people) < LEAST + 2:
        return Calibration(count, len(genuine), 0, None, None, None, None, TOO_FEW_PEOPLE)
    strangers, strangers_normalised = _strangers(people, cohort)
    same, same_normalised = _same(genuine, cohort)
    sure = different = None
    if own_policy:
        sure = min(own_policy.sure, accepting(strangers_normalised, PASSING_MEASURED))
        different = max(own_policy.different, sure, _refusing(same_normalised, REFUSED))
    plain = _accuracy(same, strangers, plain_policy.sure if plain_policy else None)
    normalised = _accuracy(same_normalised, strangers_normalised, sure)
    why_not = None
    if len(genuine) < least_pairs:
        why_not = TOO_FEW_PAIRS
    elif not own_policy:
        why_not = NOT_MEASURED
    elif plain.frr is None or normalised.frr is None or normalised.frr >= plain.frr:
        why_not = DOES_NOT_HELP
    return Calibration(count, len(genuine), len(strangers), plain, normalised, sure, different, why_not)


def _strangers(people: Cohort, cohort: Cohort) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Plain and normalised distances of all pairs of different people."""
    faces = people.vectors.astype(np.float64)
    alike = faces @ faces.T
    column = _columns(people.people, cohort)
    beside = _beside(faces, column, cohort)
    other = np.where(
        column >= 0, beside[:, column], -np.inf
    )  # how alike each is to the other of the pair, if in the cohort
    mean, spread = _nearest(beside, other, cohort.typical)
    scores = (alike - mean) / spread
    one_of_each = np.triu_indices(len(faces), 1)
    return _apart(alike[one_of_each]), (-(scores + scores.T) / 2)[one_of_each]


def _same(
    genuine: Sequence[tuple[str, Vector, Vector]], cohort: Cohort
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Plain and normalised distances of two faces of one person."""
    if not genuine:
        return np.empty(0), np.empty(0)
    column = _columns([person for person, _, _ in genuine], cohort)
    sides = [unit(np.stack([pair[side] for pair in genuine])).astype(np.float64) for side in (1, 2)]
    alike = np.einsum("ij,ij->i", *sides)
    nobody = np.full((len(genuine), 1), -np.inf)
    scores = []
    for faces in sides:
        mean, spread = _nearest(_beside(faces, column, cohort), nobody, cohort.typical)
        scores.append((alike - mean[:, 0]) / spread[:, 0])
    return _apart(alike), -(scores[0] + scores[1]) / 2


def _columns(names: Sequence[str], cohort: Cohort) -> NDArray[np.int64]:
    """Where each of these people stands in the cohort, -1 where they do not."""
    places = {name: place for place, name in enumerate(cohort.people)}
    return np.array([places.get(name, -1) for name in names], dtype=np.int64)


def _beside(faces: NDArray[np.float64], column: NDArray[np.int64], cohort: Cohort) -> NDArray[np.float64]:
    """How alike each face is to each member of the cohort, minus infinity to themselves."""
    beside = faces @ cohort.vectors.astype(np.float64).T
    known = np.flatnonzero(column >= 0)
    beside[known, column[known]] = -np.inf
    return beside


def _nearest(
    beside: NDArray[np.float64], other: NDArray[np.float64], typical: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and steadied deviation of the `NEAREST` of each row, for each `other` of a row that must not be among them: the
    next one takes its place. The same numbers as `Cohort.normalise`, for all pairs at once."""
    top = -np.sort(-np.partition(beside, -NEAREST - 1, axis=1)[:, -NEAREST - 1 :], axis=1)
    among, following = other >= top[:, NEAREST - 1 : NEAREST], top[:, NEAREST:]
    gone, come = np.where(among, other, 0.0), np.where(among, following, 0.0)
    mean = (top[:, :NEAREST].sum(axis=1, keepdims=True) - gone + come) / NEAREST
    square = ((top[:, :NEAREST] ** 2).sum(axis=1, keepdims=True) - gone**2 + come**2) / NEAREST
    return mean, np.sqrt((1 - STEADYING) * np.maximum(square - mean**2, 0) + STEADYING * typical)


def _apart(alike: NDArray[np.float64]) -> NDArray[np.float64]:
    """Euclidean distance of vectors of unit length from their product."""
    return np.asarray(np.sqrt(np.maximum(2 - 2 * alike, 0)), dtype=np.float64)


def _accuracy(genuine: NDArray[np.float64], impostor: NDArray[np.float64], sure: float | None) -> Accuracy:
    return Accuracy(
        eer=equal_error_rate(genuine, impostor),
        frr=false_rejects_at(genuine, impostor, PASSING) if len(genuine) else None,
        far=_share(impostor <= sure) if sure is not None else None,
    )


def _refusing(genuine: NDArray[np.float64], frr: float) -> float:
    """The smallest threshold among the distances above which at most this share of right people lie."""
    if not len(genuine):
        return -np.inf
    return float(np.sort(genuine)[-1 - int(frr * len(genuine))])


def _share(hits: NDArray[np.bool_]) -> float | None:
    return float(hits.mean()) if len(hits) else None


def _outcomes(decisions: Sequence[Decision | None]) -> dict[str, float]:
    counted = Counter(OUTCOMES[decision] for decision in decisions if decision is not None)
    total = max(sum(counted.values()), 1)
    return {outcome: counted[outcome] / total for outcome in OUTCOMES.values()}
