"""Time as the domain counts it: instants in UTC, days in Asia/Shanghai, months by the Civil Code."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> dt.datetime:
    """This instant in UTC, in whole milliseconds, which is what the database keeps."""
    instant = dt.datetime.now(dt.UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def today() -> dt.date:
    """The calendar day in Shanghai."""
    return now().astimezone(SHANGHAI).date()


def day_of(instant: dt.datetime) -> dt.date:
    """The calendar day in Shanghai of an instant."""
    return instant.astimezone(SHANGHAI).date()


def start_of(day: dt.date) -> dt.datetime:
    """The first instant of a day in Shanghai, in UTC."""
    return dt.datetime.combine(day, dt.time(), SHANGHAI).astimezone(dt.UTC)


def add_months(day: dt.date, months: int) -> dt.date:
    """The corresponding day of a later month, or the last day of that month where there is none.

    Civil Code (民法典) articles 200 to 202: 2023-02-28 plus 12 months is 2024-02-28, 2024-02-29 plus 12 is 2025-02-28.
    """
    return day + relativedelta(months=months)


def spoken(day: str) -> str:
    """A day as people say it: 2026-03-15 is 2026年3月15日."""
    year, month, date = (int(part) for part in day.split("-"))
    return f"{year}年{month}月{date}日"


def seconds(count: float) -> dt.timedelta:
    return dt.timedelta(seconds=count)


def days(count: float) -> dt.timedelta:
    return dt.timedelta(days=count)
