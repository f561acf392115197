"""For the office: its places, and its first page in numbers."""

from __future__ import annotations

import marshmallow as ma

from api.identity import allow, current
from api.resource import Division, Resource, Schema
from models import access, certification_sessions, divisions, face_alarms, face_references, follow_ups, outbox, people
from models.access import ARCHIVE_KEEPER, BRANCH_SECRETARY, ENTERPRISE, OFFICE
from models.database import Document

blueprint = Resource("office", __name__, description="工作台")


class Place(Schema):
    code = ma.fields.String()
    name = ma.fields.String()
    level = ma.fields.String()


class Within(Schema):
    within = Division(r"^([0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})?\Z", load_default="")


class Faces(Schema):
    count = ma.fields.Integer(metadata={"description": "people with a stored template"})
    warning = ma.fields.Boolean(metadata={"description": "from 90,000 on"})
    must_file = ma.fields.Boolean(metadata={"description": "100,000: file with the authority within 30 working days"})


class Alarms(Schema):
    open = ma.fields.Integer(metadata={"description": "of one's own area; 0 for a community"})
    late = ma.fields.Integer(metadata={"description": "of these, open for longer than the rule face_alarm_days"})


class Overview(Schema):
    certification = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    reviews = ma.fields.Integer()
    follow_ups = ma.fields.Integer()
    face_alarms = ma.fields.Nested(Alarms)
    failed_events = ma.fields.Integer(metadata={"description": "background work that needs an operator"})
    faces = ma.fields.Nested(Faces)


@blueprint.get("/divisions")
@blueprint.arguments(Within, location="query")
@blueprint.response(200, Place(many=True))
@allow(*OFFICE, ENTERPRISE, ARCHIVE_KEEPER, BRANCH_SECRETARY)
def places(filters: Document) -> list[Document]:
    """The places of one's own area, or inside one of them."""
    found = divisions.visible(current(), filters["within"])
    return [{"code": row["_id"], "name": row["name"], "level": row["level"]} for row in found]


@blueprint.get("/overview")
@blueprint.response(200, Overview)
@allow(*OFFICE)
def overview() -> Document:
    """What waits today: people by certification state, reviews, follow-ups."""
    actor = current()
    return {
        "certification": people.counts(actor),
        "reviews": certification_sessions.reviews(actor, size=1)[1],
        "follow_ups": follow_ups.listed(actor, size=1)[1],
        "face_alarms": face_alarms.counts(actor),
        "failed_events": outbox.counts()[outbox.FAILED] if actor.role == access.CITY else 0,
        "faces": face_references.filing_state(),
    }
