"""Work that nobody waits for. What api/ is to a request, jobs/ is to an event of the outbox or a tick of the clock."""

from __future__ import annotations

import faces
from jobs import check_attempt, cohort, enrol, face_alarms, fan_out, import_photos, import_roster, messages, schedule

__all__ = [
    "check_attempt",
    "cohort",
    "enrol",
    "face_alarms",
    "fan_out",
    "import_photos",
    "import_roster",
    "messages",
    "schedule",
    "warm_up",
]


def warm_up() -> None:
    """Load the face models once a process, so that the first retiree does not wait for it."""
    faces.warm_up()
