"""The work of a slot of the schedule: page by page, each once, to its end."""

from __future__ import annotations

import contextlib

from jobs.registry import job
from models import outbox, schedules
from models.database import Document, Session
from notifications import reminders
from notifications.schedule import SCHEDULES

__all__ = ["reminders", "run_slot"]


def _failed(session: Session, payload: Document) -> None:
    schedules.fail(session, payload["name"], payload["slot"])


@job("run_slot", when_exhausted=_failed)
def run_slot(event: Document, payload: Document) -> None:
    """Do what is left of a slot."""
    work, slot = SCHEDULES[payload["name"]].work, payload["slot"]
    more = True
    while more:
        row = schedules.slot_of(payload["name"], slot)
        if row["state"] == schedules.DONE:
            outbox.close(event["_id"])
            return
        with contextlib.suppress(schedules.Overtaken):
            more = schedules.turn(row, lambda session, after: work(session, slot, after), event["_id"])
