"""The work of a slot: done to its end by whichever worker lives, each page once, and visibly failed where it cannot be done."""

from __future__ import annotations

import subprocess
import sys

import pytest
import time_machine
from bson import ObjectId

import jobs  # noqa: F401 - registers the jobs
from jobs import registry
from models import clock, database, outbox, schedules
from models.database import collection
from notifications import schedule
from notifications.schedule import SCHEDULES
from settings import settings
from tests.builders import a_retiree, certified_until, finish_work

NAME = "test_slot"


@pytest.fixture
def slot(ground):
    """A slot of a schedule of its own that has just started."""
    schedules.begin(NAME)
    at = clock.now()
    schedules.start(NAME, [at], schedules.upto(NAME), at)
    yield at
    SCHEDULES.pop(NAME, None)


def event() -> str:
    return str(collection("outbox").find_one({"kind": "run_slot"})["_id"])


def state(at) -> str:
    return schedules.slot_of(NAME, at)["state"]


def test_a_slot_is_done_to_its_end_by_one_delivery(slot):
    done = []

    def three_pages(_, at, after):
        done.append((at, after))
        return ObjectId() if len(done) < 3 else None

    schedule.scheduled(NAME, every="day", at="09:00")(three_pages)
    registry.deliver(event())
    assert [at for at, _ in done] == [slot] * 3
    assert done[0][1] is None
    assert state(slot) == "done"
    registry.deliver(event())
    assert len(done) == 3


def test_a_slot_that_cannot_be_done_ends_failed_and_goes_on_when_it_is_let(slot):
    broken = [True]

    def work(*_):
        if broken[0]:
            raise RuntimeError

    schedule.scheduled(NAME, every="day", at="09:00")(work)
    with time_machine.travel(clock.now(), tick=False) as clocked:
        for _ in range(outbox.MAX_ATTEMPTS):
            clocked.shift(2000)
            registry.deliver(event())
        assert state(slot) == "failed"
        assert outbox.counts()["failed"] == 1
        broken[0] = False
        assert outbox.retry(ObjectId(event()))
        finish_work()
    assert state(slot) == "done"


def test_a_slot_of_a_schedule_that_this_release_does_not_know_waits_for_one_that_does(slot):
    registry.deliver(event())
    assert state(slot) == "running"
    assert collection("outbox").find_one({"kind": "run_slot"})["state"] == "pending"


WORKER = """
import sys
sys.path.insert(0, ".")
import jobs
from jobs import registry
print("ready", flush=True)
sys.stdin.readline()
registry.deliver(sys.argv[1])
print("done", flush=True)
"""

# dies after it has written half a page, before the commit
HALF = """
import sys
sys.path.insert(0, ".")
import jobs
from jobs import registry
from notifications import reminders, schedule
from notifications.schedule import SCHEDULES
import dataclasses
whole = SCHEDULES["certification_due"]
def half(session, slot, after):
    ended = whole.work(session, slot, after)
    print("written", flush=True)
    sys.stdin.readline()
    return ended
SCHEDULES["certification_due"] = dataclasses.replace(whole, work=half)
print("ready", flush=True)
sys.stdin.readline()
registry.deliver(sys.argv[1])
"""


def a_worker(code: str, event_id: str) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", code, event_id],
        env={
            "PATH": "/usr/bin:/bin", "MONGODB_URI": database.uri(), "MONGODB_DATABASE": settings.MONGODB_DATABASE,
            "DATA_DIR": str(settings.DATA_DIR),
        },
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stdout:
        if line == "ready\n":
            break
    process.stdin.write("go\n")
    process.stdin.flush()
    return process


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    # the lease of whoever died is over; in the house that takes ten seconds
    collection("outbox").update_many({"state": "pending"}, {"$set": {"leased_until": clock.now()}})


def a_morning(people: int) -> str:
    """A slot of the certification's reminders that has started, with people to remind; returns its event."""
    due_on = (clock.today() + clock.days(7)).isoformat()
    for _ in range(people):
        certified_until(a_retiree(), due_on)
    schedules.begin("certification_due")
    at = clock.now()
    schedules.start("certification_due", [at], schedules.upto("certification_due"), at)
    return event()


def messages() -> tuple[int, int]:
    """How many messages there are, and to how many people."""
    return collection("messages").count_documents({}), len(collection("messages").distinct("retiree_id"))


@pytest.mark.crash
def test_a_worker_that_is_killed_in_the_middle_of_a_page_has_told_nobody_of_it(ground):
    event_id = a_morning(130)
    victim = a_worker(HALF, event_id)
    assert any(line == "written\n" for line in victim.stdout)
    end(victim)
    assert messages() == (0, 0)
    registry.deliver(event_id)
    assert messages() == (130, 130)
    assert collection("schedule_slots").find_one({})["state"] == "done"


@pytest.mark.crash
def test_workers_that_are_killed_anywhere_remind_everybody_once(ground):
    event_id = a_morning(430)
    for wait in (0.05, 0.2, 0.4):
        victim = a_worker(WORKER, event_id)
        try:
            victim.wait(wait)
        except subprocess.TimeoutExpired:
            end(victim)
        told, persons = messages()
        assert told == persons
        assert told % 100 == 0 or told == 430
    registry.deliver(event_id)
    assert messages() == (430, 430)
    assert collection("schedule_slots").find_one({})["state"] == "done"
