"""The outbox: everything that has to happen after a commit, written in that commit.

`pending → done | failed`. An event is claimed for a lease, done in the same transaction as its work, tried again with
backoff, and ends `failed`, visibly, after MAX_ATTEMPTS. The row is the truth and the queue is only a nudge: whatever is
pending and not leased is handed out again, so a lost message, a killed worker or a broker that was down costs time only.
Leases are short and a running job keeps its own alive: a check that dies with its worker is on its way again after LEASE.
"""

from __future__ import annotations

import random
from typing import Any

import structlog
from bson import ObjectId
from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from models import clock, encryption
from models.database import Document, Session, collection, transaction

PENDING = "pending"
DONE = "done"
FAILED = "failed"
STATES = (PENDING, DONE, FAILED)

# `bulk` is what nobody holds a telephone and waits for: imports and their photographs. It has a worker of its own, so that a
# zip of 20,000 photographs never stands before a retiree. `messages` is what goes out to many: an emergency waits for no import
DEFAULT = "default"
FACES = "faces"
BULK = "bulk"
MESSAGES = "messages"
QUEUES = (DEFAULT, FACES, BULK, MESSAGES)
LEASE = clock.seconds(10)
HEARTBEAT_SECONDS = 3.0
HAND_OUT_AGAIN = {
    DEFAULT: clock.seconds(10),
    FACES: clock.seconds(10),
    BULK: clock.seconds(60),
    MESSAGES: clock.seconds(30),
}
MAX_ATTEMPTS = 6
BACKOFF_SECONDS = (2, 10, 60, 300, 900)
KEEP_DONE = clock.days(14)

INDEXES = {
    "outbox": [
        IndexModel([("state", ASCENDING), ("queue", ASCENDING), ("due_at", ASCENDING)], name="due_by_queue"),
        IndexModel("key", name="once", unique=True, partialFilterExpression={"key": {"$type": "string"}}),
        IndexModel("done_at", name="forget_done", expireAfterSeconds=int(KEEP_DONE.total_seconds())),
    ]
}


class AlreadyDone(Exception):
    """Somebody else did this event meanwhile; the transaction that finds out is rolled back."""


def add(
    session: Session,
    kind: str,
    payload: Document,
    *,
    queue: str = "default",
    key: str | None = None,
    secret: bool = False,
    due_in: float = 0,
) -> ObjectId | None:
    """Write an event in the transaction of the change that causes it.

    `key` names what must happen only once: a second event of the same key is not written and None comes back.
    `secret` encrypts the payload (telephone numbers, codes) and forgets it when the event ends.
    """
    if queue not in QUEUES:
        raise ValueError(f"nobody consumes the queue {queue}")
    instant = clock.now()
    event: Document = {
        "_id": ObjectId(),
        "kind": kind,
        "payload": None if secret else payload,
        "sealed": encryption.seal_document(payload, "secret") if secret else None,
        "queue": queue,
        "state": PENDING,
        "attempts": 0,
        "due_at": instant + clock.seconds(due_in),
        "leased_until": instant,
        "handed_out_at": None,
        "error": None,
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
        "created_at": instant,
    }
    if key is not None:
        if collection("outbox").find_one({"key": key}, {"_id": 1}, session=session):
            return None
        event["key"] = key
    try:
        collection("outbox").insert_one(event, session=session)
    except DuplicateKeyError:
        return None
    return ObjectId(event["_id"])


def payload(event: Document) -> Document:
    """What the event carries, decrypted where it was secret."""
    return encryption.open_document(event["sealed"]) if event["sealed"] else event["payload"]


def claim(event_id: ObjectId) -> Document | None:
    """Lease a pending event to this process, or None where it is done, failed or leased to another."""
    instant = clock.now()
    return collection("outbox").find_one_and_update(
        {"_id": event_id, "state": PENDING, "leased_until": {"$lte": instant}, "due_at": {"$lte": instant}},
        {"$set": {"leased_until": instant + LEASE}, "$inc": {"attempts": 1}},
        return_document=ReturnDocument.AFTER,
    )


def extend(event_id: ObjectId) -> None:
    """Keep the lease of a job that is still running."""
    collection("outbox").update_one(
        {"_id": event_id, "state": PENDING}, {"$set": {"leased_until": clock.now() + LEASE}}
    )


