"""The WeChat platform over the wire: who signs in, and which phone number they hand over.

Three calls of the mini-program server API (developers.weixin.qq.com, 小程序 服务端):

- `GET  /sns/jscode2session`                a sign-in code for an openid;
- `POST /cgi-bin/stable_token`              an access token for this server, kept until 5 minutes before it expires;
- `POST /wxa/business/getuserphonenumber`   a phone code for a phone number.

WeChat says what went wrong as `{errcode, errmsg}` with status 200. Here that becomes one of three exceptions: the code is no
good (sign in again), WeChat is not to be had (try again), or this server is set up wrongly (a person must look). The AppSecret
and the access token travel in addresses, so no exception of `requests` leaves this module: its message would hold them.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import requests

from settings import settings

# errcode → what it means for us; WeChat's own lists, joined
CODE_REFUSED = frozenset({40029, 40163, 40226, 41008, 42003})
BUSY = frozenset({-1, 45009, 45011, 50003})
TOKEN_EXPIRED = frozenset({40001, 40014, 42001})

TOKEN_MARGIN_SECONDS = 5 * 60

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class WeChatError(Exception):
    """WeChat did not do what was asked. `errcode` is WeChat's number where it gave one."""

    def __init__(self, detail: str, errcode: int | None = None) -> None:
        super().__init__(detail)
        self.errcode = errcode


class CodeRefused(WeChatError):
    """The code is unknown, too old, used before, or its person is barred. Only a fresh code helps."""


class WeChatUnavailable(WeChatError):
    """WeChat is slow, busy or not reachable. The same call may work in a moment."""


class WeChatMisconfigured(WeChatError):
    """AppID, AppSecret, address or rights are wrong. A person must look."""


@dataclass(frozen=True)
class Session:
    """Who signed in. WeChat's `session_key` is dropped here: nothing of ours needs it, so nothing can leak it."""

    openid: str
    unionid: str | None


class Client:
    """One mini-program's view of WeChat. Safe to share between threads."""

    def __init__(
        self, base: str, appid: str, secret: str, timeout: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._base = base.rstrip("/")
        self._appid = appid
        self._secret = secret
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._token_good_until = 0.0

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
        reply = self._call("GET", "/sns/jscode2session", query)
        return Session(openid=_text(reply, "openid"), unionid=_text(reply, "unionid", optional=True) or None)

    def phone_number(self, code: str) -> str:
        """Exchange a phone code (`getPhoneNumber`) for the number, without its country code.

        Raises:
            CodeRefused, WeChatUnavailable, WeChatMisconfigured: as for `login`.
        """
        token = self.access_token()
        try:
            reply = self._ask_phone_number(token, code)
        except WeChatMisconfigured as error:
            if error.errcode not in TOKEN_EXPIRED:
                raise
            # Another server of ours, or an operator, had the token replaced before its time
            self._forget(token)
            reply = self._ask_phone_number(self.access_token(), code)
        found = reply.get("phone_info")
        if not isinstance(found, Mapping):
            raise WeChatUnavailable("WeChat's reply holds no phone_info")
        return _text(found, "purePhoneNumber")

    def access_token(self) -> str:
        """The token of this server, from memory until 5 minutes before it expires. One thread fetches, the others wait."""
        with self._lock:
            if not self._token or self._clock() >= self._token_good_until:
                asked_at = self._clock()
                body = {
                    "grant_type": "client_credential",
                    "appid": self._appid,
                    "secret": self._secret,
                    "force_refresh": False,
                }
                reply = self._call("POST", "/cgi-bin/stable_token", body=body)
                life = reply.get("expires_in")
                if not isinstance(life, int):
                    raise WeChatUnavailable("WeChat's reply holds no expires_in")
                self._token = _text(reply, "access_token")
                self._token_good_until = asked_at + life - TOKEN_MARGIN_SECONDS
            return self._token

    def _forget(self, token: str) -> None:
        with self._lock:
            if self._token == token:
                self._token = ""

    def _ask_phone_number(self, token: str, code: str) -> Mapping[str, Any]:
        return self._call("POST", "/wxa/business/getuserphonenumber", {"access_token": token}, {"code": code})

    def _call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        with requests.Session() as session:
            # A proxy of the environment must not stand between this machine and its own sandbox
            session.trust_env = urlsplit(self._base).hostname not in LOOPBACK
            try:
                response = session.request(
                    method, self._base + path, params=query, json=body, timeout=self._timeout, allow_redirects=False
                )
            except requests.Timeout:
                raise WeChatUnavailable(f"{path} did not answer within {self._timeout:g} s") from None
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                raise WeChatUnavailable(f"{path} cannot be reached") from None
            except requests.RequestException as error:
                raise WeChatMisconfigured(f"{path} cannot be called: {type(error).__name__}") from None
        return _read(path, response)


def _read(path: str, response: requests.Response) -> Mapping[str, Any]:
    if response.status_code >= 500 or response.status_code == 429:
        raise WeChatUnavailable(f"{path} answered {response.status_code}")
    if response.status_code != 200:
        raise WeChatMisconfigured(f"{path} answered {response.status_code}")
    try:
        reply = response.json()
    except ValueError:
        reply = None
    if not isinstance(reply, dict):
        raise WeChatUnavailable(f"{path} answered something that is not a JSON object")
    errcode = reply.get("errcode", 0)
    if errcode == 0:
        return reply
    # Of errmsg only the request's id is kept, which WeChat's support asks for; the rest may quote what was sent
    rid = re.search(r"rid: ?([0-9a-f-]{8,60})", str(reply.get("errmsg", "")))
    detail = f"{path} answered errcode {errcode}" + (f" (rid {rid[1]})" if rid else "")
    if errcode in CODE_REFUSED:
        raise CodeRefused(detail, errcode)
    if errcode in BUSY:
        raise WeChatUnavailable(detail, errcode)
    raise WeChatMisconfigured(detail, errcode if isinstance(errcode, int) else None)


def _text(reply: Mapping[str, Any], name: str, optional: bool = False) -> str:
    value = reply.get(name, "")
    if not isinstance(value, str) or not (value or optional):
        raise WeChatUnavailable(f"WeChat's reply holds no {name}")
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
        settings.wechat_api_base, settings.WECHAT_APPID, settings.WECHAT_SECRET, timeout=settings.WECHAT_TIMEOUT
    )


def login(code: str) -> Session:
    """`Client.login` of the mini-program that the settings name."""
    return client().login(code)


def phone_number(code: str) -> str:
    """`Client.phone_number` of the mini-program that the settings name."""
    return client().phone_number(code)


def access_token() -> str:
    """`Client.access_token` of the mini-program that the settings name."""
    return client().access_token()
