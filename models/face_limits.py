"""Limits of attempts by face: for a person, an account and a device, and what locks them. The rule, in prose:

**Who must never be stopped.** A daughter with two parents and two parents-in-law on one telephone. A volunteer who helps
fifteen neighbours in an afternoon. The tablet in the hall of a street office. A man of 83 who fails six times because his
kitchen is dark. So most failures count for nothing but the daily rule; only *suspicious* ones (another face than the one
enrolled, a face that changes midway, a film played again, a picture of a picture) can lock anything, and light, blur or a
movement that was not seen is never suspicious. What a review doubted is suspicious only once a person has refused it.

**A person** opens 10 sessions a day; after 3 failures in a row of any kind a human is offered for the rest of that day. After
3 suspicious failures within 30 days the face is locked until somebody of the office has looked: the retiree reads so in
plain words (409 `face_locked`), a follow-up lies with the community, and the worker ends it with a reason. A review that a
worker approves is such a look as well, and so ends it by itself.

**An account and a device** open 60 and 200 sessions a day: four tries for each of fifteen neighbours, and a busy day in an
office's hall. Suspicious failures against 2 people within 24 hours, or 5 of them within 7 days, lock the face on that
account or device for 24 hours (429 `face_paused`), unless for each person who failed so at least 4 others passed on it in
the same time: at a share of one in five, old reference photographs explain it. A lock stands on failures. Where a worker
unlocks the person, or a supervisor finds the alarm harmless, those failures stop counting, and a lock that has nothing left
to stand on is lifted at once.

**Always open**: window, home visit and video, for everybody, whatever is locked; nobody's pension waits for a lock.

**What it cannot do.** A device is a random name that the page made up: whoever clears the browser is a new device, whoever
sends none is limited by account alone. It finds the careless; the lock of the person is what holds.

Counting. A suspicious failure is one row whose id is the session's, so counting again after a crash changes nothing. Each
session that is opened, and each failure, writes the one document of its account and of its device in its own transaction:
of two that happen at once, one is run again and sees the other. Numbers are rules (`models/rules.py`). Rows are forgotten a
day after the longest window, and so is the device on the session.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, IndexModel

from models import access, audit, clock, follow_ups, people, rules
from models.access import OFFICE, Actor, require
from models.database import Document, Session, collection, transaction
from models.errors import Conflict, TooMany
from settings import settings

SUSPICIOUS = ("different_person", "different_people", "seen_before", "presentation_attack", "flat_face")

ACCOUNT = "account"
DEVICE = "device"
FIELDS = {ACCOUNT: "account_id", DEVICE: "device_key"}

DEVICE_ID = re.compile(r"[0-9A-Za-z-]{16,64}")
DAY, WEEK = clock.days(1), clock.days(7)
PASSED = "passed"  # of certification_sessions, which imports this module

LOCKED = "人脸认证先停一停，请社区工作人员帮您看一看。到窗口、请人上门、视频都能办，不影响您领养老金。"
LOOKED = "人工核对通过"

INDEXES = {
    "face_failures": [
        IndexModel([("retiree_id", ASCENDING), ("at", ASCENDING)], name="by_person"),
        IndexModel([("account_id", ASCENDING), ("at", ASCENDING)], name="by_account"),
        IndexModel([("device_key", ASCENDING), ("at", ASCENDING)], name="by_device"),
        IndexModel("forget_at", name="forget", expireAfterSeconds=0),
    ],
    "face_holders": [IndexModel("forget_at", name="forget", expireAfterSeconds=0)],
}


@dataclass(frozen=True)
class Holder:
    """What attempts come from: an account (by its id) or a device (by its key)."""

    kind: str
    value: Any

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.value}"

    @property
    def own(self) -> Document:
        """The filter on rows and sessions that came from it."""
        return {FIELDS[self.kind]: self.value}


@dataclass(frozen=True)
class Pattern:
    """Suspicious failures of one holder against several people within 7 days."""

    holder: Holder
    retiree_ids: tuple[ObjectId, ...]
    session_ids: tuple[ObjectId, ...]
    accounts: int


def device_key(device_id: str | None) -> str | None:
    """What is kept of a device's own name: a keyed hash. A name of the wrong form is none."""
    if not device_id or not DEVICE_ID.fullmatch(device_id):
        return None
    key = hashlib.sha256(b"device" + settings.encryption_key).digest()
    return hmac.new(key, device_id.encode(), hashlib.sha256).hexdigest()


