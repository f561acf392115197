"""The dispatcher: what is written is on its queue at once, and what was lost comes again."""

from __future__ import annotations

import queue
import threading

from jobs import dispatcher
from models import clock, outbox
from models.database import collection, transaction


class House:
    """Dispatchers in threads, and the queue that they send to."""

    def __init__(self, count: int = 1) -> None:
        self.stop = threading.Event()
        self.sent: queue.Queue[tuple[str, str]] = queue.Queue()
        self.threads = [threading.Thread(target=dispatcher.run, args=(self.send, self.stop)) for _ in range(count)]

    def send(self, event_id: str, name: str) -> None:
        self.sent.put((event_id, name))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive()


def an_event(name: str = "default") -> str:
    return str(transaction(lambda session: outbox.add(session, "certified", {}, queue=name)))


def test_an_event_is_sent_to_its_queue_soon_after_it_was_written(ground):
    with House() as house:
        early = an_event("faces")
        assert house.sent.get(timeout=5) == (early, "faces")
        late = an_event()
        assert house.sent.get(timeout=5) == (late, "default")


def test_what_was_written_while_no_dispatcher_ran_is_sent_by_the_next(ground):
    written = {an_event() for _ in range(5)}
    with House() as house:
        assert {house.sent.get(timeout=5)[0] for _ in range(5)} == written


def test_two_dispatchers_send_every_event_once(ground):
    with House(2) as house:
        written = {an_event() for _ in range(20)}
        got = [house.sent.get(timeout=5)[0] for _ in range(20)]
        assert set(got) == written
        assert house.sent.empty()


def test_a_message_that_was_lost_on_the_queue_is_sent_again(ground):
    event = an_event()
    with House() as house:
        assert house.sent.get(timeout=5)[0] == event
        collection("outbox").update_one({}, {"$set": {"handed_out_at": clock.now() - outbox.HAND_OUT_AGAIN["default"]}})
        assert house.sent.get(timeout=5)[0] == event


def test_a_broker_that_is_away_is_waited_for(ground):
    tried = threading.Event()

    class Away(House):
        def send(self, event_id: str, name: str) -> None:
            if not tried.is_set():
                tried.set()
                raise ConnectionRefusedError
            super().send(event_id, name)

    event = an_event()
    with Away() as house:
        assert tried.wait(5)
        collection("outbox").update_one({}, {"$set": {"handed_out_at": clock.now() - outbox.HAND_OUT_AGAIN["default"]}})
        assert house.sent.get(timeout=10)[0] == event
