"""One exchange with a server that really listens: connections are kept, and nothing follows where it was not sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from wechat import wire


class Server(ThreadingHTTPServer):
    """Answers everything; remembers the connection of each request and the cookies that it brought."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections: list[tuple[str, int]] = []
        self.cookies: list[str | None] = []

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.connections.append(self.client_address)
        self.server.cookies.append(self.headers["Cookie"])
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "/elsewhere")
        self.send_header("Set-Cookie", "who=you")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def get(url: str, seconds: float = 3) -> int:
    return wire.exchange(wire.prepare("GET", url), seconds, seconds).status_code


def test_a_thread_keeps_its_connection_and_every_thread_has_its_own(server):
    for _ in range(3):
        assert get(server.url()) == 200
    assert len(set(server.connections)) == 1
    other = threading.Thread(target=get, args=(server.url(),))
    other.start()
    other.join()
    assert len(set(server.connections)) == 2


def test_a_redirection_is_not_followed(server):
    assert get(server.url("/moved")) == 302
    assert len(server.connections) == 1


def test_a_cookie_of_one_message_does_not_travel_with_the_next(server):
    for _ in range(2):
        get(server.url())
    assert server.cookies == [None, None]


def test_a_proxy_of_the_environment_does_not_stand_between_this_machine_and_itself(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert get(server.url()) == 200
    with pytest.raises(wire.NotReached):
        get("http://provider.example/")


def test_an_address_that_makes_no_sense_sends_nothing():
    for address in ("not an address", "ftp://127.0.0.1/", "http://"):
        with pytest.raises(wire.NotSendable):
            get(address)


def test_a_name_that_nobody_knows_is_not_reached(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(wire.NotReached):
        get("http://nobody.invalid/")
