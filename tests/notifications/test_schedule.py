"""The clock: which slots a rhythm has, when they start, and what becomes of those that were missed."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import subprocess
import sys

import pytest
import time_machine
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from models import clock, schedules
from models.database import collection
from notifications import schedule
from notifications.schedule import SCHEDULES, Schedule, slots

NAME = "test_morning"
MARCH = "2026-03-01T08:59:50+08:00"


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text + "+08:00")


def rhythm(every: str, time: str, day: int = 1) -> Schedule:
    return Schedule("any", every, dt.time.fromisoformat(time), day, clock.days(3), lambda *_: None)


def spoken(found) -> list[str]:
    return [slot.astimezone(clock.SHANGHAI).strftime("%m-%d %H:%M") for slot in found]


@pytest.fixture
def morning(ground):
    """A schedule of its own, every morning at nine, alone on the clock."""
    others = dict(SCHEDULES)
    SCHEDULES.clear()
    try:
        schedule.scheduled(NAME, every="day", at="09:00", catch_up_days=2)(lambda *_: None)
        yield NAME
    finally:
        SCHEDULES.clear()
        SCHEDULES.update(others)


def started() -> list[str]:
    return spoken(row["slot"] for row in collection("schedule_slots").find().sort("slot"))


# ---- Rhythms


def test_every_morning_has_one_slot():
    found = slots(rhythm("day", "09:00"), at("2026-02-27T09:00"), at("2026-03-02T09:00"))
    assert spoken(found) == ["02-28 09:00", "03-01 09:00", "03-02 09:00"]


def test_every_hour_counts_by_its_minute():
    found = slots(rhythm("hour", "00:15"), at("2026-03-01T22:20"), at("2026-03-02T01:14"))
    assert spoken(found) == ["03-01 23:15", "03-02 00:15"]


def test_the_31st_of_a_short_month_is_its_last_day():
    found = slots(rhythm("month", "10:00", 31), at("2026-01-31T10:00"), at("2026-05-31T09:59"))
    assert spoken(found) == ["02-28 10:00", "03-31 10:00", "04-30 10:00"]


@given(
    st.sampled_from(["hour", "day", "month"]),
    st.times(),
    st.integers(1, 31),
    st.integers(0, 6 * 365 * 86400),
    st.lists(st.integers(0, 40 * 86400), min_size=1, max_size=5),
)
def test_however_often_the_clock_is_looked_at_no_slot_is_missed_and_none_comes_twice(every, time, day, start, steps):
    wanted = Schedule("any", every, time.replace(second=0, microsecond=0), day, clock.days(3), lambda *_: None)
    looks = [at("2024-01-01T00:00:00") + dt.timedelta(seconds=start)]
    for step in steps:
        looks.append(looks[-1] + dt.timedelta(seconds=step))
    piecewise = [slot for seen, now in itertools.pairwise(looks) for slot in slots(wanted, seen, now)]
    assert piecewise == list(slots(wanted, looks[0], looks[-1]))
    assert piecewise == sorted(set(piecewise))
    assert all(looks[0] < slot <= looks[-1] for slot in piecewise)


def test_a_rhythm_that_nobody_can_read_is_refused_when_it_is_registered():
    for every, at_, day in (("week", "09:00", 1), ("day", "9 o'clock", 1), ("month", "09:00", 32)):
        with pytest.raises(ValueError):
            schedule.scheduled("test_other", every=every, at=at_, day=day)
    assert "test_other" not in SCHEDULES


# ---- The look at the clock


def test_a_schedule_that_is_new_begins_with_its_next_slot(morning):
    with time_machine.travel("2026-03-01T12:00:00+08:00", tick=False) as clocked:
        assert schedule.start() == 0
        clocked.shift(clock.days(1))
        assert schedule.start() == 1
    assert started() == ["03-02 09:00"]


def test_a_slot_starts_when_its_time_has_come_and_only_once(morning):
    with time_machine.travel(MARCH, tick=False) as clocked:
        assert schedule.start() == 0
        clocked.shift(9)
        assert schedule.start() == 0
        clocked.shift(1)
        assert schedule.start() == 1
        clocked.shift(15)
        assert schedule.start() == 0
        clocked.shift(clock.days(1))
        assert schedule.start() == 1
    assert started() == ["03-01 09:00", "03-02 09:00"]


def test_what_was_missed_is_made_up_for_as_far_back_as_the_schedule_wants_it(morning):
    with time_machine.travel(MARCH, tick=False) as clocked:
        schedule.start()
        clocked.move_to(at("2026-03-05T12:00:00"))
        assert schedule.start() == 2
        assert schedule.start() == 0
    assert started() == ["03-04 09:00", "03-05 09:00"]


def test_a_clock_that_is_set_back_starts_nothing_again(morning):
    with time_machine.travel(MARCH, tick=False) as clocked:
        schedule.start()
        clocked.shift(60)
        assert schedule.start() == 1
        clocked.shift(-120)
        assert schedule.start() == 0
        clocked.shift(120)
        assert schedule.start() == 0
    assert started() == ["03-01 09:00"]


def test_while_one_scheduler_is_at_it_the_other_does_nothing(morning):
    with time_machine.travel(MARCH, tick=False) as clocked:
        schedule.start()
        clocked.shift(60)
        schedules.take("another")
        assert schedule.start() == 0
        clocked.shift(60)
        assert schedule.start() == 1


# ---- Real processes

SCHEDULER = f"""
import sys
sys.path.insert(0, ".")
from models import clock, schedules
from notifications import schedule
schedule.SCHEDULES.clear()
schedule.scheduled("{NAME}", every="hour", at="00:00", catch_up_days=2)(lambda *_: None)
print("ready", flush=True)
sys.stdin.readline()
count = 0
for _ in range(int(sys.argv[1])):
    count += schedule.start()
