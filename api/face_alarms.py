"""Alarms about attempts by face, for the supervisors who look into them."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from bson import ObjectId

from api.identity import allow, current
from api.problems import problems
from api.resource import Filters, Id, Instant, Resource, Schema, Text, choice
from api.retirees import RetireeSummary, summary
from models import divisions, face_alarms, face_limits, masking
from models.database import Document

blueprint = Resource("face-alarms", __name__, url_prefix="/face-alarms", description="异常提醒")


class AlarmPerson(RetireeSummary):
    face_locked = ma.fields.Boolean(metadata={"description": "attempts wait for somebody of the office"})


class AlarmSummary(Schema):
    id = Id()
    kind = ma.fields.String(metadata={"description": " | ".join(face_alarms.KINDS)})
    state = ma.fields.String(metadata={"description": " | ".join(face_alarms.STATES)})
    raised_at = Instant()
    late = ma.fields.Boolean(metadata={"description": "open for longer than the rule face_alarm_days"})
    may_close = ma.fields.Boolean(metadata={"description": "all people concerned lie in one's own area"})
    retirees = ma.fields.List(ma.fields.Nested(AlarmPerson), metadata={"description": "those in one's own area"})
    others = ma.fields.Integer(metadata={"description": "how many people are not"})
    finding = ma.fields.String(metadata={"description": " | ".join(face_alarms.FINDINGS)})
    note = ma.fields.String()
    closed_at = Instant()
    closed_by = ma.fields.String(metadata={"description": "role of whoever closed it"})


class AlarmAttempt(Schema):
    id = Id()
    retiree_id = Id()
    retiree_name = ma.fields.String()
    state = ma.fields.String()
    reasons = ma.fields.List(ma.fields.String())
    created_at = Instant()
    account = Id()
    account_phone = ma.fields.String(allow_none=True, metadata={"description": "masked; null for a WeChat account"})
    relation = ma.fields.String(allow_none=True, metadata={"description": "the account's to the person, while bound"})


class Alarm(AlarmSummary):
    attempts = ma.fields.List(ma.fields.Nested(AlarmAttempt), metadata={"description": "on people in one's own area"})


class Filter(Filters):
    state = ma.fields.String(load_default=face_alarms.OPEN, validate=choice(face_alarms.STATES))


class Closure(Schema):
    finding = ma.fields.String(required=True, validate=choice(face_alarms.FINDINGS))
    note = Text(300, 2, required=True)


@blueprint.get("")
@blueprint.arguments(Filter, location="query")
@blueprint.response(200, AlarmSummary(many=True))
@blueprint.paginate()
@allow(*face_alarms.SUPERVISORS)
def listed(filters: Document, pagination_parameters: Any) -> list[Document]:
    """The alarms about people of one's own area, the oldest first; closed ones the newest first."""
    rows, total = face_alarms.listed(
        current(), **filters, page=pagination_parameters.page, size=pagination_parameters.page_size
    )
    pagination_parameters.item_count = total
    return [_described(row) for row in rows]


@blueprint.get("/<objectid:alarm_id>")
@blueprint.response(200, Alarm)
@problems(404, "alarm_not_found")
@allow(*face_alarms.SUPERVISORS)
def get(alarm_id: ObjectId) -> Document:
    """One alarm with the attempts behind it."""
    alarm = face_alarms.get(alarm_id, current())
    return {**_described(alarm), "attempts": [_attempt(row) for row in alarm["attempts"]]}


@blueprint.post("/<objectid:alarm_id>/closure")
@blueprint.arguments(Closure)
@blueprint.response(200, AlarmSummary)
@problems(404, "alarm_not_found")
@problems(409, "alarm_closed", "beyond_area")
@allow(*face_alarms.SUPERVISORS)
def close(body: Document, alarm_id: ObjectId) -> Document:
    """Say what was found; `harmless` lifts the lock of the account or device that stood on these attempts alone."""
    return _described(face_alarms.close(alarm_id, body["finding"], body["note"], current()))


def _described(alarm: Document) -> Document:
    names = divisions.names({person["division"] for person in alarm["retirees"]})
    shown = {
        **alarm,
        "id": alarm["_id"],
        "retirees": [
            {**summary(person, names), "face_locked": face_limits.locked(person)} for person in alarm["retirees"]
        ],
    }
    if "closed_by" in alarm:
        shown["closed_by"] = alarm["closed_by"]["role"]
    return shown


def _attempt(row: Document) -> Document:
    phone = row["account_phone"]
    return {
        **row,
        "id": row["_id"],
        "retiree_name": row["retiree"]["name"],
        "account": row["account_id"],
        "account_phone": masking.mask_phone(phone) if phone else None,
    }
