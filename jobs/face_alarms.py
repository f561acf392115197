"""Say in the log that an alarm was raised, after the commit that raised it: an operator's own alerting listens there."""

from __future__ import annotations

import structlog

from jobs.registry import job
from models import face_alarms, outbox
from models.database import Document

log = structlog.stdlib.get_logger("jobs")


@job("face_alarm")
def raised(event: Document, payload: Document) -> None:
    """Log the alarm by its kind, never by its people."""
    alarm = face_alarms.by_id(payload["alarm_id"])
    if alarm:
        log.warning(
            "face_alarm_raised", alarm=str(alarm["_id"]), alarm_kind=alarm["kind"], people=len(alarm["retiree_ids"])
        )
    outbox.close(event["_id"])
