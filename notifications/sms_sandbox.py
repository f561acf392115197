"""A loopback SMS gateway: the protocol of `HttpGateway`, signature and all, on this machine only. For tests and measurements.

`python -m notifications.sms_sandbox [--port 8090] [--per-second N] [--receipts-to URL]`, with SMS_GATEWAY_KEY as in the house
and `SMS_GATEWAY=http SMS_GATEWAY_URL=http://127.0.0.1:8090/send` there.

- `POST /send` takes a message: 401 where the signature is wrong, 422 for a number that is none, 429 over the limit;
- `GET /sandbox/messages?phone=` is what was delivered, in order;
- `PUT /sandbox/receipts {to}` sends a receipt for each message from then on, at once, to that address; null stops it. A number
  that ends in 0000 is switched off: its receipt says `undelivered`.

Faults are those of `wechat/loopback.py`; `who` is a telephone number. What it remembers is gone when it stops.
"""

from __future__ import annotations

import argparse
import json
import queue
import re
import threading
import time
from typing import Any

from werkzeug import Request
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests, Unauthorized, UnprocessableEntity
from werkzeug.routing import Map, Rule

from notifications import sms
from settings import settings
from wechat import wire
from wechat.loopback import AGAIN, CONTROLS, Loopback, body_of, create_server, serve

__all__ = ["SmsSandbox", "create_server"]

PORT = 8090
SWITCHED_OFF = "0000"
RECEIPTS_AT_ONCE = 100
TRIES, PAUSE_SECONDS = 20, 0.5

Receipt = dict[str, str]


class SmsSandbox(Loopback):
    """A gateway that carries messages into its own memory."""

    routes = Map(
        [
            Rule("/send", methods=["POST"], endpoint="send"),
            Rule("/sandbox/messages", methods=["GET"], endpoint="messages"),
            Rule("/sandbox/receipts", methods=["PUT"], endpoint="set_receipts"),
            *(rule.empty() for rule in CONTROLS),
        ]
    )

    def __init__(self, key: str, per_second: int | None = None, receipts_to: str | None = None) -> None:
        super().__init__(per_second)
        self._key = key
        self._delivered: list[dict[str, Any]] = []
        self._receipts_to = receipts_to
        self._receipts: queue.SimpleQueue[Receipt] = queue.SimpleQueue()
        threading.Thread(target=self._send_receipts, name="receipts", daemon=True).start()

    def busy(self) -> Exception:
        return ServiceUnavailable()

    def send(self, request: Request) -> dict[str, Any]:
        self.count("asked")
        body = request.get_data()
        query = request.query_string.decode(errors="replace")
        path = f"{request.path}?{query}" if query else request.path
        if not sms.is_signed(self._key, "POST", path, body, dict(request.headers), time.time()):
            raise Unauthorized
        if not self.limit.lets_in():
            self.count("refused 429")
            raise TooManyRequests(retry_after=1)
        asked = body_of(request)
        phone = str(asked.get("phone", ""))
        with self.faults_of(request, phone) as fault:
            if not re.fullmatch(r"1[3-9][0-9]{9}", phone) or not asked.get("text"):
                raise UnprocessableEntity
            with self.lock:
                number = f"sandbox-{len(self._delivered) + 1}"
                kept = {name: asked.get(name) for name in ("phone", "template", "values", "text")}
                self._delivered.append({"message_id": number, **kept})
                self.tally["delivered"] += 1
            if self._receipts_to:
                outcome = "undelivered" if phone.endswith(SWITCHED_OFF) else "delivered"
                for _ in range(2 if fault and fault.kind == AGAIN else 1):
                    self._receipts.put({"message_id": number, "outcome": outcome})
            return {"message_id": number}

    def messages(self, request: Request) -> dict[str, Any]:
        phone = request.args.get("phone")
        with self.lock:
            return {"messages": [row for row in self._delivered if phone in (None, row["phone"])]}

    def set_receipts(self, request: Request) -> dict[str, Any]:
        self._receipts_to = body_of(request)["to"]
        return {}

    def _send_receipts(self) -> None:
        while True:
            waiting = [self._receipts.get()]
            while len(waiting) < RECEIPTS_AT_ONCE and not self._receipts.empty():
                waiting.append(self._receipts.get())
            for _ in range(TRIES):
                if self._tell(waiting):
                    break
                time.sleep(PAUSE_SECONDS)

    def _tell(self, receipts: list[Receipt]) -> bool:
        """Send receipts, signed as messages are; False where the house did not take them."""
        body = json.dumps({"receipts": receipts}).encode()
        try:
            request = wire.prepare(
                "POST", self._receipts_to or "", data=body, headers={"Content-Type": "application/json"}
            )
            headers = sms.signature_headers(self._key, "POST", request.path_url, body, time.time())
            request.headers.update(headers)
            taken = wire.exchange(request, sms.CONNECT_SECONDS, sms.READ_SECONDS).ok
        except (wire.NotSendable, wire.NotReached, wire.NotAnswered):
            taken = False
        self.count("receipts taken" if taken else "receipts not taken")
        return taken


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m notifications.sms_sandbox", description="A loopback SMS gateway.")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--per-second", type=int, help="messages that it takes in any second")
    parser.add_argument("--receipts-to", help="address of the house's receipts, …/api/v1/callbacks/sms")
    arguments = parser.parse_args()
    app = SmsSandbox(settings.SMS_GATEWAY_KEY, arguments.per_second, arguments.receipts_to)
    serve(app, arguments.port, "SMS", settings.LOG_LEVEL)


if __name__ == "__main__":
    main()
