"""The second look 抽查: of the attempts that the machine passed, a few drawn by chance are looked at by a person as well.

    waiting → same | different | unclear, by a person
    waiting → not_looked (the sweeper, after `second_look_days`; or consent was withdrawn)

Nobody else can find a wrong pass: what was refused complains, what was passed wrongly does not. The share is the rule
`second_look_per_mille`; the draw is the system's own randomness, in the transaction of the verdict, so neither the phone
nor the worker knows beforehand. The certificate stands at once and the retiree notices nothing. The frames, which a pass
deletes otherwise, are kept until the look and for `second_look_days` at most; without a reference photograph there is
nothing to compare with and nothing is drawn.

Whoever looks is blind: no distance, no decision, no figures before the answer. The account that made the attempt never
looks at it. A look that finds somebody else stops no pension: the certificate is marked as questioned, a worker is sent to
see the person, and the supervisors are alarmed.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument

from models import audit, clock, face_alarms, face_labels, files, follow_ups, people, rules
from models.access import OFFICE, Actor, require
from models.database import Document, Session, collection, transaction
from models.errors import Conflict, NotFound

WAITING = "waiting"
SAME = "same"
DIFFERENT = "different"
UNCLEAR = "unclear"
NOT_LOOKED = "not_looked"
STATES = (WAITING, SAME, DIFFERENT, UNCLEAR, NOT_LOOKED)
ANSWERS = (SAME, DIFFERENT, UNCLEAR)

DRAWN = {"second_look.state": {"$exists": True}}

INDEXES = {
    "certification_sessions": [
        IndexModel(
            [("second_look.state", ASCENDING), ("division", ASCENDING), ("second_look.until", ASCENDING)],
            name="second_looks",
            partialFilterExpression=DRAWN,
        ),
    ]
}


def draw(session: Session, attempt: Mapping[str, Any], person: Mapping[str, Any]) -> Document | None:
    """Let chance decide whether a person looks at a pass as well: {state, until}, or None."""
    today, division = clock.today(), person["division"]
    if secrets.randbelow(1000) >= rules.number("second_look_per_mille", today, division):
        return None
    reference = {"retiree_id": person["_id"], "photo_id": {"$ne": None}}
    if not attempt["frames"] or not collection("face_references").find_one(reference, {"_id": 1}, session=session):
        return None
    days = rules.number("second_look_days", today, division)
    return {"state": WAITING, "until": clock.now() + clock.days(days)}


def listed(actor: Actor, *, state: str = WAITING, page: int = 1, size: int = 20) -> tuple[list[Document], int]:
    """A page of the looks of the actor's area, each with its retiree: what waits with the oldest first, else the newest."""
    require(actor, OFFICE)
    wanted: list[Document] = [actor.area(), {"second_look.state": state}]
    if state == WAITING:
        wanted += [{"second_look.until": {"$gt": clock.now()}}, {"account_id": {"$ne": actor.account_id}}]
    where = {"$and": wanted}
    order = ("second_look.until", ASCENDING) if state == WAITING else ("second_look.ended_at", DESCENDING)
    rows = list(collection("certification_sessions").find(where).sort(*order).skip((page - 1) * size).limit(size))
    # somebody who has moved since is the new community's, whose list does not hold the old attempt
    seen = [row for row in people.beside(rows) if actor.sees(row["retiree"])]
    return seen, collection("certification_sessions").count_documents(where)


def get(session_id: ObjectId, actor: Actor, session: Session | None = None) -> Document:
    """One session that was drawn, with its retiree. What has run out of time says so, before the sweeper has come by.

    Raises:
        NotFound; Conflict: `own_attempt`, this account made the attempt.
    """
    require(actor, OFFICE)
    found = collection("certification_sessions").find_one({"_id": session_id, **DRAWN}, session=session)
    person = None
    if found:
        try:
            person = people.get(found["retiree_id"], actor, session)
        except NotFound:
            found = None
    if not found:
        raise NotFound("look_not_found", "没有找到这项抽查。")
    look = found["second_look"]
    if look["state"] == WAITING:
        if actor.account_id and found["account_id"] == actor.account_id:
            raise Conflict("own_attempt", "这次认证是您经手的，请让同事来看。")
        if look["until"] <= clock.now():
            look = {**look, "state": NOT_LOOKED}
    return {**found, "second_look": look, "retiree": person}


