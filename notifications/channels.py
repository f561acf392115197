"""The channels that providers carry, behind one function, and the four ways in which a sending can end.

Every provider says in its own words what went wrong. Here that becomes what the engine has to do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from models import deliveries
from notifications import sms, wechat_messages
from settings import settings
from wechat import client as wechat

log = structlog.stdlib.get_logger("notifications")


class Refused(Exception):
    """It will never arrive this way. `code` is one of deliveries.REASONS."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Temporary(Exception):
    """The provider was not to be had, or too busy: nothing was sent."""


class AnswerLost(Exception):
    """The provider was asked and did not answer: the message may be on its way."""


@dataclass(frozen=True)
class Sent:
    """The provider has the message; `provider_id` is what it calls it there, "" where it has no name for it."""

    provider_id: str


# The page of the mini-program that a tap on a subscribe message opens: it shows the message, which marks it as read
PAGE = "pages/index/index?message={message_id}"
# Requests that leave one after another do not all travel equally fast
MARGIN = 0.95


def per_second(channel: str) -> float:
    """How many messages a second are handed to the provider of a channel: a little less than it takes."""
    return MARGIN * {deliveries.WECHAT: settings.WECHAT_PER_SECOND, deliveries.SMS: settings.SMS_PER_SECOND}[channel]


def send(channel: str, address: str, message: Mapping[str, Any]) -> Sent:
    """Hand one message to the provider of a channel; `address` is an openid or a telephone number.

    Raises:
        Refused, Temporary, AnswerLost: see there.
    """
    return SENDERS[channel](address, message)


def _by_wechat(openid: str, message: Mapping[str, Any]) -> Sent:
    content, page = message["wechat"], PAGE.format(message_id=message["_id"])
    try:
        return Sent(wechat_messages.send(openid, content["template_id"], page, content["data"]))
    except wechat.NoGrant:
        raise Refused(deliveries.NO_GRANT) from None
    except wechat.RecipientGone:
        raise Refused("recipient_gone") from None
    except wechat.BadTemplate as error:
        log.error("wechat_template_refused", template=message["template"], errcode=error.errcode)
        raise Refused("bad_template") from None
    except wechat.AnswerLost:
        raise AnswerLost from None
    except wechat.WeChatUnavailable:
        raise Temporary from None
    except wechat.WeChatMisconfigured as error:
        # nothing is wrong with this message: it waits until somebody has looked
        log.error("wechat_misconfigured", errcode=error.errcode)
        raise Temporary from None


def _by_sms(phone: str, message: Mapping[str, Any]) -> Sent:
    try:
        return Sent(sms.gateway().send_text(phone, message["template"], message["sms"]))
    except sms.SmsRefused:
        raise Refused("sms_refused") from None
    except sms.SmsAnswerLost:
        raise AnswerLost from None
    except sms.SmsUnavailable:
        raise Temporary from None


SENDERS: Mapping[str, Callable[[str, Mapping[str, Any]], Sent]] = {
    deliveries.WECHAT: _by_wechat,
    deliveries.SMS: _by_sms,
}
