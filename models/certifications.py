"""Certification 养老保险待遇领取资格认证: proof, at most twelve months old, that a retiree is still entitled to the pension.

A success by any method at any time restarts the clock (DOMAIN C10, C11). What is stored is the day of the last effective
certification and the day it is due; the state is read off them:
`valid → due_soon → overdue → suspended → valid`, `checking` while an attempt is looked at, `ended` after a death.
This platform never stops a pension: it reports who is overdue, and people look into it first (社会保险经办条例 article 26).
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel

from models import access, audit, clock, divisions, masking, outbox, people, rules
from models.access import OFFICE, Actor, require
from models.database import Document, Session, collection, transaction
from models.errors import NotFound, Stale

VALID = "valid"
DUE_SOON = "due_soon"
OVERDUE = "overdue"
CHECKING = "checking"
SUSPENDED = "suspended"
ENDED = "ended"
STATES = (VALID, DUE_SOON, OVERDUE, CHECKING, SUSPENDED, ENDED)

FACE = "face"
FACE_REVIEW = "face_review"
BY_STAFF = ("home_visit", "window", "video", "data_match")
METHODS = (FACE, FACE_REVIEW, *BY_STAFF)

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 16

INDEXES = {
    "certificates": [
        IndexModel("number", name="one_number", unique=True),
        IndexModel("code", name="one_code", unique=True),
        IndexModel(
            "session_id",
            name="one_a_session",
            unique=True,
            partialFilterExpression={"session_id": {"$type": "objectId"}},
        ),
        IndexModel([("retiree_id", ASCENDING), ("certified_on", DESCENDING)], name="by_retiree"),
        IndexModel(
            [("retiree_id", ASCENDING), ("once", ASCENDING)],
            name="once",
            unique=True,
            partialFilterExpression={"once": {"$type": "string"}},
        ),
    ]
}


def state_of(person: Mapping[str, Any], today: dt.date | None = None) -> str:
    """The certification state of a person on a day."""
    day = today or clock.today()
    held = person["certification"]
    if person["status"] == people.DECEASED:
        return ENDED
    if held.get("checking"):
        return CHECKING
    if held.get("suspended_on"):
        return SUSPENDED
    if held["due_on"] < day.isoformat():
        return OVERDUE
    soon = day + dt.timedelta(days=rules.number("certification_due_soon_days", day, person["division"]))
    return DUE_SOON if held["due_on"] <= soon.isoformat() else VALID


def status(retiree_id: ObjectId, actor: Actor) -> Document:
    """{state, last_certified_on, due_on} of a person this actor may see."""
    return facts(people.get(retiree_id, actor))


def facts(person: Mapping[str, Any]) -> Document:
    """The same of a person that was read already."""
    held = person["certification"]
    return {
        "state": state_of(person),
        "last_certified_on": held["last_certified_on"],
        "due_on": held["due_on"],
        "suspended_on": held["suspended_on"],
    }


def due_after(certified_on: dt.date, division: str) -> tuple[dt.date, rules.Rule]:
    """The last day on which a certification still counts, and the rule that says so.

    The corresponding day after the cycle's months (Civil Code articles 200 to 202), or the end of that month where a
    city's rule `certification_due_mode` is `month_end`.
    """
    cycle = rules.rule("certification_cycle_months", certified_on, division)
    due = clock.add_months(certified_on, int(cycle.value))
    if rules.rule("certification_due_mode", certified_on, division).value == "month_end":
        due = due.replace(day=1) + dt.timedelta(days=31)
        due = due.replace(day=1) - dt.timedelta(days=1)
    return due, cycle


def certify(
    session: Session,
    person: Mapping[str, Any],
    method: str,
    certified_on: dt.date,
    actor: Actor,
    *,
    residence: Document | None = None,
    note: str = "",
    session_id: ObjectId | None = None,
    once: str | None = None,
) -> Document:
    """Issue a certificate, in the transaction of what proved it.

    A proof that arrives late never moves the clock backwards (DOMAIN C15). `once` names what may be certified only once. The
    message to the retiree is an event.
    """
    due, cycle = due_after(certified_on, person["division"])
    certificate: Document = {
        "_id": ObjectId(),
        "number": _number(certified_on),
        "code": "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH)),
        "retiree_id": person["_id"],
        "division": person["division"],
        "method": method,
        "certified_on": certified_on.isoformat(),
        "due_on": due.isoformat(),
        "residence": residence,
        "decided_by": {"role": actor.role, "account_id": actor.account_id},
        "note": note,
        "rule": cycle.as_document(),
        "created_at": clock.now(),
    }
    if session_id:
        certificate["session_id"] = session_id
    if once:
        certificate["once"] = once
    collection("certificates").insert_one(certificate, session=session)
    held = person["certification"]
    before = {name: held[name] for name in ("last_certified_on", "due_on", "suspended_on")}
    update: Document = {"certification.failures_in_row": 0, "certification.checking": None}
    after = before
    if not held["last_certified_on"] or certificate["certified_on"] >= held["last_certified_on"]:
        # the office resumes what it suspended for want of a certification (DOMAIN C23)
        after = {
            "last_certified_on": certificate["certified_on"],
            "due_on": certificate["due_on"],
            "suspended_on": None,
        }
        update |= {f"certification.{name}": value for name, value in after.items()}
    if residence:
        update["residence"] = residence
    collection("retirees").update_one({"_id": person["_id"]}, {"$set": update}, session=session)
    audit.record(
        session, actor, "retiree.certified", ("retiree", person["_id"]),
        before=before, after={**after, "method": method, "number": certificate["number"]},
    )  # fmt: skip
    outbox.add(session, "certified", {"certificate_id": certificate["_id"]}, key=f"certified:{certificate['_id']}")
    return certificate


def suspend(retiree_id: ObjectId, on: dt.date | None, version: int, actor: Actor) -> None:
    """Note what the pension office decided: payment suspended on a day, or resumed (None). Only people record it."""
    require(actor, OFFICE)

    def write(session: Session) -> None:
        person = people.get(retiree_id, actor, session)
        if person["version"] != version:
            raise Stale()
        collection("retirees").update_one(
            {"_id": retiree_id},
            {"$set": {"certification.suspended_on": on.isoformat() if on else None}, "$inc": {"version": 1}},
            session=session,
        )
        audit.record(
            session, actor, "pension.suspension_noted", ("retiree", retiree_id),
            before={"suspended_on": person["certification"]["suspended_on"]},
            after={"suspended_on": on.isoformat() if on else None},
        )  # fmt: skip

    transaction(write)


def issued_once(session: Session, retiree_id: ObjectId, once: str) -> Document | None:
    """The certificate that was issued under a name that allows one only."""
    return collection("certificates").find_one({"retiree_id": retiree_id, "once": once}, session=session)


def history(retiree_id: ObjectId, actor: Actor) -> list[Document]:
    """Every certificate of a person, newest first."""
    people.get(retiree_id, actor)
    found = collection("certificates").find({"retiree_id": retiree_id})
    return list(found.sort([("certified_on", DESCENDING), ("_id", DESCENDING)]))


def by_id(certificate_id: ObjectId) -> Document | None:
    return collection("certificates").find_one({"_id": certificate_id})


def of_session(session_id: ObjectId) -> Document | None:
    return collection("certificates").find_one({"session_id": session_id})


def verify(code: str) -> Document:
    """What a stranger with the code may know: that it is genuine, whose (masked), from when to when.

    Raises:
        NotFound: no certificate has this code.
    """
    certificate = collection("certificates").find_one({"code": code.strip().upper()})
    if not certificate:
        raise NotFound("no_such_certificate", "没有查到这张凭证，请核对编号。")
    person = people.get(certificate["retiree_id"], access.system())
    return {
        "number": certificate["number"],
        "name": masking.mask_name(person["name"]),
        "method": certificate["method"],
        "certified_on": certificate["certified_on"],
        "due_on": certificate["due_on"],
        "office": divisions.full_name(certificate["division"]),
        "in_force": certificate["due_on"] >= clock.today().isoformat() and person["status"] != people.DECEASED,
    }


def _number(day: dt.date) -> str:
    """RZ, the day and ten random digits; unique by index. The hyphen keeps it from looking like an ID number."""
    return f"RZ{day:%Y%m%d}-{secrets.randbelow(10**10):010d}"
