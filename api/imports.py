"""Imports: roster spreadsheets and zips of identity photographs, read by the worker."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from bson import ObjectId
from flask import Response
from flask_smorest.fields import Upload

from api.identity import allow, current
from api.problems import problems
from api.resource import Division, Id, Instant, Resource, Schema
from models import imports
from models.access import ENTERPRISE, OFFICE
from models.database import Document
from models.errors import Invalid

blueprint = Resource("imports", __name__, url_prefix="/retirees", description="导入")

IMPORTERS = (*OFFICE, ENTERPRISE)
ROSTER_LIMIT = 32 * 1024 * 1024
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP_MARK = b"PK\x03\x04"
OLD_EXCEL_MARK = b"\xd0\xcf\x11\xe0"


class RosterFile(Schema):
    file = Upload(required=True, metadata={"description": ".xlsx"})


class PhotosFile(Schema):
    file = Upload(required=True, metadata={"description": ".zip of photographs named by ID number"})


class Into(Schema):
    division = Division(r"^([0-9]{12})?\Z", load_default="", metadata={"description": "没有社区一栏的行归到这个社区"})


class Import(Schema):
    id = Id()
    kind = ma.fields.String(metadata={"description": "roster | photos"})
    file_name = ma.fields.String()
    state = ma.fields.String(metadata={"description": " | ".join(imports.STATES)})
    rows = ma.fields.Integer()
    processed = ma.fields.Integer()
    accepted = ma.fields.Integer()
    added = ma.fields.Integer()
    filled = ma.fields.Integer(metadata={"description": "known people of whom something was filled in"})
    rejected = ma.fields.Integer()
    notes = ma.fields.List(ma.fields.String())
    detail = ma.fields.String(allow_none=True, metadata={"description": "why the file was refused, in one sentence"})
    errors_url = ma.fields.String(allow_none=True, metadata={"description": "spreadsheet of the rejected rows"})
    created_at = Instant()
    finished_at = Instant(allow_none=True)


@blueprint.post("/imports")
@blueprint.arguments(RosterFile, location="files")
@blueprint.arguments(Into, location="form")
@blueprint.response(202, Import)
@problems(422, "not_a_spreadsheet", "file_too_large", "outside_area")
@allow(*IMPORTERS)
def import_roster(files: Document, form: Document) -> Document:
    """Hand a roster to the worker. It may be sent twice: nobody is made twice."""
    return _start(
        imports.ROSTER, files["file"], form["division"], (ZIP_MARK, OLD_EXCEL_MARK), "请选择 Excel 表格（.xlsx）。"
    )


@blueprint.post("/photo-imports")
@blueprint.arguments(PhotosFile, location="files")
@blueprint.response(202, Import)
@problems(422, "not_a_spreadsheet", "file_too_large")
@allow(*OFFICE)
def import_photos(files: Document) -> Document:
    """Hand a zip of identity photographs, each named by its ID number, to the worker."""
    return _start(imports.PHOTOS, files["file"], "", (ZIP_MARK,), "请选择装有照片的 .zip 压缩包。")


@blueprint.get("/imports")
@blueprint.response(200, Import(many=True))
@allow(*IMPORTERS)
def recent() -> list[Document]:
    """The latest imports of one's own area."""
    return [described(row) for row in imports.recent(current())]


@blueprint.get("/imports/<objectid:import_id>")
@blueprint.response(200, Import)
@problems(404, "import_not_found")
@allow(*IMPORTERS)
def get(import_id: ObjectId) -> Document:
    """How far an import has got."""
    return described(imports.get(import_id, current()))


@blueprint.get("/imports/<objectid:import_id>/errors")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type=SPREADSHEET)
@problems(404, "import_not_found", "no_errors_file", "file_gone")
@allow(*IMPORTERS)
def rejected_rows(import_id: ObjectId) -> Any:
    """The rows that were not taken, as they came, with the reason in a last column."""
    book = imports.errors_file(import_id, current())
    name = f"attachment; filename=rejected-{import_id}.xlsx"
    return Response(book, content_type=SPREADSHEET, headers={"Content-Disposition": name})


def described(row: Document) -> Document:
    address = f"/api/v1/retirees/imports/{row['_id']}/errors" if row.get("errors_file_id") else None
    return {**row, "id": row["_id"], "detail": (row["refusal"] or {}).get("detail"), "errors_url": address}


def _start(kind: str, upload: Any, division: str, marks: tuple[bytes, ...], advice: str) -> Document:
    data = upload.stream.read(ROSTER_LIMIT + 1)
    if len(data) > ROSTER_LIMIT:
        raise Invalid("file_too_large", "文件超过32MB，请分成几份再导入。", pointer="/file")
    if not data.startswith(marks):
        raise Invalid("not_a_spreadsheet", advice, pointer="/file")
    if division and not current().covers(division):
        raise Invalid("outside_area", "这个社区不在您的管理范围内。", pointer="/division")
    return described(imports.start(kind, upload.filename or "", data, current(), division=division))
