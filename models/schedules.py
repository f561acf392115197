"""Schedules: what the clock brings about, each slot of it once, whatever crashes. A slot: `running → done | failed → running`.

A schedule has a name and slots: instants at which it is due (every day at 09:00). One scheduler at a time, the holder of a
lease, looks which slots have come since it last looked; in one transaction it writes their rows, an event of the outbox for
each, and how far it has looked (`upto`, moved only by whoever saw its old value). So of two schedulers that both believe to be
the active one, only one starts a slot, and one that dies before its commit has started none.

The work of a slot is done page by page: a page's messages and the place where it ended (`after`) are one transaction, moved
only by whoever saw the old place. A worker that is killed leaves whole pages, and the next goes on behind the last.

A schedule that the house sees for the first time starts with its next slot. Slots that were missed while the house stood still
are made up for, as far back as the schedule wants them; older ones are left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from bson import ObjectId
from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from models import clock, outbox
from models.database import Document, Session, collection, transaction

RUNNING = "running"
DONE = "done"
FAILED = "failed"
STATES = (RUNNING, DONE, FAILED)

LEASE = clock.seconds(60)
KEEP_DONE = clock.days(400)

INDEXES = {
    "schedules": [],
    "schedule_slots": [
        IndexModel([("name", ASCENDING), ("slot", ASCENDING)], name="once", unique=True),
        IndexModel("done_at", name="forget_done", expireAfterSeconds=int(KEEP_DONE.total_seconds())),
    ],
    "schedule_lease": [],
}


class Overtaken(Exception):
    """Another worker moved this slot on meanwhile; the transaction that finds out is rolled back."""


def take(holder: str) -> bool:
    """Become the active scheduler for LEASE, or stay it; False where another one is."""
    instant = clock.now()
    free = {"_id": "scheduler", "$or": [{"until": {"$lte": instant}}, {"holder": holder}]}
    try:
        collection("schedule_lease").update_one(
            free, {"$set": {"holder": holder, "until": instant + LEASE}}, upsert=True
        )
    except DuplicateKeyError:
        return False
    return True


def release(holder: str) -> None:
    """Let the next one in at once."""
    collection("schedule_lease").delete_one({"_id": "scheduler", "holder": holder})


def upto(name: str) -> dt.datetime | None:
    """How far the slots of a schedule have been started; None where nobody has looked yet."""
    row = collection("schedules").find_one({"_id": name})
    return row["upto"] if row else None


def begin(name: str) -> None:
    """See a schedule for the first time: its slots count from now on."""
    try:
        collection("schedules").insert_one({"_id": name, "upto": clock.now()})
    except DuplicateKeyError:
        pass  # another scheduler saw it first


def start(name: str, slots: Iterable[dt.datetime], seen: dt.datetime, now: dt.datetime) -> int:
    """Start the slots that have come between `seen`, what `upto` said, and now; returns how many, 0 if somebody was faster."""
    wanted = list(slots)

    def write(session: Session) -> int:
        moved = collection("schedules").update_one(
            {"_id": name, "upto": seen}, {"$set": {"upto": now}}, session=session
        )
        if not moved.matched_count:
            return 0
        return sum(_start_one(session, name, slot) for slot in wanted)

    return transaction(write)


def _start_one(session: Session, name: str, slot: dt.datetime) -> int:
    row = {"state": RUNNING, "after": None, "pages": 0, "created_at": clock.now()}
    made = collection("schedule_slots").update_one(
        {"name": name, "slot": slot}, {"$setOnInsert": row}, upsert=True, session=session
    )
    if made.upserted_id is None:
        return 0
    key = f"slot:{name}:{slot.isoformat()}"
    outbox.add(session, "run_slot", {"name": name, "slot": slot}, queue=outbox.MESSAGES, key=key)
    return 1


def slot_of(name: str, slot: dt.datetime) -> Document:
    """The row of a slot.

    Raises:
        LookupError: it was never started.
    """
    row = collection("schedule_slots").find_one({"name": name, "slot": slot})
    if row is None:
        raise LookupError(f"no slot of {name} at {slot}")
    return row


def turn(row: Document, work: Callable[[Session, ObjectId | None], ObjectId | None], event_id: ObjectId) -> bool:
    """Do the next page of a slot whose row was just read; returns whether there may be more.

    `work(session, after)` does the page behind `after` and says where it ended, None where that was the last page. With it the
    slot is done, and so is its event.

    Raises:
        Overtaken: another worker has done this page. Whatever `work` raises; nothing of the page is written then.
    """

    def write(session: Session) -> bool:
        ended = work(session, row["after"])
        changes: Document = {"state": RUNNING, "after": ended, "pages": row["pages"] + 1}
        if ended is None:
            changes = {"state": DONE, "done_at": clock.now()}
        moved = collection("schedule_slots").update_one(
            {"_id": row["_id"], "state": {"$ne": DONE}, "pages": row["pages"]}, {"$set": changes}, session=session
        )
        if not moved.matched_count:
            raise Overtaken(row["name"])
        if ended is None:
            outbox.complete(session, event_id)
        return ended is not None

    return transaction(write)


def fail(session: Session, name: str, slot: dt.datetime) -> None:
    """After the last try of its event the slot stands where it stopped, visibly; `flask outbox retry` lets it go on."""
    collection("schedule_slots").update_one(
        {"name": name, "slot": slot, "state": RUNNING}, {"$set": {"state": FAILED}}, session=session
    )
