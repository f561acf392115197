"""Notices: written, reviewed, published and withdrawn by staff; with their receipts."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import marshmallow as ma
from bson import ObjectId
from flask import Response
from flask_smorest.fields import Upload

from api.audiences import Expression
from api.identity import allow, current
from api.problems import problems
from api.resource import Day, Filters, Id, Instant, Resource, Schema, Text, choice, tag, versioned
from api.retirees import RetireeSummary, summary
from models import access, audiences, clock, deliveries, divisions, messages, notices, rules
from models.access import Actor
from models.audiences import AUTHORS
from models.database import Document
from notifications import notice_files, rich_text

blueprint = Resource("notices", __name__, url_prefix="/notices", description="通知")

BINARY = {"type": "string", "format": "binary"}
PICTURE_BY_NAME = '<img data-file="id of a picture of the notice" alt="...">'


class RichText(Text):
    """Rich text, made harmless as it comes in."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            value = value.replace("\r\n", "\n")
        return rich_text.clean(super()._deserialize(value, attr, data, **kwargs))


class Moment(Instant):
    """An instant that somebody asks for: RFC 3339 with its offset."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> dt.datetime:
        try:
            instant = dt.datetime.fromisoformat(value)
            return instant.astimezone(dt.UTC).replace(microsecond=0) if instant.tzinfo else self._refuse()
        except (TypeError, ValueError, OverflowError):
            return self._refuse()

    def _refuse(self) -> dt.datetime:
        raise ma.ValidationError("时间请写成 2026-11-21T09:00:00+08:00 这样。")


class NoticeFields(Schema):
    """What is written."""

    kind = ma.fields.String(validate=choice(notices.KINDS))
    category = ma.fields.String(validate=choice(notices.CATEGORIES))
    title = Text(80, 1)
    summary = Text(200, metadata={"description": "plain words, shown first and large"})
    body = RichText(notices.BODY_LENGTH, metadata={"description": f"HTML; a picture is {PICTURE_BY_NAME}"})
    source = Text(80, metadata={"description": "发文单位"})
    document_number = Text(60, metadata={"description": "文号，如 人社厅发〔2018〕107号"})
    effective_on = Day(allow_none=True)
    expires_on = Day(allow_none=True, metadata={"description": "the last day on which it is shown"})
    pinned = ma.fields.Boolean()
    importance = ma.fields.String(validate=choice(messages.IMPORTANCE))
    audience = Expression()


class NewNotice(NoticeFields):
    title = Text(80, 1, required=True)


class File(Schema):
    id = Id()
    name = ma.fields.String()
    type = ma.fields.String()
    bytes = ma.fields.Integer()


class Person(Schema):
    id = Id(allow_none=True)
    name = ma.fields.String()


class Said(Schema):
    reason = ma.fields.String()
    at = Instant()
    by = ma.fields.Nested(Person)


class Shown(Schema):
    """What everybody sees of a notice in a list."""

    kind = ma.fields.String()
    category = ma.fields.String()
    title = ma.fields.String()
    summary = ma.fields.String()
    source = ma.fields.String()
    document_number = ma.fields.String()
    effective_on = Day(allow_none=True)
    expires_on = Day(allow_none=True)
    pinned = ma.fields.Boolean()
    importance = ma.fields.String()


class NoticeSummary(Shown):
    id = Id()
    state = ma.fields.String(metadata={"description": " | ".join(notices.STATES)})
    version = ma.fields.Integer(metadata={"description": "of the text that is worked on"})
    in_force = ma.fields.Integer(allow_none=True, metadata={"description": "the version that readers see"})
    division = ma.fields.String()
    division_name = ma.fields.String()
    author = ma.fields.Nested(Person)
    reviewer = ma.fields.Nested(Person, allow_none=True)
    publish_at = Instant(allow_none=True, metadata={"description": "waits for the clock"})
    published_at = Instant(allow_none=True)
    awaits_review = ma.fields.Boolean(
        metadata={"description": "an emergency that one person published and nobody else has looked at"}
    )
    may_edit = ma.fields.Boolean(metadata={"description": "a draft of one's own office"})
    may_review = ma.fields.Boolean(metadata={"description": "waits for a review, and one has not written at it"})
    may_publish = ma.fields.Boolean()
    may_withdraw = ma.fields.Boolean()
    may_correct = ma.fields.Boolean()
    updated_at = Instant()


class Notice(NoticeSummary):
    body = ma.fields.String()
    audience = Expression()
    pictures = ma.fields.List(ma.fields.Nested(File))
    attachments = ma.fields.List(ma.fields.Nested(File))
    sent_back = ma.fields.Nested(Said, allow_none=True)
    reviewed_at = Instant(allow_none=True)
    emergency = ma.fields.Nested(Said, allow_none=True, metadata={"description": "why it was published unreviewed"})
    correction_reason = ma.fields.String()
    withdrawal = ma.fields.Nested(Said, allow_none=True)
    created_at = Instant()


class NoticeVersion(Shown):
    version = ma.fields.Integer()
    body = ma.fields.String()
    audience = Expression()
    pictures = ma.fields.List(ma.fields.Nested(File))
    attachments = ma.fields.List(ma.fields.Nested(File))
    author = ma.fields.Nested(Person)
    reviewer = ma.fields.Nested(Person, allow_none=True)
    reviewed_at = Instant(allow_none=True)
    emergency = ma.fields.Nested(Said, allow_none=True)
    correction_reason = ma.fields.String()
    published_at = Instant()
    published_by = ma.fields.Nested(Person)
    in_force = ma.fields.Boolean()
    ended_at = Instant(allow_none=True)
    ended_because = ma.fields.String(allow_none=True, metadata={"description": "superseded | withdrawn"})
    people = ma.fields.Integer(allow_none=True, metadata={"description": "on the frozen list; null until it is frozen"})


class Search(Filters):
    state = ma.fields.String(load_default="", validate=choice(("", *notices.STATES)))
    q = Text(50, load_default="")


class FileUpload(Schema):
    file = Upload(required=True)


class ReviewDecision(Schema):
    approve = ma.fields.Boolean(required=True)
    reason = Text(300, load_default="", metadata={"description": "needed where it is not approved"})


class Publication(Schema):
    publish_at = Moment(load_default=None, allow_none=True)
    emergency_reason = Text(300, load_default="")


class Reason(Schema):
    reason = Text(300, 2, required=True)


class CommunityReceipts(Schema):
    division = ma.fields.String()
    name = ma.fields.String()
    people = ma.fields.Integer()
    opened = ma.fields.Integer()
    listened = ma.fields.Integer()
    help = ma.fields.Integer()


class Receipts(Schema):
    version = ma.fields.Integer()
    people = ma.fields.Integer(metadata={"description": "of one's own area who have it in their inbox"})
    opened = ma.fields.Integer()
    listened = ma.fields.Integer()
    help = ma.fields.Integer()
    by_community = ma.fields.List(ma.fields.Nested(CommunityReceipts))
    unread_for_days = ma.fields.Integer(metadata={"description": "days since it was published"})
    late = ma.fields.Boolean(
        metadata={"description": "important, not opened by all, and older than the rule unread_important_days"}
    )


class Channels(Schema):
    channels = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    )
    lost_answers = ma.fields.Integer(metadata={"description": "sends whose answer was lost, tried again"})


class Unread(Filters):
    division = ma.fields.String(
        load_default="", validate=ma.validate.Regexp(r"^([0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})?\Z", error="代码不对。")
    )


# ---- Writing


@blueprint.get("")
@blueprint.arguments(Search, location="query")
@blueprint.response(200, NoticeSummary(many=True))
@blueprint.paginate()
@allow(*AUTHORS)
def listed(filters: Document, pagination_parameters: Any) -> list[Document]:
    """Notices of one's own area and published ones of the offices above, the last changed first, or the best found."""
    rows, total = notices.listed(
        current(), **filters, page=pagination_parameters.page, size=pagination_parameters.page_size
    )
    pagination_parameters.item_count = total
    return _described(rows)


