"""Alarms: raised once, shown to the supervisors of whoever is concerned, closed by one with what was found."""

from __future__ import annotations

import pytest
import time_machine

from models import access, clock, face_alarms, people
from models.access import Actor
from models.database import collection, transaction
from models.errors import Conflict, Forbidden, NotFound, TooMany
from tests.builders import (
    COMMUNITY,
    COMMUNITY_WORKER,
    OTHER_CITY_COMMUNITY,
    OTHER_COMMUNITY,
    a_retiree,
    an_attempt,
    finish_work,
    helper_of,
    oneself,
)
from tests.models.test_face_limits import certify, fail, one_phone_for, settle, start
from tests.story import at_once

OTHER_STREET_COMMUNITY = "430102002001"
STREET = Actor(access.STREET, division=COMMUNITY[:9])
OTHER_STREET = Actor(access.STREET, division=OTHER_STREET_COMMUNITY[:9])
DISTRICT = Actor(access.DISTRICT, division=COMMUNITY[:6])
CITY = Actor(access.CITY, division=COMMUNITY[:4])
OTHER_CITY = Actor(access.CITY, division=OTHER_CITY_COMMUNITY[:4])
PHONE = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def clocked(ground):
    with time_machine.travel(clock.start_of(clock.today()) + clock.days(1.5), tick=False) as clocked:
        yield clocked


def a_retiree_in(division: str):
    """Somebody of any city: the builder's own hand reaches everywhere."""
    return a_retiree(division=division)


def several(*divisions: str):
    """Suspicious failures of one account against a person of each place; returns (people, account)."""
    persons = [a_retiree_in(division) for division in divisions]
    phone = one_phone_for(*persons)
    for person in persons:
        fail(person, phone)
    return persons, phone


def the_alarm(actor=CITY):
    (alarm,), total = face_alarms.listed(actor)
    assert total == 1
    return alarm


def raised(attempt, kind=face_alarms.SAME_FILM, retiree_ids=()):
    return transaction(
        lambda session: face_alarms.raise_alarm(
            session,
            kind,
            account_id=attempt["account_id"],
            retiree_ids=[attempt["retiree_id"], *retiree_ids],
            division=attempt["division"],
            session_id=attempt["_id"],
        )
    )


# ---- Raising


def test_one_account_that_fails_suspiciously_against_two_people_raises_one_alarm(clocked):
    persons, phone = several(COMMUNITY, OTHER_COMMUNITY)
    alarm = the_alarm()
    assert (alarm["kind"], alarm["account_id"]) == ("account_several_people", phone.account_id)
    assert [person["_id"] for person in alarm["retirees"]] == [person["_id"] for person in persons]
    assert len(alarm["session_ids"]) == 2


def test_failures_against_one_person_alone_raise_none(clocked):
    person = a_retiree()
    fail(person, oneself(person))
    fail(person, oneself(person))
    assert face_alarms.listed(CITY) == ([], 0)


def test_failures_of_light_and_blur_raise_none(clocked):
    persons = [a_retiree() for _ in range(4)]
    phone = one_phone_for(*persons)
    for person in persons:
        fail(person, phone, "too_dark", "action_not_seen")
    assert face_alarms.listed(CITY) == ([], 0)


def test_an_alarm_is_raised_also_where_those_who_passed_excuse_the_lock(clocked):
    neighbours = [a_retiree() for _ in range(10)]
    phone = one_phone_for(*neighbours)
    for person in neighbours[2:]:
        certify(person, phone)
    for person in neighbours[:2]:
        fail(person, phone)
    assert len(the_alarm()["retirees"]) == 2
    start(neighbours[0], phone)


def test_what_belongs_to_an_open_alarm_is_added_to_it(clocked):
    persons = [a_retiree() for _ in range(3)]
    phone = one_phone_for(*persons)
    for person in persons:
        fail(person, phone)
        clocked.shift(86_401)
    assert len(the_alarm()["retirees"]) == 3
    assert collection("audit").count_documents({"action": "face.alarm_raised"}) == 1


