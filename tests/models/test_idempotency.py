"""A request that was sent twice is done once."""

from __future__ import annotations

import threading

import pytest
import time_machine
from bson import ObjectId

from models import clock, idempotency
from models.database import collection
from models.errors import Conflict, Invalid

ACCOUNT = ObjectId()


class Work:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self):
        self.times += 1
        return {"number": self.times, "id": ACCOUNT, "at": clock.now(), "none": None}


def test_the_same_key_and_body_get_the_first_reply_again(ground):
    work = Work()
    first = idempotency.once(ACCOUNT, "key", b"body", work)
    assert idempotency.once(ACCOUNT, "key", b"body", work) == first
    assert work.times == 1


def test_the_same_key_with_another_body_is_refused(ground):
    idempotency.once(ACCOUNT, "key", b"body", Work())
    with pytest.raises(Invalid, match="key_reused"):
        idempotency.once(ACCOUNT, "key", b"another body", Work())


def test_two_accounts_may_use_the_same_key(ground):
    work = Work()
    idempotency.once(ACCOUNT, "key", b"body", work)
    idempotency.once(ObjectId(), "key", b"body", work)
    assert work.times == 2


def test_a_request_that_still_runs_is_not_done_a_second_time(ground):
    begun, go_on = threading.Event(), threading.Event()

    def slow():
        begun.set()
        go_on.wait(10)
        return {"done": True}

    thread = threading.Thread(target=idempotency.once, args=(ACCOUNT, "key", b"body", slow))
    thread.start()
    begun.wait(10)
    with pytest.raises(Conflict, match="still_running"):
        idempotency.once(ACCOUNT, "key", b"body", Work())
    go_on.set()
    thread.join()
    assert idempotency.once(ACCOUNT, "key", b"body", Work()) == {"done": True}


def test_a_request_that_was_refused_leaves_the_key_free(ground):
    def refused():
        raise Conflict("session_open", "请稍等。")

    with pytest.raises(Conflict, match="session_open"):
        idempotency.once(ACCOUNT, "key", b"body", refused)
    assert idempotency.once(ACCOUNT, "key", b"body", Work())["number"] == 1


def test_a_key_whose_process_died_is_free_after_a_minute(ground):
    idempotency._take(*_names())
    with pytest.raises(Conflict, match="still_running"):
        idempotency.once(ACCOUNT, "key", b"body", Work())
    with time_machine.travel(clock.now() + clock.seconds(61), tick=False):
        assert idempotency.once(ACCOUNT, "key", b"body", Work())["number"] == 1


def _names() -> tuple[str, str]:
    import hashlib

    return hashlib.sha256(f"{ACCOUNT}:key".encode()).hexdigest(), hashlib.sha256(b"body").hexdigest()


def test_the_reply_and_the_key_lie_there_unreadable(ground):
    idempotency.once(ACCOUNT, "my-own-key", b"body", lambda: {"name": "王秀英"})
    held = str(collection("idempotency").find_one({}))
    assert "my-own-key" not in held
    assert "王秀英".encode() not in bytes(collection("idempotency").find_one({})["reply"])
