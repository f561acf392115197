"""What the clock says: a registry of what is due when, and the look at the clock that starts it.

    @scheduled("certification_due", every="day", at="09:00")
    def certification_due(session, slot, after):
        ...tell a page of people behind `after`...
        return the last one's id, or None after the last page

A function runs once for each slot, page by page, each page in one transaction (models/schedules.py). It is given the slot, not
the clock: made up for late, it still tells what was due then, or sees that it is not true any more.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog
from bson import ObjectId
from dateutil.relativedelta import relativedelta

from models import clock, schedules
from models.database import Session

Work = Callable[[Session, dt.datetime, ObjectId | None], ObjectId | None]

STEPS = {"hour": relativedelta(hours=1), "day": relativedelta(days=1), "month": relativedelta(months=1)}

log = structlog.stdlib.get_logger("schedule")


@dataclass(frozen=True)
class Schedule:
    """A name, its rhythm in Asia/Shanghai and its work. `day` of the month; the last where a month is shorter."""

    name: str
    every: str
    at: dt.time
    day: int
    catch_up: dt.timedelta
    work: Work


SCHEDULES: dict[str, Schedule] = {}


def scheduled(name: str, *, every: str, at: str, day: int = 1, catch_up_days: float = 3) -> Callable[[Work], Work]:
    """Register work for every hour (`at` counts by its minutes), day or month at a time of day in Asia/Shanghai.

    Slots that were missed are made up for within `catch_up_days`.

    Raises:
        ValueError: the rhythm or the time cannot be read, or the name is taken.
    """
    if every not in STEPS or not 1 <= day <= 31 or name in SCHEDULES:
        raise ValueError(f"schedule {name}: every {every}, day {day}")
    time = dt.time.fromisoformat(at)

    def register(work: Work) -> Work:
        SCHEDULES[name] = Schedule(name, every, time, day, clock.days(catch_up_days), work)
        return work

    return register


def slots(schedule: Schedule, after: dt.datetime, upto: dt.datetime) -> Iterator[dt.datetime]:
    """The slots of a schedule in `(after, upto]`, in order, in UTC."""
    local = after.astimezone(clock.SHANGHAI)
    if schedule.every == "hour":
        first = local.replace(minute=schedule.at.minute, second=0, microsecond=0)
    else:
        first = dt.datetime.combine(local.date(), schedule.at, clock.SHANGHAI)
    if schedule.every == "month":
        first = first.replace(day=1)
    count = 0
    while (slot := _on_its_day(schedule, first + STEPS[schedule.every] * count)) <= upto:
        if slot > after:
            yield slot.astimezone(dt.UTC)
        count += 1


def _on_its_day(schedule: Schedule, slot: dt.datetime) -> dt.datetime:
    return slot + relativedelta(day=schedule.day) if schedule.every == "month" else slot


def start() -> int:
    """Look at the clock and start every slot that has come; returns how many. Nothing where another scheduler is at it."""
    holder = secrets.token_hex(8)
    if not schedules.take(holder):
        return 0
    try:
        return sum(_start(schedule) for schedule in SCHEDULES.values())
    finally:
        schedules.release(holder)


def _start(schedule: Schedule) -> int:
    seen, instant = schedules.upto(schedule.name), clock.now()
    if seen is None:
        schedules.begin(schedule.name)
        return 0
    if instant <= seen:
        return 0
    since = max(seen, instant - schedule.catch_up)
    come = list(slots(schedule, since, instant))
    if since > seen and (missed := sum(1 for _ in slots(schedule, seen, since))):
        log.error("slots_missed", schedule=schedule.name, count=missed)
    return schedules.start(schedule.name, come, seen, instant) if come or since > seen else 0
