"""Who is to be reminded of the certification on a day: by how many days before or after the due day (DOMAIN C20).

The days are the rule `certification_reminder_days`, a list for each place: 30 is thirty days before the due day, 0 that day
itself, which still counts (C10), -7 a week after. Reminded are those whom the house still looks after; not who has died or
moved away, and not whose attempt is just being looked at, because they have done their part.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from bson import ObjectId
from pymongo import ASCENDING

from models import deliveries, people, rules
from models.database import Document, Session, collection

DUE = "certification_due"
OVERDUE = "certification_overdue"
RULE = "certification_reminder_days"
SHOWN = {"division": 1, "certification": 1}


def days(on: dt.date, division: str) -> frozenset[int]:
    """The distances from the due day at which people of a place are reminded."""
    return frozenset(int(day) for day in rules.rule(RULE, on, division).value)


def days_anywhere(on: dt.date) -> frozenset[int]:
    """The distances of all places together."""
    return frozenset(int(day) for record in rules.in_force(RULE, on) for day in record.value)


def page(session: Session, due_on: Iterable[dt.date], after: ObjectId | None, limit: int) -> list[Document]:
    """{_id, division, certification} of the next people behind `after` who are due on one of these days, by id."""
    where: Document = {
        "certification.due_on": {"$in": sorted(day.isoformat() for day in due_on)},
        "certification.checking": None,
        "status": {"$nin": [people.DECEASED, people.MOVED]},
    }
    if after is not None:
        where["_id"] = {"$gt": after}
    found = collection("retirees").find(where, SHOWN, session=session).sort("_id", ASCENDING).limit(limit)
    return list(found)


def cause(due_on: dt.date, left: int) -> str:
    """What a reminder is about: once for a due day and a distance from it."""
    return f"{due_on.isoformat()}/{left}"


def answer(session: Session, retiree_id: ObjectId, due_on: str) -> None:
    """A certification that is good until `due_on` answers every reminder of an earlier day: what still waits is not sent."""
    # a cause begins with its day, so that text order is the order of days
    where = {"retiree_id": retiree_id, "template": {"$in": [DUE, OVERDUE]}, "cause": {"$lt": due_on}}
    collection("messages").update_many(
        {**where, "plan_at": {"$type": "date"}}, {"$set": {"plan_at": None}}, session=session
    )
    deliveries.cancel(where, deliveries.ANSWERED, session)
