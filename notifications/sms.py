"""Text messages: their wording, and the gateway that takes them to a phone.

A gateway sends one message and says what it is called there, or raises. Trying again is the caller's business: it knows
whether the message still matters.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import string
import sys
import time
from collections.abc import Callable, Mapping
from typing import Protocol, TextIO
from urllib.parse import urlsplit

import requests

from models.masking import mask_phone
from settings import Settings, SettingsError, settings

TEMPLATES: Mapping[str, str] = {
    "sign_in_code": "验证码{code}，{minutes}分钟内有效。任何人索要都不要告诉。",
    "binding_code": (
        "有人申请用微信或手机为您办理“{service}”业务，验证码{code}，{minutes}分钟内有效。"
        "如果不是您或家人，请不要告诉别人。"
    ),
}

CONNECT_SECONDS, READ_SECONDS = 3.0, 10.0

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class SmsRefused(Exception):
    """The gateway will never send this message: the number, the template or our key is not accepted."""


class SmsUnavailable(Exception):
    """The gateway is slow, busy or not reachable. The same message may go through later."""


class SmsGateway(Protocol):
    """Whatever can take a message to a phone."""

    def send(self, phone: str, template: str, values: Mapping[str, str]) -> str:
        """Send the template filled with the values; return the provider's id of the message.

        Raises:
            KeyError: there is no such template.
            ValueError: a value is missing or empty; nothing was sent.
            SmsRefused: it will never be sent.
            SmsUnavailable: it was not sent now; it may arrive twice if it is tried again after a time-out.
        """
        ...


def render(template: str, values: Mapping[str, str], service: str = settings.SERVICE_NAME) -> str:
    """The text that arrives, signed in front with the service's name as the carriers want it: 【银龄通】….

    Raises:
        KeyError: there is no such template.
        ValueError: a value is missing or empty.
    """
    known = {**values, "service": service}
    wanted = {name for _, name, _, _ in string.Formatter().parse(TEMPLATES[template]) if name}
    missing = sorted(name for name in wanted if not known.get(name))
    if missing:
        raise ValueError(f"template {template} needs {', '.join(missing)}")
    return f"【{service}】" + TEMPLATES[template].format_map(known)


class ConsoleGateway:
    """Writes each message as one line to standard output, code and all: for development, refused in production."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, phone: str, template: str, values: Mapping[str, str]) -> str:
        text = render(template, values)
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
        content = {"phone": phone, "template": template, "values": dict(values), "text": render(template, values)}
        body = json.dumps(content, ensure_ascii=False).encode()
        with requests.Session() as session:
            # A proxy of the environment must not stand between this machine and itself
            session.trust_env = urlsplit(self._url).hostname not in LOOPBACK
            request = session.prepare_request(requests.Request("POST", self._url, data=body))
            timestamp, nonce = str(int(self._clock())), secrets.token_hex(16)
            request.headers.update(
                {
                    "Content-Type": "application/json",
                    "X-Timestamp": timestamp,
                    "X-Nonce": nonce,
                    "X-Signature": signature(self._key, "POST", request.path_url, timestamp, nonce, body),
                }
            )
            onward = session.merge_environment_settings(request.url, {}, None, None, None)
            try:
                response = session.send(
                    request, timeout=(CONNECT_SECONDS, self._read_seconds), allow_redirects=False, **onward
                )
            # The messages of requests may hold the address; ours never hold number or text
            except requests.Timeout:
                raise SmsUnavailable("the gateway did not answer in time") from None
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                raise SmsUnavailable("the gateway cannot be reached") from None
            except requests.RequestException as error:
                raise SmsRefused(f"the gateway cannot be called: {type(error).__name__}") from None
        return _message_id(response)


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
        raise SmsUnavailable("the gateway answered without a message_id")
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
