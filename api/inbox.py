"""The inbox: what the house says to a retiree."""

from __future__ import annotations

import marshmallow as ma
from bson import ObjectId

from api.identity import allow, current
from api.problems import problems
from api.resource import Id, Instant, Resource, Schema
from models import messages
from models.access import FAMILY, RETIREE
from models.database import Document

blueprint = Resource("inbox", __name__, description="消息")

MOST = 100


class Message(Schema):
    id = Id()
    retiree_id = Id(metadata={"description": "whose it is, for a phone that acts for several people"})
    title = ma.fields.String()
    body = ma.fields.String()
    link = ma.fields.String(metadata={"description": "a place in the retirees' pages, or empty"})
    notice_id = Id(allow_none=True, metadata={"description": "the notice to show with it: GET /library/{id}"})
    importance = ma.fields.String(metadata={"description": " | ".join(messages.IMPORTANCE)})
    created_at = Instant()
    read_at = Instant(allow_none=True)
    listened_at = Instant(allow_none=True)
    help_asked_at = Instant(allow_none=True)
    withdrawn = ma.fields.Boolean(metadata={"description": "withdrawn or corrected: title and body only say so"})


class Cursor(Schema):
    before = Id(load_default=None, metadata={"description": "the `next` of the page before; without: the newest"})
    limit = ma.fields.Integer(
        load_default=20, validate=ma.validate.Range(1, MOST, error=f"一页可以看1到{MOST}条。")
    )  # fmt: skip


class Inbox(Schema):
    items = ma.fields.List(ma.fields.Nested(Message))
    next = Id(allow_none=True, metadata={"description": "null: that was all"})


class Unread(Schema):
    unread = ma.fields.Integer(
        metadata={"description": f"messages that nobody has opened, {messages.MOST_COUNTED} at most"}
    )
    important = ma.fields.Integer(metadata={"description": "of these, important and emergency ones"})


@blueprint.get("/retirees/<objectid:retiree_id>/inbox")
@blueprint.arguments(Cursor, location="query")
@blueprint.response(200, Inbox)
@problems(404, "retiree_not_found")
@allow(RETIREE, FAMILY)
def listed(cursor: Document, retiree_id: ObjectId) -> Document:
    """Messages, newest first, a page from a place on."""
    before = ObjectId(cursor["before"]) if cursor["before"] else None
    rows, after = messages.inbox(retiree_id, current(), before=before, limit=cursor["limit"])
    return {"items": [messages.shown(row) for row in rows], "next": after}


@blueprint.get("/retirees/<objectid:retiree_id>/inbox/unread")
@blueprint.response(200, Unread)
@problems(404, "retiree_not_found")
@allow(RETIREE, FAMILY)
def unread(retiree_id: ObjectId) -> Document:
    """How many messages wait to be opened."""
    return messages.unread(retiree_id, current())


@blueprint.get("/inbox/<objectid:message_id>")
@blueprint.response(200, Message)
@problems(404, "message_not_found")
@allow(RETIREE, FAMILY)
def one(message_id: ObjectId) -> Document:
    """One message."""
    return messages.shown(messages.get(message_id, current()))


@blueprint.put("/inbox/<objectid:message_id>/read")
@blueprint.response(204)
@problems(404, "message_not_found")
@allow(RETIREE, FAMILY)
def read(message_id: ObjectId) -> None:
    """Note that a message was opened."""
    messages.mark_read(message_id, current())


@blueprint.put("/inbox/<objectid:message_id>/listened")
@blueprint.response(204)
@problems(404, "message_not_found")
@allow(RETIREE, FAMILY)
def listened(message_id: ObjectId) -> None:
    """Note that a message was read aloud."""
    messages.mark_listened(message_id, current())


@blueprint.post("/inbox/<objectid:message_id>/help")
@blueprint.response(204)
@problems(404, "message_not_found", "retiree_not_found")
@problems(409, "message_ended")
@allow(RETIREE, FAMILY)
def ask_help(message_id: ObjectId) -> None:
    """Ask the community to explain a message; asking twice is one request."""
    messages.ask_help(message_id, current())