def holders(attempt: Mapping[str, Any]) -> list[Holder]:
    """The account and, where the phone named it, the device of a session."""
    return [Holder(kind, attempt[field]) for kind, field in FIELDS.items() if attempt.get(field)]


def locked(person: Mapping[str, Any]) -> bool:
    """Whether attempts for this person wait for somebody of the office."""
    return bool(person["face"].get("locked_at"))


def admit(session: Session, attempt: Mapping[str, Any]) -> None:
    """Count a session that is being opened, in its transaction.

    Raises:
        TooMany: `face_paused`, the account or the device is locked; `too_many_sessions`, its day is used up.
    """
    instant, today = clock.now(), clock.today()
    for holder in holders(attempt):
        held = collection("face_holders").find_one({"_id": holder.key}, session=session) or {}
        until = held.get("locked_until") or instant
        if until > instant:
            raise TooMany(
                "face_paused",
                "这部手机上的人脸认证暂停一天，请明天再试；窗口、上门、视频现在都能办，不影响领养老金。",
                retry_after=int((until - instant).total_seconds()) + 1,
            )
        opened = held.get("opened", 0) if held.get("day") == today.isoformat() else 0
        if opened >= rules.number(f"certification_sessions_per_day_{holder.kind}", today, attempt["division"]):
            raise TooMany(
                "too_many_sessions", "这部手机今天试的次数太多了，请明天再试，或选择人工办理。", retry_after=3600
            )
        _write(session, holder, {"day": today.isoformat(), "opened": opened + 1, "forget_at": instant + 2 * DAY})


def count_failure(session: Session, attempt: Mapping[str, Any]) -> list[Pattern]:
    """Count a failed session by its reasons, once, in the transaction that fails it; lock what the rule locks.

    Returns what is worth a supervisor's look: suspicious failures of one account or device against several people.
    """
    reasons = [reason for reason in attempt["reasons"] if reason in SUSPICIOUS]
    if not reasons:
        return []
    row = {
        "retiree_id": attempt["retiree_id"],
        "division": attempt["division"],
        "account_id": attempt["account_id"],
        "device_key": attempt.get("device_key"),
        "reasons": reasons,
        "at": attempt["received_at"],
        "counts": True,
        "forget_at": attempt["received_at"] + max(_window(attempt["division"]), WEEK) + DAY,
    }
    counted = collection("face_failures").update_one(
        {"_id": attempt["_id"]}, {"$setOnInsert": row}, upsert=True, session=session
    )
    if counted.upserted_id is None:
        return []
    _lock_person(session, row)
    return [found for holder in holders(attempt) if (found := _weigh(session, holder, attempt))]


def forgive(session: Session, where: Document) -> None:
    """Let failures count no longer, and lift the locks of accounts and devices that stood on them alone."""
    rows = list(collection("face_failures").find({**where, "counts": True}, session=session))
    collection("face_failures").update_many(
        {"_id": {"$in": [row["_id"] for row in rows]}}, {"$set": {"counts": False}}, session=session
    )
    for holder, division in {holder: row["division"] for row in rows for holder in holders(row)}.items():
        if not _over(session, holder, division):
            _write(session, holder, {"locked_until": None, "forget_at": clock.now() + 2 * DAY})


def unlock(retiree_id: ObjectId, reason: str, actor: Actor) -> None:
    """Somebody of the office has looked: attempts by face may go on, also today.

    Raises:
        NotFound: out of scope. Conflict: `not_locked`, or somebody was faster.
    """
    require(actor, OFFICE)

    def write(session: Session) -> None:
        person = people.get(retiree_id, actor, session)
        if not locked(person):
            raise Conflict("not_locked", "这位退休人员的人脸认证没有停用，不用恢复。")
        _unlock(session, person, reason, actor)

    transaction(write)


def looked(session: Session, person: Mapping[str, Any], actor: Actor) -> None:
    """A worker has compared the frames and approved: what failed before counts no longer, and a lock is over."""
    if locked(person):
        _unlock(session, person, LOOKED, actor)
    else:
        forgive(session, {"retiree_id": person["_id"]})


def forget_devices() -> int:
    """Take the device off the sessions for which it counts no longer; returns how many."""
    over = clock.now() - max(_window(""), WEEK) - DAY
    found = {"device_key": {"$type": "string"}, "created_at": {"$lt": over}}
    return collection("certification_sessions").update_many(found, {"$set": {"device_key": None}}).modified_count