@blueprint.post("")
@blueprint.arguments(NewNotice)
@blueprint.response(201, Notice)
@problems(422, "bad_audience", "field_not_yours", "ends_before_it_begins")
@allow(*AUTHORS)
def create(body: Document) -> Any:
    """Begin a draft of one's own office; only the title is needed until it goes to review."""
    return _one(notices.create(_with_words(body), current()), 201)


@blueprint.get("/<objectid:notice_id>")
@blueprint.response(200, Notice)
@problems(404, "notice_not_found")
@allow(*AUTHORS)
def get(notice_id: ObjectId) -> Any:
    """One notice, as it is worked on; for offices below, as it was published."""
    return _one(notices.get(notice_id, current()))


@blueprint.patch("/<objectid:notice_id>")
@blueprint.arguments(NoticeFields)
@blueprint.response(200, Notice)
@problems(403, "not_your_office")
@problems(404, "notice_not_found")
@problems(409, "not_a_draft")
@problems(422, "bad_audience", "field_not_yours", "ends_before_it_begins")
@allow(*AUTHORS)
@versioned
def change(body: Document, notice_id: ObjectId, version: int) -> Any:
    """Change some fields of a draft that one has seen."""
    return _one(notices.change(notice_id, _with_words(body), version, current()))


@blueprint.delete("/<objectid:notice_id>")
@blueprint.response(204)
@problems(403, "not_your_office")
@problems(404, "notice_not_found")
@problems(409, "not_a_draft")
@allow(*AUTHORS)
def discard(notice_id: ObjectId) -> None:
    """Throw a draft away; the draft of a correction leaves the published version as it is."""
    notices.discard(notice_id, current())


