"""Other companies' servers on the wire: the loopback sandboxes, each on a free port, and what a test asks of them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import requests

from wechat.loopback import Loopback, create_server


class Running:
    """A sandbox that listens."""

    def __init__(self, base: str) -> None:
        self.base = base

    def ask(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        reply = requests.request(method, f"{self.base}/sandbox/{path}", timeout=10, **content)
        assert reply.ok, reply.text
        return reply.json()

    def fault(self, kind: str, **more: Any) -> None:
        self.ask("POST", "faults", json={"kind": kind, **more})

    def grant(self, openid: str | list[str], template: str, times: int = 1) -> None:
        self.ask("POST", "grants", json={"openid": openid, "template_ids": [template], "times": times})

    def messages(self, **of: str) -> list[dict[str, Any]]:
        return self.ask("GET", "messages", params=of)["messages"]

    def counts(self) -> dict[str, int]:
        return self.ask("GET", "counts")


@contextlib.contextmanager
def running(app: Loopback) -> Iterator[Running]:
    """A server of the sandbox, in threads of this process."""
    server = create_server(app)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Running(f"http://127.0.0.1:{server.port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
