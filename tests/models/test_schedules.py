"""Slots are started once and done page by page, whoever else believes to be the scheduler and whoever dies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from bson import ObjectId

from models import clock, outbox, schedules
from models.database import collection, transaction

NINE = clock.now().replace(year=2026, month=3, day=1, hour=1, minute=0, second=0, microsecond=0)


def started(*slots) -> int:
    """Start some slots as a scheduler does that has looked until then."""
    schedules.begin("test")
    seen = schedules.upto("test")
    return schedules.start("test", slots, seen, max(slots))


def an_event() -> ObjectId:
    event = collection("outbox").find_one({"kind": "run_slot"})
    return event["_id"]


def count_to(most: int):
    """Work of `most` pages; each writes the page that it did."""

    def work(session, after):
        page = collection("pages").count_documents({}, session=session) + 1
        ended = ObjectId()
        collection("pages").insert_one({"_id": ended, "page": page, "after": after}, session=session)
        return ended if page < most else None

    return work


def pages() -> list[int]:
    return [row["page"] for row in collection("pages").find().sort("$natural")]


@pytest.fixture(autouse=True)
def _pages(ground):
    collection("pages").insert_one({"_id": ObjectId()})
    collection("pages").delete_many({})


def test_one_scheduler_holds_the_lease_and_the_next_takes_it_when_it_is_over():
    with time_machine.travel("2026-03-01T09:00:00+08:00", tick=False) as clocked:
        assert schedules.take("a")
        assert schedules.take("a")
        assert not schedules.take("b")
        clocked.shift(clock.seconds(59))
        assert not schedules.take("b")
        clocked.shift(clock.seconds(1))
        assert schedules.take("b")
        schedules.release("a")
        assert not schedules.take("a")
        schedules.release("b")
        assert schedules.take("a")


def test_of_many_schedulers_that_start_at_once_one_gets_the_lease():
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(schedules.take, "abcdefgh")).count(True) == 1


def test_a_slot_has_one_row_and_one_event_however_often_it_is_started():
    assert started(NINE) == 1
    assert started(NINE, NINE + clock.days(1)) == 1
    assert collection("schedule_slots").count_documents({}) == 2
    assert collection("outbox").count_documents({"kind": "run_slot"}) == 2


def test_of_two_schedulers_that_both_believe_to_be_active_one_starts_the_slots():
    schedules.begin("test")
    seen = schedules.upto("test")
    with ThreadPoolExecutor(8) as threads:
        counts = list(threads.map(lambda _: schedules.start("test", [NINE], seen, NINE), range(8)))
    assert sorted(counts) == [0] * 7 + [1]
    assert collection("outbox").count_documents({"kind": "run_slot"}) == 1


def test_a_slot_is_done_page_by_page_and_its_event_with_the_last():
    started(NINE)
    event, work = an_event(), count_to(3)
    more = [schedules.turn(schedules.slot_of("test", NINE), work, event) for _ in range(3)]
    assert more == [True, True, False]
    assert pages() == [1, 2, 3]
    assert schedules.slot_of("test", NINE)["state"] == "done"
    assert collection("outbox").find_one({"_id": event})["state"] == "done"
    afters = [row["after"] for row in collection("pages").find().sort("$natural")]
    ids = [row["_id"] for row in collection("pages").find().sort("$natural")]
    assert afters == [None, *ids[:2]]


def test_a_page_that_fails_leaves_nothing_and_is_done_again():
    started(NINE)
    row = schedules.slot_of("test", NINE)

    def breaks(session, after):
        count_to(2)(session, after)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        schedules.turn(row, breaks, an_event())
    assert pages() == []
    assert schedules.slot_of("test", NINE) == row


def test_two_workers_on_one_slot_never_do_a_page_twice():
    started(NINE)
    row, work = schedules.slot_of("test", NINE), count_to(9)
    assert schedules.turn(row, work, an_event())
    with pytest.raises(schedules.Overtaken):
        schedules.turn(row, work, an_event())
    assert pages() == [1]


def test_eight_workers_on_one_slot_do_each_page_once():
    started(NINE)
    event, work = an_event(), count_to(12)

    def run(_: int) -> int:
        mine = 0
        while (row := schedules.slot_of("test", NINE))["state"] != "done":
            try:
                schedules.turn(row, work, event)
                mine += 1
            except (schedules.Overtaken, outbox.AlreadyDone):
                continue
        return mine

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(run, range(8))) == 12
    assert pages() == list(range(1, 13))


def test_a_slot_that_failed_stands_where_it_stopped_and_goes_on_when_it_is_tried_again():
    started(NINE)
    work = count_to(3)
    schedules.turn(schedules.slot_of("test", NINE), work, an_event())
    transaction(lambda session: schedules.fail(session, "test", NINE))
    failed = schedules.slot_of("test", NINE)
    assert (failed["state"], failed["pages"]) == ("failed", 1)
    assert schedules.turn(failed, work, an_event())
    assert schedules.slot_of("test", NINE)["state"] == "running"
    assert not schedules.turn(schedules.slot_of("test", NINE), work, an_event())
    transaction(lambda session: schedules.fail(session, "test", NINE))
    assert schedules.slot_of("test", NINE)["state"] == "done"


def test_a_slot_that_was_never_started_is_an_error():
    with pytest.raises(LookupError):
        schedules.slot_of("test", NINE)