def test_a_device_of_several_accounts_raises_an_alarm_of_its_own_and_of_one_account_none(clocked):
    persons = [a_retiree() for _ in range(2)]
    phone = one_phone_for(*persons)
    for person in persons:
        fail(person, phone, device_id=PHONE)
    assert the_alarm()["kind"] == "account_several_people"
    fail(persons[0], helper_of(persons[0]), device_id=PHONE.upper())
    for person in (a_retiree(), a_retiree()):
        fail(person, oneself(person), device_id=PHONE.replace("0", "7"))
    kinds = sorted(alarm["kind"] for alarm in face_alarms.listed(CITY)[0])
    assert kinds == ["account_several_people", "device_several_people"]


def test_an_attempt_that_passes_for_a_person_recorded_as_deceased_raises_an_alarm(clocked):
    person = a_retiree()
    attempt = an_attempt(person)
    people.change(person["_id"], {"status": "deceased", "died_on": "2026-01-02"}, 1, COMMUNITY_WORKER)
    assert settle(attempt, "pass")["state"] == "in_review"
    assert the_alarm(STREET)["kind"] == "recorded_as_deceased"


def test_the_same_session_raises_an_alarm_once_also_after_it_was_closed(clocked):
    attempt, other = an_attempt(a_retiree()), a_retiree()
    first = raised(attempt, retiree_ids=[other["_id"]])
    assert raised(attempt, retiree_ids=[other["_id"]])["_id"] == first["_id"]
    face_alarms.close(first["_id"], "harmless", "夫妻同框", CITY)
    assert raised(attempt)["_id"] == first["_id"]
    assert face_alarms.listed(CITY) == ([], 0)
    again = an_attempt(other, Actor(access.FAMILY, attempt["account_id"], retiree_ids=(other["_id"],)))
    assert raised(again)["_id"] != first["_id"]


def test_sessions_of_one_account_that_are_told_of_at_once_end_in_one_alarm(clocked):
    persons = [a_retiree() for _ in range(3)]
    phone = one_phone_for(*persons)
    attempts = [an_attempt(person, phone) for person in persons]
    results = at_once(*[lambda attempt=attempt: raised(attempt) for attempt in attempts])
    for attempt, result in zip(attempts, results, strict=True):
        if isinstance(result, Exception):
            raised(attempt)  # as its job would, again
    assert len(the_alarm()["retirees"]) == 3


def test_nobody_raises_an_alarm_that_has_no_name(clocked):
    attempt = an_attempt(a_retiree())
    with pytest.raises(ValueError, match="no alarm"):
        raised(attempt, "bad_mood")


def test_the_log_tells_of_an_alarm_without_a_word_about_its_people(clocked, caplog, capsys):
    persons, _ = several(COMMUNITY, COMMUNITY)
    finish_work()
    logged = caplog.text + capsys.readouterr().out
    assert logged.count("face_alarm_raised") == 1
    assert "account_several_people" in logged
    for person in persons:
        assert str(person["_id"]) not in logged
        assert person["name"] not in logged


# ---- Seeing


def test_the_supervisors_of_either_person_see_the_alarm_but_only_their_own_people(clocked):
    persons, _ = several(COMMUNITY, OTHER_STREET_COMMUNITY)
    for actor, own in ((STREET, persons[0]), (OTHER_STREET, persons[1])):
        alarm = the_alarm(actor)
        assert [person["_id"] for person in alarm["retirees"]] == [own["_id"]]
        assert (alarm["others"], alarm["may_close"]) == (1, False)
        attempts = face_alarms.get(alarm["_id"], actor)["attempts"]
        assert [attempt["retiree_id"] for attempt in attempts] == [own["_id"]]
    assert (the_alarm(DISTRICT)["others"], the_alarm(DISTRICT)["may_close"]) == (0, True)


def test_an_area_that_lies_between_the_places_of_an_alarm_does_not_see_it(clocked):
    several("430102001001", "430103001001")
    between = Actor(access.STREET, division="430102002")
    assert face_alarms.listed(between) == ([], 0)
    assert face_alarms.counts(between) == {"open": 0, "late": 0}


def test_whoever_covers_none_of_the_people_finds_nothing(clocked):
    several(COMMUNITY, COMMUNITY)
    alarm = the_alarm()
    assert face_alarms.listed(OTHER_CITY) == ([], 0)
    for look in (
        lambda: face_alarms.get(alarm["_id"], OTHER_CITY),
        lambda: face_alarms.close(alarm["_id"], "harmless", "没有问题", OTHER_CITY),
    ):
        with pytest.raises(NotFound, match="alarm_not_found"):
            look()


