"""When a certification is due, what restarts the clock, and what never does."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from models import by_hand, certifications, clock, people, rules
from models.database import collection, transaction
from models.errors import Conflict, Forbidden, Invalid, NotFound
from tests.builders import (
    CITY_WORKER,
    COMMUNITY_WORKER,
    OTHER_COMMUNITY,
    a_retiree,
    audit_actions,
    certified_until,
    finish_work,
    oneself,
)

NOON = "2026-03-28T12:00:00+08:00"


def due(last: str) -> str:
    day, _ = certifications.due_after(dt.date.fromisoformat(last), "430102001001")
    return day.isoformat()


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("2025-03-15", "2026-03-15"),  # DOMAIN T40
        ("2023-02-28", "2024-02-28"),  # T42: the corresponding day, not the end of the month
        ("2024-02-29", "2025-02-28"),  # no corresponding day: the last of the month
        ("2025-12-31", "2026-12-31"),  # T44
    ],
)
def test_a_certification_is_due_on_the_corresponding_day_twelve_months_later(ground, last, expected):
    assert due(last) == expected


def test_a_city_that_counts_to_the_end_of_the_month_gets_the_end_of_the_month(ground):
    collection("rules").insert_one(
        rules.Rule("certification_due_mode", "month_end", "某市经办规程", "2025-01-01", division="4301").as_document()
    )
    assert due("2025-03-15") == "2026-03-31"
    assert due("2024-12-31") == "2025-12-31"


def test_last_years_case_is_decided_by_last_years_rule(ground):
    collection("rules").insert_one(
        rules.Rule("certification_cycle_months", 6, "某市经办规程", "2026-01-01", division="4301").as_document()
    )
    assert due("2025-12-31") == "2026-12-31"
    assert due("2026-01-01") == "2026-07-01"


@pytest.mark.parametrize(
    ("today", "state"),
    [("2025-12-14", "valid"), ("2025-12-15", "due_soon"), ("2026-03-15", "due_soon"), ("2026-03-16", "overdue")],
)
def test_a_certification_counts_for_the_whole_day_on_which_it_is_due(ground, today, state):
    person = a_retiree()
    certified_until(person, "2026-03-15", "2025-03-15")
    with time_machine.travel(f"{today}T23:59:00+08:00", tick=False):
        assert certifications.status(person["_id"], CITY_WORKER)["state"] == state
        assert people.search(CITY_WORKER, certification=state)[1] == 1
        assert people.counts(CITY_WORKER)[state] == 1


def test_a_late_certification_starts_a_new_cycle_and_ends_a_suspension(ground):
    person = a_retiree()
    certified_until(person, "2026-03-15", "2025-03-15")
    certifications.suspend(person["_id"], dt.date(2026, 4, 1), person["version"], COMMUNITY_WORKER)
    assert certifications.status(person["_id"], CITY_WORKER)["state"] == "suspended"
    with time_machine.travel(NOON, tick=False):
        by_hand.record(person["_id"], "window", dt.date(2026, 3, 28), "本人到窗口", COMMUNITY_WORKER)
        status = certifications.status(person["_id"], CITY_WORKER)
    assert (status["state"], status["last_certified_on"], status["due_on"]) == ("valid", "2026-03-28", "2027-03-28")
    assert status["suspended_on"] is None
    assert audit_actions(person)[-2:] == ["pension.suspension_noted", "retiree.certified"]


def test_an_older_event_that_arrives_late_never_moves_the_clock_backwards(ground):
    person = a_retiree()
    with time_machine.travel(NOON, tick=False):
        by_hand.record(person["_id"], "home_visit", dt.date(2026, 3, 20), "", COMMUNITY_WORKER)
        by_hand.record(person["_id"], "data_match", dt.date(2025, 12, 11), "", COMMUNITY_WORKER)
        assert certifications.status(person["_id"], CITY_WORKER)["last_certified_on"] == "2026-03-20"
        assert [row["method"] for row in certifications.history(person["_id"], CITY_WORKER)] == [
            "home_visit",
            "data_match",
        ]


def test_whoever_is_certified_silently_is_told_so_that_nobody_certifies_twice(ground):
    person = a_retiree()
    with time_machine.travel("2026-01-05T12:00:00+08:00", tick=False):
        by_hand.record(person["_id"], "data_match", dt.date(2025, 12, 11), "", COMMUNITY_WORKER)
        finish_work()
        finish_work()
    messages = list(collection("messages").find({"retiree_id": person["_id"]}))
    assert [message["title"] for message in messages] == ["认证成功"]
    assert "2026年12月11日" in messages[0]["body"]


def test_nobody_certifies_for_tomorrow_or_from_more_than_a_cycle_ago(ground):
    person = a_retiree()
    today = clock.today()
    with pytest.raises(Invalid, match="in_the_future"):
        by_hand.record(person["_id"], "window", today + dt.timedelta(days=1), "", COMMUNITY_WORKER)
    with pytest.raises(Invalid, match="too_long_ago"):
        by_hand.record(
            person["_id"], "window", clock.add_months(today, -12) - dt.timedelta(days=1), "", COMMUNITY_WORKER
        )


def test_a_dead_person_is_not_certified_and_the_state_says_ended(ground):
    person = a_retiree()
    people.change(person["_id"], {"status": "deceased", "died_on": "2026-01-02"}, person["version"], COMMUNITY_WORKER)
    with pytest.raises(Conflict, match="deceased"):
        by_hand.record(person["_id"], "window", clock.today(), "", COMMUNITY_WORKER)
    assert certifications.status(person["_id"], CITY_WORKER)["state"] == "ended"


def test_a_retiree_cannot_certify_by_hand_and_another_community_cannot_see_the_person(ground):
    person = a_retiree()
    with pytest.raises(Forbidden):
        by_hand.record(person["_id"], "window", clock.today(), "", oneself(person))
    elsewhere = type(COMMUNITY_WORKER)("community", division=OTHER_COMMUNITY)
    with pytest.raises(NotFound):
        by_hand.record(person["_id"], "window", clock.today(), "", elsewhere)


def test_a_stranger_with_the_code_learns_that_a_certificate_is_genuine_and_no_whole_name(ground):
    person = a_retiree(name="欧阳建国")
    certificate = transaction(
        lambda session: certifications.certify(session, person, "window", clock.today(), COMMUNITY_WORKER)
    )
    told = certifications.verify(certificate["code"].lower())
    assert told["name"] == "欧***"
    assert told["in_force"]
    assert "银杏社区" in told["office"]
    with pytest.raises(NotFound):
        certifications.verify("AAAABBBBCCCCDDDD")
