"""Limits by address, counted in the same MongoDB so that all web processes share them.

They slow down guessing; what decides about a person or an account (codes, passwords, bindings, attempts) is limited in
`models`. A street office sits behind one address, so these are generous. Where the database does not answer, nobody waits
for the counters: they have a connection of their own with short patience, and the pages and health checks do without them.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits.storage.mongodb import MongoDBStorageBase
from pymongo import MongoClient

from models import database
from settings import settings

SIGN_IN = "60/minute; 600/hour"
# Every code is an SMS that costs money and rings somewhere: enough for a street office where thirty people are helped an hour
SMS_CODES = "60/hour"
EVERYTHING = "1200/minute"
PATIENCE_MS = 1_000
SCHEME = "yinling-limits"

limiter = Limiter(key_func=get_remote_address, default_limits=[EVERYTHING], headers_enabled=True, swallow_errors=True)


class Counters(MongoDBStorageBase):
    """The library's counters on our database. Its own storage waits 30 s for a server that is away."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - the library's name

    def _init_mongo_client(self, uri: str | None, **options: Any) -> MongoClient[Any]:
        return MongoClient(
            database.uri(),
            serverSelectionTimeoutMS=PATIENCE_MS,
            connectTimeoutMS=PATIENCE_MS,
            socketTimeoutMS=PATIENCE_MS,
            appname="yinling-limits",
        )

    def __del__(self) -> None:
        """The library would open a connection only to close it when the interpreter goes."""


def install(app: Flask) -> None:
    app.config.update(
        RATELIMIT_ENABLED=settings.RATE_LIMITS,
        RATELIMIT_STORAGE_URI=f"{SCHEME}://",
        RATELIMIT_STORAGE_OPTIONS={"database_name": f"{settings.MONGODB_DATABASE}_limits"},
    )
    limiter.init_app(app)