print(count, flush=True)
"""


def a_scheduler(mongo, looks: int) -> subprocess.Popen:
    """A process of its own that looks at the clock as soon as it is told."""
    from models import database
    from settings import settings

    process = subprocess.Popen(
        [sys.executable, "-c", SCHEDULER, str(looks)],
        env={"PATH": "/usr/bin:/bin", "MONGODB_URI": database.uri(), "MONGODB_DATABASE": settings.MONGODB_DATABASE,
             "DATA_DIR": str(settings.DATA_DIR)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    return process


def long_ago() -> int:
    """Let the schedule have been looked at a day ago; returns how many slots have come since."""
    since = clock.now() - clock.days(1)
    collection("schedules").insert_one({"_id": NAME, "upto": since})
    return len(list(slots(rhythm("hour", "00:00"), since, clock.now())))


def test_two_schedulers_in_two_processes_start_each_slot_once(ground, mongo):
    come = long_ago()
    processes = [a_scheduler(mongo, 20) for _ in range(2)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    counts = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(counts) in (come, come + 1)  # an hour may begin while they look
    assert collection("schedule_slots").count_documents({}) == sum(counts)
    assert collection("outbox").count_documents({"kind": "run_slot"}) == sum(counts)


@pytest.mark.crash
def test_a_scheduler_that_is_killed_leaves_every_slot_to_the_next_one_once(ground, mongo):
    come = long_ago()
    for wait in (0.0, 0.002, 0.005, 0.01, 0.02):
        victim = a_scheduler(mongo, 1000)
        victim.stdin.write("go\n")
        victim.stdin.flush()
        with contextlib.suppress(subprocess.TimeoutExpired):
            victim.wait(wait)
        victim.kill()
        victim.wait()
        victim.stdin.close()
        victim.stdout.close()
        rows, events = (collection(name).count_documents({}) for name in ("schedule_slots", "outbox"))
        assert rows == events
    collection("schedule_lease").delete_many({})
    last = a_scheduler(mongo, 1)
    last.communicate("go\n", timeout=60)
    names = [row["slot"] for row in collection("schedule_slots").find()]
    assert len(names) == len(set(names))
    assert len(names) in (come, come + 1)
    assert collection("outbox").count_documents({"kind": "run_slot"}) == len(names)
    assert {type(row["_id"]) for row in collection("schedule_slots").find()} == {ObjectId}
