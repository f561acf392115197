"""How a retiree wishes to be told, and leave for WeChat's subscribe messages."""

from __future__ import annotations

import marshmallow as ma
from bson import ObjectId

from api.identity import allow, current
from api.problems import problems
from api.resource import Resource, Schema, choice, idempotent, tag, versioned
from models import contact_settings, subscription_grants
from models.access import FAMILY, OFFICE, RETIREE
from models.built_in_templates import MOMENTS
from models.database import Document

blueprint = Resource("contact-settings", __name__, description="消息设置")

SETTERS = (RETIREE, FAMILY, *OFFICE)


class ContactChannels(Schema):
    wechat = ma.fields.Boolean(required=True)
    sms = ma.fields.Boolean(required=True)
    call = ma.fields.Boolean(required=True)
    paper = ma.fields.Boolean(required=True)


class ContactSettingsRequest(Schema):
    channels = ma.fields.Nested(ContactChannels, required=True)
    copy_family = ma.fields.Boolean(required=True, metadata={"description": "the family gets what the retiree gets"})


class ContactSettings(ContactSettingsRequest):
    reach = ma.fields.Nested(ContactChannels, metadata={"description": "which channels lead to this person at all"})


class SubscriptionMoment(Schema):
    moment = ma.fields.String(required=True, validate=choice(MOMENTS))


class SubscriptionOffer(Schema):
    template_id = ma.fields.String()
    key = ma.fields.String()
    words = ma.fields.String()


class SubscriptionAnswers(Schema):
    results = ma.fields.Dict(
        keys=ma.fields.String(validate=ma.validate.Length(1, 64)),
        values=ma.fields.String(validate=choice(subscription_grants.ANSWERS)),
        required=True,
        validate=ma.validate.Length(1, 20),
        metadata={"description": "what wx.requestSubscribeMessage answered, by template_id"},
    )


class SubscriptionGrants(Schema):
    grants = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.Integer(), metadata={"description": "messages left, by template_id"}
    )


@blueprint.get("/retirees/<objectid:retiree_id>/contact-settings")
@blueprint.response(200, ContactSettings)
@problems(404, "retiree_not_found")
@allow(*SETTERS)
def read(retiree_id: ObjectId) -> tuple[Document, int, dict[str, str]]:
    """Which channels the retiree wants beside the inbox, and which lead to them."""
    held = contact_settings.get(retiree_id, current())
    return held, 200, tag(held["version"])


@blueprint.put("/retirees/<objectid:retiree_id>/contact-settings")
@blueprint.arguments(ContactSettingsRequest)
@blueprint.response(200, ContactSettings)
@problems(404, "retiree_not_found")
@allow(*SETTERS)
@versioned
def write(body: Document, retiree_id: ObjectId, version: int) -> tuple[Document, int, dict[str, str]]:
    """Set them."""
    held = contact_settings.put(retiree_id, body["channels"], body["copy_family"], version, current())
    return held, 200, tag(held["version"])


@blueprint.get("/me/subscription-templates")
@blueprint.arguments(SubscriptionMoment, location="query")
@blueprint.response(200, SubscriptionOffer(many=True))
@allow(RETIREE, FAMILY)
def offered(query: Document) -> list[Document]:
    """What a mini-program asks its user leave for at a moment, at most three; empty for who never came by WeChat."""
    return subscription_grants.offered(query["moment"], current())


@blueprint.post("/me/subscription-grants")
@blueprint.arguments(SubscriptionAnswers)
@blueprint.response(200, SubscriptionGrants)
@problems(409, "not_on_wechat")
@problems(422, "unknown_template")
@allow(RETIREE, FAMILY)
@idempotent
def granted(body: Document) -> Document:
    """Write down what the user answered: each accept is one message."""
    return {"grants": subscription_grants.note(body["results"], current())}
