"""What the loopback sandboxes share: a server on this machine, faults on request, a limit per second, and their counts.

A sandbox stands in another company's place, so whoever tests or measures against it has to be able to make it fail in the ways
in which the real one fails, and to ask it afterwards what it really did. That is done over HTTP too, under `/sandbox/`:

    POST   /sandbox/faults   {kind, who?, times?, share?, seconds?, status?}   the next matching requests go wrong
    DELETE /sandbox/faults                                                     nothing goes wrong any more
    PUT    /sandbox/limit    {per_second}                                      null: no limit
    GET    /sandbox/counts                                                     {asked, delivered, refused, busiest_second, …};
                                                                               the busiest since the limit was set

The kinds of faults, in the order in which a message meets them:

    slow     keeps the caller waiting for `seconds`, then goes on as usual
    error    answers `status` (default 500) and does nothing
    busy     says in its own words that it is busy, and does nothing
    hang     does what was asked, then keeps the caller waiting for `seconds` (default 60) before it says so
    drop     does what was asked, then hangs up without a word
    again    does what was asked; what follows of its own accord (a receipt) comes twice
"""

from __future__ import annotations

import collections
import contextlib
import json
import logging
import random
import signal
import socket
import threading
import time
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response
from werkzeug.exceptions import BadRequest, HTTPException, default_exceptions
from werkzeug.routing import Rule
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

HOST = "127.0.0.1"

SLOW, ERROR, BUSY, HANG, DROP, AGAIN = "slow", "error", "busy", "hang", "drop", "again"
FAULTS = (SLOW, ERROR, BUSY, HANG, DROP, AGAIN)
SECONDS = {SLOW: 10.0, HANG: 60.0}

CONTROLS = (
    Rule("/healthz", methods=["GET"], endpoint="healthz"),
    Rule("/sandbox/faults", methods=["POST"], endpoint="add_fault"),
    Rule("/sandbox/faults", methods=["DELETE"], endpoint="forget_faults"),
    Rule("/sandbox/limit", methods=["PUT"], endpoint="set_limit"),
    Rule("/sandbox/counts", methods=["GET"], endpoint="counts"),
)

log = logging.getLogger(__name__)


@dataclass
class Fault:
    """A fault that waits for its requests: those of `who` ("" is anybody), the next `times` (None: all), or a `share`."""

    kind: str
    who: str
    times: int | None
    share: float
    seconds: float
    status: int


class Faults:
    """The faults that were asked for. Which requests a share hits is drawn from a fixed seed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._chance = random.Random(1)  # noqa: S311 - no secret

    def add(self, asked: dict[str, Any]) -> None:
        if asked.get("kind") not in FAULTS:
            raise BadRequest(f"kind is one of {', '.join(FAULTS)}")
        times = asked.get("times", None if "share" in asked else 1)
        fault = Fault(
            kind=asked["kind"],
            who=str(asked.get("who", "")),
            times=None if times is None else int(times),
            share=float(asked.get("share", 1)),
            seconds=float(asked.get("seconds", SECONDS.get(asked["kind"], 0))),
            status=int(asked.get("status", 500)),
        )
        with self._lock:
            self._waiting.append(fault)

    def forget(self) -> None:
        with self._lock:
            self._waiting.clear()

    def next(self, who: str) -> Fault | None:
        """The first fault that meets a request of `who`."""
        with self._lock:
            for fault in self._waiting:
                if fault.who in ("", who) and fault.times != 0 and self._chance.random() < fault.share:
                    fault.times = None if fault.times is None else fault.times - 1
                    return fault
        return None


class Limit:
    """At most so many requests in any second, however the second is laid; a request that is refused does not count to it."""

    def __init__(self, per_second: int | None) -> None:
        self.per_second = per_second
        self.busiest = 0
        self._lock = threading.Lock()
        self._let_in: collections.deque[float] = collections.deque()
        self._asked: collections.deque[float] = collections.deque()

    def lets_in(self) -> bool:
        with self._lock:
            instant = time.time()
            for times in (self._let_in, self._asked):
                while times and times[0] <= instant - 1:
                    times.popleft()
            self._asked.append(instant)
            self.busiest = max(self.busiest, len(self._asked))
            if self.per_second is not None and len(self._let_in) >= self.per_second:
                return False
            self._let_in.append(instant)
            return True


class Loopback:
    """A sandbox as a WSGI application: one process, any number of threads. What it remembers is gone when it stops."""

    routes: Any

    def __init__(self, per_second: int | None = None) -> None:
        self.lock = threading.Lock()
        self.faults = Faults()
        self.limit = Limit(per_second)
        self.tally: collections.Counter[str] = collections.Counter()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        try:
            endpoint, _ = self.routes.bind_to_environ(environ).match()
            answer = self.answer(getattr(self, endpoint), request)
        except HTTPException as error:
            return error(environ, start_response)
        return answer(environ, start_response)

    def answer(self, endpoint: Any, request: Request) -> Response:
        return as_json(endpoint(request))

    def busy(self) -> Exception:
        """What the provider says when it is busy."""
        raise NotImplementedError

    def count(self, *what: str) -> None:
        with self.lock:
            self.tally.update(what)

    @contextlib.contextmanager
    def faults_of(self, request: Request, who: str) -> Iterator[Fault | None]:
        """Around what was asked: the fault that meets it, before and after."""
        fault = self.faults.next(who)
        kind = fault.kind if fault else ""
        if fault:
            self.count(f"fault {kind}")
        if fault and kind == SLOW:
            time.sleep(fault.seconds)
        if fault and kind == ERROR:
            raise default_exceptions[fault.status]("The sandbox was asked to break.")
        if kind == BUSY:
            raise self.busy()
        yield fault
        if fault and kind == HANG:
            time.sleep(fault.seconds)
        if kind == DROP:
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)

    # ---- Under /sandbox/

    def healthz(self, _request: Request) -> dict[str, Any]:
        return {"status": "ok"}

    def add_fault(self, request: Request) -> dict[str, Any]:
        self.faults.add(body_of(request))
        return {}

    def forget_faults(self, _request: Request) -> dict[str, Any]:
        self.faults.forget()
        return {}

    def set_limit(self, request: Request) -> dict[str, Any]:
        self.limit = Limit(body_of(request)["per_second"])
        return {}

    def counts(self, _request: Request) -> dict[str, Any]:
        with self.lock:
            return {**self.tally, "busiest_second": self.limit.busiest}


class _QuietHandler(WSGIRequestHandler):
    """Logs no request: its address may hold a secret, a code or a telephone number."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def log_error(self, format: str, *args: Any) -> None:
        # the library would quote the line that it could not read
        log.warning("a request could not be read")

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        """The caller went away, or a fault hung up on them."""


def create_server(app: Loopback, port: int = 0) -> BaseWSGIServer:
    """A threaded server of a sandbox on 127.0.0.1; port 0 takes a free one, which is then `server.port`."""
    return make_server(HOST, port, app, threaded=True, request_handler=_QuietHandler)


def serve(app: Loopback, port: int, name: str, level: str) -> None:
    """Run a sandbox until SIGTERM."""
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, _quit)
    server = create_server(app, port)
    log.info("the %s sandbox listens on http://%s:%s", name, HOST, server.port)
    server.serve_forever()


def as_json(content: Any, status: int = 200, mimetype: str = "application/json") -> Response:
    return Response(json.dumps(content, ensure_ascii=False), status, mimetype=mimetype)


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        BadRequest: it is none.
    """
    content = request.get_json(force=True)
    if not isinstance(content, dict):
        raise BadRequest
    return content


def _quit(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