@pytest.mark.parametrize("role", [access.COMMUNITY, access.AUDITOR, access.ADMINISTRATOR, access.ENTERPRISE])
def test_alarms_are_for_the_street_and_above(clocked, role):
    several(COMMUNITY, COMMUNITY)
    actor = Actor(role, division=COMMUNITY)
    with pytest.raises(Forbidden):
        face_alarms.listed(actor)
    assert face_alarms.counts(actor) == {"open": 0, "late": 0}


def test_the_oldest_alarm_comes_first_and_after_three_days_it_is_late(clocked):
    several(COMMUNITY, COMMUNITY)
    clocked.shift(86_400)
    several(COMMUNITY, COMMUNITY)
    clocked.shift(2 * 86_400)
    rows, _ = face_alarms.listed(STREET)
    assert [row["late"] for row in rows] == [True, False]
    assert rows[0]["raised_at"] < rows[1]["raised_at"]
    assert face_alarms.counts(STREET) == {"open": 2, "late": 1}


# ---- Closing


def test_harmless_frees_the_account_at_once_and_what_was_before_counts_no_longer(clocked):
    persons, phone = several(COMMUNITY, COMMUNITY)
    with pytest.raises(TooMany, match="face_paused"):
        start(persons[0], phone)
    closed = face_alarms.close(the_alarm()["_id"], "harmless", "女儿帮父母办，照片太旧", STREET)
    assert (closed["state"], closed["finding"], closed["closed_by"]["role"]) == ("closed", "harmless", "street")
    fail(persons[0], phone)
    assert face_alarms.listed(CITY) == ([], 0)
    entry = collection("audit").find_one({"action": "face.alarm_closed"})
    assert entry["after"] == {"finding": "harmless", "note": "女儿帮父母办，照片太旧"}


def test_suspected_fraud_leaves_the_lock_and_the_next_failure_raises_a_new_alarm(clocked):
    persons, phone = several(COMMUNITY, COMMUNITY)
    face_alarms.close(the_alarm()["_id"], "fraud_suspected", "本人说不认识", STREET)
    with pytest.raises(TooMany, match="face_paused"):
        start(persons[0], phone)
    clocked.shift(86_401)
    fail(persons[0], phone)
    assert len(the_alarm()["retirees"]) == 2
    assert face_alarms.listed(CITY, state="closed")[1] == 1


def test_a_street_does_not_close_what_concerns_another_street(clocked):
    persons, phone = several(COMMUNITY, OTHER_STREET_COMMUNITY)
    alarm = the_alarm()
    with pytest.raises(Conflict, match="beyond_area"):
        face_alarms.close(alarm["_id"], "harmless", "没有问题", STREET)
    with pytest.raises(TooMany):
        start(persons[0], phone)
    face_alarms.close(alarm["_id"], "harmless", "没有问题", DISTRICT)
    start(persons[0], phone)


def test_the_city_of_any_of_them_closes_what_no_area_covers(clocked):
    several(COMMUNITY, OTHER_CITY_COMMUNITY)
    alarm = the_alarm()
    for actor in (STREET, DISTRICT):
        with pytest.raises(Conflict, match="beyond_area"):
            face_alarms.close(alarm["_id"], "harmless", "没有问题", actor)
    assert the_alarm(OTHER_CITY)["may_close"]
    assert face_alarms.close(alarm["_id"], "fraud_suspected", "已联系", CITY)["state"] == "closed"


def test_of_two_supervisors_who_close_at_once_one_does(clocked):
    several(COMMUNITY, COMMUNITY)
    alarm = the_alarm()
    results = at_once(*[lambda: face_alarms.close(alarm["_id"], "harmless", "没有问题", STREET)] * 3)
    codes = sorted(getattr(result, "code", "done") for result in results)
    assert codes == ["alarm_closed", "alarm_closed", "done"]
    assert collection("audit").count_documents({"action": "face.alarm_closed"}) == 1


def test_a_harmless_alarm_frees_the_phone_but_a_locked_person_waits_for_a_worker(clocked):
    father, mother = a_retiree(), a_retiree()
    phone = one_phone_for(father, mother)
    for person in (father, father, father, mother):
        fail(person, phone)
    face_alarms.close(the_alarm()["_id"], "harmless", "女儿帮父母办", STREET)
    with pytest.raises(Conflict, match="face_locked"):
        start(father, phone)
    start(mother, phone)
