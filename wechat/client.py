"""The WeChat platform over the wire: who signs in, which phone number they hand over, and what reaches them in WeChat.

Four calls of the mini-program server API (developers.weixin.qq.com, 小程序 服务端):

- `GET  /sns/jscode2session`                a sign-in code for an openid;
- `POST /cgi-bin/stable_token`              an access token, which `notifications/access_tokens.py` keeps for all processes;
- `POST /wxa/business/getuserphonenumber`   a phone code for a phone number;
- `POST /cgi-bin/message/subscribe/send`    a subscribe message: one grant of the person, one message.

WeChat says what went wrong as `{errcode, errmsg}` with status 200. Here that becomes an exception that says what to do: the
code is no good (sign in again), the person gave no grant (ask for one), the message cannot be right (mend the template), WeChat
is not to be had (try again), the answer was lost (it may have arrived), or this server is set up wrongly (a person must look).
The AppSecret and the access token travel in addresses, so no exception of `requests` leaves this module.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import requests

from settings import settings
from wechat import wire


class WeChatError(Exception):
    """WeChat did not do what was asked. `errcode` is WeChat's number where it gave one."""

    def __init__(self, detail: str, errcode: int | None = None) -> None:
        super().__init__(detail)
        self.errcode = errcode


class CodeRefused(WeChatError):
    """The code is unknown, too old, used before, or its person is barred. Only a fresh code helps."""


class WeChatUnavailable(WeChatError):
    """WeChat is slow, busy, over its limit or not reachable. The same call may work in a moment."""


class AnswerLost(WeChatUnavailable):
    """The request was written and its answer never came or made no sense: WeChat may have done it."""


class TokenRejected(WeChatUnavailable):
    """WeChat does not know the access token, or not any more. The same call works with the next one."""


class WeChatMisconfigured(WeChatError):
    """AppID, AppSecret, address or rights are wrong, or the mini-program is barred. A person must look."""


class NoGrant(WeChatError):
    """The person gave no grant for this template, used it up, or switched the messages off (43101)."""


class RecipientGone(WeChatError):
    """The openid is not one of this mini-program, or its person's WeChat account is closed."""


class BadTemplate(WeChatError):
    """WeChat refuses the template, a field, a word or the page of the message, whoever it is for. A person must mend it."""


# errcode → what it means for us: the lists of WeChat's manual, joined, and what its staff answered where the manual is silent
ANY_CALL: Mapping[int, type[WeChatError]] = {
    -1: WeChatUnavailable,  # the system is busy
    40001: TokenRejected,
    40014: TokenRejected,
    42001: TokenRejected,
    45009: WeChatUnavailable,  # over the limit of a day; also sent where the limit of a minute is meant
    45011: WeChatUnavailable,  # over the limit of a minute
    50003: WeChatUnavailable,
}
A_CODE: Mapping[int, type[WeChatError]] = {
    **ANY_CALL,
    40029: CodeRefused,
    40163: CodeRefused,  # used before
    40226: CodeRefused,  # its person is barred
    41008: CodeRefused,
    42003: CodeRefused,
}
A_MESSAGE: Mapping[int, type[WeChatError]] = {
    **ANY_CALL,
    40003: RecipientGone,
    50002: RecipientGone,
    43101: NoGrant,
    40037: BadTemplate,  # there is no such template
    41030: BadTemplate,  # there is no such page in the published mini-program
    43116: BadTemplate,  # the template is banned
    45168: BadTemplate,  # a word that WeChat does not let through
    47003: BadTemplate,  # a field is missing or its kind does not allow the value
    43108: WeChatUnavailable,  # another message to the same person is on its way at this instant
    43117: WeChatUnavailable,  # too many messages to this person just now
    # 43107, the mini-program may not send any more, is for a person to look at like every code that is not named here
}


@dataclass(frozen=True)
class Session:
    """Who signed in. WeChat's `session_key` is dropped here: nothing of ours needs it, so nothing can leak it."""

    openid: str
    unionid: str | None


