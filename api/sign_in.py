"""Signing in: WeChat, a code by SMS, or a staff password; refreshing and signing out."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import structlog
from flask import g

from api.identity import actor_for, current, public
from api.limits import SIGN_IN, SMS_CODES, limiter
from api.problems import problems
from api.resource import Id, Resource, Schema, Text
from models import accounts, sign_ins, sms_codes
from models.database import Document
from models.errors import Unauthenticated, Unavailable
from settings import settings
from wechat import client as wechat

blueprint = Resource("auth", __name__, url_prefix="/auth", description="登录")

PHONE = ma.validate.Regexp(sms_codes.MOBILE, error="请填写11位手机号。")

log = structlog.stdlib.get_logger("api")


class WeChatCode(Schema):
    code = Text(128, 1, required=True, metadata={"description": "wx.login 的 code"})


class PhoneNumber(Schema):
    phone = ma.fields.String(required=True, validate=PHONE)


class SmsSignIn(PhoneNumber):
    code = ma.fields.String(required=True, validate=ma.validate.Regexp(r"^[0-9]{6}\Z", error="验证码是6位数字。"))


class StaffSignIn(Schema):
    username = Text(64, 1, required=True)
    password = ma.fields.String(required=True, validate=ma.validate.Length(1, 200, error="密码太长。"))
    totp = ma.fields.String(
        load_default=None, allow_none=True, validate=ma.validate.Regexp(r"^[0-9]{6}\Z", error="6位数字。")
    )


class RefreshToken(Schema):
    refresh_token = Text(200, 1, required=True)


class CodeSent(Schema):
    sent = ma.fields.Boolean()
    resend_after = ma.fields.Integer(metadata={"description": "seconds"})
    expires_in = ma.fields.Integer(metadata={"description": "seconds"})
    demo_code = ma.fields.String(metadata={"description": "the code itself, in the demo only"})


class AccountSchema(Schema):
    id = Id()
    kind = ma.fields.String()
    role = ma.fields.String()
    division = ma.fields.String()
    name = ma.fields.String()


class Tokens(Schema):
    access_token = ma.fields.String()
    refresh_token = ma.fields.String()
    token_type = ma.fields.String()
    expires_in = ma.fields.Integer(metadata={"description": "seconds"})
    account = ma.fields.Nested(AccountSchema)


@blueprint.post("/wechat")
@limiter.limit(SIGN_IN)
@blueprint.arguments(WeChatCode)
@blueprint.response(200, Tokens)
@problems(401, "wechat_code_refused", "account_disabled")
@public
def sign_in_with_wechat(body: Document) -> Document:
    """Sign in with a code of wx.login; the session key stays on the server."""
    try:
        session = wechat.login(body["code"])
    except wechat.CodeRefused as error:
        raise Unauthenticated("wechat_code_refused", "微信登录已过期，请退出小程序重新打开。") from error
    except (wechat.WeChatUnavailable, wechat.WeChatMisconfigured) as error:
        if isinstance(error, wechat.WeChatMisconfigured):
            # the retiree can do nothing about it, and nobody else would ever hear of it
            log.error("wechat_misconfigured", errcode=error.errcode)
        raise Unavailable("wechat_unavailable", "微信暂时没有回应，请稍后再试，或用手机验证码登录。") from error
    return _signed_in(accounts.of_wechat(session.openid))


@blueprint.post("/sms-codes")
@limiter.limit(SMS_CODES)
@blueprint.arguments(PhoneNumber)
@blueprint.response(200, CodeSent)
@problems(429, "code_just_sent", "too_many_codes", "sms_house_limit")
@public
def send_code(body: Document) -> Document:
    """Send a code to a telephone; the answer is the same whether the number is known or not."""
    return code_sent(sms_codes.send(body["phone"], sms_codes.SIGN_IN))


@blueprint.post("/sms")
@limiter.limit(SIGN_IN)
@blueprint.arguments(SmsSignIn)
@blueprint.response(200, Tokens)
@problems(401, "account_disabled")
@problems(422, "wrong_code")
@public
def sign_in_with_sms(body: Document) -> Document:
    """Sign in with the code that was sent."""
    sms_codes.check(body["phone"], sms_codes.SIGN_IN, body["code"])
    return _signed_in(accounts.of_phone(body["phone"]))


@blueprint.post("/staff")
@limiter.limit(SIGN_IN)
@blueprint.arguments(StaffSignIn)
@blueprint.response(200, Tokens)
@problems(401, "wrong_password", "totp_required", "wrong_totp")
@problems(429, "account_locked")
@public
def sign_in_staff(body: Document) -> Document:
    """Sign in with a staff password and, where it is switched on, the authenticator's digits."""
    return _signed_in(accounts.sign_in_staff(body["username"], body["password"], body["totp"], current()))


@blueprint.post("/refresh")
@limiter.limit(SIGN_IN)
@blueprint.arguments(RefreshToken)
@blueprint.response(200, Tokens)
@problems(401, "sign_in_expired", "sign_in_reused", "account_disabled")
@public
def refresh(body: Document) -> Document:
    """Trade the refresh token for the next pair; an old one that comes back ends the sign-in.

    Where the reply was lost, the same token may be sent once more within 30 seconds.
    """
    account_id, pair = sign_ins.refresh(body["refresh_token"])
    held = accounts.get(account_id)
    if held is None:
        raise Unauthenticated("account_disabled", "这个账号已停用，请联系社区。")
    return {**pair, "account": described(held)}


@blueprint.post("/logout")
@blueprint.arguments(RefreshToken)
@blueprint.response(204)
@public
def sign_out(body: Document) -> None:
    """End the sign-in of a refresh token."""
    sign_ins.end(body["refresh_token"])


def code_sent(code: str | None) -> Document:
    """The reply to a request for a code. In the demo, and nowhere else, it carries the code."""
    answer: Document = {
        "sent": True,
        "resend_after": int(sms_codes.SEND_AGAIN.total_seconds()),
        "expires_in": int(sms_codes.LIFE.total_seconds()),
    }
    if settings.YINLING_DEMO and code:
        answer["demo_code"] = code
    return answer


def described(held: Document) -> Document:
    """An account as its owner sees it."""
    actor = g.actor if "actor" in g else actor_for(held)
    return {
        "id": held["_id"],
        "kind": held["kind"],
        "role": actor.role,
        "division": actor.division,
        "name": held.get("name", ""),
    }


def _signed_in(held: Document) -> Any:
    return {**sign_ins.start(held["_id"]), "account": described(held)}
