"""Hand the outbox's events to the queue as they are written, and sweep up what was lost.

A change stream says at once that something came; every second the sweeper hands out what is due, so nothing depends on
the stream. Any number of dispatchers may run: a row is handed out by one of them, and claimed by one worker.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

import structlog
from kombu.exceptions import OperationalError
from pymongo.errors import PyMongoError

from models import outbox

log = structlog.stdlib.get_logger("dispatcher")
PAUSE_AFTER_FAILURE = 2.0


def run(send: Callable[[str, str], None], stop: threading.Event) -> None:
    """Dispatch until `stop` is set; `send` puts (event id, queue) on its queue. What is away is waited for."""
    log.info("dispatching")
    while not stop.is_set():
        try:
            with outbox.changes() as stream:
                while not stop.is_set():
                    for event in outbox.hand_out():
                        send(str(event["_id"]), event["queue"])
                    stream.try_next()  # returns with the next event, or after a second
        except (PyMongoError, OperationalError, OSError) as error:
            log.warning("dispatch_paused", error=type(error).__name__)
            stop.wait(PAUSE_AFTER_FAILURE)


def stop_by_signal() -> threading.Event:
    """An event that SIGTERM and Ctrl-C set."""
    stop = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    return stop
