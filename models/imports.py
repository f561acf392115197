"""Imports: a roster spreadsheet, or a zip of identity photographs, that the worker reads in chunks.

`waiting → running → done | refused`. Each chunk is committed together with the progress, so a killed worker goes on at the
row where it stopped, and the ledger's own unique index keeps anybody from being made twice. Rejected rows are kept
encrypted until the spreadsheet is made that goes back to the clerk. The file is deleted when it is read, the spreadsheet
after 30 days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel

from models import access, audit, clock, encryption, files, outbox
from models.access import ENTERPRISE, OFFICE, Actor, require
from models.database import Document, Session, collection, transaction
from models.errors import NotFound

ROSTER = "roster"
PHOTOS = "photos"

WAITING = "waiting"
RUNNING = "running"
DONE = "done"
REFUSED = "refused"
STATES = (WAITING, RUNNING, DONE, REFUSED)

KEEP_REJECTED = clock.days(30)

INDEXES = {
    "imports": [IndexModel([("division", ASCENDING), ("_id", DESCENDING)], name="by_division")],
    "import_rejections": [
        IndexModel([("import_id", ASCENDING), ("row", ASCENDING)], name="one_a_row", unique=True),
        IndexModel("at", name="forget", expireAfterSeconds=int(KEEP_REJECTED.total_seconds())),
    ],
}


def start(kind: str, file_name: str, data: bytes, actor: Actor, *, division: str = "") -> Document:
    """Take a file and hand it to the worker. `division` is where rows without a community of their own go."""
    require(actor, (*OFFICE, ENTERPRISE))
    file_id = files.put(data, "roster" if kind == ROSTER else "face")
    row: Document = {
        "_id": ObjectId(),
        "kind": kind,
        "file_id": file_id,
        "file_name": file_name[-80:],
        "state": WAITING,
        "rows": 0,
        "processed": 0,
        "accepted": 0,
        "added": 0,
        "filled": 0,
        "rejected": 0,
        "header": [],
        "notes": [],
        "refusal": None,
        "division": actor.division,
        "into": division or (actor.division if len(actor.division) == 12 else ""),
        "by": {"account_id": actor.account_id, "role": actor.role, "enterprise": actor.enterprise},
        "created_at": clock.now(),
        "finished_at": None,
    }

    def write(session: Session) -> None:
        collection("imports").insert_one(row, session=session)
        audit.record(session, actor, f"import.{kind}_started", ("import", row["_id"]))
        outbox.add(session, f"import_{kind}", {"import_id": row["_id"]}, queue="bulk")

    transaction(write)
    files.keep([file_id])
    return row


def get(import_id: ObjectId, actor: Actor) -> Document:
    """An import of the actor's area.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    own = {"by.account_id": actor.account_id} if actor.role == ENTERPRISE else actor.area()
    found = collection("imports").find_one({"$and": [{"_id": import_id}, own]})
    if not found:
        raise NotFound("import_not_found", "没有找到这次导入。")
    return found


def recent(actor: Actor) -> list[Document]:
    own = {"by.account_id": actor.account_id} if actor.role == ENTERPRISE else actor.area()
    return list(collection("imports").find(own).sort("_id", DESCENDING).limit(20))


def unfinished(import_id: ObjectId) -> Document | None:
    return collection("imports").find_one({"_id": import_id, "state": {"$in": [WAITING, RUNNING]}})


def actor_of(row: Mapping[str, Any]) -> Actor:
    """Whoever started the import, for the worker that acts for them."""
    by = row["by"]
    return Actor(by["role"], by["account_id"], row["division"], enterprise=by["enterprise"], request_id=str(row["_id"]))


def begin(import_id: ObjectId, rows: int, header: list[str], notes: list[str]) -> None:
    begun = collection("imports").update_one(
        {"_id": import_id, "state": {"$in": [WAITING, RUNNING]}},
        {"$set": {"state": RUNNING, "rows": rows, "header": header, "notes": notes}},
    )
    if not begun.matched_count:
        raise outbox.AlreadyDone(str(import_id))


