"""Providers of channels: how fast each may be asked, and whether it makes sense to ask it at all. Shared by all processes.

Rate: instants are reserved ahead, 1/rate apart, so that no window of a second ever holds more than the rate, however many
processes send. A process reserves a few at a time; those that it does not use are lost, which costs a fraction of a second.

Breaker:

    closed → open             FAILURES in a row
    open → half open          after PAUSE, doubled at every opening up to LONGEST_PAUSE: one request may try
    half open → closed | open as that request ends; one that never ends counts for nothing after TRIAL
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from pymongo import IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from models import clock
from models.database import Document, collection

FAILURES = 5
PAUSE_SECONDS = 15
LONGEST_PAUSE_SECONDS = 600
TRIAL_SECONDS = 30

INDEXES: dict[str, list[IndexModel]] = {"providers": []}


@dataclass(frozen=True)
class Slot:
    """An instant at which a provider may be asked once. `trial`: the breaker is half open and this request decides."""

    at: dt.datetime
    trial: bool = False


def reserve(provider: str, count: int, per_second: float) -> list[Slot]:
    """The next `count` instants at which a provider may be asked; one where the breaker is half open, none where it is open."""
    instant = clock.now()
    step = math.ceil(1000 / per_second)
    start = {"$max": [{"$ifNull": ["$free_at", instant]}, instant]}
    taken: Document | None
    try:
        taken = collection("providers").find_one_and_update(
            {"_id": provider, "failures": {"$not": {"$gte": FAILURES}}},
            [{"$set": {"free_at": {"$add": [start, count * step]}}}],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
    except DuplicateKeyError:
        return _trial(provider, instant)
    end = taken["free_at"] if taken else instant
    return [Slot(end - clock.seconds((count - place) * step / 1000)) for place in range(count)]


def _trial(provider: str, instant: dt.datetime) -> list[Slot]:
    tried = collection("providers").update_one(
        {"_id": provider, "failures": {"$gte": FAILURES}, "closed_until": {"$lte": instant}},
        {"$set": {"closed_until": instant + clock.seconds(TRIAL_SECONDS)}},
    )
    return [Slot(instant, trial=True)] if tried.modified_count else []


def succeeded(provider: str) -> None:
    """The provider answered: the count of failures begins anew and the breaker closes."""
    collection("providers").update_one(
        {"_id": provider, "failures": {"$gt": 0}}, {"$set": {"failures": 0, "openings": 0, "closed_until": None}}
    )


def failed(provider: str, slot: Slot) -> None:
    """The provider did not answer or was not well. FAILURES in a row open the breaker; so does a trial that failed.

    What was under way when the breaker opened and fails later does not open it again.
    """
    instant = clock.now()
    failures = {"$add": [{"$ifNull": ["$failures", 0]}, 1]}
    opens = {"$or": [slot.trial, {"$eq": [failures, FAILURES]}]}
    openings = {"$ifNull": ["$openings", 0]}
    pause_ms = {
        "$multiply": [1000, {"$min": [LONGEST_PAUSE_SECONDS, {"$multiply": [PAUSE_SECONDS, {"$pow": [2, openings]}]}]}]
    }
    collection("providers").update_one(
        {"_id": provider},
        [
            {
                "$set": {
                    "failures": failures,
                    "openings": {"$cond": [opens, {"$add": [openings, 1]}, openings]},
                    "closed_until": {"$cond": [opens, {"$add": [instant, pause_ms]}, "$closed_until"]},
                    "failed_at": instant,
                }
            }
        ],
        upsert=True,
    )


def away() -> int:
    """How many providers are left alone now, for the metrics."""
    return collection("providers").count_documents({"failures": {"$gte": FAILURES}})