def complete(session: Session, event_id: ObjectId) -> None:
    """Mark an event done, in the transaction that does its work.

    Raises:
        AlreadyDone: it is not pending any more; the work must not be done twice.
    """
    changed = collection("outbox").update_one(
        {"_id": event_id, "state": PENDING},
        {"$set": {"state": DONE, "done_at": clock.now(), "sealed": None}},
        session=session,
    )
    if changed.matched_count == 0:
        raise AlreadyDone(str(event_id))


def close(event_id: ObjectId) -> None:
    """Mark an event done that has nothing left to do, or whose work leaves no trace in the database."""
    transaction(lambda session: complete(session, event_id))


def postpone(event: Document, error: str) -> bool:
    """After a failure: try again later with backoff and jitter; returns False where it was the last try."""
    if event["attempts"] >= MAX_ATTEMPTS:
        return False
    wait = BACKOFF_SECONDS[min(event["attempts"], len(BACKOFF_SECONDS)) - 1]
    instant = clock.now()
    collection("outbox").update_one(
        {"_id": event["_id"], "state": PENDING},
        {
            "$set": {
                "due_at": instant + clock.seconds(wait * random.uniform(0.8, 1.2)),  # noqa: S311 - jitter, no secret
                "leased_until": instant,
                "handed_out_at": None,
                "error": error,
            }
        },
    )
    return True


def fail(session: Session, event_id: ObjectId, error: str) -> None:
    """End an event visibly after its last try."""
    collection("outbox").update_one(
        {"_id": event_id, "state": PENDING},
        {"$set": {"state": FAILED, "error": error, "failed_at": clock.now(), "sealed": None}},
        session=session,
    )


def hand_out(limit: int = 200) -> list[Document]:
    """Pending events that are due and with nobody, at most `limit` a queue, marked as handed out now: the sweeper sends
    these to their queues."""
    instant = clock.now()
    handed = []
    for queue in QUEUES:
        waiting = {
            "state": PENDING,
            "queue": queue,
            "due_at": {"$lte": instant},
            "leased_until": {"$lte": instant},
            "$or": [{"handed_out_at": None}, {"handed_out_at": {"$lte": instant - HAND_OUT_AGAIN[queue]}}],
        }
        for row in collection("outbox").find(waiting, {"_id": 1, "queue": 1}).sort("due_at").limit(limit):
            taken = collection("outbox").update_one(
                {**waiting, "_id": row["_id"]}, {"$set": {"handed_out_at": instant}}
            )
            if taken.modified_count:
                handed.append(row)
    return handed


def failed(limit: int = 100) -> list[Document]:
    """What failed for good, the newest first: kind, error and times, never the payload."""
    shown = {"kind": 1, "error": 1, "created_at": 1, "failed_at": 1, "request_id": 1}
    return list(collection("outbox").find({"state": FAILED}, shown).sort("failed_at", -1).limit(limit))


def retry(event_id: ObjectId) -> bool:
    """Let a failed event try again from the start; a secret one is over, its payload is forgotten."""
    instant = clock.now()
    again = {"state": PENDING, "attempts": 0, "due_at": instant, "leased_until": instant, "handed_out_at": None}
    changed = collection("outbox").update_one(
        {"_id": event_id, "state": FAILED, "payload": {"$ne": None}}, {"$set": again}
    )
    return changed.modified_count == 1


def counts() -> dict[str, int]:
    """How many events are pending and failed, for the metrics and the console."""
    return {state: collection("outbox").count_documents({"state": state}) for state in (PENDING, FAILED)}


def oldest_pending_seconds() -> float:
    """Age of the oldest event that is due, 0 where none waits."""
    instant = clock.now()
    row = collection("outbox").find_one({"state": PENDING, "due_at": {"$lte": instant}}, sort=[("due_at", 1)])
    return (instant - row["due_at"]).total_seconds() if row else 0.0


def changes() -> Any:
    """A change stream of new events, for the dispatcher. Its losses are found by `hand_out`."""
    return collection("outbox").watch([{"$match": {"operationType": "insert"}}], max_await_time_ms=1000)