def advance(
    session: Session, import_id: ObjectId, *, before: int, done: int, added: int, filled: int, same: int
) -> None:
    """Commit the progress of a chunk with the chunk.

    Raises:
        outbox.AlreadyDone: another worker has gone on from here.
    """
    advanced = collection("imports").update_one(
        {"_id": import_id, "state": RUNNING, "processed": before},
        {
            "$set": {"processed": done},
            "$inc": {"added": added, "filled": filled, "accepted": added + filled + same},
        },
        session=session,
    )
    if not advanced.matched_count:
        raise outbox.AlreadyDone(str(import_id))


def reject(session: Session, import_id: ObjectId, row: int, cells: Iterable[str], reasons: Iterable[str]) -> None:
    """Keep a row that was not taken, encrypted, with the reasons for the clerk."""
    sealed = encryption.seal_document({"cells": list(cells), "reasons": list(reasons)}, "roster")
    collection("import_rejections").insert_one(
        {"import_id": import_id, "row": row, "sealed": sealed, "at": clock.now()}, session=session
    )
    collection("imports").update_one({"_id": import_id}, {"$inc": {"rejected": 1}}, session=session)


def errors_file(import_id: ObjectId, actor: Actor) -> bytes:
    """The spreadsheet of the rows that were not taken.

    Raises:
        NotFound: every row was taken, or the import is somebody else's, or 30 days are over.
    """
    row = get(import_id, actor)
    if not row.get("errors_file_id"):
        raise NotFound("no_errors_file", "这次导入没有未通过的记录，或已超过30天。")
    return files.get(row["errors_file_id"])


def rejected(import_id: ObjectId) -> Iterator[tuple[list[str], list[str]]]:
    """(cells, reasons) of the rows that were not taken, in the order of the file."""
    for row in collection("import_rejections").find({"import_id": import_id}).sort("row", ASCENDING):
        opened = encryption.open_document(row["sealed"])
        yield opened["cells"], opened["reasons"]


def finish(session: Session, row: Mapping[str, Any], errors_file_id: ObjectId | None) -> None:
    """Everything is read; `errors_file_id` names the spreadsheet of what was not taken."""
    update = {"state": DONE, "finished_at": clock.now(), "file_id": None, "errors_file_id": errors_file_id}
    collection("imports").update_one({"_id": row["_id"]}, {"$set": update}, session=session)
    collection("import_rejections").delete_many({"import_id": row["_id"]}, session=session)
    files.release(session, [row["file_id"]])
    counted = collection("imports").find_one({"_id": row["_id"]}, session=session) or {}
    audit.record(
        session, actor_of(row), f"import.{row['kind']}_done", ("import", row["_id"]),
        after={name: counted.get(name) for name in ("rows", "accepted", "added", "filled", "rejected")},
    )  # fmt: skip


def refuse(session: Session, row: Mapping[str, Any], code: str, detail: str) -> None:
    """The file cannot be read at all: say why, in one sentence."""
    collection("imports").update_one(
        {"_id": row["_id"]},
        {
            "$set": {
                "state": REFUSED,
                "refusal": {"code": code, "detail": detail},
                "finished_at": clock.now(),
                "file_id": None,
            }
        },
        session=session,
    )
    files.release(session, [row["file_id"]])
    audit.record(session, access.system(), "import.refused", ("import", row["_id"]), after={"code": code})


def forget() -> int:
    """Delete the spreadsheets of rejected rows whose 30 days are over; returns how many."""
    over = {"errors_file_id": {"$type": "objectId"}, "finished_at": {"$lte": clock.now() - KEEP_REJECTED}}
    rows = list(collection("imports").find(over, {"errors_file_id": 1}))
    for row in rows:
        files.delete([row["errors_file_id"]])
        collection("imports").update_one({"_id": row["_id"]}, {"$set": {"errors_file_id": None}})
    return len(rows)
