"""Oneself: the account, whom it acts for, and its own password and authenticator."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import segno

from api.identity import account, allow, current
from api.problems import problems
from api.resource import Id, Resource, Schema, Text, choice
from api.sign_in import AccountSchema, code_sent, described
from models import access, accounts, bindings, divisions, masking, people
from models.access import FAMILY, PUBLIC_ROLES, RETIREE, STAFF_ROLES
from models.database import Document

blueprint = Resource("me", __name__, url_prefix="/me", description="我的账号")


class BoundRetiree(Schema):
    id = Id()
    name = ma.fields.String()
    relation = ma.fields.String()


class Me(Schema):
    account = ma.fields.Nested(AccountSchema)
    role = ma.fields.String()
    division = ma.fields.String()
    division_name = ma.fields.String()
    enterprise = ma.fields.String(allow_none=True)
    totp = ma.fields.Boolean(metadata={"description": "whether the authenticator is switched on"})
    retirees = ma.fields.List(ma.fields.Nested(BoundRetiree))


class BindingRequest(Schema):
    name = Text(50, 1, required=True)
    id_number = Text(32, 1, required=True)
    relation = ma.fields.String(required=True, validate=choice(bindings.RELATIONS))


class BindingCode(Schema):
    code = ma.fields.String(required=True, validate=ma.validate.Regexp(r"^[0-9]{6}\Z", error="验证码是6位数字。"))


class Binding(Schema):
    id = Id()
    state = ma.fields.String(metadata={"description": "confirmed | code_required"})
    relation = ma.fields.String()
    retiree = ma.fields.Nested(BoundRetiree, allow_none=True)
    phone = ma.fields.String(metadata={"description": "where the code went, masked"})
    resend_after = ma.fields.Integer()
    expires_in = ma.fields.Integer()
    demo_code = ma.fields.String()


class PasswordChange(Schema):
    old = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    new = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))


class Password(Schema):
    password = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))


class TotpOffer(Schema):
    uri = ma.fields.String(metadata={"description": "otpauth address"})
    qr = ma.fields.String(metadata={"description": "the same as an SVG data address"})


@blueprint.get("")
@blueprint.response(200, Me)
@allow(*PUBLIC_ROLES, *STAFF_ROLES)
def me() -> Document:
    """The account, its role, and the retirees that it acts for."""
    held, actor = account(), current()
    return {
        "account": described(held),
        "role": actor.role,
        "division": actor.division,
        "division_name": divisions.full_name(actor.division) if actor.division else "",
        "enterprise": actor.enterprise,
        "totp": bool(held.get("totp_secret")),
        "retirees": [_bound(binding) for binding in bindings.of(held["_id"])],
    }


@blueprint.post("/bindings")
@blueprint.arguments(BindingRequest)
@blueprint.response(201, Binding)
@blueprint.alt_response(202, schema=Binding, success=True, description="A code went to the telephone on record")
@problems(404, "no_such_retiree")
@problems(409, "already_bound", "bound_to_oneself", "no_phone_on_record", "too_many_helpers")
@problems(422, "wrong_check_digit", "wrong_length", "no_such_date")
@problems(429, "too_many_bindings", "code_just_sent", "too_many_codes", "sms_house_limit")
@allow(RETIREE, FAMILY)
def bind(body: Document) -> Any:
    """Bind this account to oneself or a parent; the telephone on record confirms, at once where it is this account's."""
    binding, code = bindings.ask(
        current(), accounts.phone_of(account()), body["name"], body["id_number"], body["relation"]
    )
    if binding["state"] == bindings.CONFIRMED:
        return _confirmed(binding)
    waiting = {"id": binding["_id"], "state": binding["state"], "relation": binding["relation"], "retiree": None}
    return {**waiting, "phone": masking.mask_phone(binding["phone"]), **code_sent(code)}, 202


@blueprint.post("/bindings/<objectid:binding_id>/confirmation")
@blueprint.arguments(BindingCode)
@blueprint.response(200, Binding)
@problems(404, "binding_not_found")
@problems(409, "no_phone_on_record", "bound_to_oneself")
@problems(422, "wrong_code")
@allow(RETIREE, FAMILY)
def confirm(body: Document, binding_id: Any) -> Document:
    """Confirm a binding with the code that went to the telephone on record."""
    return _confirmed(bindings.confirm(current(), binding_id, body["code"]))


@blueprint.delete("/bindings/<objectid:retiree_id>")
@blueprint.response(204)
@problems(404, "binding_not_found")
@allow(RETIREE, FAMILY)
def unbind(retiree_id: Any) -> None:
    """Stop acting for a retiree."""
    bindings.end(current(), retiree_id)


@blueprint.put("/password")
@blueprint.arguments(PasswordChange)
@blueprint.response(204)
@problems(401, "wrong_password")
@problems(422, "password_too_short")
@problems(429, "account_locked")
@allow(*STAFF_ROLES)
def change_password(body: Document) -> None:
    """Change one's own password."""
    accounts.change_password(account()["_id"], body["old"], body["new"], current())


@blueprint.post("/totp")
@blueprint.response(200, TotpOffer)
@problems(409, "totp_is_on")
@allow(*STAFF_ROLES)
def offer_totp() -> Document:
    """Make a new authenticator secret; it counts only after its first digits have been sent back."""
    uri = accounts.begin_totp(account()["_id"])
    return {"uri": uri, "qr": segno.make(uri).svg_data_uri(scale=5)}


@blueprint.put("/totp")
@blueprint.arguments(BindingCode)
@blueprint.response(204)
@problems(422, "wrong_totp")
@allow(*STAFF_ROLES)
def confirm_totp(body: Document) -> None:
    """Switch the authenticator on."""
    accounts.confirm_totp(account()["_id"], body["code"], current())


@blueprint.post("/totp/end")
@blueprint.arguments(Password)
@blueprint.response(204)
@problems(401, "wrong_password")
@problems(429, "account_locked")
@allow(*STAFF_ROLES)
def end_totp(body: Document) -> None:
    """Switch the authenticator off."""
    accounts.end_totp(account()["_id"], body["password"], current())


def _confirmed(binding: Document) -> Document:
    return {
        "id": binding["_id"],
        "state": binding["state"],
        "relation": binding["relation"],
        "retiree": _bound(binding),
    }


def _bound(binding: Document) -> Document:
    person = people.get(binding["retiree_id"], access.system())
    return {"id": binding["retiree_id"], "name": person["name"], "relation": binding["relation"]}
