"""The outbox: what is written is done once, and what stops half way is on its way again."""

from __future__ import annotations

import pytest
import time_machine
from bson import ObjectId

from models import clock, outbox
from models.database import collection, transaction
from tests.story import at_once


def an_event(kind: str = "certified", **more) -> ObjectId:
    return transaction(lambda session: outbox.add(session, kind, {"n": 1}, **more))


def after(seconds: float):
    return time_machine.travel(clock.now() + clock.seconds(seconds), tick=False)


LEASE = outbox.LEASE.total_seconds()
AGAIN = outbox.HAND_OUT_AGAIN["default"].total_seconds()


def row(event_id: ObjectId) -> dict:
    return collection("outbox").find_one({"_id": event_id})


def test_an_event_that_was_written_in_a_transaction_that_failed_was_never_written(ground):
    def write(session):
        outbox.add(session, "certified", {})
        raise RuntimeError("the change failed")

    with pytest.raises(RuntimeError):
        transaction(write)
    assert collection("outbox").count_documents({}) == 0


def test_an_event_is_leased_to_one_worker(ground):
    event = an_event()
    assert outbox.claim(event)["attempts"] == 1
    assert outbox.claim(event) is None


def test_of_several_workers_one_gets_the_event(ground):
    event = an_event()
    claimed = at_once(*[lambda: outbox.claim(event)] * 8)
    assert sum(got is not None for got in claimed) == 1


def test_the_lease_of_a_dead_worker_runs_out_and_the_next_takes_over(ground):
    event = an_event()
    outbox.claim(event)
    with after(LEASE - 1):
        assert outbox.claim(event) is None
    with after(LEASE + 1):
        assert outbox.claim(event)["attempts"] == 2


def test_a_long_job_keeps_its_lease_while_it_makes_progress(ground):
    event = an_event()
    outbox.claim(event)
    with after(LEASE / 2):
        outbox.extend(event)
    with after(LEASE + 2):
        assert outbox.claim(event) is None


def test_work_that_is_done_is_not_done_twice(ground):
    event = an_event()
    transaction(lambda session: outbox.complete(session, event))
    assert outbox.claim(event) is None
    with pytest.raises(outbox.AlreadyDone):
        transaction(lambda session: outbox.complete(session, event))


def test_two_workers_that_both_finish_an_event_do_its_work_once(ground):
    event = an_event()

    def work():
        def write(session):
            outbox.complete(session, event)
            collection("divisions").update_one({"_id": "done"}, {"$inc": {"times": 1}}, upsert=True, session=session)

        transaction(write)

    results = at_once(*[work] * 4)
    assert sum(isinstance(result, outbox.AlreadyDone) for result in results) == 3
    assert collection("divisions").find_one({"_id": "done"})["times"] == 1


@pytest.mark.parametrize(("attempt", "wait"), [(1, 2), (2, 10), (3, 60), (4, 300), (5, 900)])
def test_each_failure_waits_longer_than_the_one_before(ground, attempt, wait):
    event = an_event()
    collection("outbox").update_one({"_id": event}, {"$set": {"attempts": attempt - 1}})
    with time_machine.travel(clock.now() + clock.seconds(1), tick=False):
        assert outbox.postpone(outbox.claim(event), "ValueError")
        waits = (row(event)["due_at"] - clock.now()).total_seconds()
    assert wait * 0.8 <= waits <= wait * 1.2
    assert row(event)["error"] == "ValueError"


def test_after_the_sixth_attempt_there_is_no_next_one(ground):
    event = an_event()
    collection("outbox").update_one({"_id": event}, {"$set": {"attempts": 5}})
    assert not outbox.postpone(outbox.claim(event), "ValueError")
    transaction(lambda session: outbox.fail(session, event, "ValueError"))
    assert outbox.counts() == {"pending": 0, "failed": 1}
    assert outbox.claim(event) is None


def test_an_event_that_waits_is_not_claimed_before_it_is_due(ground):
    event = an_event(due_in=60)
    assert outbox.claim(event) is None
    assert outbox.hand_out() == []
    with after(61):
        assert [held["_id"] for held in outbox.hand_out()] == [event]


def test_an_event_is_handed_out_once(ground):
    event = an_event()
    assert [held["_id"] for held in outbox.hand_out()] == [event]
    assert outbox.hand_out() == []


def test_a_message_that_was_lost_is_handed_out_again(ground):
    event = an_event()
    outbox.hand_out()
    with after(AGAIN - 1):
        assert outbox.hand_out() == []
    with after(AGAIN + 1):
        assert [held["_id"] for held in outbox.hand_out()] == [event]


def test_several_dispatchers_hand_every_row_out_once(ground):
    written = {an_event() for _ in range(40)}
    handed = [held["_id"] for part in at_once(*[outbox.hand_out] * 5) for held in part]
    assert len(handed) == 40
    assert set(handed) == written


def test_what_a_worker_holds_is_not_handed_out_to_another(ground):
    outbox.claim(an_event())
    with after(LEASE - 1):
        assert outbox.hand_out() == []


def test_a_key_makes_an_event_happen_once(ground):
    assert an_event(key="check:1")
    assert an_event(key="check:1") is None
    assert an_event(key="check:2")
    assert collection("outbox").count_documents({}) == 2


def test_two_transactions_with_one_key_at_the_same_moment_write_one_event(ground):
    written = at_once(*[lambda: an_event(key="certified:1")] * 4)
    assert not [result for result in written if isinstance(result, Exception)]
    assert collection("outbox").count_documents({}) == 1


def test_a_queue_that_nobody_consumes_is_refused(ground):
    with pytest.raises(ValueError, match="nobody consumes"):
        an_event(queue="slow")


def test_a_secret_payload_lies_encrypted_and_comes_back_plain(ground):
    event = transaction(lambda session: outbox.add(session, "sms", {"phone": "16912345678"}, secret=True))
    assert b"16912345678" not in bytes(row(event)["sealed"])
    assert outbox.payload(row(event)) == {"phone": "16912345678"}
    transaction(lambda session: outbox.complete(session, event))
    assert row(event)["sealed"] is None, "what was sent is forgotten"


def test_the_age_of_the_oldest_event_is_counted_from_when_it_was_due(ground):
    assert outbox.oldest_pending_seconds() == 0
    an_event()
    with after(90):
        assert 89 < outbox.oldest_pending_seconds() < 92
