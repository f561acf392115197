"""Send what is due: plan the messages that wait for their next channel, and hand deliveries to their providers.

The clock starts it every few seconds; it stops by itself when nothing is due, or after SLICE_SECONDS. One runs at a time (a
lease), so that the other threads of the worker are free for fan-outs; were there two, the claims and the reserved instants
would keep them apart all the same. Killed anywhere, it leaves claims that run out.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait

import structlog
from bson import ObjectId

from models import clock, deliveries, leases, messages, providers
from models.providers import Slot
from notifications import channels, engine

log = structlog.stdlib.get_logger("jobs")

SLICE_SECONDS = 300.0
LEASE_SECONDS = 15.0
RENEW_SECONDS = 3.0
IDLE_SECONDS = 0.2
# A slot is for its instant: one that is much too late would make a window of a second hold too many
LATE = clock.seconds(0.1)
MOST_THREADS = 16


def run(seconds: float = SLICE_SECONDS) -> None:
    """Plan and send until nothing is due, or the time is up."""
    if not (messages.to_plan(1) or deliveries.any_due()):
        return
    holder = ObjectId()
    if not leases.take("sender", holder, LEASE_SECONDS):
        return
    if recovered := deliveries.recover():
        log.warning("answers_lost", count=recovered)
    over = threading.Event()
    try:
        paces = [Pace(channel, channels.per_second(channel)) for channel in deliveries.CARRIED]
        # one for planning, and for each channel its own: a provider that is slow never takes the threads of another
        threads = 1 + sum(pace.threads for pace in paces)
        with ThreadPoolExecutor(threads, thread_name_prefix="sender") as pool:
            planning = pool.submit(_plan, over)
            sending = [pool.submit(_send, pace, planning, over) for pace in paces for _ in range(pace.threads)]
            _watch(holder, [planning, *sending], over, seconds)
    finally:
        leases.release("sender", holder)


def _watch(holder: ObjectId, work: list[Future[None]], over: threading.Event, seconds: float) -> None:
    """Keep the lease while the work goes on, and end it when the time is up or the lease was lost."""
    deadline = time.monotonic() + seconds
    try:
        while wait(work, timeout=RENEW_SECONDS).not_done:
            if time.monotonic() > deadline or not leases.take("sender", holder, LEASE_SECONDS):
                over.set()
    finally:
        over.set()
    for future in work:
        future.result()


def _plan(over: threading.Event) -> None:
    while not over.is_set() and engine.plan():
        pass


def _send(pace: Pace, planning: Future[None], over: threading.Event) -> None:
    """Send what is due on one channel until nothing is, and nothing more is being planned."""
    policy, slot = engine.Policy(), None
    while not over.is_set():
        planned = planning.done()
        delivery = deliveries.claim(pace.channel)
        if delivery is None:
            if planned:
                return
            over.wait(IDLE_SECONDS)
            continue
        if slot is None or slot.at < clock.now() - LATE:
            slot = pace.next()
        if slot is None:
            engine.breaker_open(delivery)
            return
        try:
            if parcel := engine.ready(delivery, policy):
                time.sleep(max(0.0, (slot.at - clock.now()).total_seconds()))
                if not engine.hand_over(parcel, slot):
                    pace.ask_again()
                slot = None
        except Exception as error:
            # the claim runs out and somebody tries again; where it happened, but not the error's text
            places = [
                f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in traceback.extract_tb(error.__traceback__)
            ]
            log.error("delivery_broke", error=type(error).__name__, delivery=str(delivery["_id"]), places=places[-6:])
            slot = None


class Pace:
    """The instants at which a provider may be asked, reserved a quarter of a second ahead for all threads of this process."""

    def __init__(self, channel: str, per_second: float) -> None:
        self.channel = channel
        self._per_second = per_second
        self._batch = max(1, int(per_second / 4))
        self._slots: deque[Slot] = deque()
        self._lock = threading.Lock()
        # enough for a provider that takes a fifth of a second to answer
        self.threads = max(2, min(MOST_THREADS, int(per_second / 5)))

    def next(self) -> Slot | None:
        """The next instant that is not over yet; None where the breaker keeps requests back."""
        with self._lock:
            while self._slots and self._slots[0].at < clock.now() - LATE:
                self._slots.popleft()
            if not self._slots:
                self._slots.extend(providers.reserve(self.channel, self._batch, self._per_second))
            return self._slots.popleft() if self._slots else None

    def ask_again(self) -> None:
        """Give up what is reserved: the breaker may have opened since."""
        with self._lock:
            self._slots.clear()