@blueprint.post("/<objectid:notice_id>/pictures")
@blueprint.arguments(FileUpload, location="files")
@blueprint.response(201, File)
@problems(403, "not_your_office")
@problems(404, "notice_not_found")
@problems(409, "not_a_draft", "too_many_files")
@problems(422, "not_an_image", "file_too_large")
@allow(*AUTHORS)
def add_picture(upload: Document, notice_id: ObjectId) -> Any:
    """Put a picture (JPEG, PNG or WebP, at most 10 MB) to a draft; it is kept without metadata. ETag: the notice's."""
    data = upload["file"].stream.read(notice_files.PICTURE_LIMIT + 1)
    picture, media_type = notice_files.picture(data)
    return _added(notice_id, notices.PICTURES, "图片", media_type, picture)


@blueprint.post("/<objectid:notice_id>/attachments")
@blueprint.arguments(FileUpload, location="files")
@blueprint.response(201, File)
@problems(403, "not_your_office")
@problems(404, "notice_not_found")
@problems(409, "not_a_draft", "too_many_files")
@problems(422, "not_a_document", "has_macros", "file_too_large")
@allow(*AUTHORS)
def add_attachment(upload: Document, notice_id: ObjectId) -> Any:
    """Put an attachment (PDF, DOC or DOCX by its content, at most 20 MB) to a draft. ETag: the notice's."""
    data = upload["file"].stream.read(notice_files.ATTACHMENT_LIMIT + 1)
    media_type = notice_files.document_type(data)
    name = notice_files.shown_name(upload["file"].filename or "", media_type)
    return _added(notice_id, notices.ATTACHMENTS, name, media_type, data)


@blueprint.delete("/<objectid:notice_id>/files/<objectid:file_id>")
@blueprint.response(204)
@problems(403, "not_your_office")
@problems(404, "notice_not_found", "no_such_file")
@problems(409, "not_a_draft")
@allow(*AUTHORS)
def remove_file(notice_id: ObjectId, file_id: ObjectId) -> Any:
    """Take a picture or an attachment off a draft."""
    after = notices.remove_file(notice_id, file_id, current())
    return None, 204, tag(after["revision"])


@blueprint.get("/<objectid:notice_id>/files/<objectid:file_id>")
@blueprint.response(200, BINARY, content_type="*/*")
@problems(404, "notice_not_found", "no_such_file", "file_gone")
@allow(*AUTHORS)
def file(notice_id: ObjectId, file_id: ObjectId) -> Any:
    """A picture or an attachment of a notice or of one of its versions."""
    return file_reply(*notices.file(notice_id, file_id, current()))


# ---- Review and publication


