"""From an event to its job: tried again with backoff, given up visibly, and never done twice."""

from __future__ import annotations

import pytest
import time_machine

from jobs import registry
from models import clock, outbox
from models.database import collection, transaction
from models.errors import NotFound
from tests.story import at_once


@pytest.fixture
def a_job(ground):
    """A job of the tests' own; returns what it was told and a switch that makes it fail."""
    told: dict = {"times": 0, "fails": False, "exhausted": []}

    @registry.job("test_job", when_exhausted=lambda _, payload: told["exhausted"].append(payload["n"]))
    def work(event, payload):
        told["times"] += 1
        if told["fails"]:
            raise NotFound("张三 430102195503071216")
        transaction(lambda session: outbox.complete(session, event["_id"]))

    yield told
    del registry.JOBS["test_job"]


def an_event(kind: str = "test_job"):
    return transaction(lambda session: outbox.add(session, kind, {"n": 7}))


def deliver_until_it_is_given_up(event_id) -> int:
    """Deliver as the clock allows it; returns how often."""
    with time_machine.travel(clock.now(), tick=False) as clocked:
        for times in range(1, 20):
            registry.deliver(str(event_id))
            if collection("outbox").find_one({"_id": event_id})["state"] != "pending":
                return times
            clocked.shift(2000)
    raise AssertionError("it is never given up")


def row(event_id):
    return collection("outbox").find_one({"_id": event_id})


def test_an_event_is_done_by_the_job_of_its_kind(a_job):
    event = an_event()
    registry.deliver(str(event))
    assert (a_job["times"], row(event)["state"]) == (1, "done")


def test_an_event_that_is_delivered_twice_is_done_once(a_job):
    event = an_event()
    registry.deliver(str(event))
    registry.deliver(str(event))
    assert a_job["times"] == 1


def test_an_event_that_is_delivered_to_several_workers_at_once_is_done_once(a_job):
    event = str(an_event())
    at_once(*[lambda: registry.deliver(event)] * 5)
    assert a_job["times"] == 1


def test_a_job_that_fails_is_tried_six_times_and_then_says_what_becomes_of_the_matter(a_job):
    a_job["fails"] = True
    event = an_event()
    assert deliver_until_it_is_given_up(event) == 6
    assert (row(event)["state"], row(event)["error"], a_job["exhausted"]) == ("failed", "NotFound", [7])


def test_a_job_that_failed_and_then_works_is_done(a_job):
    a_job["fails"] = True
    event = an_event()
    registry.deliver(str(event))
    assert row(event)["state"] == "pending"
    a_job["fails"] = False
    with time_machine.travel(clock.now() + clock.seconds(10), tick=False):
        registry.deliver(str(event))
    assert row(event)["state"] == "done"


def test_what_kills_its_worker_every_time_is_given_up_too(a_job):
    event = an_event()
    collection("outbox").update_one({"_id": event}, {"$set": {"attempts": outbox.MAX_ATTEMPTS}})
    registry.deliver(str(event))
    assert (a_job["times"], row(event)["state"], row(event)["error"]) == (0, "failed", "the worker died")
    assert a_job["exhausted"] == [7]


def test_an_event_of_a_kind_that_nobody_knows_ends_failed_and_visible(ground):
    event = an_event("of a newer release")
    deliver_until_it_is_given_up(event)
    assert row(event)["state"] == "failed"


def test_the_text_of_an_error_is_not_logged_because_it_may_quote_a_person(a_job, caplog, capsys):
    a_job["fails"] = True
    registry.deliver(str(an_event()))
    logged = caplog.text + capsys.readouterr().out
    assert "NotFound" in logged
    assert "张三" not in logged
    assert "430102195503071216" not in logged
