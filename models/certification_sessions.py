"""One attempt to certify by face: the server draws actions, the phone sends frames, the worker checks, a person decides doubt.

    awaiting_frames → checking → passed | in_review | failed
    in_review → passed | failed;  failed → in_review where the retiree asks a person to look
    awaiting_frames → expired (the sweeper, or the next attempt of the same account)
    checking → in_review also where the machine could not check at all: software that fails never fails a retiree

The actions are drawn at random by the server and bound to the retiree, the account and the session's id, which is the
nonce: it takes frames once, from that account, for a few minutes. One session of a person is open at a time (a unique
index), so two phones cannot both certify. Frames are stored encrypted and deleted by time: passed at once, reviewed after
the decision, failed after 30 days at most, for as long as the retiree may ask a person to look at them;
of the passed those that chance has drawn for a second look when it is over, after 7 days at most.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from models import (
    access,
    audit,
    certifications,
    clock,
    consents,
    face_alarms,
    face_labels,
    face_limits,
    files,
    follow_ups,
    frame_fingerprints,
    outbox,
    people,
    rules,
    second_looks,
)
from models.access import OFFICE, Actor, require
from models.database import Document, Session, collection, transaction
from models.errors import Conflict, Gone, Invalid, NotFound, TooMany
from settings import settings

AWAITING_FRAMES = "awaiting_frames"
CHECKING = "checking"
PASSED = "passed"
IN_REVIEW = "in_review"
FAILED = "failed"
EXPIRED = "expired"
STATES = (AWAITING_FRAMES, CHECKING, PASSED, IN_REVIEW, FAILED, EXPIRED)

PASS = "pass"
REVIEW = "review"
FAIL = "fail"
OUTCOMES = {PASSED: PASS, IN_REVIEW: REVIEW, FAILED: FAIL}

NEUTRAL = "neutral"
FRAMES_PER_ACTION = 6
MOST_FRAMES_PER_ACTION = 16
ACTIONS_DRAWN = (2, 3)

REPLAYED = "seen_before"
PERHAPS_REPLAYED = "seen_before_doubtful"
REPEATED = "frames_repeated"
NOT_CHECKED = "could_not_check"
WITHDRAWN = "consent_withdrawn"
LOST = "frames_lost"
CERTIFIED_OTHERWISE = "certified_otherwise"
# what is no fault of the person's never counts towards being sent to a person
NOT_THE_PERSONS = (WITHDRAWN, LOST)

INDEXES = {
    "certification_sessions": [
        IndexModel("retiree_id", name="one_open", unique=True, partialFilterExpression={"open": True}),
        IndexModel([("retiree_id", ASCENDING), ("created_at", DESCENDING)], name="by_retiree"),
        IndexModel([("state", ASCENDING), ("division", ASCENDING), ("created_at", ASCENDING)], name="by_state"),
        IndexModel([("state", ASCENDING), ("expires_at", ASCENDING)], name="expiring"),
        IndexModel("frames_delete_at", name="frames_to_delete"),
        IndexModel([("account_id", ASCENDING), ("created_at", DESCENDING)], name="by_account"),
        IndexModel([("device_key", ASCENDING), ("created_at", DESCENDING)], name="by_device"),
    ],
}


def start(
    retiree_id: ObjectId,
    actor: Actor,
    *,
    consent: bool,
    can_do_actions: bool = True,
    residence: Document | None = None,
    device: str = "",
    device_id: str | None = None,
) -> Document:
    """Open a session: random actions, a few minutes to send the frames.

    A session that the same account left behind is closed; one that another phone holds is respected. `device` is what the
    browser calls itself, `device_id` the random name that the phone made up for itself.

    Raises:
        Conflict: `consent_required`, `session_open`, `being_checked`, `face_locked`, `ask_a_person`, `not_entitled`.
        TooMany: `too_many_sessions`, `face_paused` (models/face_limits.py); other methods remain.
    """
    today = clock.today()

    def write(session: Session) -> Document:
        person = people.get(retiree_id, actor, session)
        if person["status"] == people.DECEASED:
            raise Conflict("not_entitled", "系统里的登记需要核对，请给社区打电话。")
        if not consent and not consents.hold(retiree_id, session):
            raise Conflict("consent_required", "用人脸认证需要您先同意；不同意也可以选择窗口、上门或视频办理。")
        _close_or_refuse(session, retiree_id, actor)
        _check_limits(session, person, today)
        if consent:
            consents.give(session, retiree_id, actor, "page")
        seconds = rules.number("certification_session_seconds", today, person["division"])
        instant = clock.now()
        attempt: Document = {
            "_id": ObjectId(),
            "retiree_id": retiree_id,
            "account_id": actor.account_id,
            "division": person["division"],
            "actions": _draw() if can_do_actions and not person.get("liveness_note") else [],
            "state": AWAITING_FRAMES,
            "open": True,
            "residence": residence or person.get("residence"),
            "device": device[:120],
            "device_key": face_limits.device_key(device_id),
            "frames": [],
            "reasons": [],
            "figures": {},
            "created_at": instant,
            "expires_at": instant + clock.seconds(seconds),
        }
        face_limits.admit(session, attempt)
        collection("certification_sessions").insert_one(attempt, session=session)
        audit.record(
            session, actor, "certification.started", ("retiree", retiree_id), after={"session_id": attempt["_id"]}
        )
        return attempt

    try:
        return transaction(write)
    except DuplicateKeyError as error:
        raise Conflict("session_open", "另一部手机正在为这位退休人员认证，请稍等几分钟。") from error


def get(session_id: ObjectId, actor: Actor, session: Session | None = None) -> Document:
    """One session of a person in the actor's scope. What has run out of time says so, before the sweeper has come by."""
    found = collection("certification_sessions").find_one({"_id": session_id}, session=session)
    if found:
        try:
            people.get(found["retiree_id"], actor, session)
        except NotFound:
            found = None
    if not found:
        raise NotFound("session_not_found", "没有找到这次认证，请返回上一页再试。")
    if found["state"] == AWAITING_FRAMES and found["expires_at"] <= clock.now():
        return {**found, "state": EXPIRED, "reasons": ["expired"]}
    return found


