"""What is told by the calendar and not by an event: the certification that is due.

A reminder is said once for each due day and each step towards it (its cause is `2026-03-15/30`), whatever runs twice. One that
is made up for late is left out where it is not true any more: after the due day nobody is told to certify before it.
"""

from __future__ import annotations

import datetime as dt

from bson import ObjectId

from models import certification_reminders, clock, rules
from models.database import Session
from models.messages import IMPORTANT, ROUTINE
from notifications import engine
from notifications.schedule import scheduled

PAGE = 100


@scheduled("certification_due", every="day", at="09:00")
def certification_due(session: Session, slot: dt.datetime, after: ObjectId | None) -> ObjectId | None:
    """Remind a page of people whose certification is due some days from the slot's day, or was."""
    day, today = clock.day_of(slot), clock.today()
    due_days = {day + dt.timedelta(days=left) for left in certification_reminders.days_anywhere(day)}
    page = certification_reminders.page(session, due_days, after, PAGE)
    steps = {place: certification_reminders.days(day, place) for place in {person["division"] for person in page}}
    for person in page:
        place, due_on = person["division"], dt.date.fromisoformat(person["certification"]["due_on"])
        left = (due_on - day).days
        if left not in steps[place] or left >= 0 > (due_on - today).days:
            continue
        important = left <= rules.number("certification_reminder_important_days", day, place)
        engine.tell(
            session,
            person["_id"],
            certification_reminders.DUE if left >= 0 else certification_reminders.OVERDUE,
            certification_reminders.cause(due_on, left),
            {"due_on": clock.spoken(due_on.isoformat())},
            importance=IMPORTANT if important else ROUTINE,
            expires_on=due_on.isoformat() if left >= 0 else None,
        )
    return page[-1]["_id"] if len(page) == PAGE else None
