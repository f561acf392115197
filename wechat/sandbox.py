"""A loopback sandbox of the WeChat platform: the same addresses, the same JSON, the same refusals, on this machine only.

`python -m wechat.sandbox [--port 8089] [--per-second N]`

It knows one mini-program, the one of the settings, and whoever asks to be let in:

- a sign-in code `NAME` or `NAME:nonce` signs NAME in, with the same openid every time; each code is good once;
- a phone code `13800138000:nonce` hands over that number; each code is good once;
- an empty code, or `bad…`, is refused (40029); a code that was used is refused (40163);
- `slow…` keeps the caller waiting for 10 s, `busy…` is told that the system is busy (-1), `http500…` gets a status of 500;
- names that begin with `union` have a unionid as well, as if the mini-program were bound to an open platform.

Subscribe messages go to whoever granted them, one message for one grant, and nobody else (43101):

- `POST /sandbox/grants {openid, template_ids, times?}` is the person's tap on 允许 (`wx.requestSubscribeMessage`), `openid` may
  be a list; more than three templates at once are refused there as on a phone (20003). `DELETE /sandbox/grants?openid=` is the
  switch in WeChat's own settings: all grants of the person are gone;
- `GET /sandbox/messages?openid=&template_id=` is what was delivered, in order;
- a template or page that begins with `bad` is not known (40037, 41030), `banned…` is a banned template (43116), an openid that
  is empty or begins with `gone` nobody's (40003); a field whose kind does not allow its value is refused and named (47003);
- over the limit of `--per-second`, or of `PUT /sandbox/limit`, a message is refused with 45009.

`POST /sandbox/token-trouble` makes WeChat reject the access token that it goes on to hand out, until a fetch is forced. Faults
are those of `wechat/loopback.py`; they concern messages, and `who` is an openid. What it remembers is gone when it stops.
"""

from __future__ import annotations

import argparse
import base64
import collections
import hashlib
import hmac
import re
import secrets
import time
from typing import Any

from werkzeug import Request, Response
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.routing import Map, Rule

from settings import settings
from wechat import sandbox_fields
from wechat.loopback import CONTROLS, Loopback, as_json, body_of, create_server, serve

__all__ = ["Sandbox", "create_app", "create_server"]

TOKEN_SECONDS = 7200
# Whoever asks so long before the end gets the next token; until that end both are good
TOKEN_EARLY_SECONDS = 300
SLOW_SECONDS = 10
# wx.requestSubscribeMessage asks for three templates at most
TEMPLATES_AT_ONCE = 3


