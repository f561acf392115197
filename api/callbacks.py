"""What providers tell the house of their own accord: receipts of the SMS gateway. Public, because a provider signs in nowhere;
each request bears the gateway's signature instead.

The signature is that of `notifications.sms.HttpGateway`, the other way round: the same key, the same three headers, over this
address. A request that is repeated changes nothing, so its nonce need not be remembered.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import marshmallow as ma
import structlog
from flask import request

from api.identity import public
from api.problems import problems
from api.resource import Resource, Schema, choice
from models import deliveries
from models.database import Document
from models.errors import Unauthenticated
from notifications import sms
from settings import settings

log = structlog.stdlib.get_logger("api")

blueprint = Resource("callbacks", __name__, url_prefix="/callbacks", description="服务商回执")

RECEIPTS_AT_ONCE = 500


def signed_by_the_gateway(view: Callable[..., Any]) -> Callable[..., Any]:
    """Nothing of a request is read before its signature is known to be right."""

    @functools.wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        query = request.query_string.decode(errors="replace")
        path = f"{request.path}?{query}" if query else request.path
        key, headers = settings.SMS_GATEWAY_KEY, dict(request.headers)
        if not sms.is_signed(key, request.method, path, request.get_data(), headers, time.time()):
            # every receipt would be lost in silence where the two keys or clocks differ
            log.warning("receipts_not_signed")
            raise Unauthenticated("wrong_signature", "签名不对，请检查密钥和服务器时间。")
        return view(*args, **kwargs)

    return checked


class SmsReceipt(Schema):
    message_id = ma.fields.String(
        required=True,
        validate=ma.validate.Length(1, 200, error="长度应为1到200个字。"),
        metadata={"description": "as the gateway named the message when it took it"},
    )
    outcome = ma.fields.String(required=True, validate=choice((deliveries.DELIVERED, deliveries.UNDELIVERED)))


class SmsReceipts(Schema):
    receipts = ma.fields.List(
        ma.fields.Nested(SmsReceipt),
        required=True,
        validate=ma.validate.Length(1, RECEIPTS_AT_ONCE, error=f"一次应为1到{RECEIPTS_AT_ONCE}条。"),
    )


@blueprint.post("/sms")
@signed_by_the_gateway
@blueprint.arguments(SmsReceipts)
@blueprint.response(204)
@problems(401, "wrong_signature")
@public
def take_sms_receipts(body: Document) -> None:
    """Take receipts of the SMS gateway. A receipt of a message that nobody waits for is taken too."""
    for receipt in body["receipts"]:
        deliveries.receipt(deliveries.SMS, receipt["message_id"], receipt["outcome"])
