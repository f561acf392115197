"""The face that attempts are compared with: enrolling it, looking at it, withdrawing consent to it."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from bson import ObjectId
from flask_smorest.fields import Upload

from api.identity import allow, current
from api.problems import problems
from api.resource import Instant, Resource, Schema, Text
from api.uploads import image_bytes, shown
from models import consents, face_limits, face_references, people
from models.access import FAMILY, OFFICE, RETIREE
from models.database import Document

blueprint = Resource("faces", __name__, description="登记照片与同意书")


class Photo(Schema):
    photo = Upload(required=True, metadata={"description": "JPEG, PNG or WebP, at most 10 MB"})


class PaperConsent(Schema):
    consent_on_paper = ma.fields.Boolean(load_default=False, metadata={"description": "已签纸质单独同意书"})


class Consent(Schema):
    version = ma.fields.String()
    given_at = Instant()


class ConsentText(Schema):
    version = ma.fields.String()
    paragraphs = ma.fields.List(ma.fields.String())


class Reference(Schema):
    state = ma.fields.String(metadata={"description": "none | pending | ready | rejected"})
    reasons = ma.fields.List(ma.fields.String())
    source = ma.fields.String(allow_none=True)
    enrolled = ma.fields.Boolean(metadata={"description": "whether a template is stored"})
    has_photo = ma.fields.Boolean()
    photo_wanted = ma.fields.Boolean(metadata={"description": "the network changed; the photograph does not serve it"})
    changed_at = Instant(allow_none=True)
    consent = ma.fields.Nested(Consent, allow_none=True)
    locked_at = Instant(
        allow_none=True, metadata={"description": "attempts wait since then for somebody of the office"}
    )


class Unlocking(Schema):
    reason = Text(300, 2, required=True)


@blueprint.get("/consent-texts/face")
@blueprint.response(200, ConsentText)
@allow(RETIREE, FAMILY, *OFFICE)
def consent_text() -> Document:
    """The text of the separate consent to face recognition that is asked for now."""
    return {"version": consents.CURRENT, "paragraphs": consents.TEXTS[consents.CURRENT]}


@blueprint.get("/retirees/<objectid:retiree_id>/face")
@blueprint.response(200, Reference)
@problems(404, "retiree_not_found")
@allow(RETIREE, FAMILY, *OFFICE)
def get(retiree_id: ObjectId) -> Document:
    """Whether a reference is there and usable, and whether consent is in force; never the template."""
    return _described(retiree_id)


@blueprint.put("/retirees/<objectid:retiree_id>/face")
@blueprint.arguments(Photo, location="files")
@blueprint.arguments(PaperConsent, location="form")
@blueprint.response(202, Reference)
@problems(404, "retiree_not_found")
@problems(422, "not_an_image", "image_too_large")
@allow(*OFFICE)
def put(files: Document, form: Document, retiree_id: ObjectId) -> Document:
    """Put a reference photograph; the worker looks at it, and makes the template where there is consent."""
    data = image_bytes(files["photo"], "/photo")
    face_references.put_photo(
        retiree_id, data, face_references.FROM_STAFF, current(), consent_on_paper=form["consent_on_paper"]
    )
    return _described(retiree_id)


@blueprint.post("/retirees/<objectid:retiree_id>/face/unlock")
@blueprint.arguments(Unlocking)
@blueprint.response(200, Reference)
@problems(404, "retiree_not_found")
@problems(409, "not_locked")
@allow(*OFFICE)
def unlock(body: Document, retiree_id: ObjectId) -> Document:
    """Somebody of the office has looked: attempts by face may go on. The reason is audited."""
    face_limits.unlock(retiree_id, body["reason"], current())
    return _described(retiree_id)


@blueprint.get("/retirees/<objectid:retiree_id>/face/photo")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="image/*")
@problems(404, "retiree_not_found", "no_photo", "file_gone")
@allow(*OFFICE)
def photo(retiree_id: ObjectId) -> Any:
    """The reference photograph, for the worker who compares; every look is audited."""
    return shown(face_references.photo(retiree_id, current()))


@blueprint.delete("/retirees/<objectid:retiree_id>/face")
@blueprint.response(204)
@problems(404, "retiree_not_found")
@allow(RETIREE, FAMILY, *OFFICE)
def withdraw(retiree_id: ObjectId) -> None:
    """Withdraw consent: photograph, template and frames are deleted at once; other methods remain."""
    face_references.withdraw(retiree_id, current())


def _described(retiree_id: ObjectId) -> Document:
    actor = current()
    person = people.get(retiree_id, actor)
    return {**face_references.get(retiree_id, actor), "locked_at": person["face"].get("locked_at")}
