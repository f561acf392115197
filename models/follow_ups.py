"""Follow-ups: what a worker still has to do for somebody. `open → done`.

Three kinds: help with certification, which a retiree who cannot or will not use the face asks for by one tap (`method` says
how); a face that the house has locked (models/face_limits.py), at which somebody has to look; and messages that somebody
does not understand (`note` names them). One open of a kind.
"""

from __future__ import annotations

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel

from models import audit, clock, outbox, people
from models.access import OFFICE, Actor, require
from models.database import Document, Session, collection, transaction
from models.errors import Conflict, NotFound

CERTIFICATION_HELP = "certification_help"
FACE_LOCKED = "face_locked"
MESSAGE_HELP = "message_help"
OPEN = "open"
DONE = "done"
STATES = (OPEN, DONE)
METHODS = ("window", "home_visit", "video")

INDEXES = {
    "follow_ups": [
        IndexModel([("division", ASCENDING), ("open", ASCENDING), ("created_at", ASCENDING)], name="by_division"),
        IndexModel(
            [("retiree_id", ASCENDING), ("kind", ASCENDING)],
            name="one_open_a_kind",
            unique=True,
            partialFilterExpression={"open": True},
        ),
    ]
}


def ask_for_help(retiree_id: ObjectId, method: str, note: str, actor: Actor) -> Document:
    """Ask a worker to certify by a method; asking again changes the method of the open request."""

    def write(session: Session) -> Document:
        person = people.get(retiree_id, actor, session)
        held = collection("follow_ups").find_one(
            {"retiree_id": retiree_id, "kind": CERTIFICATION_HELP, "open": True}, session=session
        )
        row: Document = {**(held or {"_id": ObjectId(), "created_at": clock.now()}), "method": method, "note": note}
        row |= {
            "retiree_id": retiree_id,
            "division": person["division"],
            "kind": CERTIFICATION_HELP,
            "state": OPEN,
            "open": True,
        }
        collection("follow_ups").replace_one({"_id": row["_id"]}, row, upsert=True, session=session)
        audit.record(session, actor, "follow_up.asked", ("retiree", retiree_id), after={"method": method})
        outbox.add(
            session, "help_asked", {"retiree_id": retiree_id, "method": method}, key=f"help:{row['_id']}:{method}"
        )
        return row

    return transaction(write)


def open_for(retiree_id: ObjectId, actor: Actor) -> Document | None:
    """The open request for help with certification, for the retiree's own page."""
    people.get(retiree_id, actor)
    return collection("follow_ups").find_one({"retiree_id": retiree_id, "kind": CERTIFICATION_HELP, "open": True})


def listed(actor: Actor, *, state: str = OPEN, page: int = 1, size: int = 20) -> tuple[list[Document], int]:
    """A page of the actor's area, the oldest first (done: the newest first), each with its retiree."""
    require(actor, OFFICE)
    where = {"$and": [actor.area(), {"open": state == OPEN}]}
    order = ASCENDING if state == OPEN else DESCENDING
    rows = list(collection("follow_ups").find(where).sort("created_at", order).skip((page - 1) * size).limit(size))
    return people.beside(rows), collection("follow_ups").count_documents(where)


def open_by_system(session: Session, retiree_id: ObjectId, division: str, kind: str) -> None:
    """Put what the house itself noticed before the community, once while it is open."""
    row = {"division": division, "state": OPEN, "note": "", "created_at": clock.now()}
    collection("follow_ups").update_one(
        {"retiree_id": retiree_id, "kind": kind, "open": True}, {"$setOnInsert": row}, upsert=True, session=session
    )


def ask_about(session: Session, retiree_id: ObjectId, division: str, title: str) -> None:
    """Ask a worker to explain a message; while the request is open, another message joins it."""
    asked = {"retiree_id": retiree_id, "kind": MESSAGE_HELP, "open": True}
    held = collection("follow_ups").find_one(asked, {"note": 1}, session=session)
    note = "、".join([*([held["note"]] if held else []), f"《{title}》"])
    row = {"division": division, "state": OPEN, "created_at": clock.now()}
    collection("follow_ups").update_one(
        asked, {"$set": {"note": note}, "$setOnInsert": row}, upsert=True, session=session
    )


def close(session: Session, retiree_id: ObjectId, kind: str = CERTIFICATION_HELP, outcome: str = "certified") -> None:
    """What was asked for has come about: a certification answers every open request for help with it."""
    collection("follow_ups").update_many(
        {"retiree_id": retiree_id, "kind": kind, "open": True},
        {"$set": {"open": False, "state": DONE, "outcome": outcome, "done_at": clock.now()}},
        session=session,
    )


def complete(follow_up_id: ObjectId, outcome: str, actor: Actor) -> Document:
    """Say what came of it.

    Raises:
        NotFound; Conflict: somebody has done it already.
    """
    require(actor, OFFICE)

    def write(session: Session) -> Document:
        found = collection("follow_ups").find_one({"$and": [{"_id": follow_up_id}, actor.area()]}, session=session)
        if not found:
            raise NotFound("follow_up_not_found", "没有找到这项待办。")
        if not found["open"]:
            raise Conflict("follow_up_done", "这项待办已经办完了，请刷新。")
        done = {"open": False, "state": DONE, "outcome": outcome, "done_at": clock.now(), "done_by": actor.account_id}
        collection("follow_ups").update_one({"_id": follow_up_id}, {"$set": done}, session=session)
        audit.record(session, actor, "follow_up.done", ("retiree", found["retiree_id"]), after={"outcome": outcome})
        return {**found, **done}

    return transaction(write)
