"""Text messages: the gateway that takes them to a phone.

A gateway sends one message and says what it is called there, or raises. Trying again is the caller's business: it knows
whether the message still matters.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from typing import Protocol, TextIO
from urllib.parse import urlsplit

import requests

from models.masking import mask_phone
from notifications import templates
from settings import Settings, SettingsError, settings
from wechat import wire

CONNECT_SECONDS, READ_SECONDS = 3.0, 10.0
# How far two clocks may be apart: an old request that is sent again by somebody who saw it is refused
SIGNED_SECONDS = 300


class SmsRefused(Exception):
    """The gateway will never send this message: the number, the template or our key is not accepted."""


class SmsUnavailable(Exception):
    """The gateway is busy, over its limit or not reachable. The same message may go through later."""


class SmsAnswerLost(SmsUnavailable):
    """The request was written and its answer never came or named no message: the gateway may have taken it."""


class SmsGateway(Protocol):
    """Whatever can take a message to a phone."""

    def send(self, phone: str, template: str, values: Mapping[str, str]) -> str:
        """Send the template filled with the values; return the provider's id of the message.

        Raises:
            KeyError: there is no such template.
            ValueError: a value is missing or empty; nothing was sent.
            SmsRefused: it will never be sent.
            SmsAnswerLost: it may have been sent; it may arrive twice if it is tried again.
            SmsUnavailable: it was not sent now.
        """
        ...

    def send_text(self, phone: str, template: str, text: str) -> str:
        """Send words that are ready but for the signature in front; `template` names them for the gateway's own books.

        Raises:
            SmsRefused, SmsAnswerLost, SmsUnavailable: as for `send`.
        """
        ...


def render(template: str, values: Mapping[str, str]) -> str:
    """The text that arrives, signed in front with the service's name as the carriers want it: 【银龄通】….

    Raises:
        KeyError: there is no such template, or it has no words for a text message.
        ValueError: a value is missing or empty.
    """
    text = templates.render(template, values).sms
    if text is None:
        raise KeyError(template)
    return under_name(text)


def under_name(text: str, service: str = settings.SERVICE_NAME) -> str:
    """A text with the service's name in front, as the carriers want it."""
    return f"【{service}】{text}"


class ConsoleGateway:
    """Writes each message as one line to standard output, code and all: for development, refused in production."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, phone: str, template: str, values: Mapping[str, str]) -> str:
        return self._write(phone, render(template, values))

    def send_text(self, phone: str, template: str, text: str) -> str:
        return self._write(phone, under_name(text))

    def _write(self, phone: str, text: str) -> str:
        # Looked up late: whoever redirects standard output after start-up still gets the line
        stream = self._stream or sys.stdout
        stream.write(f"SMS to {mask_phone(phone)}: {text}\n")
        stream.flush()
        return f"console-{secrets.token_hex(8)}"


class HttpGateway:
    """POSTs each message as JSON to one address, signed.

    The body is `{phone, template, values, text}`; the reply `{"message_id": "..."}`. The headers `X-Timestamp` (seconds since
    1970), `X-Nonce` and `X-Signature` let the gateway refuse forgeries and replays: the signature is the HMAC-SHA256, in
    hexadecimal, over method, path with query, timestamp, nonce and body, joined by line feeds.
    """

    def __init__(
        self, url: str, key: str, clock: Callable[[], float] = time.time, read_seconds: float = READ_SECONDS
    ) -> None:
        self._url = url
        self._key = key
        self._clock = clock
        self._read_seconds = read_seconds

    def __repr__(self) -> str:
        return f"HttpGateway({urlsplit(self._url).hostname})"

    def send(self, phone: str, template: str, values: Mapping[str, str]) -> str:
        return self._post(phone, template, values, render(template, values))

    def send_text(self, phone: str, template: str, text: str) -> str:
        return self._post(phone, template, {}, under_name(text))

    def _post(self, phone: str, template: str, values: Mapping[str, str], text: str) -> str:
        content = {"phone": phone, "template": template, "values": dict(values), "text": text}
        body = json.dumps(content, ensure_ascii=False).encode()
        try:
            request = wire.prepare("POST", self._url, data=body, headers={"Content-Type": "application/json"})
            request.headers.update(signature_headers(self._key, "POST", request.path_url, body, self._clock()))
            return _message_id(wire.exchange(request, CONNECT_SECONDS, self._read_seconds))
        except wire.NotAnswered as error:
            raise SmsAnswerLost(f"the gateway {error}") from None
        except wire.NotReached:
            raise SmsUnavailable("the gateway cannot be reached") from None
        except wire.NotSendable as error:
            raise SmsRefused(f"the gateway cannot be called: {error}") from None


def signature_headers(key: str, method: str, path: str, body: bytes, instant: float) -> dict[str, str]:
    """The three headers of a request that is signed now; the gateway's receipts come with the same ones."""
    timestamp, nonce = str(int(instant)), secrets.token_hex(16)
    return {
        "X-Timestamp": timestamp,
        "X-Nonce": nonce,
        "X-Signature": signature(key, method, path, timestamp, nonce, body),
    }


def is_signed(key: str, method: str, path: str, body: bytes, headers: Mapping[str, str], instant: float) -> bool:
    """Whether a request bears the signature of the key, made no more than SIGNED_SECONDS ago."""
    timestamp, nonce, given = (headers.get(name, "") for name in ("X-Timestamp", "X-Nonce", "X-Signature"))
    if not re.fullmatch("[0-9]{1,12}", timestamp) or abs(instant - int(timestamp)) > SIGNED_SECONDS:
        return False
    wanted = signature(key, method, path, timestamp, nonce, body)
    return bool(key) and hmac.compare_digest(wanted.encode(), given.encode())


def signature(key: str, method: str, path: str, timestamp: str, nonce: str, body: bytes) -> str:
    """HMAC-SHA256 in hexadecimal, as `HttpGateway` describes it. A gateway of one's own checks with the same function."""
    signed = "\n".join((method, path, timestamp, nonce, "")).encode() + body
    return hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()


def _message_id(response: requests.Response) -> str:
    status = response.status_code
    if status >= 500 or status in (408, 425, 429):
        raise SmsUnavailable(f"the gateway answered {status}")
    if not 200 <= status < 300:
        raise SmsRefused(f"the gateway answered {status}")
    try:
        reply = response.json()
    except ValueError:
        reply = None
    message_id = reply.get("message_id") if isinstance(reply, dict) else None
    if not isinstance(message_id, str) or not message_id:
        raise SmsAnswerLost("the gateway answered without a message_id")
    return message_id


def gateway(chosen: Settings = settings) -> SmsGateway:
    """The gateway that the settings name.

    Raises:
        SettingsError: the http gateway lacks its address or its key.
    """
    if chosen.SMS_GATEWAY == "console":
        return ConsoleGateway()
    if not chosen.SMS_GATEWAY_URL or not chosen.SMS_GATEWAY_KEY:
        raise SettingsError("SMS_GATEWAY=http needs SMS_GATEWAY_URL and SMS_GATEWAY_KEY")
    return HttpGateway(chosen.SMS_GATEWAY_URL, chosen.SMS_GATEWAY_KEY)
