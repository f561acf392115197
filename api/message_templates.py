"""Message templates: what the house says to retirees, in versions, for administrators and the city."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from bson import ObjectId

from api.identity import allow, current
from api.problems import problems
from api.resource import Id, Instant, Resource, Schema, Text
from models import message_templates
from models.database import Document
from notifications import templates

blueprint = Resource("message-templates", __name__, url_prefix="/message-templates", description="消息模板")


class TemplateGap(Schema):
    name = ma.fields.String()
    words = ma.fields.String()
    example = ma.fields.String()
    needed = ma.fields.Boolean()


class WechatTemplateField(Schema):
    name = Text(40, 1, required=True, metadata={"description": "as WeChat names it: thing1, date2"})
    value = Text(200, 1, required=True)


class WechatTemplate(Schema):
    template_id = Text(64, 1, required=True)
    fields_ = ma.fields.List(
        ma.fields.Nested(WechatTemplateField),
        required=True,
        data_key="fields",
        attribute="fields",
        validate=ma.validate.Length(1, 10),
    )


class TemplateChannels(Schema):
    wechat = ma.fields.Nested(WechatTemplate, load_default=None, allow_none=True)
    sms = Text(500, load_default=None, allow_none=True)


class TemplateContent(Schema):
    title = Text(200, load_default="")
    body = Text(5000, load_default="")
    link = Text(200, load_default="")
    channels = ma.fields.Nested(TemplateChannels, load_default=lambda: {"wechat": None, "sms": None})


class NewTemplate(TemplateContent):
    key = Text(40, 3, required=True)
    words = Text(40, 2, required=True, metadata={"description": "its name in the console"})


class TemplateVersion(TemplateContent):
    version = ma.fields.Integer()
    state = ma.fields.String(metadata={"description": " | ".join(message_templates.STATES)})
    created_at = Instant(allow_none=True)
    activated_at = Instant(allow_none=True)


class Template(Schema):
    key = ma.fields.String()
    words = ma.fields.String()
    built_in = ma.fields.Boolean(metadata={"description": "the house uses it itself; version 0 are its own words"})
    inbox = ma.fields.Boolean(metadata={"description": "false: a text message alone"})
    placeholders = ma.fields.List(ma.fields.Nested(TemplateGap))


class TemplateSummary(Template):
    active = ma.fields.Nested(TemplateVersion, allow_none=True)
    drafts = ma.fields.Integer()


class TemplateVersions(Template):
    versions = ma.fields.List(ma.fields.Nested(TemplateVersion))


class TemplatePreviewRequest(Schema):
    retiree_id = Id(load_default=None, allow_none=True)
    version = ma.fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=ma.validate.Range(0, 10**6, error="没有这个版本。")
    )
    draft = ma.fields.Nested(TemplateContent, load_default=None, allow_none=True)


class TemplatePreviewField(Schema):
    name = ma.fields.String()
    value = ma.fields.String()


class TemplatePreview(Schema):
    title = ma.fields.String()
    body = ma.fields.String()
    link = ma.fields.String()
    sms = ma.fields.String(allow_none=True, metadata={"description": "with the signature in front"})
    wechat = ma.fields.List(ma.fields.Nested(TemplatePreviewField))
    problems = ma.fields.List(ma.fields.String())


@blueprint.get("")
@blueprint.response(200, TemplateSummary(many=True))
@allow(*message_templates.WRITERS)
def listed() -> list[Document]:
    """Every message of the house, with the version that is sent now."""
    return message_templates.listed(current())


@blueprint.post("")
@blueprint.arguments(NewTemplate)
@blueprint.response(201, TemplateVersion)
@problems(409, "template_exists")
@problems(422, "bad_key", "bad_template")
@allow(*message_templates.WRITERS)
def create(body: Document) -> Document:
    """Write the first version, a draft, of a message that the house does not use itself."""
    return message_templates.create(body.pop("key"), body.pop("words"), body, current())


@blueprint.get("/<key>")
@blueprint.response(200, TemplateVersions)
@problems(404, "template_not_found")
@allow(*message_templates.WRITERS)
def versions(key: str) -> Document:
    """One message with all its versions, the newest first."""
    return message_templates.versions(key, current())


@blueprint.post("/<key>/versions")
@blueprint.arguments(TemplateContent)
@blueprint.response(201, TemplateVersion)
@problems(404, "template_not_found")
@problems(409, "template_written_meanwhile")
@problems(422, "bad_template")
@allow(*message_templates.WRITERS)
def draft(body: Document, key: str) -> Document:
    """Write the next version, a draft. What WeChat or a gateway would refuse is refused here."""
    return message_templates.draft(key, body, current())


@blueprint.post("/<key>/versions/<int:number>/activation")
@blueprint.response(200, TemplateVersion)
@problems(404, "template_not_found")
@allow(*message_templates.WRITERS)
def activate(key: str, number: int) -> Document:
    """Send this version from now on; 0 goes back to the house's own words."""
    return message_templates.activate(key, number, current())


@blueprint.post("/<key>/preview")
@blueprint.arguments(TemplatePreviewRequest)
@blueprint.response(200, TemplatePreview)
@problems(404, "template_not_found", "retiree_not_found")
@allow(*message_templates.WRITERS)
def preview(body: Document, key: str) -> Document:
    """How a version or a draft reads, with a real person's name, community and days where one is named."""
    retiree_id: Any = body["retiree_id"] and ObjectId(body["retiree_id"])
    return templates.preview(key, current(), retiree_id=retiree_id, version=body["version"], content=body["draft"])
