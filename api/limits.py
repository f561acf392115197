"""Limits by address, counted in the same MongoDB so that all web processes share them.

They slow down guessing; what decides about a person or an account (codes, passwords, bindings, attempts) is limited in
`models`. A street office sits behind one address, so these are generous.
"""

from __future__ import annotations

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from models import database
from settings import settings

SIGN_IN = "60/minute; 600/hour"
EVERYTHING = "1200/minute"

limiter = Limiter(key_func=get_remote_address, default_limits=[EVERYTHING], headers_enabled=True, swallow_errors=True)


def install(app: Flask) -> None:
    app.config.update(
        RATELIMIT_ENABLED=settings.RATE_LIMITS,
        RATELIMIT_STORAGE_URI=database.uri(),
        RATELIMIT_STORAGE_OPTIONS={"database_name": f"{settings.MONGODB_DATABASE}_limits"},
    )
    limiter.init_app(app)


def close() -> None:
    """Close the counters' own connection before the interpreter goes, which the library leaves to its last moment."""
    if settings.RATE_LIMITS:
        limiter.storage.storage.close()  # type: ignore[attr-defined]
