"""The second look 抽查: passes drawn by chance, looked at by a person who does not know the figures."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from bson import ObjectId

from api.identity import allow, current
from api.problems import problems
from api.resource import Day, Filters, Id, Instant, Resource, Schema, Text, choice, idempotent
from api.retirees import RetireeSummary, summary
from api.reviews import Frame
from api.uploads import shown
from models import certifications, second_looks
from models.access import OFFICE
from models.database import Document

blueprint = Resource("second-looks", __name__, url_prefix="/second-looks", description="抽查")


class SecondLookSummary(Schema):
    id = Id()
    retiree = ma.fields.Nested(RetireeSummary)
    state = ma.fields.String(metadata={"description": " | ".join(second_looks.STATES)})
    created_at = Instant(metadata={"description": "of the attempt"})
    until = Instant(metadata={"description": "the photographs are deleted then at the latest"})
    ended_at = Instant(allow_none=True)
    note = ma.fields.String()


class Questioned(Schema):
    number = ma.fields.String()
    certified_on = Day()
    questioned_at = Instant(allow_none=True, metadata={"description": "a second look did not see the person"})


class SecondLook(SecondLookSummary):
    frames = ma.fields.List(ma.fields.Nested(Frame))
    figures = ma.fields.Dict(
        allow_none=True, metadata={"description": "what the machine measured; null until it is over"}
    )
    certificate = ma.fields.Nested(Questioned, allow_none=True)


class Filter(Filters):
    state = ma.fields.String(load_default=second_looks.WAITING, validate=choice(second_looks.STATES))


class Answer(Schema):
    answer = ma.fields.String(required=True, validate=choice(second_looks.ANSWERS))
    note = Text(300, load_default="")


@blueprint.get("")
@blueprint.arguments(Filter, location="query")
@blueprint.response(200, SecondLookSummary(many=True))
@blueprint.paginate()
@allow(*OFFICE)
def listed(filters: Document, pagination_parameters: Any) -> list[Document]:
    """The passes that wait for a second look in one's own area, the oldest first; or those that ended so, the newest first."""
    rows, total = second_looks.listed(
        current(), **filters, page=pagination_parameters.page, size=pagination_parameters.page_size
    )
    pagination_parameters.item_count = total
    return [_summary(row) for row in rows]


@blueprint.get("/<objectid:look_id>")
@blueprint.response(200, SecondLook)
@problems(404, "look_not_found")
@problems(409, "own_attempt")
@allow(*OFFICE)
def get(look_id: ObjectId) -> Document:
    """One pass with its frames by number, and without the machine's figures as long as nobody has answered."""
    return _described(second_looks.get(look_id, current()))


@blueprint.get("/<objectid:look_id>/frames/<int:number>")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="image/*")
@problems(404, "look_not_found", "frame_gone", "file_gone")
@problems(409, "own_attempt")
@allow(*OFFICE)
def frame(look_id: ObjectId, number: int) -> Any:
    """One frame of a pass that waits for its look; every look at a frame is audited."""
    return shown(second_looks.frame(look_id, number, current()))


@blueprint.post("/<objectid:look_id>/answer")
@blueprint.arguments(Answer)
@blueprint.response(200, SecondLook)
@problems(404, "look_not_found")
@problems(409, "own_attempt", "already_answered")
@allow(*OFFICE)
@idempotent
def answer(body: Document, look_id: ObjectId) -> Document:
    """Say whether it is the person. Somebody else: a worker is sent and supervisors are alarmed; the certificate stands."""
    return _described(second_looks.answer(look_id, body["answer"], body["note"], current()))


def _summary(row: Document) -> Document:
    look = row["second_look"]
    return {
        "id": row["_id"],
        "retiree": summary(row["retiree"]),
        "state": look["state"],
        "created_at": row["created_at"],
        "until": look["until"],
        "ended_at": look.get("ended_at"),
        "note": look.get("note", ""),
    }


def _described(row: Document) -> Document:
    waiting = row["second_look"]["state"] == second_looks.WAITING
    frames = row["frames"] if waiting else []
    return {
        **_summary(row),
        "frames": [{"number": number, "action": held["action"]} for number, held in enumerate(frames)],
        "figures": None if waiting else row["figures"],
        "certificate": certifications.of_session(row["_id"]),
    }
