"""The audit log: who changed whose record, how, when and from where, in the commit of the change.

Append-only, sealed once a day by a hash chain: the seal of a day is HMAC-SHA-256 over the seal of the day before and over
every entry of the day in order, under a key that does not lie in the database. `verify()` finds an entry that was altered,
added or removed after its day was sealed, and a seal that was replaced, whoever holds the database. Each seal is also
written to `audit_anchors` under DATA_DIR and to the log, so that a chain that was cut or made anew is found as well.

Kept without end (网络安全法 article 21 asks for six months at least).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from bson import ObjectId, json_util
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from models import clock, masking
from models.access import AUDITOR, Actor, require
from models.database import Document, Session, collection
from settings import settings

log = structlog.stdlib.get_logger("audit")

GENESIS = "0" * 64
SEAL_AFTER = dt.timedelta(minutes=10)
HIDDEN = "（已变更）"

INDEXES = {
    "audit": [
        IndexModel([("day", ASCENDING), ("_id", ASCENDING)], name="by_day"),
        IndexModel([("subject.kind", ASCENDING), ("subject.id", ASCENDING), ("at", DESCENDING)], name="by_subject"),
        IndexModel([("actor.account_id", ASCENDING), ("at", DESCENDING)], name="by_actor"),
    ],
    "audit_seals": [],
}

MASKS = {
    "name": masking.mask_name,
    "emergency_contact": masking.mask_name,
    "phone_owner": masking.mask_name,
    "id_number": masking.mask_id_number,
    "phone": masking.mask_phone,
    "emergency_phone": masking.mask_phone,
    "address": masking.mask_address,
    "hukou_place": masking.mask_address,
}
NEVER_SHOWN = (
    "password",
    "password_hash",
    "totp_secret",
    "vector",
    "party_member",
    "health",
    "hardship",
    "liveness_note",
    "residence",
)


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: tuple[str, Any],
    before: Document | None = None,
    after: Document | None = None,
) -> None:
    """Write one entry in the transaction of the change; sensitive values are masked before they are written."""
    record_all(session, actor, action, [(subject, before, after)])


def record_all(
    session: Session,
    actor: Actor,
    action: str,
    changes: Iterable[tuple[tuple[str, Any], Document | None, Document | None]],
) -> None:
    """Write an entry for each (subject, before, after) of one action."""
    instant = clock.now()
    entries = [
        {
            "_id": ObjectId(),
            "at": instant,
            "day": clock.day_of(instant).isoformat(),
            "actor": {"account_id": actor.account_id, "role": actor.role, "ip": actor.ip},
            "request_id": actor.request_id,
            "action": action,
            "subject": {"kind": subject[0], "id": subject[1]},
            "before": _masked(before),
            "after": _masked(after),
        }
        for subject, before, after in changes
    ]
    collection("audit").insert_many(entries, session=session)


def _masked(values: Document | None) -> Document | None:
    if values is None:
        return None
    shown: Document = {}
    for key, value in values.items():
        if value is None or value == "":
            shown[key] = value
        elif key in NEVER_SHOWN or isinstance(value, bytes):
            shown[key] = HIDDEN
        elif key in MASKS:
            shown[key] = MASKS[key](str(value))
        elif isinstance(value, str):
            shown[key] = masking.mask_text(value)
        else:
            shown[key] = value
    return shown


def entries(
    actor: Actor, *, subject: tuple[str, ObjectId] | None = None, day: str | None = None, page: int = 1, size: int = 50
) -> tuple[list[Document], int]:
    """A page of the log, newest first, and the number of all; for auditors."""
    require(actor, (AUDITOR,))
    wanted: Document = {}
    if subject:
        wanted |= {"subject.kind": subject[0], "subject.id": subject[1]}
    if day:
        wanted["day"] = day
    found = collection("audit").find(wanted).sort("_id", DESCENDING).skip((page - 1) * size).limit(size)
    return list(found), collection("audit").count_documents(wanted)


@dataclass(frozen=True)
class Verification:
    """What `verify` found. `faults` are English sentences; an empty tuple means that the chain holds."""

    days: int
    entries: int
    unsealed: int
    faults: tuple[str, ...]


def seal(now: dt.datetime | None = None) -> list[str]:
    """Seal every day that is over and not sealed yet; returns the days. May run at any time, any number of times."""
    instant = now or clock.now()
    last_day = clock.day_of(instant - SEAL_AFTER) - dt.timedelta(days=1)
    if _cut():
        log.error("audit_chain_broken")
        return []
    newest = collection("audit_seals").find_one(sort=[("_id", DESCENDING)])
    first = collection("audit").find_one(sort=[("day", ASCENDING)])
    if newest:
        day, previous = dt.date.fromisoformat(newest["_id"]) + dt.timedelta(days=1), newest["digest"]
    elif first:
        day, previous = dt.date.fromisoformat(first["day"]), GENESIS
    else:
        return []
    sealed: list[str] = []
    while day <= last_day:
        digest, count = _digest(day.isoformat(), previous)
        try:
            collection("audit_seals").insert_one(
                {"_id": day.isoformat(), "digest": digest, "previous": previous, "count": count, "sealed_at": instant}
            )
        except DuplicateKeyError:
            return sealed  # another process seals
        _anchor(day.isoformat(), digest)
        sealed.append(day.isoformat())
        day, previous = day + dt.timedelta(days=1), digest
    return sealed


def verify() -> Verification:
    """Compute every seal again and compare; also with the anchors outside the database."""
    faults = [f"{day}: its seal is not the one that was anchored outside the database" for day in _cut()]
    previous, days, total = GENESIS, 0, 0
    expected_day: dt.date | None = None
    for stored in collection("audit_seals").find().sort("_id", ASCENDING):
        day = stored["_id"]
        if expected_day and day != expected_day.isoformat():
            faults.append(f"{expected_day}: its seal is missing")
        if stored["previous"] != previous:
            faults.append(f"{day}: its seal does not follow the seal of the day before")
        digest, count = _digest(day, stored["previous"])
        if count != stored["count"]:
            faults.append(f"{day}: {stored['count']} entries were sealed, {count} are there")
        elif digest != stored["digest"]:
            faults.append(f"{day}: an entry was changed after it was sealed")
        previous, days, total = stored["digest"], days + 1, total + count
        expected_day = dt.date.fromisoformat(day) + dt.timedelta(days=1)
    newest = collection("audit_seals").find_one(sort=[("_id", DESCENDING)])
    first = collection("audit_seals").find_one(sort=[("_id", ASCENDING)])
    if first and collection("audit").find_one({"day": {"$lt": first["_id"]}}):
        faults.append(f"{first['_id']}: entries are dated before the first seal")
    unsealed = collection("audit").count_documents({"day": {"$gt": newest["_id"]}} if newest else {})
    return Verification(days, total, unsealed, tuple(faults))


def _anchors() -> Path:
    return settings.DATA_DIR / "audit_anchors"


def _anchor(day: str, digest: str) -> None:
    """Note a seal outside the database."""
    with _anchors().open("a") as file:
        file.write(f"{day} {digest}\n")
    log.info("audit_sealed", day=day, digest=digest)


def _cut() -> list[str]:
    """The anchored days whose seal the database does not hold any more, or holds differently."""
    if not _anchors().exists():
        return []
    anchored = dict(line.split() for line in _anchors().read_text().splitlines() if line)
    held = {row["_id"]: row["digest"] for row in collection("audit_seals").find({"_id": {"$in": list(anchored)}})}
    return sorted(day for day, digest in anchored.items() if held.get(day) != digest)


def _digest(day: str, previous: str) -> tuple[str, int]:
    key = hashlib.sha256(b"audit seal" + settings.encryption_key).digest()
    digest, count = hmac.new(key, previous.encode(), hashlib.sha256), 0
    for line in _lines(day):
        digest.update(line)
        count += 1
    return digest.hexdigest(), count


def _lines(day: str) -> Iterator[bytes]:
    for entry in collection("audit").find({"day": day}).sort("_id", ASCENDING):
        yield json_util.dumps(entry, sort_keys=True, json_options=json_util.CANONICAL_JSON_OPTIONS).encode() + b"\n"
