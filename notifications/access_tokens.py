"""WeChat's access token: one for all processes, fetched once, replaced before it expires, and once where WeChat rejects it.

A process keeps the token that it knows in memory and asks the database only when that one is due. From REFRESH_BEFORE on, one
process fetches the next while the others go on with the old one. Where none is good, one fetches and the others wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from bson import ObjectId

from models import clock, leases, shared_tokens
from models.shared_tokens import Token
from settings import settings
from wechat import client as wechat

# WeChat gives out the next token in the last five minutes of the old one, not earlier, and takes both until its end
REFRESH_BEFORE = clock.seconds(4 * 60)
REFRESH_AGAIN = clock.seconds(30)
# What a request may need to get there, so that no token expires on its way
MARGIN = clock.seconds(60)
# WeChat lets itself be forced 20 times a day: not so often that a rejection for another reason uses them up
FORCE_AGAIN = clock.seconds(2 * 3600)

LEASE_SECONDS = 20.0
STEP_SECONDS = 0.05
# A holder that was killed is outlived
STEPS = int((LEASE_SECONDS + 5) / STEP_SECONDS)

Result = TypeVar("Result")

_known: dict[str, Token] = {}


def current() -> str:
    """The access token of the mini-program that the settings name.

    Raises:
        WeChatUnavailable: it cannot be had now.
        WeChatMisconfigured: WeChat does not accept AppID, AppSecret or this server's address.
    """
    return _get(rejected="")


def with_token(call: Callable[[str], Result]) -> Result:
    """Make a call with the token; where WeChat rejects it, once more with the one that replaces it.

    Raises:
        whatever the call raises; TokenRejected only where the second token was rejected too.
    """
    token = current()
    try:
        return call(token)
    except wechat.TokenRejected:
        return call(_get(rejected=token))


def forget() -> None:
    """Drop what this process knows; the next call asks the database."""
    _known.clear()


def _get(rejected: str) -> str:
    name, holder = f"wechat {settings.WECHAT_APPID}", ObjectId()
    known = _known.get(name)
    if known and known.value != rejected and clock.now() < known.refresh_at:
        return known.value
    for _ in range(STEPS):
        held = shared_tokens.held(name)
        good = held if held and held.value != rejected and clock.now() < held.good_until else None
        if good is None and shared_tokens.failed_just_now(name):
            raise wechat.WeChatUnavailable("the access token could not be had just now")
        if good is None or clock.now() >= good.refresh_at:
            good = _replaced(name, holder, held, good, rejected)
        if good:
            _known[name] = good
            return good.value
        time.sleep(STEP_SECONDS)
    raise wechat.WeChatUnavailable("no access token in time")


def _replaced(name: str, holder: ObjectId, seen: Token | None, good: Token | None, rejected: str) -> Token | None:
    """The token that replaces the one that was seen, if it is this process that fetches it; else what is good of the old."""
    if shared_tokens.failed_just_now(name) or not leases.take(name, holder, LEASE_SECONDS):
        return good
    try:
        # whoever held the lease before may have been here
        return _fetched(name, seen, rejected) if shared_tokens.held(name) == seen else good
    except wechat.WeChatError:
        shared_tokens.note_failure(name)
        if good is None:
            raise
        return good
    finally:
        leases.release(name, holder)


def _fetched(name: str, seen: Token | None, rejected: str) -> Token:
    asked_at = clock.now()
    forced_at = seen.forced_at if seen else None
    value, life = wechat.client().fetch_token()
    if value == rejected and (forced_at is None or asked_at >= forced_at + FORCE_AGAIN):
        # WeChat hands it out and does not accept it: only a forced one helps
        value, life = wechat.client().fetch_token(force=True)
        forced_at = asked_at
    expires_at = asked_at + clock.seconds(life)
    refresh_at = max(expires_at - REFRESH_BEFORE, asked_at + REFRESH_AGAIN)
    token = Token(value, refresh_at, expires_at - MARGIN, forced_at)
    shared_tokens.keep(name, token, seen)
    return token
