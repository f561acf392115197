"""The cohort in force: drawn and measured every night, and loaded by the worker that checks an attempt.

A sample of the enrolled people, as their templates stand. The same night it is measured what scores against it mean: pairs of
different people of the sample say how alike strangers are, a photograph and the attempts that a person approved say how alike
somebody is to themselves. Only where that helps is the cohort used (`faces.evaluation.calibrate`).

It is drawn from the whole city, not from each community: people of one city are one population to a network, and a
community has too few enrolled. Where a city finds its districts to differ, drawing by district is the next step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import structlog
from bson import ObjectId

import faces
from faces.arrays import Vector
from faces.encoder import encoder, unit
from faces.evaluation import PASSING, calibrate
from faces.policy import MatchThresholds
from jobs.enrol import readable
from jobs.registry import job
from models import clock, face_cohorts, face_references, outbox, rules
from models.database import Document, Session, transaction

log = structlog.stdlib.get_logger("jobs")

_loaded: tuple[tuple[ObjectId | None, int], faces.Cohort | None] = ((None, -1), None)


@job("refresh_cohort")
def refresh(event: Document, _: Document) -> None:
    """Draw and measure a new cohort. The old one stays in force until this one is written, all at once."""
    network, today = encoder(), clock.today()
    kind = (network.model, network.normalisation)
    size = rules.number("face_cohort_size", today)
    cohort = _cohort(face_references.drawn(*kind, size), *kind, "")
    found = calibrate(
        cohort, cohort, list(_genuine(face_references.drawn(*kind, size, reviewed=True), *kind)),
        least_people=rules.number("face_cohort_least_people", today),
        least_pairs=rules.number("face_cohort_least_pairs", today),
    )  # fmt: skip

    def write(session: Session) -> ObjectId:
        outbox.complete(session, event["_id"])
        members = [ObjectId(person) for person in cohort.people]
        remaining = face_references.remaining(session, members, *kind)
        measured = {"model": cohort.model, "normalisation": cohort.scoring, **found.as_dict()}
        return face_cohorts.put(session, remaining, measured)

    evaluation_id = transaction(write)
    log.info("face_cohort", evaluation=str(evaluation_id), people=found.people, used=found.used, why_not=found.why_not)
    if found.plain and found.plain.far and found.plain.far > PASSING:
        log.warning("face_strangers_alike", evaluation=str(evaluation_id), share=found.plain.far)


def in_force(retiree_id: ObjectId) -> faces.Cohort | None:
    """The cohort in force without this person, or None where none is used; kept in this process until its revision changes."""
    global _loaded
    if _loaded[0] != face_cohorts.revision():
        held = face_cohorts.current()
        _loaded = ((held["evaluation_id"], held["revision"]), _load(held))
    cohort = _loaded[1]
    return cohort.without([str(retiree_id)]) if cohort else None


def _load(held: Document) -> faces.Cohort | None:
    found = face_cohorts.evaluation(held["evaluation_id"])
    if not found or not found["used"]:
        return None
    cohort = _cohort(held["people"], encoder().model, encoder().normalisation, str(found["_id"]))
    if (found["model"], found["normalisation"]) != (cohort.model, cohort.scoring):
        return None  # the network or the way of normalising has changed since it was measured
    if len(cohort.people) < rules.number("face_cohort_least_people", clock.today()):
        return None  # so many have left since it was measured
    return replace(cohort, thresholds=MatchThresholds(cohort.model, cohort.scoring, **found["thresholds"]))


def _cohort(retiree_ids: Sequence[ObjectId], model: str, normalisation: str, name: str) -> faces.Cohort:
    """One face a person: the mean of their templates, as an attempt is compared with it."""
    people, vectors = [], []
    for retiree_id, stored in face_references.templates_of(retiree_ids, model, normalisation):
        if templates := readable(data for _, data in stored):
            people.append(str(retiree_id))
            vectors.append(unit(np.mean([unit(template.vector) for template in templates], axis=0)))
    rows = np.stack(vectors) if vectors else np.empty((0, 0), np.float32)
    return faces.Cohort(rows, tuple(people), model, normalisation, name)


def _genuine(retiree_ids: Sequence[ObjectId], model: str, normalisation: str) -> Iterator[tuple[str, Vector, Vector]]:
    """A photograph beside each attempt of the same person that somebody approved."""
    for retiree_id, stored in face_references.templates_of(retiree_ids, model, normalisation):
        by_origin = {
            origin: readable(data for source, data in stored if source == origin)
            for origin in (face_references.FROM_PHOTO, face_references.FROM_REVIEW)
        }
        for photo in by_origin[face_references.FROM_PHOTO]:
            for attempt in by_origin[face_references.FROM_REVIEW]:
                yield str(retiree_id), photo.vector, attempt.vector
