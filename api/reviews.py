"""The review queue: what the machine doubted, decided by a person who compares the photographs."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from bson import ObjectId

from api.certification import Certificate, certificate
from api.identity import allow, current
from api.problems import problems
from api.resource import Id, Instant, Resource, Schema, Text, idempotent
from api.retirees import RetireeSummary, summary
from api.uploads import shown
from models import certification_sessions as sessions
from models import face_references
from models.access import OFFICE
from models.database import Document

blueprint = Resource("reviews", __name__, url_prefix="/certification-reviews", description="人工审核")


class ReviewSummary(Schema):
    id = Id()
    retiree = ma.fields.Nested(RetireeSummary)
    reasons = ma.fields.List(ma.fields.String())
    state = ma.fields.String()
    created_at = Instant()


class Attempt(Schema):
    id = Id()
    state = ma.fields.String()
    reasons = ma.fields.List(ma.fields.String())
    created_at = Instant()
    decision_reason = ma.fields.String()


class Frame(Schema):
    number = ma.fields.Integer()
    action = ma.fields.String()


class Review(ReviewSummary):
    advice = ma.fields.List(ma.fields.String())
    figures = ma.fields.Dict(metadata={"description": "what the machine measured"})
    actions = ma.fields.List(ma.fields.String())
    frames = ma.fields.List(ma.fields.Nested(Frame))
    device = ma.fields.String()
    enrolled_photo = ma.fields.Boolean()
    residence = ma.fields.Dict(allow_none=True)
    attempts_before = ma.fields.List(ma.fields.Nested(Attempt))
    certificates = ma.fields.List(ma.fields.Nested(Certificate))
    decision_reason = ma.fields.String()


class Decision(Schema):
    approve = ma.fields.Boolean(required=True)
    reason = Text(300, 2, required=True)


@blueprint.get("")
@blueprint.response(200, ReviewSummary(many=True))
@blueprint.paginate()
@allow(*OFFICE)
def listed(pagination_parameters: Any) -> list[Document]:
    """The attempts that wait for a person in one's own area, the oldest first."""
    rows, total = sessions.reviews(current(), page=pagination_parameters.page, size=pagination_parameters.page_size)
    pagination_parameters.item_count = total
    return [{**row, "id": row["_id"], "retiree": summary(row["retiree"])} for row in rows]


@blueprint.get("/<objectid:review_id>")
@blueprint.response(200, Review)
@problems(404, "review_not_found", "session_not_found")
@allow(*OFFICE)
def get(review_id: ObjectId) -> Document:
    """One attempt with its figures, its frames by number, and the person's history."""
    return described(sessions.review(review_id, current()))


@blueprint.get("/<objectid:review_id>/frames/<int:number>")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="image/*")
@problems(404, "frame_gone", "file_gone")
@allow(*OFFICE)
def frame(review_id: ObjectId, number: int) -> Any:
    """One frame of an attempt; every look is audited."""
    return shown(sessions.frame(review_id, number, current()))


@blueprint.post("/<objectid:review_id>/decision")
@blueprint.arguments(Decision)
@blueprint.response(200, Review)
@problems(404, "review_not_found", "session_not_found")
@problems(409, "already_decided", "deceased")
@allow(*OFFICE)
@idempotent
def decide(body: Document, review_id: ObjectId) -> Document:
    """Decide with a reason; approval issues the certificate, and the frames are deleted."""
    sessions.decide(review_id, approve=body["approve"], reason=body["reason"], actor=current())
    return described(sessions.review(review_id, current()))


def described(row: Document) -> Document:
    reference = face_references.of(row["retiree_id"])
    return {
        **row,
        "id": row["_id"],
        "retiree": summary(row["retiree"]),
        "frames": [{"number": number, "action": held["action"]} for number, held in enumerate(row["frames"])],
        "enrolled_photo": bool(reference and reference.get("photo_id")),
        "attempts_before": [{**attempt, "id": attempt["_id"]} for attempt in row["attempts_before"]],
        "certificates": [certificate(held) for held in row["certificates"]],
    }