@blueprint.post("/<objectid:notice_id>/review-request")
@blueprint.response(200, Notice)
@problems(403, "not_your_office")
@problems(404, "notice_not_found")
@problems(409, "not_a_draft")
@problems(422, "title_missing", "summary_missing", "text_missing", "picture_missing")
@allow(*AUTHORS)
def ask_for_review(notice_id: ObjectId) -> Any:
    """Hand a draft to a second person."""
    return _one(notices.ask_for_review(notice_id, current()))


@blueprint.delete("/<objectid:notice_id>/review-request")
@blueprint.response(200, Notice)
@problems(403, "not_your_office")
@problems(404, "notice_not_found")
@problems(409, "not_waiting")
@allow(*AUTHORS)
def take_back(notice_id: ObjectId) -> Any:
    """Make a draft again of what waits for its review, or for its time of publication."""
    return _one(notices.take_back(notice_id, current()))


@blueprint.post("/<objectid:notice_id>/review")
@blueprint.arguments(ReviewDecision)
@blueprint.response(200, Notice)
@problems(404, "notice_not_found")
@problems(409, "not_in_review", "own_notice")
@problems(422, "reason_missing")
@allow(*AUTHORS)
@versioned
def review(body: Document, notice_id: ObjectId, version: int) -> Any:
    """Approve what somebody else wrote and what one has read, or send it back with a reason; an emergency afterwards, too."""
    return _one(notices.review(notice_id, body["approve"], body["reason"], version, current()))


@blueprint.post("/<objectid:notice_id>/publication")
@blueprint.arguments(Publication)
@blueprint.response(200, Notice)
@problems(403, "not_your_office")
@problems(404, "notice_not_found")
@problems(409, "not_approved")
@problems(422, "bad_time", "expired", "title_missing", "summary_missing", "text_missing", "picture_missing")
@allow(*AUTHORS)
def publish(body: Document, notice_id: ObjectId) -> Any:
    """Publish what was approved, now or at a time; an emergency also without review, with a reason."""
    return _one(notices.publish(notice_id, current(), **body))


@blueprint.post("/<objectid:notice_id>/withdrawal")
@blueprint.arguments(Reason)
@blueprint.response(200, Notice)
@problems(404, "notice_not_found")
@problems(409, "not_published")
@allow(*AUTHORS)
def withdraw(body: Document, notice_id: ObjectId) -> Any:
    """Take a published notice away from its readers, for good."""
    return _one(notices.withdraw(notice_id, body["reason"], current()))


@blueprint.post("/<objectid:notice_id>/corrections")
@blueprint.arguments(Reason)
@blueprint.response(201, Notice)
@problems(403, "not_your_office")
@problems(404, "notice_not_found")
@problems(409, "not_published")
@allow(*AUTHORS)
def correct(body: Document, notice_id: ObjectId) -> Any:
    """Begin the draft of the next version; readers see the old one until it is published."""
    return _one(notices.correct(notice_id, body["reason"], current()), 201)


@blueprint.get("/<objectid:notice_id>/versions")
@blueprint.response(200, NoticeVersion(many=True))
@problems(404, "notice_not_found")
@allow(*AUTHORS)
def versions(notice_id: ObjectId) -> list[Document]:
    """Every published version, the newest first."""
    rows = notices.versions(notice_id, current())
    names = _names(rows)
    return [{**row, **_said_by(row, names), "people": audiences.frozen_people(row["audience_id"])} for row in rows]


# ---- Receipts


@blueprint.get("/<objectid:notice_id>/receipts")
@blueprint.response(200, Receipts)
@problems(404, "notice_not_found")
@problems(409, "not_published")
@allow(*AUTHORS)
def receipts(notice_id: ObjectId) -> Document:
    """Who of one's own area has opened, listened to, or asked about the newest published version, by community."""
    kept, reader = _published(notice_id)
    rows = messages.receipts(notice_id, kept["version"], reader)
    names = divisions.names({row["division"] for row in rows})
    totals = {name: sum(row[name] for row in rows) for name in ("people", "opened", "listened", "help")}
    today = clock.today()
    days = (today - clock.day_of(kept["published_at"])).days
    important = kept["importance"] != messages.ROUTINE and totals["opened"] < totals["people"]
    return {
        "version": kept["version"],
        **totals,
        "by_community": [{**row, "name": names.get(row["division"], row["division"])} for row in rows],
        "unread_for_days": days,
        "late": important and days >= rules.number("unread_important_days", today, kept["division"]),
    }


