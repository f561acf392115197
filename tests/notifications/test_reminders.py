"""The certification that is due: who is reminded on which day, of what, and that nobody is reminded twice."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

import jobs  # noqa: F401 - registers the schedules and their jobs
from models import by_hand, clock, rules
from models.database import collection
from notifications import schedule
from notifications.schedule import SCHEDULES
from tests.builders import COMMUNITY_WORKER, OTHER_CITY_COMMUNITY, a_retiree, certified_until, finish_work

EVE = "2026-03-01T08:00:00+08:00"


def due(days: int, today: str = "2026-03-01", **fields):
    """Somebody whose certification is due some days from the first of March, or was."""
    person = a_retiree(**fields)
    certified_until(person, (dt.date.fromisoformat(today) + dt.timedelta(days=days)).isoformat())
    return person


def told(person) -> list[tuple[str, str]]:
    rows = collection("messages").find({"retiree_id": person["_id"]}).sort("_id")
    return [(row["template"], row["cause"]) for row in rows]


def nine_o_clock(clocked, day: str = "2026-03-01") -> None:
    """Let it become nine, and everything be done that is due."""
    clocked.move_to(dt.datetime.fromisoformat(f"{day}T09:00:10+08:00"))
    schedule.start()
    finish_work()


@pytest.fixture
def eve(ground):
    with time_machine.travel(EVE, tick=False) as clocked:
        schedule.start()
        yield clocked


def test_people_are_reminded_on_the_days_of_the_rule_and_on_no_other(eve):
    persons = {days: due(days) for days in (91, 90, 89, 60, 30, 29, 7, 1, 0, -1, -7, -30, -31)}
    nine_o_clock(eve)
    days = {days for days, person in persons.items() if told(person)}
    assert days == {90, 60, 30, 7, 1, 0, -7, -30}
    assert told(persons[30]) == [("certification_due", "2026-03-31/30")]
    assert told(persons[0]) == [("certification_due", "2026-03-01/0")]
    assert told(persons[-7]) == [("certification_overdue", "2026-02-22/-7")]


def test_the_worked_example_of_a_certification_due_on_the_15th_of_march(ground):
    person = a_retiree()
    certified_until(person, "2026-03-15", last="2025-03-15")
    days = (
        "2025-12-15",
        "2026-01-14",
        "2026-02-13",
        "2026-03-08",
        "2026-03-14",
        "2026-03-15",
        "2026-03-22",
        "2026-04-14",
    )
    with time_machine.travel("2025-12-01T08:00:00+08:00", tick=False) as clocked:
        schedule.start()
        day = dt.date(2025, 12, 1)
        while day <= dt.date(2026, 5, 1):
            nine_o_clock(clocked, day.isoformat())
            day += dt.timedelta(days=1)
    sent = [clock.day_of(row["created_at"]).isoformat() for row in collection("messages").find().sort("_id")]
    assert sent == list(days)


def test_what_is_said_names_the_person_the_day_and_what_to_do(eve):
    due(30, name="陈桂兰")
    nine_o_clock(eve)
    message = collection("messages").find_one({})
    assert "陈桂兰的养老金领取资格认证请在2026年3月31日（含当天）以前完成" in message["body"]
    assert (message["link"], message["importance"], message["expires_on"]) == ("/certify", "important", "2026-03-31")
    assert message["wechat"]["data"]["date3"] == "2026年3月31日"
    assert "陈桂兰" in message["sms"]


def test_far_from_the_day_a_reminder_is_routine_and_near_it_important(eve):
    persons = {days: due(days) for days in (90, 60, 30, -7)}
    nine_o_clock(eve)
    importance = {
        days: collection("messages").find_one({"retiree_id": person["_id"]})["importance"]
        for days, person in persons.items()
    }
    assert importance == {90: "routine", 60: "routine", 30: "important", -7: "important"}


def test_nobody_is_reminded_who_died_moved_away_or_is_just_being_looked_at(eve):
    gone = [due(30, status="deceased", died_on="2026-02-01"), due(30, status="moved")]
    checking = due(30)
    collection("retirees").update_one({"_id": checking["_id"]}, {"$set": {"certification.checking": "x"}})
    lost = due(30, status="lost")
    nine_o_clock(eve)
    assert [told(person) for person in (*gone, checking)] == [[], [], []]
    assert len(told(lost)) == 1


def test_a_city_may_set_days_of_its_own(eve):
    record = rules.Rule("certification_reminder_days", [45, 10], "某市经办规程", "2026-01-01", None, "5405")
    collection("rules").insert_one({**record.as_document(), "valid_to": None})
    theirs = {days: due(days, division=OTHER_CITY_COMMUNITY) for days in (45, 30, 10)}
    ours = {days: due(days) for days in (45, 30, 10)}
    nine_o_clock(eve)
    assert [days for days, person in theirs.items() if told(person)] == [45, 10]
    assert [days for days, person in ours.items() if told(person)] == [30]


def test_several_pages_of_people_are_all_reminded_once(eve):
    persons = [due(7) for _ in range(230)]
    nine_o_clock(eve)
    assert collection("schedule_slots").find_one({})["pages"] == 2  # and the third, which was the last
    assert collection("messages").count_documents({}) == len(persons)
    assert len(collection("messages").distinct("retiree_id")) == len(persons)


def test_a_reminder_that_is_made_up_for_late_is_left_out_where_it_is_not_true_any_more(eve):
    today, tomorrow, week = due(0), due(1), due(7)
    nine_o_clock(eve, "2026-03-03")
    assert told(today) == []
    assert told(tomorrow) == []
    assert told(week) == [("certification_due", "2026-03-08/7")]


def test_whoever_certified_meanwhile_is_not_reminded_of_the_old_day(eve):
    person = due(7)
    by_hand.record(person["_id"], "window", clock.today(), "", COMMUNITY_WORKER)
    nine_o_clock(eve)
    assert [template for template, _ in told(person)] == ["certified"]


def test_a_certification_answers_the_reminders_that_still_wait_to_be_sent(eve):
    person, other = due(7), due(7)
    nine_o_clock(eve)
    collection("deliveries").insert_many(
        [
            {
                "retiree_id": held["_id"], "template": "certification_due", "cause": "2026-03-08/7", "channel": "sms",
                "account_id": None, "state": "waiting", "open": True, "due_at": clock.now(), "claim": None,
            }
            for held in (person, other)
        ]
    )  # fmt: skip
    by_hand.record(person["_id"], "window", clock.today(), "", COMMUNITY_WORKER)
    finish_work()
    states = {row["retiree_id"]: (row["state"], row.get("error")) for row in collection("deliveries").find()}
    assert states == {person["_id"]: ("cancelled", "answered"), other["_id"]: ("waiting", None)}
    plans = {
        row["retiree_id"]: row["plan_at"] for row in collection("messages").find({"template": "certification_due"})
    }
    assert plans[person["_id"]] is None
    assert plans[other["_id"]] is not None


def test_a_proof_of_long_ago_answers_no_reminder_of_a_later_day(eve):
    person = due(7)
    nine_o_clock(eve)
    collection("retirees").update_one(
        {"_id": person["_id"]}, {"$set": {"certification.last_certified_on": "2025-03-08"}}
    )
    by_hand.record(person["_id"], "window", dt.date(2025, 3, 1), "", COMMUNITY_WORKER)
    finish_work()
    assert collection("messages").find_one({"template": "certification_due"})["plan_at"] is not None


def test_the_reminder_is_on_the_clock_every_morning():
    known = SCHEDULES["certification_due"]
    assert (known.every, known.at) == ("day", dt.time(9))
