"""Tokens of other companies' servers that all processes of the house share: one fetches (under a lease), all use.

A token is written over the one that its fetcher had seen and no other, so that a process that was suspended while it fetched
cannot bring an old one back. The value is encrypted; its digest tells tokens apart.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from models import clock, encryption
from models.database import Document, collection

# How long a fetch that failed speaks for all: whoever waits need not find out for himself
FAILURE_SPEAKS = clock.seconds(2)

INDEXES: dict[str, list[IndexModel]] = {"shared_tokens": []}


@dataclass(frozen=True)
class Token:
    """A token as it is held: to be replaced from `refresh_at` on, of no use from `good_until` on. `forced_at` is when its
    provider was last made to replace one."""

    value: str
    refresh_at: dt.datetime
    good_until: dt.datetime
    forced_at: dt.datetime | None = None

    def __repr__(self) -> str:
        return f"Token(good until {self.good_until:%Y-%m-%d %H:%M:%S})"


def held(name: str) -> Token | None:
    """The token of that name that is held, good or not."""
    row = collection("shared_tokens").find_one({"_id": name, "digest": {"$ne": None}})
    if row is None:
        return None
    return Token(encryption.decrypt(row["value"]), row["refresh_at"], row["good_until"], row["forced_at"])


def keep(name: str, token: Token, seen: Token | None) -> bool:
    """Hold a token in the place of the one that was seen; False where another has taken that place meanwhile."""
    change: Document = {
        "value": encryption.encrypt(token.value, "secret"),
        "digest": _digest(token),
        "refresh_at": token.refresh_at,
        "good_until": token.good_until,
        "forced_at": token.forced_at,
        "fetched_at": clock.now(),
        "failed_at": None,
    }
    where = {"_id": name, "digest": _digest(seen)}
    try:
        changed = collection("shared_tokens").update_one(where, {"$set": change}, upsert=seen is None)
    except DuplicateKeyError:
        return False
    return bool(changed.matched_count or changed.upserted_id)


def note_failure(name: str) -> None:
    """A fetch failed."""
    collection("shared_tokens").update_one({"_id": name}, {"$set": {"failed_at": clock.now()}}, upsert=True)


def failed_just_now(name: str) -> bool:
    """Whether somebody's fetch failed within FAILURE_SPEAKS."""
    since = clock.now() - FAILURE_SPEAKS
    return collection("shared_tokens").find_one({"_id": name, "failed_at": {"$gt": since}}, {"_id": 1}) is not None


def _digest(token: Token | None) -> str | None:
    return hashlib.sha256(token.value.encode()).hexdigest() if token else None