class Client:
    """One mini-program's view of WeChat. It keeps nothing, so threads and processes may share it."""

    def __init__(
        self, base: str, appid: str, secret: str, timeout: float, message_timeout: float = 10, state: str = "formal"
    ) -> None:
        self._base = base.rstrip("/")
        self._appid = appid
        self._secret = secret
        self._timeout = timeout
        self._message_timeout = message_timeout
        self._state = state

    def __repr__(self) -> str:
        return f"Client({self._base}, {self._appid})"

    def login(self, code: str) -> Session:
        """Exchange a sign-in code (`wx.login`) for the person's openid.

        Raises:
            CodeRefused: the code is no good.
            WeChatUnavailable: no answer in time, or busy.
            WeChatMisconfigured: AppID or AppSecret are not accepted.
        """
        query = {"appid": self._appid, "secret": self._secret, "js_code": code, "grant_type": "authorization_code"}
        reply = self._call("GET", "/sns/jscode2session", query, meanings=A_CODE)
        return Session(openid=_text(reply, "openid"), unionid=_text(reply, "unionid", optional=True) or None)

    def phone_number(self, code: str, token: str) -> str:
        """Exchange a phone code (`getPhoneNumber`) for the number, without its country code.

        Raises:
            CodeRefused, TokenRejected, WeChatUnavailable, WeChatMisconfigured: see there.
        """
        query = {"access_token": token}
        reply = self._call("POST", "/wxa/business/getuserphonenumber", query, {"code": code}, meanings=A_CODE)
        found = reply.get("phone_info")
        if not isinstance(found, Mapping):
            raise AnswerLost("WeChat's reply holds no phone_info")
        return _text(found, "purePhoneNumber")

    def fetch_token(self, *, force: bool = False) -> tuple[str, int]:
        """An access token and the seconds that it lives. Everybody who asks gets the same one until it nears its end;
        `force` makes WeChat replace it, which WeChat allows 20 times a day.

        Raises:
            WeChatUnavailable, WeChatMisconfigured: see there.
        """
        body = {
            "grant_type": "client_credential",
            "appid": self._appid,
            "secret": self._secret,
            "force_refresh": force,
        }
        reply = self._call("POST", "/cgi-bin/stable_token", body=body)
        life = reply.get("expires_in")
        if not isinstance(life, int):
            raise WeChatUnavailable("WeChat's reply holds no expires_in")
        return _text(reply, "access_token"), life

    def send_subscribe_message(
        self, openid: str, template_id: str, page: str, data: Mapping[str, str], token: str
    ) -> str:
        """Send a subscribe message and return WeChat's id of it, or "" where WeChat gives none.

        `data` is field → text, `{"thing1": "…"}`; `page` is the page that a tap opens, "" for none. That WeChat took the
        message does not say that it was shown.

        Raises:
            NoGrant, RecipientGone, BadTemplate: it will never be sent like this.
            AnswerLost: it may have been sent.
            TokenRejected, WeChatUnavailable: it was not sent now.
            WeChatMisconfigured: a person must look.
        """
        body: dict[str, Any] = {
            "touser": openid,
            "template_id": template_id,
            "data": {name: {"value": value} for name, value in data.items()},
            "miniprogram_state": self._state,
            "lang": "zh_CN",
        }
        if page:
            body["page"] = page
        query = {"access_token": token}
        path = "/cgi-bin/message/subscribe/send"
        reply = self._call("POST", path, query, body, meanings=A_MESSAGE, seconds=self._message_timeout)
        return str(reply.get("msgid", ""))

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        *,
        meanings: Mapping[int, type[WeChatError]] = ANY_CALL,
        seconds: float = 0,
    ) -> Mapping[str, Any]:
        # as UTF-8, because some of WeChat's services show an escaped character as it is escaped
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            request = wire.prepare(method, self._base + path, params=query, data=content, headers=headers)
            response = wire.exchange(request, self._timeout, seconds or self._timeout)
        except wire.NotAnswered as error:
            raise AnswerLost(f"{path} {error}") from None
        except wire.NotReached:
            raise WeChatUnavailable(f"{path} cannot be reached") from None
        except wire.NotSendable as error:
            raise WeChatMisconfigured(f"{path} cannot be called: {error}") from None
        return _read(path, response, meanings)


def _read(path: str, response: requests.Response, meanings: Mapping[int, type[WeChatError]]) -> Mapping[str, Any]:
    if response.status_code >= 500 or response.status_code == 429:
        raise WeChatUnavailable(f"{path} answered {response.status_code}")
    if response.status_code != 200:
        raise WeChatMisconfigured(f"{path} answered {response.status_code}")
    try:
        reply = response.json()
    except ValueError:
        reply = None
    if not isinstance(reply, dict):
        raise AnswerLost(f"{path} answered something that is not a JSON object")
    errcode = reply.get("errcode", 0)
    if errcode == 0:
        return reply
    # Of errmsg only the field that is wrong and the request's id are kept, which WeChat's support asks for; the rest may
    # quote what was sent
    told = str(reply.get("errmsg", ""))
    field = re.search(r"data\.([a-z_]+[0-9]+)\b", told)
    rid = re.search(r"rid: ?([0-9a-f-]{8,60})", told)
    known = [*([f"field {field[1]}"] if field else []), *([f"rid {rid[1]}"] if rid else [])]
    detail = f"{path} answered errcode {errcode}" + (f" ({', '.join(known)})" if known else "")
    if not isinstance(errcode, int):
        raise WeChatMisconfigured(detail)
    raise meanings.get(errcode, WeChatMisconfigured)(detail, errcode)


def _text(reply: Mapping[str, Any], name: str, optional: bool = False) -> str:
    value = reply.get(name, "")
    if not isinstance(value, str) or not (value or optional):
        raise AnswerLost(f"WeChat's reply holds no {name}")
    return value


def _without_secrets(record: logging.LogRecord) -> bool:
    """Drop the lines in which urllib3, at DEBUG, writes out addresses with our secret, token or code."""
    line = record.getMessage()
    return not any(name in line for name in ("secret=", "access_token=", "js_code="))


logging.getLogger("urllib3.connectionpool").addFilter(_without_secrets)


@cache
def client() -> Client:
    """The mini-program that the settings name."""
    return Client(
        settings.wechat_api_base,
        settings.WECHAT_APPID,
        settings.WECHAT_SECRET,
        timeout=settings.WECHAT_TIMEOUT,
        message_timeout=settings.WECHAT_MESSAGE_TIMEOUT,
        state=settings.WECHAT_MINIPROGRAM_STATE,
    )


def login(code: str) -> Session:
    """`Client.login` of the mini-program that the settings name."""
    return client().login(code)
