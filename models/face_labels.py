"""Labels: what a person said about an attempt that the machine had judged. By them the machine is measured.

One label a decision, in the same transaction: a review, a review that the retiree asked for after a refusal, a second look.
A label carries what the machine said and measured, what the person said, and three coarse groups (community, age band,
model of the phone), because a machine that errs, errs on some groups first. No face, no name, no retiree. The id of the
session is the one way back to a person; it is there so that an error can be looked into, and it is cut when consent is
withdrawn and after `labels_link_days`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import ua_parser
from bson import ObjectId
from pymongo import ASCENDING, IndexModel

from models import clock, rules
from models.database import Document, Session, collection

REVIEW = "review"
REVIEW_ASKED = "review_asked"
SECOND_LOOK = "second_look"

APPROVED = "approved"
REFUSED = "refused"

OTHER = "other"
AGE_BANDS = ("0-59", "60-69", "70-79", "80-89", "90+")
LONGEST_PHONE = 40

INDEXES = {
    "face_labels": [
        IndexModel(
            [("session_id", ASCENDING), ("source", ASCENDING)],
            name="once",
            unique=True,
            partialFilterExpression={"session_id": {"$exists": True}},
        ),
        IndexModel([("decided_at", ASCENDING), ("division", ASCENDING)], name="by_month"),
    ]
}


def add(session: Session, attempt: Mapping[str, Any], person: Mapping[str, Any], source: str, said: str) -> None:
    """Keep what a person said, in the transaction of the decision."""
    figures = attempt.get("figures") or {}
    match = figures.get("match") or {}
    collection("face_labels").insert_one(
        {
            "session_id": attempt["_id"],
            "source": source,
            "said": said,
            "machine": {
                "verdict": attempt["verdict"],
                "reasons": attempt["reasons"],
                "distance": match.get("distance"),
                "decision": match.get("decision"),
                "policy": figures.get("policy"),
                "model": figures.get("model"),
                "evaluation": match.get("evaluation"),
            },
            "division": attempt["division"],
            **cohort(attempt, person),
            "decided_at": clock.now(),
        },
        session=session,
    )


def cohort(attempt: Mapping[str, Any], person: Mapping[str, Any]) -> Document:
    """{age_band, sex, phone} of an attempt: the groups that a report compares."""
    return {
        "age_band": age_band(person.get("recognised_birth"), clock.day_of(attempt["created_at"])),
        "sex": person.get("sex"),
        "phone": phone_model(attempt.get("device", "")),
    }


def age_band(birth: str | None, on: dt.date) -> str:
    """Ten years of age, on a day; `other` where the birth is not known."""
    if not birth:
        return OTHER
    born = dt.date.fromisoformat(birth)
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return AGE_BANDS[min(max(years // 10 - 5, 0), len(AGE_BANDS) - 1)]


def phone_model(user_agent: str) -> str:
    """The family of the device that a browser names, "iPhone" or "Oppo PBEM00"; `other` where it names none.

    Browsers that hide the model say "K" or name a generic one.
    """
    device = ua_parser.parse_device(user_agent)
    if device is None or device.family == "K" or device.family.startswith(("Generic", "Other")):
        return OTHER
    return device.family[:LONGEST_PHONE]


def unlink(session: Session, retiree_id: ObjectId) -> None:
    """Consent was withdrawn: nothing leads from the labels back to the person."""
    attempts = collection("certification_sessions").distinct("_id", {"retiree_id": retiree_id}, session=session)
    collection("face_labels").update_many(
        {"session_id": {"$in": attempts}}, {"$unset": {"session_id": ""}}, session=session
    )


def unlink_old() -> int:
    """Cut the way back to a person where its time is over; returns how many."""
    kept = clock.days(rules.number("labels_link_days", clock.today()))
    old = {"decided_at": {"$lte": clock.now() - kept}, "session_id": {"$exists": True}}
    return collection("face_labels").update_many(old, {"$unset": {"session_id": ""}}).modified_count