class Refusal(Exception):
    """An errcode and the errmsg that goes with it, sent with status 200."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(errmsg)
        self.errcode = errcode
        self.errmsg = errmsg


class Sandbox(Loopback):
    """WeChat as one mini-program sees it."""

    routes = Map(
        [
            Rule("/sns/jscode2session", methods=["GET"], endpoint="login"),
            Rule("/cgi-bin/stable_token", methods=["POST"], endpoint="stable_token"),
            Rule("/wxa/business/getuserphonenumber", methods=["POST"], endpoint="phone_number"),
            Rule("/cgi-bin/message/subscribe/send", methods=["POST"], endpoint="send_message"),
            Rule("/sandbox/grants", methods=["POST"], endpoint="grant"),
            Rule("/sandbox/grants", methods=["DELETE"], endpoint="switch_off"),
            Rule("/sandbox/messages", methods=["GET"], endpoint="messages"),
            Rule("/sandbox/token-trouble", methods=["POST"], endpoint="trouble_token"),
            *(rule.empty() for rule in CONTROLS),
        ]
    )

    def __init__(self, appid: str, secret: str, per_second: int | None = None) -> None:
        super().__init__(per_second)
        self._appid = appid
        self._secret = secret
        self._used: set[tuple[str, str]] = set()
        self._token = ""
        self._tokens: dict[str, float] = {}  # each with the instant of its end
        self._token_in_trouble = False
        self._grants: collections.Counter[tuple[str, str]] = collections.Counter()
        self._delivered: list[dict[str, Any]] = []

    def answer(self, endpoint: Any, request: Request) -> Response:
        try:
            return _json(endpoint(request))
        except Refusal as refusal:
            rid = f"{secrets.token_hex(4)}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
            return _json({"errcode": refusal.errcode, "errmsg": f"{refusal.errmsg} rid: {rid}"})

    def busy(self) -> Refusal:
        return Refusal(-1, "system error")

    # ---- Signing in

    def login(self, request: Request) -> dict[str, Any]:
        asked = request.args
        self._check_credentials(asked.get("appid", ""), asked.get("secret", ""))
        if asked.get("grant_type") != "authorization_code":
            raise Refusal(40002, "invalid grant_type")
        name = self._redeem("login", asked.get("js_code", "")).partition(":")[0]
        session = {
            "openid": _stable_id(f"{self._appid}/{name}"),
            "session_key": base64.b64encode(secrets.token_bytes(16)).decode(),
        }
        if name.startswith("union"):
            session["unionid"] = _stable_id(f"open platform/{name}")
        return session

    def stable_token(self, request: Request) -> dict[str, Any]:
        """The same token until five minutes before its end; `force_refresh` makes a new one and kills the old."""
        asked = _body(request)
        self._check_credentials(str(asked.get("appid", "")), str(asked.get("secret", "")))
        if asked.get("grant_type") != "client_credential":
            raise Refusal(40002, "invalid grant_type")
        with self.lock:
            now = time.time()
            if asked.get("force_refresh"):
                self._tokens.clear()
                self._token_in_trouble = False
                self.tally["tokens forced"] += 1
            if now >= self._tokens.get(self._token, 0) - TOKEN_EARLY_SECONDS:
                self._token = secrets.token_urlsafe(48)
                self._tokens[self._token] = now + TOKEN_SECONDS
            self.tally["tokens fetched"] += 1
            return {"access_token": self._token, "expires_in": int(self._tokens[self._token] - now)}

    def phone_number(self, request: Request) -> dict[str, Any]:
        self._check_token(request)
        code = str(_body(request).get("code", ""))
        number = self._redeem("phone", code).partition(":")[0]
        if not re.fullmatch(r"1[3-9][0-9]{9}", number):
            raise Refusal(40029, "invalid code")
        return {
            "errcode": 0,
            "errmsg": "ok",
            "phone_info": {
                "phoneNumber": number,
                "purePhoneNumber": number,
                "countryCode": "86",
                "watermark": {"timestamp": int(time.time()), "appid": self._appid},
            },
        }

    def _check_credentials(self, appid: str, secret: str) -> None:
        if appid != self._appid:
            raise Refusal(40013, "invalid appid")
        if not hmac.compare_digest(secret.encode(), self._secret.encode()):
            raise Refusal(40125, "invalid appsecret")

    def _check_token(self, request: Request) -> None:
        given = request.args.get("access_token", "")
        if not given:
            raise Refusal(41001, "access_token missing")
        with self.lock:
            good = not self._token_in_trouble and time.time() < self._tokens.get(given, 0)
        if not good:
            raise Refusal(40001, "invalid credential, access_token is invalid or not latest")

    def _redeem(self, kind: str, code: str) -> str:
        if code.startswith("slow"):
            time.sleep(SLOW_SECONDS)
        if code.startswith("busy"):
            raise self.busy()
        if code.startswith("http500"):
            raise _Broken
        if not code or code.startswith("bad"):
            raise Refusal(40029, "invalid code")
        with self.lock:
            if (kind, code) in self._used:
                raise Refusal(40163, "code been used")
            self._used.add((kind, code))
        return code

    # ---- Subscribe messages

    def send_message(self, request: Request) -> dict[str, Any]:
        self.count("asked")
        try:
            self._check_token(request)
            asked = _body(request)
            if not self.limit.lets_in():
                raise Refusal(45009, "reach max api daily quota limit")
            with self.faults_of(request, str(asked.get("touser", ""))):
                return {"errcode": 0, "errmsg": "ok", "msgid": self._deliver(asked)}
        except Refusal as refusal:
            self.count("refused", f"refused {refusal.errcode}")
            raise

    def _deliver(self, asked: dict[str, Any]) -> int:
        openid, template, page = (str(asked.get(name, "")) for name in ("touser", "template_id", "page"))
        data = asked.get("data")
        if not openid or openid.startswith("gone"):
            raise Refusal(40003, "invalid openid")
        if not template or template.startswith("bad"):
            raise Refusal(40037, "invalid template_id")
        if template.startswith("banned"):
            raise Refusal(43116, "This template_id is banned")
        if page.startswith("bad") or "://" in page:
            raise Refusal(41030, "invalid page")
        if not isinstance(data, dict) or not data:
            raise Refusal(47003, "argument invalid! data is empty")
        for name, field in data.items():
            value = field.get("value") if isinstance(field, dict) else None
            if value in (None, ""):
                raise Refusal(47003, f"argument invalid! data.{name}.value is empty")
            if not sandbox_fields.fits(name, str(value)):
                raise Refusal(47003, f"argument invalid! data.{name}.value invalid")
        with self.lock:
            if not self._grants[openid, template]:
                raise Refusal(43101, "user refuse to accept the msg")
            self._grants[openid, template] -= 1
            number = 3_000_000_000_000_000_000 + len(self._delivered)
            kept = {name: asked.get(name) for name in ("touser", "template_id", "page", "data", "miniprogram_state")}
            self._delivered.append({"msgid": number, **kept})
            self.tally["delivered"] += 1
        return number

    # ---- Under /sandbox/

    def grant(self, request: Request) -> dict[str, Any]:
        """What the phone tells the mini-program when the person has tapped."""
        asked = body_of(request)
        openids, templates = asked.get("openid"), asked.get("template_ids")
        if not isinstance(templates, list) or not templates or not openids:
            raise BadRequest("openid and template_ids are wanted")
        if len(templates) > TEMPLATES_AT_ONCE:
            return {"errCode": 20003, "errMsg": "requestSubscribeMessage:fail Templates count out of max bounds"}
        with self.lock:
            for openid in openids if isinstance(openids, list) else [openids]:
                for template in templates:
                    self._grants[openid, template] += int(asked.get("times", 1))
        return {"errMsg": "requestSubscribeMessage:ok", **dict.fromkeys(templates, "accept")}

    def switch_off(self, request: Request) -> dict[str, Any]:
        openid = request.args.get("openid", "")
        with self.lock:
            for key in [key for key in self._grants if key[0] == openid]:
                del self._grants[key]
        return {}

    def messages(self, request: Request) -> dict[str, Any]:
        wanted = {"touser": request.args.get("openid"), "template_id": request.args.get("template_id")}
        with self.lock:
            delivered = list(self._delivered)
        return {
            "messages": [
                message
                for message in delivered
                if all(value is None or message[name] == value for name, value in wanted.items())
            ]
        }

    def trouble_token(self, _request: Request) -> dict[str, Any]:
        with self.lock:
            self._token_in_trouble = True
        return {}


class _Broken(HTTPException):
    code = 500
    description = "The sandbox was asked to break."


def create_app(
    appid: str = settings.WECHAT_APPID, secret: str = settings.WECHAT_SECRET, per_second: int | None = None
) -> Sandbox:
    """The sandbox as a WSGI application that knows one mini-program."""
    return Sandbox(appid, secret, per_second)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m wechat.sandbox", description="A loopback sandbox of WeChat.")
    parser.add_argument("--port", type=int, default=settings.WECHAT_SANDBOX_PORT)
    parser.add_argument("--per-second", type=int, help="messages that it takes in any second")
    arguments = parser.parse_args()
    serve(create_app(per_second=arguments.per_second), arguments.port, "WeChat", settings.LOG_LEVEL)


def _json(content: dict[str, Any]) -> Response:
    # WeChat says text/plain about its JSON, and so a client that insists on application/json fails here as it does there
    return as_json(content, mimetype="text/plain")


def _body(request: Request) -> dict[str, Any]:
    try:
        return body_of(request)
    except BadRequest:
        raise Refusal(47001, "data format error") from None


def _stable_id(of: str) -> str:
    """28 characters that begin with `o`, as WeChat's do, the same for the same person."""
    return "o" + base64.urlsafe_b64encode(hashlib.sha256(of.encode()).digest()).decode()[:27]


if __name__ == "__main__":
    main()