def expected_parts(attempt: Mapping[str, Any]) -> list[str]:
    """The names of the parts that a phone sends, in order."""
    return [NEUTRAL, *attempt["actions"]]


def receive(session_id: ObjectId, parts: Sequence[tuple[str, bytes]], actor: Actor) -> Document:
    """Take the frames of a session and hand them to the worker. `parts` are (action, image) in the order of sending.

    Raises:
        NotFound; Gone: the time is over. Conflict: frames were sent already, or another account opened the session.
        Invalid: parts are missing, in the wrong order or too many.
    """
    attempt = get(session_id, actor)
    _check_open(attempt, actor)
    _check_parts(attempt, [name for name, _ in parts])
    frames: list[Document] = [
        {
            "action": name,
            "file_id": files.put(data, "frame"),
            "digest": hashlib.sha256(data).hexdigest(),
        }
        for name, data in parts
    ]

    def write(session: Session) -> Document:
        taken = collection("certification_sessions").find_one_and_update(
            {"_id": session_id, "state": AWAITING_FRAMES, "expires_at": {"$gt": clock.now()}},
            {"$set": {"state": CHECKING, "frames": frames, "received_at": clock.now()}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if not taken:
            raise Conflict("already_sent", "照片已经收到，正在核对，请稍等。")
        collection("retirees").update_one(
            {"_id": attempt["retiree_id"]}, {"$set": {"certification.checking": session_id}}, session=session
        )
        audit.record(
            session, actor, "certification.frames_received", ("retiree", attempt["retiree_id"]),
            after={"session_id": session_id, "frames": len(frames)},
        )  # fmt: skip
        outbox.add(session, "check", {"session_id": session_id}, queue="faces", key=f"check:{session_id}")
        return taken

    try:
        received = transaction(write)
    except Conflict:
        files.delete([frame["file_id"] for frame in frames])
        raise
    files.keep([frame["file_id"] for frame in frames])
    return received


def load_frames(attempt: Mapping[str, Any]) -> list[tuple[str, bytes]]:
    """(action, image) of a session, decrypted, for the worker."""
    return [(frame["action"], files.get(frame["file_id"])) for frame in attempt["frames"]]


def in_checking(session_id: ObjectId) -> Document | None:
    """The session if it waits for the worker; None where it has been decided or withdrawn."""
    return collection("certification_sessions").find_one({"_id": session_id, "state": CHECKING})


def settle(
    session: Session,
    attempt: Mapping[str, Any],
    verdict: str,
    reasons: Sequence[str],
    figures: Document,
    advice: Sequence[str] = (),
) -> Document:
    """Write the worker's verdict, in the transaction that marks its event done.

    pass issues the certificate, and of a few chance has a person look as well (models/second_looks.py); review puts the
    session into the queue of the community; fail counts.

    Raises:
        outbox.AlreadyDone: the session is not waiting for a check any more.
    """
    state = {PASS: PASSED, REVIEW: IN_REVIEW, FAIL: FAILED}[verdict]
    instant = clock.now()
    person = people.get(attempt["retiree_id"], access.system(), session)
    if person["status"] == people.DECEASED and state == PASSED:
        # somebody certifies a person who is recorded as dead: the record or the face is wrong, and people must look
        state, reasons = IN_REVIEW, [*reasons, "recorded_as_deceased"]
    look = second_looks.draw(session, attempt, person) if state == PASSED else None
    judged = not set(reasons) & set(NOT_THE_PERSONS)
    update: Document = {
        "state": state,
        "open": state == IN_REVIEW,
        "verdict": verdict,
        # for the monthly report: what came of it at this moment, whatever people decide later
        "counted": {"outcome": OUTCOMES[state] if judged else None, **face_labels.cohort(attempt, person)},
        "reasons": list(reasons),
        "advice": list(advice),
        "figures": figures,
        "checked_at": instant,
    }
    if state == IN_REVIEW:
        update["in_review_at"] = instant
    else:
        update |= {"decided_at": instant, "decided_by": {"role": access.SYSTEM, "account_id": None}}
        useless = state == PASSED or WITHDRAWN in reasons or _sent_again(update)
        update["frames_delete_at"] = instant if useless else instant + _keep_failed(person)
    if look:
        update |= {"second_look": look, "frames_delete_at": look["until"]}
    changed = collection("certification_sessions").update_one(
        {"_id": attempt["_id"], "state": CHECKING}, {"$set": update}, session=session
    )
    if not changed.matched_count:
        raise outbox.AlreadyDone(str(attempt["_id"]))
    audit.record(
        session, access.system(), f"certification.{state}", ("retiree", person["_id"]),
        after={"session_id": attempt["_id"], "reasons": list(reasons)},
    )  # fmt: skip
    if "recorded_as_deceased" in reasons:
        face_alarms.raise_alarm(
            session, face_alarms.RECORDED_AS_DECEASED, account_id=attempt["account_id"], retiree_ids=[person["_id"]],
            division=attempt["division"], session_id=attempt["_id"],
        )  # fmt: skip
    if state == PASSED:
        _certify(session, attempt, person, certifications.FACE, access.system())
    elif state == FAILED:
        _count_failure(session, {**attempt, **update}, person, counts=judged)
    return {**attempt, **update}


def ask_for_review(session_id: ObjectId, actor: Actor) -> Document:
    """The machine refused and the retiree asks a person to look at the same frames.

    Raises:
        NotFound; Conflict: the frames are deleted, were decided by a person, or another attempt is open.
    """

    def write(session: Session) -> Document:
        attempt = get(session_id, actor, session)
        changed = collection("certification_sessions").find_one_and_update(
            {
                "_id": session_id,
                "state": FAILED,
                "decided_by.role": access.SYSTEM,
                "frames.0": {"$exists": True},
                "reasons": {"$ne": WITHDRAWN},
                "$or": [{"reasons": {"$ne": REPLAYED}}, {"figures.seen_before.exact": 0}],
                "frames_delete_at": {"$gt": clock.now()},
            },
            {
                "$set": {"state": IN_REVIEW, "open": True, "in_review_at": clock.now(), "review_asked": True},
                "$unset": {"frames_delete_at": "", "decided_at": "", "decided_by": ""},
            },
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if not changed:
            raise Conflict("no_review", "这次的照片不能再看了，请再试一次，或选择人工办理。")
        collection("retirees").update_one(
            {"_id": attempt["retiree_id"]}, {"$set": {"certification.checking": session_id}}, session=session
        )
        audit.record(
            session, actor, "certification.review_asked", ("retiree", attempt["retiree_id"]),
            after={"session_id": session_id},
        )  # fmt: skip
        return changed

    try:
        return transaction(write)
    except DuplicateKeyError as error:
        raise Conflict("session_open", "已经有一次认证正在进行，请等结果。") from error


def can_be_reviewed(attempt: Mapping[str, Any]) -> bool:
    """Whether `ask_for_review` would be heard."""
    return bool(
        attempt["state"] == FAILED
        and attempt["frames"]
        and (attempt.get("decided_by") or {}).get("role") == access.SYSTEM
        and WITHDRAWN not in attempt["reasons"]
        and not _sent_again(attempt)
        and attempt["frames_delete_at"] > clock.now()
    )


def close_certified(session: Session, retiree_id: ObjectId) -> None:
    """Somebody was certified by other means: an attempt that is still open has nothing left to decide."""
    rows = collection("certification_sessions")
    held = rows.find_one({"retiree_id": retiree_id, "open": True}, session=session)
    if held:
        closed = {"state": EXPIRED, "open": False, "reasons": [CERTIFIED_OTHERWISE], "frames_delete_at": clock.now()}
        rows.update_one({"_id": held["_id"]}, {"$set": closed}, session=session)


def close_withdrawn(session: Session, retiree_id: ObjectId) -> list[ObjectId]:
    """Consent was withdrawn: what is open fails, every frame is given up; returns the files that nothing names now."""
    rows = collection("certification_sessions")
    frames = [
        frame["file_id"]
        for attempt in rows.find({"retiree_id": retiree_id, "frames.0": {"$exists": True}}, session=session)
        for frame in attempt["frames"]
    ]
    rows.update_many(
        {"retiree_id": retiree_id, "open": True},
        {"$set": {"state": FAILED, "open": False, "reasons": [WITHDRAWN], "decided_at": clock.now()}},
        session=session,
    )
    rows.update_many(
        {"retiree_id": retiree_id}, {"$set": {"frames": []}, "$unset": {"frames_delete_at": ""}}, session=session
    )
    frame_fingerprints.forget(session, retiree_id)
    second_looks.withdraw(session, retiree_id)
    face_labels.unlink(session, retiree_id)
    return frames


def reviews(actor: Actor, *, page: int = 1, size: int = 20) -> tuple[list[Document], int]:
    """A page of the sessions that wait for a person in the actor's area, the oldest first, each with its retiree."""
    require(actor, OFFICE)
    where = {"$and": [actor.area(), {"state": IN_REVIEW}]}
    found = collection("certification_sessions").find(where).sort("created_at", ASCENDING)
    rows = list(found.skip((page - 1) * size).limit(size))
    return people.beside(rows), collection("certification_sessions").count_documents(where)


def review(session_id: ObjectId, actor: Actor) -> Document:
    """One session for the worker who decides, with its retiree and the attempts before it."""
    require(actor, OFFICE)
    attempt = get(session_id, actor)
    if attempt["state"] not in (IN_REVIEW, PASSED, FAILED) or "in_review_at" not in attempt:
        raise NotFound("review_not_found", "没有找到这项审核。")
    before = collection("certification_sessions").find(
        {"retiree_id": attempt["retiree_id"], "_id": {"$ne": session_id}, "state": {"$in": [PASSED, FAILED]}}
    )
    return {
        **attempt,
        "retiree": people.get(attempt["retiree_id"], actor),
        "attempts_before": list(before.sort("created_at", DESCENDING).limit(10)),
        "certificates": certifications.history(attempt["retiree_id"], actor)[:10],
    }


def frame(session_id: ObjectId, number: int, actor: Actor) -> bytes:
    """One frame of a session under review; every look is audited."""
    attempt = review(session_id, actor)
    if not 0 <= number < len(attempt["frames"]):
        raise NotFound("frame_gone", "这张照片已按规定删除。")
    data = files.get(attempt["frames"][number]["file_id"])
    subject, seen = ("retiree", attempt["retiree_id"]), {"session_id": session_id, "frame": number}
    transaction(lambda session: audit.record(session, actor, "certification.frame_seen", subject, after=seen))
    return data


def decide(session_id: ObjectId, *, approve: bool, reason: str, actor: Actor) -> Document:
    """A person decides what the machine doubted, with a reason.

    Approval issues the certificate and makes the frames a template for next time; the frames are deleted after it.

    Raises:
        NotFound; Conflict: `already_decided`, whoever was faster; `deceased`.
    """
    require(actor, OFFICE)
    state = PASSED if approve else FAILED

    def write(session: Session) -> Document:
        attempt = get(session_id, actor, session)
        person = people.get(attempt["retiree_id"], actor, session)
        if approve and person["status"] == people.DECEASED:
            raise Conflict("deceased", "这位退休人员已登记去世，请先核实登记是否有误。")
        instant = clock.now()
        update: Document = {
            "state": state,
            "open": False,
            "decided_at": instant,
            "decided_by": {"role": actor.role, "account_id": actor.account_id},
            "decision_reason": reason,
            # the template is made from the frames first; the sweeper deletes them if that never happens
            "frames_delete_at": instant + clock.days(1) if approve else instant,
        }
        changed = collection("certification_sessions").find_one_and_update(
            {"_id": session_id, "state": IN_REVIEW},
            {"$set": update},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if not changed:
            raise Conflict("already_decided", "这项审核已经有人办过了，请刷新。")
        audit.record(
            session, actor, f"certification.review_{state}", ("retiree", person["_id"]),
            after={"session_id": session_id, "reason": reason},
        )  # fmt: skip
        source = face_labels.REVIEW_ASKED if attempt.get("review_asked") else face_labels.REVIEW
        said = face_labels.APPROVED if approve else face_labels.REFUSED
        face_labels.add(session, attempt, person, source, said)
        if approve:
            _certify(session, attempt, person, certifications.FACE_REVIEW, actor)
            outbox.add(session, "learn", {"session_id": session_id}, queue="faces", key=f"learn:{session_id}")
        else:
            _count_failure(session, attempt, person)
        return changed

    return transaction(write)


def expire() -> int:
    """Close the sessions whose time is over; returns how many."""
    return (
        collection("certification_sessions")
        .update_many(
            {"state": AWAITING_FRAMES, "expires_at": {"$lte": clock.now()}},
            {"$set": {"state": EXPIRED, "open": False, "reasons": ["expired"]}},
        )
        .modified_count
    )


def delete_frames(now: dt.datetime | None = None) -> int:
    """Delete the frames whose time is over; returns how many files."""
    instant = now or clock.now()
    deleted = 0
    for attempt in collection("certification_sessions").find(
        {"frames_delete_at": {"$lte": instant}, "frames.0": {"$exists": True}}, {"frames": 1}
    ):
        deleted += drop_frames(attempt)
    return deleted


def drop_frames(attempt: Mapping[str, Any]) -> int:
    """Delete the frames of one session, then forget their names."""
    gone = [frame["file_id"] for frame in attempt["frames"]]
    files.delete(gone)
    collection("certification_sessions").update_one(
        {"_id": attempt["_id"]}, {"$set": {"frames": []}, "$unset": {"frames_delete_at": ""}}
    )
    return len(gone)


def by_id(session_id: ObjectId) -> Document | None:
    return collection("certification_sessions").find_one({"_id": session_id})


def failures_today(person: Mapping[str, Any]) -> int:
    """Failures in a row; a new day begins at none."""
    held = person["certification"]
    return int(held.get("failures_in_row", 0)) if held.get("failed_on") == clock.today().isoformat() else 0


def wants_a_person(person: Mapping[str, Any]) -> bool:
    """Whether the face has failed so often today that a person is offered instead, or is locked."""
    most = rules.number("certification_failures_in_row", clock.today(), person["division"])
    return face_limits.locked(person) or failures_today(person) >= most


def _sent_again(attempt: Mapping[str, Any]) -> bool:
    """Whether the very files were sent before: nothing to look at. Frames that are only alike, a person may look at."""
    return REPLAYED in attempt["reasons"] and attempt["figures"].get("seen_before", {}).get("exact") != 0


def _draw() -> list[str]:
    """Two or three different actions in random order, by the system's own randomness."""
    chance = secrets.SystemRandom()
    count = min(chance.choice(ACTIONS_DRAWN), len(settings.FACE_ACTIONS))
    return chance.sample(sorted(settings.FACE_ACTIONS), count)


def _close_or_refuse(session: Session, retiree_id: ObjectId, actor: Actor) -> None:
    held = collection("certification_sessions").find_one({"retiree_id": retiree_id, "open": True}, session=session)
    if not held:
        return
    if held["state"] in (CHECKING, IN_REVIEW):
        raise Conflict("being_checked", "您的照片正在核对，请等结果，不用重新照。")
    if held["account_id"] != actor.account_id and held["expires_at"] > clock.now():
        raise Conflict("session_open", "另一部手机正在为这位退休人员认证，请稍等几分钟。")
    collection("certification_sessions").update_one(
        {"_id": held["_id"], "state": AWAITING_FRAMES},
        {"$set": {"state": EXPIRED, "open": False, "reasons": ["expired"]}},
        session=session,
    )


def _check_limits(session: Session, person: Document, today: dt.date) -> None:
    if face_limits.locked(person):
        raise Conflict("face_locked", face_limits.LOCKED)
    if wants_a_person(person):
        raise Conflict("ask_a_person", "今天人脸没有认出来，别着急，请选一种人工办理方式。")
    started = collection("certification_sessions").count_documents(
        {"retiree_id": person["_id"], "created_at": {"$gte": clock.start_of(today)}}, session=session
    )
    if started >= rules.number("certification_sessions_per_day", today, person["division"]):
        raise TooMany("too_many_sessions", "今天试的次数太多了，请明天再试，或选择人工办理。", retry_after=3600)


def _check_open(attempt: Mapping[str, Any], actor: Actor) -> None:
    if attempt["account_id"] != actor.account_id:
        raise Conflict("other_phone", "这次认证是在另一部手机上开始的，请在那部手机上继续。")
    if attempt["state"] == EXPIRED:
        raise Gone("session_expired", "这次认证时间已过，请重新开始，不着急。")
    if attempt["state"] != AWAITING_FRAMES:
        raise Conflict("already_sent", "照片已经收到，正在核对，请稍等。")


def _check_parts(attempt: Mapping[str, Any], names: Sequence[str]) -> None:
    order = [name for place, name in enumerate(names) if place == 0 or names[place - 1] != name]
    if order != expected_parts(attempt):
        raise Invalid("frames_out_of_order", "照片没有收全，或顺序不对，请重新照一遍。", pointer="/frames")
    if max(names.count(name) for name in order) > MOST_FRAMES_PER_ACTION:
        raise Invalid(
            "too_many_frames", f"每个动作最多收{MOST_FRAMES_PER_ACTION}张照片，请重新照一遍。", pointer="/frames"
        )


def _certify(session: Session, attempt: Mapping[str, Any], person: Document, method: str, actor: Actor) -> None:
    follow_ups.close(session, person["_id"])
    if method == certifications.FACE_REVIEW:
        face_limits.looked(session, person, actor)
    certifications.certify(
        session, person, method, clock.day_of(attempt["received_at"]), actor,
        residence=attempt.get("residence"), session_id=attempt["_id"],
    )  # fmt: skip


def _count_failure(session: Session, attempt: Mapping[str, Any], person: Document, *, counts: bool = True) -> None:
    count = failures_today(person) + counts
    collection("retirees").update_one(
        {"_id": person["_id"]},
        {
            "$set": {
                "certification.checking": None,
                "certification.failures_in_row": count,
                "certification.failed_on": clock.today().isoformat(),
            }
        },
        session=session,
    )
    face_alarms.count_failure(session, attempt)
    outbox.add(session, "attempt_failed", {"session_id": attempt["_id"]}, key=f"failed:{attempt['_id']}")


def _keep_failed(person: Mapping[str, Any]) -> dt.timedelta:
    return clock.days(rules.number("frames_keep_failed_days", clock.today(), person["division"]))
