"""A loopback sandbox of the WeChat platform: the same addresses, the same JSON, the same refusals, on this machine only.

`python -m wechat.sandbox [--port 8089]`

It knows one mini-program, the one of the settings, and whoever asks to be let in:

- a sign-in code `NAME` or `NAME:nonce` signs NAME in, with the same openid every time; each code is good once;
- a phone code `13800138000:nonce` hands over that number; each code is good once;
- an empty code, or `bad…`, is refused (40029); a code that was used is refused (40163);
- `slow…` keeps the caller waiting for 10 s, `busy…` is told that the system is busy (-1), `http500…` gets a status of 500;
- names that begin with `union` have a unionid as well, as if the mini-program were bound to an open platform.

What it remembers is gone when it stops.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import logging
import re
import secrets
import signal
import threading
import time
from types import FrameType
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

HOST = "127.0.0.1"
TOKEN_SECONDS = 7200
SLOW_SECONDS = 10

log = logging.getLogger(__name__)


class Refusal(Exception):
    """An errcode and the errmsg that goes with it, sent with status 200."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(errmsg)
        self.errcode = errcode
        self.errmsg = errmsg


class Sandbox:
    """The WSGI application. One process, any number of threads."""

    routes = Map(
        [
            Rule("/sns/jscode2session", methods=["GET"], endpoint="login"),
            Rule("/cgi-bin/stable_token", methods=["POST"], endpoint="stable_token"),
            Rule("/wxa/business/getuserphonenumber", methods=["POST"], endpoint="phone_number"),
            Rule("/healthz", methods=["GET"], endpoint="healthz"),
        ]
    )

    def __init__(self, appid: str, secret: str) -> None:
        self._appid = appid
        self._secret = secret
        self._lock = threading.Lock()
        self._used: set[tuple[str, str]] = set()
        self._token = ""
        self._token_expires_at = 0.0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        try:
            endpoint, _ = self.routes.bind_to_environ(environ).match()
            answer = _json(getattr(self, endpoint)(request))
        except Refusal as refusal:
            rid = f"{secrets.token_hex(4)}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
            answer = _json({"errcode": refusal.errcode, "errmsg": f"{refusal.errmsg}, rid: {rid}"})
        except HTTPException as error:
            return error(environ, start_response)
        return answer(environ, start_response)

    def healthz(self, _request: Request) -> dict[str, Any]:
        return {"status": "ok"}

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
        """The same token while it lives; `force_refresh` makes a new one and kills the old."""
        asked = _body(request)
        self._check_credentials(str(asked.get("appid", "")), str(asked.get("secret", "")))
        if asked.get("grant_type") != "client_credential":
            raise Refusal(40002, "invalid grant_type")
        with self._lock:
            now = time.time()
            if asked.get("force_refresh") or now >= self._token_expires_at:
                self._token = secrets.token_urlsafe(48)
                self._token_expires_at = now + TOKEN_SECONDS
            return {"access_token": self._token, "expires_in": int(self._token_expires_at - now)}

    def phone_number(self, request: Request) -> dict[str, Any]:
        given = request.args.get("access_token", "")
        if not given:
            raise Refusal(41001, "access_token missing")
        with self._lock:
            good = time.time() < self._token_expires_at and hmac.compare_digest(given.encode(), self._token.encode())
        if not good:
            raise Refusal(40001, "invalid credential, access_token is invalid or not latest")
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

    def _redeem(self, kind: str, code: str) -> str:
        if code.startswith("slow"):
            time.sleep(SLOW_SECONDS)
        if code.startswith("busy"):
            raise Refusal(-1, "system error")
        if code.startswith("http500"):
            raise _Broken
        if not code or code.startswith("bad"):
            raise Refusal(40029, "invalid code")
        with self._lock:
            if (kind, code) in self._used:
                raise Refusal(40163, "code been used")
            self._used.add((kind, code))
        return code


class _Broken(HTTPException):
    code = 500
    description = "The sandbox was asked to break."


class _QuietHandler(WSGIRequestHandler):
    """Logs no request: the address of a sign-in holds the AppSecret and the code, and a phone code is the number."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def log_error(self, format: str, *args: Any) -> None:
        # the library would quote the line that it could not read
        log.warning("a request could not be read")


def create_app(appid: str = settings.WECHAT_APPID, secret: str = settings.WECHAT_SECRET) -> Sandbox:
    """The sandbox as a WSGI application that knows one mini-program."""
    return Sandbox(appid, secret)


def create_server(app: Sandbox, port: int = 0) -> BaseWSGIServer:
    """A threaded server of it on 127.0.0.1; port 0 takes a free one, which is then `server.port`."""
    return make_server(HOST, port, app, threaded=True, request_handler=_QuietHandler)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m wechat.sandbox", description="A loopback sandbox of WeChat.")
    parser.add_argument("--port", type=int, default=settings.WECHAT_SANDBOX_PORT)
    arguments = parser.parse_args()
    logging.basicConfig(level=settings.LOG_LEVEL, format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, _quit)
    server = create_server(create_app(), arguments.port)
    log.info("the WeChat sandbox listens on http://%s:%s", HOST, server.port)
    server.serve_forever()


def _quit(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _json(content: dict[str, Any]) -> Response:
    # WeChat says text/plain about its JSON, and so a client that insists on application/json fails here as it does there
    return Response(json.dumps(content, ensure_ascii=False), mimetype="text/plain")


def _body(request: Request) -> dict[str, Any]:
    try:
        content = request.get_json(force=True)
    except BadRequest:
        content = None
    if not isinstance(content, dict):
        raise Refusal(47001, "data format error")
    return content


def _stable_id(of: str) -> str:
    """28 characters that begin with `o`, as WeChat's do, the same for the same person."""
    return "o" + base64.urlsafe_b64encode(hashlib.sha256(of.encode()).digest()).decode()[:27]


if __name__ == "__main__":
    main()