def _window(division: str) -> dt.timedelta:
    return clock.days(rules.number("face_suspicious_days", clock.today(), division))


def _write(session: Session, holder: Holder, values: Document) -> None:
    # the count makes every write a change: setting what is there already would not conflict with another transaction
    collection("face_holders").update_one(
        {"_id": holder.key}, {"$set": values, "$inc": {"writes": 1}}, upsert=True, session=session
    )


def _failures(session: Session, own: Document, since: dt.datetime) -> list[Document]:
    found = collection("face_failures").find({**own, "counts": True, "at": {"$gt": since}}, session=session)
    return list(found.sort("at", ASCENDING))


def _lock_person(session: Session, row: Mapping[str, Any]) -> None:
    retiree_id, division = row["retiree_id"], row["division"]
    count = len(_failures(session, {"retiree_id": retiree_id}, clock.now() - _window(division)))
    if count < rules.number("face_suspicious_most", clock.today(), division):
        return
    changed = collection("retirees").update_one(
        {"_id": retiree_id, "face.locked_at": None}, {"$set": {"face.locked_at": clock.now()}}, session=session
    )
    if changed.matched_count:
        follow_ups.open_by_system(session, retiree_id, division, follow_ups.FACE_LOCKED)
        audit.record(session, access.system(), "face.locked", ("retiree", retiree_id), after={"failures": count})


def _unlock(session: Session, person: Mapping[str, Any], reason: str, actor: Actor) -> None:
    changes = {"face.locked_at": None, "certification.failures_in_row": 0}
    collection("retirees").update_one({"_id": person["_id"]}, {"$set": changes}, session=session)
    follow_ups.close(session, person["_id"], follow_ups.FACE_LOCKED, "face_unlocked")
    forgive(session, {"retiree_id": person["_id"]})
    audit.record(session, actor, "face.unlocked", ("retiree", person["_id"]), after={"reason": reason})


def _weigh(session: Session, holder: Holder, attempt: Mapping[str, Any]) -> Pattern | None:
    """Lock the holder where the rule says so; returns what it did to several people within 7 days."""
    instant, today, division = clock.now(), clock.today(), attempt["division"]
    # written whether it is locked or not: two failures at once must see each other
    values: Document = {"forget_at": instant + 2 * DAY}
    if _over(session, holder, division):
        until = instant + clock.seconds(3600 * rules.number("face_lock_hours", today, division))
        values = {"locked_until": until, "forget_at": until + DAY}
        # the audit log is kept without end and a device is not: the entry names the account that went too far on it
        subject, after = ("account", attempt["account_id"]), {"holder": holder.kind, "until": until}
        audit.record(session, access.system(), "face.paused", subject, after=after)
    _write(session, holder, values)
    rows = _failures(session, holder.own, instant - WEEK)
    retiree_ids = tuple(dict.fromkeys(row["retiree_id"] for row in rows))
    if len(retiree_ids) < rules.number("face_suspicious_people", today, division):
        return None
    accounts = len({row["account_id"] for row in rows})
    return Pattern(holder, retiree_ids, tuple(row["_id"] for row in rows), accounts)


def _over(session: Session, holder: Holder, division: str) -> bool:
    """Whether the holder's failures lock it: people of a day or failures of a week, and too few who passed beside them."""
    instant, today = clock.now(), clock.today()
    day = _failures(session, holder.own, instant - DAY)
    week = _failures(session, holder.own, instant - WEEK)
    most_people = rules.number("face_suspicious_people", today, division)
    most_failures = rules.number("face_suspicious_week", today, division)
    if len({row["retiree_id"] for row in day}) >= most_people and not _excused(session, holder, day, DAY, division):
        return True
    return len(week) >= most_failures and not _excused(session, holder, week, WEEK, division)


def _excused(
    session: Session, holder: Holder, rows: Sequence[Document], within: dt.timedelta, division: str
) -> bool:  # fmt: skip
    failed = {row["retiree_id"] for row in rows}
    found = collection("certification_sessions").find(
        {**holder.own, "state": PASSED, "created_at": {"$gt": clock.now() - within}}, {"retiree_id": 1}, session=session
    )
    passed = {attempt["retiree_id"] for attempt in found} - failed
    return len(passed) >= len(failed) * rules.number("face_suspicious_passes", clock.today(), division)
