"""From a published notice to an inbox for each of its audience, in chunks; and back, when it is withdrawn.

The publication's event freezes the audience and asks for a fan-out of each chunk as soon as the chunk is frozen. A chunk is
written by one unordered insert in which those that are there already count for nothing: killed anywhere, it is done again.
A version that is not in force any more is not said, and whatever was said of it at the same moment is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from jobs.registry import job
from models import audiences, messages, notices, outbox
from models.database import Document
from notifications import engine


@job("publish_notice")
def publish_notice(event: Document, payload: Document) -> None:
    """Take back the versions before this one, freeze the audience, and ask for a fan-out of every chunk."""
    notice_id, version = payload["notice_id"], payload["version"]
    messages.end_notice(notice_id, messages.CORRECTED, before=version)
    for number in audiences.freeze(payload["audience_id"]):
        messages.begin_fan_out(notice_id, version, payload["audience_id"], number)
    outbox.close(event["_id"])


@job("fan_out")
def fan_out(event: Document, payload: Document) -> None:
    """Write a chunk of an audience."""
    notice_id, version = payload["notice_id"], payload["version"]
    kept = notices.version(notice_id, version)
    if kept["in_force"]:
        engine.tell_many(
            audiences.members(payload["audience_id"], payload["number"]),
            "notice",
            notices.cause(notice_id, version),
            {"title": kept["title"], "summary": kept["summary"]},
            importance=kept["importance"],
            link=f"/library/{notice_id}",
            notice_id=notice_id,
            notice_version=version,
            expires_on=kept["expires_on"],
            branch=kept["branch"],
        )
        _take_back_if_over(notice_id, notices.version(notice_id, version))
    outbox.close(event["_id"])


@job("withdraw_notice")
def withdraw_notice(event: Document, payload: Document) -> None:
    """Say in every inbox that the notice was withdrawn, and send nothing more of it."""
    messages.end_notice(payload["notice_id"], messages.WITHDRAWN)
    outbox.close(event["_id"])


def _take_back_if_over(notice_id: ObjectId, kept: Mapping[str, Any]) -> None:
    """The version ended while the chunk was being written, and whoever ended it may have come too early to see it."""
    if not kept["in_force"]:
        why = messages.WITHDRAWN if kept["ended_because"] == notices.WITHDRAWN else messages.CORRECTED
        messages.end_notice(notice_id, why, before=kept["version"] + 1)
