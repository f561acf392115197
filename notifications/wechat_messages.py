"""Subscribe messages of WeChat, sent with the access token that all processes share."""

from __future__ import annotations

from collections.abc import Mapping

from notifications import access_tokens
from wechat import client as wechat


def send(openid: str, template_id: str, page: str, data: Mapping[str, str]) -> str:
    """Send a subscribe message and return WeChat's id of it, or "" where WeChat gives none.

    `data` is field → text, `{"thing1": "…"}`; `page` is the page of the mini-program that a tap opens, "" for none.

    Raises:
        NoGrant, RecipientGone, BadTemplate, AnswerLost, WeChatUnavailable, WeChatMisconfigured: of `wechat.client`.
    """
    return access_tokens.with_token(
        lambda token: wechat.client().send_subscribe_message(openid, template_id, page, data, token)
    )
