"""Deliveries: what a worker has to do because no device did it, and what went wrong on the way."""

from __future__ import annotations

import io
from typing import Any

import marshmallow as ma
import xlsxwriter
from bson import ObjectId
from flask import Response

from api.identity import allow, current
from api.imports import SPREADSHEET
from api.problems import problems
from api.resource import Division, Filters, Id, Instant, Resource, Schema, Text, choice
from api.retirees import RetireeSummary, summary
from models import clock, deliveries, divisions
from models.database import Document

blueprint = Resource("deliveries", __name__, url_prefix="/deliveries", description="消息发送")

PLACE = r"^([0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})?\Z"
LIST_MOST = 5_000
CHANNEL_WORDS = {
    deliveries.WECHAT: "微信",
    deliveries.SMS: "短信",
    deliveries.CALL: "打电话",
    deliveries.PAPER: "上门送纸质通知",
}
# title → width in characters
COLUMNS = {
    "社区": 20, "姓名": 12, "方式": 16, "电话": 16, "紧急联系人": 14, "紧急联系电话": 16, "地址": 36, "标题": 28,
    "内容": 60, "登记日期": 14, "办理结果": 24,
}  # fmt: skip


class Told(Schema):
    title = ma.fields.String()
    body = ma.fields.String()
    importance = ma.fields.String()
    created_at = Instant()
    read_at = Instant(allow_none=True)


class Delivery(Schema):
    id = Id()
    channel = ma.fields.String(metadata={"description": " | ".join(deliveries.CHANNELS)})
    state = ma.fields.String(metadata={"description": " | ".join(deliveries.STATES)})
    meaning = ma.fields.String(metadata={"description": "the state in words"})
    error = ma.fields.String(allow_none=True)
    error_words = ma.fields.String(allow_none=True, metadata={"description": "the error in words"})
    attempts = ma.fields.Integer()
    lost_answers = ma.fields.Integer(metadata={"description": "how often nobody knows whether it was sent"})
    copy = ma.fields.Boolean(metadata={"description": "for a member of the family"})
    template = ma.fields.String()
    notice_id = Id(allow_none=True)
    note = ma.fields.String()
    created_at = Instant()
    sent_at = Instant(allow_none=True)
    ended_at = Instant(allow_none=True)
    message = ma.fields.Nested(Told)
    retiree = ma.fields.Nested(RetireeSummary)


class Filter(Filters):
    state = ma.fields.String(load_default=deliveries.FAILED, validate=choice(deliveries.WORK_LISTS))
    channel = ma.fields.String(load_default="", validate=choice(("", *deliveries.CHANNELS)))
    division = Division(PLACE, load_default="")


class Place(Schema):
    division = Division(PLACE, load_default="")


class Note(Schema):
    note = Text(200, load_default="")


@blueprint.get("")
@blueprint.arguments(Filter, location="query")
@blueprint.response(200, Delivery(many=True))
@blueprint.paginate()
@allow(*deliveries.READERS)
def listed(filters: Document, pagination_parameters: Any) -> list[Document]:
    """A work list of one's own area: what failed, whom to call or to visit, whom a channel does not reach."""
    rows, pagination_parameters.item_count = deliveries.listed(
        current(), **filters, page=pagination_parameters.page, size=pagination_parameters.page_size
    )
    return _shown(rows)


@blueprint.post("/<objectid:delivery_id>/retry")
@blueprint.response(200, Delivery)
@problems(404, "delivery_not_found")
@problems(409, "delivery_settled")
@allow(*deliveries.READERS)
def retry(delivery_id: ObjectId) -> Document:
    """Let what failed or was refused try again from the start."""
    return _shown([deliveries.retry(delivery_id, current())])[0]


@blueprint.post("/<objectid:delivery_id>/reached")
@blueprint.arguments(Note)
@blueprint.response(200, Delivery)
@problems(404, "delivery_not_found")
@problems(409, "delivery_settled")
@allow(*deliveries.READERS)
def reached(body: Document, delivery_id: ObjectId) -> Document:
    """Note that a worker has told the person."""
    return _shown([deliveries.reached(delivery_id, body["note"], current())])[0]


@blueprint.get("/door-list.xlsx")
@blueprint.arguments(Place, location="query")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type=SPREADSHEET)
@allow(*deliveries.READERS)
def door_list(filters: Document) -> Response:
    """Whom to call or to visit, with number, address and message, to print and to take along."""
    rows = deliveries.door_list(current(), filters["division"], LIST_MOST)
    name = f"attachment; filename=door-list-{clock.today()}.xlsx"
    return Response(workbook(rows), content_type=SPREADSHEET, headers={"Content-Disposition": name})


def workbook(rows: list[Document]) -> bytes:
    """The list as a spreadsheet; everything is written as text, because a title may begin like a formula."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet("电话和上门名单")
    head = book.add_format({"bold": True, "bg_color": "#F2F2F2"})
    cell = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.freeze_panes(1, 2)
    for column, (title, width) in enumerate(COLUMNS.items()):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, head)
    names = divisions.names({row["division"] for row in rows})
    for line, row in enumerate(rows, start=1):
        person, message = row["retiree"], row["message"]
        texts = (
            names.get(row["division"], row["division"]), person["name"], CHANNEL_WORDS[row["channel"]],
            person["phone"], person["emergency_contact"], person["emergency_phone"], person["address"],
            message["title"], message["body"], clock.day_of(row["created_at"]).isoformat(), "",
        )  # fmt: skip
        for column, text in enumerate(texts):
            sheet.write_string(line, column, text or "", cell)
    book.close()
    return file.getvalue()


def _shown(rows: list[Document]) -> list[Document]:
    names = divisions.names({row["retiree"]["division"] for row in rows})
    return [
        {
            **row,
            "id": row["_id"],
            "meaning": deliveries.MEANING[row["state"]],
            "error_words": deliveries.REASONS.get(row["error"]),
            "retiree": summary(row["retiree"], names),
        }
        for row in rows
    ]
