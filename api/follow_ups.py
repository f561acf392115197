"""Follow-ups: what a worker still has to do for somebody."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from bson import ObjectId

from api.identity import allow, current
from api.problems import problems
from api.resource import Filters, Id, Instant, Resource, Schema, Text, choice
from api.retirees import RetireeSummary, summary
from models import follow_ups
from models.access import OFFICE
from models.database import Document

blueprint = Resource("follow-ups", __name__, url_prefix="/follow-ups", description="待办")


class FollowUp(Schema):
    id = Id()
    kind = ma.fields.String()
    method = ma.fields.String()
    note = ma.fields.String()
    state = ma.fields.String()
    outcome = ma.fields.String()
    retiree = ma.fields.Nested(RetireeSummary)
    created_at = Instant()
    done_at = Instant()


class Filter(Filters):
    state = ma.fields.String(load_default=follow_ups.OPEN, validate=choice(follow_ups.STATES))


class Outcome(Schema):
    outcome = Text(300, 2, required=True)


class Done(Schema):
    id = Id()
    state = ma.fields.String()
    outcome = ma.fields.String()


@blueprint.get("")
@blueprint.arguments(Filter, location="query")
@blueprint.response(200, FollowUp(many=True))
@blueprint.paginate()
@allow(*OFFICE)
def listed(filters: Document, pagination_parameters: Any) -> list[Document]:
    """What is open in one's own area, the oldest first."""
    rows, total = follow_ups.listed(
        current(), **filters, page=pagination_parameters.page, size=pagination_parameters.page_size
    )
    pagination_parameters.item_count = total
    return [{**row, "id": row["_id"], "retiree": summary(row["retiree"])} for row in rows]


@blueprint.post("/<objectid:follow_up_id>/completion")
@blueprint.arguments(Outcome)
@blueprint.response(200, Done)
@problems(404, "follow_up_not_found")
@problems(409, "follow_up_done")
@allow(*OFFICE)
def complete(body: Document, follow_up_id: ObjectId) -> Document:
    """Say what came of it."""
    row = follow_ups.complete(follow_up_id, body["outcome"], current())
    return {**row, "id": row["_id"]}
