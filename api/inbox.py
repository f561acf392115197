"""The inbox: what the house says to a retiree."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from bson import ObjectId

from api.identity import allow, current
from api.problems import problems
from api.resource import Id, Instant, Resource, Schema
from models import messages
from models.access import FAMILY, RETIREE
from models.database import Document

blueprint = Resource("inbox", __name__, description="消息")


class Message(Schema):
    id = Id()
    title = ma.fields.String()
    body = ma.fields.String()
    link = ma.fields.String()
    created_at = Instant()
    read_at = Instant(allow_none=True)


@blueprint.get("/retirees/<objectid:retiree_id>/inbox")
@blueprint.response(200, Message(many=True))
@blueprint.paginate()
@problems(404, "retiree_not_found")
@allow(RETIREE, FAMILY)
def listed(retiree_id: ObjectId, pagination_parameters: Any) -> list[Document]:
    """Messages, newest first."""
    rows, total = messages.inbox(
        retiree_id, current(), page=pagination_parameters.page, size=pagination_parameters.page_size
    )
    pagination_parameters.item_count = total
    return [{**row, "id": row["_id"]} for row in rows]


@blueprint.put("/inbox/<objectid:message_id>/read")
@blueprint.response(204)
@problems(404, "message_not_found")
@allow(RETIREE, FAMILY)
def read(message_id: ObjectId) -> None:
    """Note that a message was opened."""
    messages.mark_read(message_id, current())