def frame(session_id: ObjectId, number: int, actor: Actor) -> bytes:
    """One frame of a session that waits for its look; every look at a frame is audited."""
    attempt = get(session_id, actor)
    if attempt["second_look"]["state"] != WAITING or not 0 <= number < len(attempt["frames"]):
        raise NotFound("frame_gone", "这张照片已按规定删除。")
    data = files.get(attempt["frames"][number]["file_id"])
    subject, seen = ("retiree", attempt["retiree_id"]), {"session_id": session_id, "frame": number}
    transaction(lambda session: audit.record(session, actor, "certification.frame_seen", subject, after=seen))
    return data


def answer(session_id: ObjectId, said: str, note: str, actor: Actor) -> Document:
    """Say who is on the frames: same, different or unclear. The frames are deleted after it, by the sweeper.

    Raises:
        NotFound; Conflict: `own_attempt`; `already_answered`, whoever was faster, or its time is over.
    """
    require(actor, OFFICE)

    def write(session: Session) -> Document:
        attempt = get(session_id, actor, session)
        instant = clock.now()
        changed = collection("certification_sessions").find_one_and_update(
            {"_id": session_id, "second_look.state": WAITING, "second_look.until": {"$gt": instant}},
            {
                "$set": {
                    "second_look.state": said,
                    "second_look.note": note,
                    "second_look.ended_at": instant,
                    "second_look.answered_by": actor.account_id,
                    "frames_delete_at": instant,
                }
            },
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if not changed:
            raise Conflict("already_answered", "这项抽查已经有人看过，或者时间已过，请刷新。")
        face_labels.add(session, attempt, attempt["retiree"], face_labels.SECOND_LOOK, said)
        audit.record(
            session, actor, "certification.second_look", ("retiree", attempt["retiree_id"]),
            after={"session_id": session_id, "answer": said},
        )  # fmt: skip
        if said == DIFFERENT:
            _question(session, attempt)
        return {**changed, "retiree": attempt["retiree"]}

    return transaction(write)


def end() -> int:
    """End the looks for which nobody had time; their frames go with the same instant. Returns how many."""
    instant = clock.now()
    over = {"second_look.state": WAITING, "second_look.until": {"$lte": instant}}
    ended = {"second_look.state": NOT_LOOKED, "second_look.ended_at": instant}
    return collection("certification_sessions").update_many(over, {"$set": ended}).modified_count


def withdraw(session: Session, retiree_id: ObjectId) -> None:
    """Consent was withdrawn: nobody looks any more."""
    collection("certification_sessions").update_many(
        {"retiree_id": retiree_id, "second_look.state": WAITING},
        {"$set": {"second_look.state": NOT_LOOKED, "second_look.ended_at": clock.now()}},
        session=session,
    )


def _question(session: Session, attempt: Mapping[str, Any]) -> None:
    """Somebody else may have been certified: the certificate stands and is marked, a worker goes and sees, supervisors know."""
    collection("certificates").update_one(
        {"session_id": attempt["_id"]}, {"$set": {"questioned_at": clock.now()}}, session=session
    )
    person = attempt["retiree"]
    follow_ups.open_by_system(session, person["_id"], person["division"], face_alarms.WRONG_PASS)
    face_alarms.raise_alarm(
        session, face_alarms.WRONG_PASS, account_id=attempt["account_id"], retiree_ids=[person["_id"]],
        division=person["division"], session_id=attempt["_id"],
    )  # fmt: skip
