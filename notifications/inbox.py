"""What the house says by itself: which event says what, and with which values. The words are in the templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from models import access, certification_reminders, clock, people
from models import certification_sessions as sessions
from models.database import Session
from notifications import engine

METHODS = {"window": "窗口", "home_visit": "上门", "video": "视频"}


def certified(session: Session, certificate: Mapping[str, Any]) -> None:
    """A certificate was issued, and whoever has it need not be reminded any more."""
    values = {name: clock.spoken(certificate[name]) for name in ("certified_on", "due_on")}
    engine.tell(session, certificate["retiree_id"], "certified", str(certificate["_id"]), values)
    certification_reminders.answer(session, certificate["retiree_id"], certificate["due_on"])


def attempt_failed(session: Session, attempt: Mapping[str, Any]) -> None:
    """An attempt by face failed; the person may not have made it himself. Who cannot try again is not told to."""
    person = people.get(attempt["retiree_id"], access.system(), session)
    template = "attempt_failed_locked" if sessions.wants_a_person(person) else "attempt_failed"
    engine.tell(session, attempt["retiree_id"], template, str(attempt["_id"]), {})


def help_asked(session: Session, retiree_id: ObjectId, method: str, cause: str) -> None:
    """A person was asked for."""
    engine.tell(session, retiree_id, "help_asked", cause, {"method": METHODS[method]})