@blueprint.get("/<objectid:notice_id>/unread")
@blueprint.arguments(Unread, location="query")
@blueprint.response(200, RetireeSummary(many=True))
@blueprint.paginate()
@problems(404, "notice_not_found")
@problems(409, "not_published")
@allow(*AUTHORS)
def unread(filters: Document, notice_id: ObjectId, pagination_parameters: Any) -> list[Document]:
    """The people of one's own area who have not opened the newest published version."""
    kept, reader = _published(notice_id)
    rows, pagination_parameters.item_count = messages.not_opened(
        notice_id, kept["version"], reader, division=filters["division"],
        page=pagination_parameters.page, size=pagination_parameters.page_size,
    )  # fmt: skip
    # somebody who has moved away since is the new community's
    persons = [row["retiree"] for row in rows if current().sees(row["retiree"])]
    names = divisions.names({person["division"] for person in persons})
    return [summary(person, names) for person in persons]


@blueprint.get("/<objectid:notice_id>/deliveries")
@blueprint.response(200, Channels)
@problems(404, "notice_not_found")
@problems(409, "not_published")
@allow(*AUTHORS)
def sent(notice_id: ObjectId) -> Document:
    """How the newest published version went out in one's own area, by channel and state."""
    kept, reader = _published(notice_id)
    return deliveries.counts(notice_id, kept["version"], reader)


# ---- Shapes


def _with_words(body: Document) -> Document:
    return {**body, "text": rich_text.plain(body["body"])} if "body" in body else body


def _one(notice: Document, status: int = 200) -> Any:
    return _described([notice])[0], status, tag(notice["revision"])


def _described(rows: list[Document]) -> list[Document]:
    actor, names = current(), _names(rows)
    places = divisions.names({row["division"] for row in rows})
    return [
        {
            **row,
            **_said_by(row, names),
            **notices.may(row, actor),
            "id": row["_id"],
            "division_name": places.get(row["division"], row["division"]),
            "awaits_review": notices.awaits_review(row),
        }
        for row in rows
    ]


SAID = ("sent_back", "emergency", "withdrawal")
WHO = ("author", "reviewer", "published_by")


def _names(rows: Iterable[Document]) -> dict[ObjectId, str]:
    """The names of the accounts that did something with these notices."""
    held = [row.get(who) for row in rows for who in WHO]
    held += [said["by"] for row in rows for name in SAID if (said := row.get(name))]
    return notices.names({account_id for account_id in held if account_id})


def _said_by(row: Mapping[str, Any], names: Mapping[ObjectId, str]) -> Document:
    def person(account_id: ObjectId | None) -> Document | None:
        return {"id": account_id, "name": names.get(account_id, "")} if account_id else None

    said = {name: {**row[name], "by": person(row[name]["by"])} for name in SAID if row.get(name)}
    return {**said, **{who: person(row[who]) for who in WHO if who in row}}


def _added(notice_id: ObjectId, part: str, name: str, media_type: str, data: bytes) -> Any:
    entry, notice = notices.add_file(notice_id, part, name, media_type, data, current())
    return entry, 201, tag(notice["revision"])


def file_reply(entry: Document, data: bytes) -> Response:
    """Pictures stand in the page; an attachment is always a download, never opened in our own origin."""
    shown = "inline" if entry["type"].startswith("image/") else "attachment"
    disposition = f"{shown}; filename*=UTF-8''{quote(entry['name'], safe='')}"
    return Response(data, content_type=entry["type"], headers={"Content-Disposition": disposition})


def _published(notice_id: ObjectId) -> tuple[Document, Actor]:
    """The newest published version of a notice that the actor may see, and who reads its receipts: the branch reads those of
    its own notices, whose readers are members all of them, as the office reads the office's."""
    actor = current()
    kept = notices.newest_version(notice_id, actor)
    return kept, dataclasses.replace(actor, role=access.COMMUNITY) if kept["branch"] else actor
