"""The cohort in force: whose faces an attempt is normalised by, and the evaluations that said what their scores mean.

A cohort is a sample of the enrolled people by id. It holds no faces: the templates stay in `face_references`, stored once
and encrypted. An evaluation is made with each cohort (jobs/cohort.py) and never changed; every decision names the one it
was made by, so it is kept as long as the decisions are.

The cohort in force is one document, replaced as a whole together with its evaluation, so the old one stays in force until the
new one is complete. Its `revision` rises with every replacement and whenever somebody leaves it; a worker compares it before
each check and drops its copy where it has changed. `forget` writes also where the person is not in the cohort: two
transactions that write one document cannot both commit, so nobody withdraws unnoticed while a cohort is being made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bson import ObjectId
from pymongo import DESCENDING, IndexModel

from models import clock, outbox
from models.database import Document, Session, collection, transaction

IN_FORCE = "in_force"

INDEXES: dict[str, list[IndexModel]] = {
    "face_cohorts": [],
    "face_evaluations": [IndexModel([("made_at", DESCENDING)], name="by_time")],
}


def ask() -> bool:
    """Ask for a new cohort, once a day; returns whether this call was the first."""

    def write(session: Session) -> bool:
        # there from the beginning, so that a withdrawal always finds something to write
        collection("face_cohorts").update_one(
            {"_id": IN_FORCE},
            {"$setOnInsert": {"people": [], "revision": 0, "evaluation_id": None}},
            upsert=True,
            session=session,
        )
        key = f"refresh_cohort:{clock.today()}"
        return outbox.add(session, "refresh_cohort", {}, queue=outbox.BULK, key=key) is not None

    return transaction(write)


def revision() -> tuple[ObjectId | None, int]:
    """(evaluation_id, revision) in force: what a worker compares its copy with."""
    held = collection("face_cohorts").find_one({"_id": IN_FORCE}, {"people": 0}) or {}
    return held.get("evaluation_id"), held.get("revision", 0)


def current() -> Document:
    """The whole of it: {people, revision, evaluation_id}."""
    nobody: Document = {"people": [], "revision": 0, "evaluation_id": None}
    return collection("face_cohorts").find_one({"_id": IN_FORCE}) or nobody


def put(session: Session, members: Sequence[ObjectId], evaluation: Document) -> ObjectId:
    """Put a cohort in force with its evaluation; returns the evaluation's id.

    `evaluation`: {model, normalisation, people, genuine, impostor, plain, normalised, thresholds, used, why_not}; the
    normalisation is that of the scores.
    """
    row: Document = {"_id": ObjectId(), "made_at": clock.now(), **evaluation}
    collection("face_evaluations").insert_one(row, session=session)
    collection("face_cohorts").update_one(
        {"_id": IN_FORCE},
        {"$set": {"people": list(members), "evaluation_id": row["_id"]}, "$inc": {"revision": 1}},
        upsert=True,
        session=session,
    )
    return ObjectId(row["_id"])


def forget(session: Session, retiree_id: ObjectId) -> None:
    """Take somebody out whose templates are deleted or replaced in this transaction."""
    change: dict[str, Any] = {"$pull": {"people": retiree_id}, "$inc": {"revision": 1}}
    collection("face_cohorts").update_one({"_id": IN_FORCE}, change, session=session)


def evaluation(evaluation_id: ObjectId | None) -> Document | None:
    return collection("face_evaluations").find_one({"_id": evaluation_id})


def evaluation_in_force() -> Document | None:
    """What the enrolled people said about the match last night; None before the first night."""
    return evaluation(revision()[0])


def evaluations(limit: int = 30) -> list[Document]:
    """The newest evaluations, newest first, each with `in_force`."""
    current, _ = revision()
    rows = collection("face_evaluations").find().sort("made_at", DESCENDING).limit(limit)
    return [{**row, "in_force": row["_id"] == current} for row in rows]
