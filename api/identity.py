"""Who is asking. Every route is locked; one that is open says so with `@public`, and a test lists those.

The token names an account and a sign-in; role, division and bindings are read from the database at every request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, g, request

from models import accounts, bindings, sign_ins
from models.access import Actor
from models.database import Document
from models.errors import Forbidden, Unauthenticated


def allow(*roles: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Only these roles may call the view. Whom they may see is decided in `models` by their scope."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        view.allowed = roles  # type: ignore[attr-defined]
        return view

    return decorate


def public(view: Callable[..., Any]) -> Callable[..., Any]:
    """Anybody may call the view."""
    view.public = True  # type: ignore[attr-defined]
    return view


def current() -> Actor:
    """Whoever signed this request; on a public route nobody in particular."""
    actor: Actor = g.get("actor") or Actor(
        "anonymous", ip=request.remote_addr or "", request_id=g.get("request_id", "")
    )
    return actor


def account() -> Document:
    """The account that signed this request."""
    held: Document = g.account
    return held


def install(app: Flask) -> None:
    app.before_request(_authorize)


def actor_for(held: Document) -> Actor:
    """The actor that an account is right now."""
    where = {"ip": request.remote_addr or "", "request_id": g.get("request_id", "")}
    if held["kind"] == accounts.STAFF:
        return Actor(
            held["role"], held["_id"], division=held["division"] or "", enterprise=held.get("enterprise"), **where
        )
    bound = bindings.of(held["_id"])
    return Actor(
        bindings.role_of(bound), held["_id"], retiree_ids=tuple(binding["retiree_id"] for binding in bound), **where
    )


def _authorize() -> None:
    if request.endpoint is None:
        return  # no such page; the error handler answers
    view = current_app.view_functions[request.endpoint]
    if getattr(view, "public", False):
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated()
    held = accounts.get(sign_ins.check(token))
    if held is None:
        raise Unauthenticated("account_disabled", "这个账号已停用，请联系社区。")
    g.account, g.actor = held, actor_for(held)
    if g.actor.role not in getattr(view, "allowed", ()):
        raise Forbidden()
