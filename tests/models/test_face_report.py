"""The monthly report: a worked example with its numbers, small groups that nobody is recognised in, a month that stays."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from models import access, clock, divisions, face_report, rules, second_looks
from models import certification_sessions as sessions
from models.access import Actor
from models.database import collection, transaction
from models.errors import Forbidden, Invalid, NotFound
from tests.builders import (
    CITY_WORKER,
    COMMUNITY,
    COMMUNITY_WORKER,
    OTHER_CITY_COMMUNITY,
    OTHER_COMMUNITY,
    a_retiree,
    an_attempt,
    an_id_number,
    oneself,
)
from tests.story import at_once

THIRD_COMMUNITY = "430102001003"
HUAWEI = "Mozilla/5.0 (Linux; Android 12; TAS-AN00 Build/HUAWEITAS-AN00; wv) AppleWebKit/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15"
FIGURES = {"policy": "2026-11.1", "model": "a network", "match": {"distance": 0.3, "evaluation": "an evaluation"}}
NOON = dt.datetime(2026, 11, 20, 4, tzinfo=dt.UTC)
AUDITOR = Actor(access.AUDITOR)


@pytest.fixture
def noon(ground):
    """The twentieth of November, at noon in Shanghai, and it stays noon."""
    with time_machine.travel(NOON, tick=False) as clocked:
        yield clocked


def people_born(birth: str, count: int, division: str = COMMUNITY):
    return [a_retiree(id_number=an_id_number(birth), division=division) for _ in range(count)]


def judged(person, verdict: str, *reasons: str, device: str = HUAWEI, phone=None):
    attempt = an_attempt(person, phone, device=device)
    return transaction(lambda session: sessions.settle(session, attempt, verdict, list(reasons), FIGURES))


def looked_at(person, said: str | None, device: str = HUAWEI):
    """A pass that chance has drawn, and what the person who looked said; None: nobody had time."""
    collection("face_references").insert_one({"retiree_id": person["_id"], "photo_id": person["_id"]})
    rule = {"key": "second_look_per_mille", "division": "", "valid_from": "2020-01-01"}
    collection("rules").update_one(rule, {"$set": {"value": 1000, "source": "测试"}}, upsert=True)
    attempt = judged(person, "pass", device=device)
    collection("rules").delete_one(rule)
    if said:
        second_looks.answer(attempt["_id"], said, "", COMMUNITY_WORKER)
    return attempt


def decide(attempt, approve: bool):
    sessions.decide(attempt["_id"], approve=approve, reason="看过照片", actor=CITY_WORKER)


def the_example():
    """November in three communities.

    银杏: six of 76 on a TAS-AN00, all pass, one of them at the second try; people look at four of the passes: two right, one
    wrong, one unclear. Five of 86 on an iPhone: three doubts (two approved, one refused) and two refusals, of which one asks
    for a person and is right. 梧桐 and a third one: three and two of 76 on iPhones, all pass.
    """
    seventies, eighties = people_born("1950-01-01", 6), people_born("1940-01-01", 5)
    judged(seventies[0], "fail", "blurred")
    for person, said in zip(seventies, ("same", "same", "different", "unclear"), strict=False):
        looked_at(person, said)
    for person in seventies[4:]:
        judged(person, "pass")
    for person, approve in zip(eighties, (True, True, False), strict=False):
        decide(judged(person, "review", "match_doubtful", device=IPHONE), approve)
    judged(eighties[3], "fail", "different_person", device=IPHONE)
    phone = oneself(eighties[4])
    wrongly = judged(eighties[4], "fail", "different_person", device=IPHONE, phone=phone)
    sessions.ask_for_review(wrongly["_id"], phone)
    decide(wrongly, True)
    divisions.put(THIRD_COMMUNITY, "香樟社区")
    for person in people_born("1950-01-01", 3, OTHER_COMMUNITY) + people_born("1950-01-01", 2, THIRD_COMMUNITY):
        judged(person, "pass", device=IPHONE)


def november(actor: Actor = CITY_WORKER, division: str = ""):
    return face_report.report("2026-11", division, actor)


def some(row, *names: str):
    return tuple(row[name] for name in names)


# ---- The example


def test_the_totals_of_the_example(noon):
    the_example()
    totals = november()["totals"]
    assert some(totals, "people", "attempts", "passed", "reviewed", "failed") == (16, 17, 11, 3, 3)
    assert some(totals, "pass_share", "review_share", "fail_share") == (0.6471, 0.1765, 0.1765)
    assert some(totals, "approved", "refused", "needless_share") == (2, 1, 0.6667)
    assert some(totals, "overturned", "upheld") == (1, 0)
    assert some(totals, "looked", "same", "different", "unclear", "not_looked") == (3, 2, 1, 1, 0)
    # one of three looked at: by the beta distribution's 95th percentile (2, 2)
    assert some(totals, "wrong_pass_share", "wrong_pass_at_most") == (0.3333, 0.8647)


def test_the_tables_of_the_example(noon):
    the_example()
    found = november()
    columns = ("group", "people", "attempts", "passed", "reviewed", "failed", "approved", "overturned", "different")
    assert [some(row, *columns) for row in found["communities"]] == [
        (COMMUNITY, 11, 12, 6, 3, 3, 2, 1, 1),
        ("other", 5, 5, 5, 0, 0, 0, 0, 0),
    ]
    assert [some(row, *columns) for row in found["ages"]] == [
        ("70-79", 11, 12, 11, 0, 1, 0, 0, 1),
        ("80-89", 5, 5, 0, 3, 2, 2, 1, 0),
    ]
    assert [some(row, *columns) for row in found["phones"]] == [
        ("iPhone", 10, 10, 5, 3, 2, 2, 1, 0),
        ("TAS-AN00", 6, 7, 6, 0, 1, 0, 0, 1),
    ]
    assert (found["policies"], found["models"], found["evaluations"]) == (
        ["2026-11.1"], ["a network"], ["an evaluation"],
    )  # fmt: skip


def test_the_report_of_a_community_is_its_part_of_the_city_s(noon):
    the_example()
    own = november(COMMUNITY_WORKER)
    assert own["division"] == COMMUNITY
    assert some(own["totals"], "people", "attempts", "different") == (11, 12, 1)
    assert november(CITY_WORKER, COMMUNITY)["totals"] == own["totals"]
    assert november(CITY_WORKER, "430102")["totals"]["attempts"] == 17


def test_a_month_without_anything_has_no_shares(noon):
    found = november()
    assert found["communities"] == found["ages"] == found["phones"] == []
    assert some(found["totals"], "attempts", "pass_share", "needless_share", "wrong_pass_at_most") == (
        0,
        None,
        None,
        None,
    )


# ---- What counts, and when


def test_a_month_begins_at_midnight_in_shanghai(noon):
    (person,) = people_born("1950-01-01", 1)
    for moment, verdict in (("2026-11-30T23:59:59+08:00", "fail"), ("2026-12-01T00:00:00+08:00", "pass")):
        noon.move_to(moment)
        judged(person, verdict)
    assert some(november()["totals"], "attempts", "failed") == (1, 1)
    assert some(face_report.report("2026-12", "", CITY_WORKER)["totals"], "attempts", "passed") == (1, 1)


def test_a_decision_counts_in_the_month_in_which_it_was_made(noon):
    attempt = judged(people_born("1950-01-01", 1)[0], "review", "match_doubtful")
    noon.move_to(NOON + dt.timedelta(days=14))
    decide(attempt, True)
    december = face_report.report("2026-12", "", CITY_WORKER)["totals"]
    assert some(december, "attempts", "approved") == (0, 1)
    assert some(november()["totals"], "reviewed", "approved") == (1, 0)


def test_a_look_that_nobody_made_counts_as_such_and_says_nothing_about_wrong_passes(noon):
    looked_at(people_born("1950-01-01", 1)[0], None)
    noon.shift(7 * 86_400)
    second_looks.end()
    assert some(november()["totals"], "looked", "not_looked", "wrong_pass_at_most") == (0, 1, None)


def test_what_the_machine_could_not_see_is_no_attempt(noon):
    judged(people_born("1950-01-01", 1)[0], "fail", "frames_lost")
    assert november()["totals"]["attempts"] == 0


def test_somebody_recorded_as_dead_is_counted_as_what_people_have_to_decide(noon):
    (person,) = people_born("1950-01-01", 1)
    attempt = an_attempt(person)
    collection("retirees").update_one({"_id": person["_id"]}, {"$set": {"status": "deceased"}})
    transaction(lambda session: sessions.settle(session, attempt, "pass", [], FIGURES))
    assert some(november()["totals"], "passed", "reviewed") == (0, 1)


# ---- Nobody is recognised


def test_a_group_of_four_hides_behind_the_smallest_other_group(noon):
    for birth, count in (("1950-01-01", 7), ("1960-01-01", 5), ("1930-01-01", 4)):
        for person in people_born(birth, count):
            judged(person, "pass")
    assert [some(row, "group", "people") for row in november()["ages"]] == [("70-79", 7), ("other", 9)]


def test_where_few_people_certified_there_are_no_groups(noon):
    for birth in ("1950-01-01", "1940-01-01"):
        judged(people_born(birth, 1)[0], "pass")
    found = november()
    for table in ("communities", "ages", "phones"):
        assert [some(row, "group", "people") for row in found[table]] == [("other", 2)]


def test_a_person_with_many_attempts_is_one_person(noon):
    (person,) = people_born("1950-01-01", 1)
    phone = oneself(person)
    for verdict in ("fail", "fail", "pass"):
        judged(person, verdict, phone=phone)
    assert some(november()["totals"], "people", "attempts") == (1, 3)


# ---- Who reads it


def test_a_worker_reads_the_own_area_only(noon):
    for actor, division in ((COMMUNITY_WORKER, OTHER_COMMUNITY), (COMMUNITY_WORKER, "4301"), (CITY_WORKER, "5405")):
        with pytest.raises(NotFound, match="division_not_found"):
            november(actor, division)
    with pytest.raises(NotFound):
        november(Actor(access.STREET, division=""))
    for role in (access.ENTERPRISE, access.ARCHIVE_KEEPER, access.RETIREE):
        with pytest.raises(Forbidden):
            november(Actor(role, division="4301"))


def test_an_auditor_reads_the_whole_house(noon):
    judged(people_born("1950-01-01", 1)[0], "pass")
    judged(people_born("1950-01-01", 1, OTHER_CITY_COMMUNITY)[0], "pass")
    assert november(AUDITOR)["totals"]["attempts"] == 2
    assert november(AUDITOR, "5405")["totals"]["attempts"] == 1


def test_a_month_that_has_not_begun_has_no_report(noon):
    with pytest.raises(Invalid, match="in_the_future"):
        face_report.report("2026-12", "", CITY_WORKER)


# ---- The month that is over


def test_the_month_that_is_over_is_stored_once_and_stays_as_it_was(noon):
    the_example()
    live = november()
    assert live["prepared_at"] is None
    assert face_report.prepare() == "2026-10"
    noon.move_to(dt.datetime(2026, 11, 30, 16, 9, 59, tzinfo=dt.UTC))
    assert face_report.prepare() is None, "ten minutes after midnight, so that nothing of last night is missing"
    noon.shift(1)
    assert (face_report.prepare(), face_report.prepare()) == ("2026-11", None)
    collection("certification_sessions").delete_many({})
    collection("face_labels").delete_many({})
    stored = november()
    assert stored["prepared_at"] == clock.now()
    assert {**stored, "prepared_at": None} == live
    assert november(COMMUNITY_WORKER)["totals"]["attempts"] == 12


def test_a_clock_that_stood_still_on_the_first_stores_the_month_later(noon):
    noon.move_to(dt.datetime(2026, 12, 9, 3, tzinfo=dt.UTC))
    assert face_report.prepare() == "2026-11"


def test_of_two_clocks_one_stores_the_month(noon):
    the_example()
    noon.move_to(dt.datetime(2026, 12, 1, 3, tzinfo=dt.UTC))
    assert sorted(map(str, at_once(face_report.prepare, face_report.prepare))) == ["2026-11", "None"]
    assert november()["totals"]["attempts"] == 17


def test_the_rules_in_force_stand_beside_the_numbers_those_of_other_cities_do_not(noon):
    for key, value, division in (("second_look_per_mille", 50, "4301"), ("second_look_per_mille", 10, "5405")):
        record = rules.Rule(key, value, "某市规定", "2026-01-01", division=division)
        collection("rules").insert_one(record.as_document())
    shown = [(rule["key"], rule["division"], rule["value"]) for rule in november()["rules"]]
    assert shown == [
        ("second_look_per_mille", "", 0),
        ("second_look_per_mille", "4301", 50),
        ("second_look_days", "", 7),
    ]


# ---- The bound


@pytest.mark.parametrize(
    ("found", "tried", "bound"),
    [(0, 0, None), (0, 1, 0.95), (0, 100, 0.0295), (0, 300, 0.0099), (1, 100, 0.0466), (5, 5, 1.0), (4, 5, 0.9898)],
)
def test_the_upper_bound_of_the_wrong_passes(found, tried, bound):
    calculated = face_report.at_most(found, tried)
    assert calculated == bound if bound is None else abs(calculated - bound) < 0.00005


@given(st.data())
def test_the_upper_bound_is_the_beta_distribution_s_95th_percentile(data):
    tried = data.draw(st.integers(1, 20_000))
    found = data.draw(st.integers(0, min(tried - 1, 400)))
    assert face_report.at_most(found, tried) == pytest.approx(beta.ppf(0.95, found + 1, tried - found), abs=1e-9)
