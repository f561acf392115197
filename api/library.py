"""The library: notices in force, for retirees and those who act for them."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from bson import ObjectId

from api.identity import allow, current
from api.notices import BINARY, PICTURE_BY_NAME, File, Shown, file_reply
from api.problems import problems
from api.resource import Filters, Id, Instant, Resource, Schema, Text, choice
from models import library, notices
from models.access import FAMILY, RETIREE
from models.database import Document

blueprint = Resource("library", __name__, url_prefix="/library", description="政策库")


class LibraryItem(Shown):
    id = Id(metadata={"description": "of the notice"})
    version = ma.fields.Integer()
    published_at = Instant()
    corrected = ma.fields.Boolean(metadata={"description": "it replaces a version that was published before"})
    correction_reason = ma.fields.String()


class LibraryNotice(LibraryItem):
    body = ma.fields.String(metadata={"description": f"harmless HTML; a picture is {PICTURE_BY_NAME}"})
    pictures = ma.fields.List(ma.fields.Nested(File))
    attachments = ma.fields.List(ma.fields.Nested(File))


class LibrarySearch(Filters):
    retiree_id = Id(required=True)
    q = Text(50, load_default="")
    category = ma.fields.String(load_default="", validate=choice(("", *notices.CATEGORIES)))
    kind = ma.fields.String(load_default="", validate=choice(("", *notices.KINDS)))


class Reader(Schema):
    retiree_id = Id(required=True)


@blueprint.get("")
@blueprint.arguments(LibrarySearch, location="query")
@blueprint.response(200, LibraryItem(many=True))
@blueprint.paginate()
@problems(404, "retiree_not_found")
@allow(RETIREE, FAMILY)
def shelf(filters: Document, pagination_parameters: Any) -> list[Document]:
    """Notices in force that are for a person, whenever they joined: pinned first, then the newest, or the best found."""
    retiree_id = ObjectId(filters.pop("retiree_id"))
    rows, total = library.shelf(
        retiree_id, current(), **filters, page=pagination_parameters.page, size=pagination_parameters.page_size
    )
    pagination_parameters.item_count = total
    return [_for_reader(row) for row in rows]


@blueprint.get("/<objectid:notice_id>")
@blueprint.arguments(Reader, location="query")
@blueprint.response(200, LibraryNotice)
@problems(404, "retiree_not_found", "notice_not_found", "notice_withdrawn")
@allow(RETIREE, FAMILY)
def read(reader: Document, notice_id: ObjectId) -> Document:
    """One notice in force that is for a person, or was when it was sent."""
    return _for_reader(library.read(notice_id, ObjectId(reader["retiree_id"]), current()))


@blueprint.get("/<objectid:notice_id>/files/<objectid:file_id>")
@blueprint.arguments(Reader, location="query")
@blueprint.response(200, BINARY, content_type="*/*")
@problems(404, "retiree_not_found", "notice_not_found", "notice_withdrawn", "no_such_file", "file_gone")
@allow(RETIREE, FAMILY)
def file(reader: Document, notice_id: ObjectId, file_id: ObjectId) -> Any:
    """A picture or an attachment of a notice that the person may read."""
    return file_reply(*library.file(notice_id, file_id, ObjectId(reader["retiree_id"]), current()))


def _for_reader(row: Document) -> Document:
    return {**row, "id": row["notice_id"], "corrected": row["version"] > 1}
