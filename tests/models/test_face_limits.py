"""Limits of attempts by face: what locks a person, an account, a device; whom it must not stop; who lifts it."""

from __future__ import annotations

import pytest
import time_machine

from models import access, bindings, clock, face_limits, follow_ups, people, rules
from models import certification_sessions as sessions
from models.access import Actor
from models.database import collection, transaction
from models.errors import Conflict, Forbidden, NotFound, TooMany
from tests.builders import (
    COMMUNITY_WORKER,
    OTHER_COMMUNITY,
    a_retiree,
    an_attempt,
    audit_actions,
    helper_of,
    oneself,
)
from tests.story import at_once

ELSEWHERE = Actor(access.COMMUNITY, division=OTHER_COMMUNITY)
PHONE = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def clocked(ground):
    """Noon, so that a test that goes on for hours stays within its day."""
    with time_machine.travel(clock.start_of(clock.today()) + clock.days(1.5), tick=False) as clocked:
        yield clocked


def one_phone_for(*persons):
    """An account that is bound to all of them."""
    first = helper_of(persons[0])
    for person in persons[1:]:
        collection("bindings").insert_one(
            {
                "account_id": first.account_id,
                "retiree_id": person["_id"],
                "state": bindings.CONFIRMED,
                "relation": "child",
            }
        )
    return Actor(access.FAMILY, first.account_id, retiree_ids=tuple(person["_id"] for person in persons))


def start(person, actor, **more):
    return sessions.start(person["_id"], actor, **{"consent": True, **more})


def settle(attempt, verdict: str, *reasons: str):
    return transaction(lambda session: sessions.settle(session, attempt, verdict, list(reasons), {}))


def fail(person, actor, *reasons: str, **more):
    return settle(an_attempt(person, actor, **more), "fail", *(reasons or ("different_person",)))


def certify(person, actor, **more):
    return settle(an_attempt(person, actor, **more), "pass")


def locked(person) -> bool:
    return face_limits.locked(people.get(person["_id"], access.system()))


def a_locked_person(clocked, phone=None):
    """Three suspicious failures on three days."""
    person = a_retiree()
    for _ in range(3):
        fail(person, phone or oneself(person))
        clocked.shift(86_400)
    return person


# ---- A person


def test_three_suspicious_failures_within_thirty_days_lock_the_face_and_put_it_before_the_community(clocked):
    person = a_retiree()
    phone = oneself(person)
    for passed_days in (1, 28):
        fail(person, phone)
        clocked.shift(86_400 * passed_days)
    assert not locked(person)
    fail(person, phone)
    assert locked(person)
    assert sessions.wants_a_person(people.get(person["_id"], phone))
    with pytest.raises(Conflict, match="face_locked"):
        start(person, phone)
    with pytest.raises(Conflict, match="face_locked"):
        start(person, helper_of(person))
    (row,), total = follow_ups.listed(COMMUNITY_WORKER)
    assert (row["kind"], row["retiree"]["_id"], total) == ("face_locked", person["_id"], 1)
    assert "face.locked" in audit_actions(person)


def test_failures_more_than_thirty_days_apart_do_not_add_up(clocked):
    person = a_retiree()
    phone = oneself(person)
    for _ in range(4):
        fail(person, phone)
        clocked.shift(86_400 * 16)
    assert not locked(person)


def test_a_man_of_83_who_fails_in_a_dark_kitchen_day_after_day_is_never_locked(clocked):
    person = a_retiree()
    phone = oneself(person)
    for reason in ("too_dark", "blurred", "action_not_seen", "no_face", "nothing_moved", "eyes_covered"):
        fail(person, phone, reason)
        fail(person, phone, reason)
        clocked.shift(86_400)
    assert not locked(person)
    assert collection("face_failures").count_documents({}) == 0
    start(person, phone)


def test_a_review_counts_only_once_a_person_has_refused_it(clocked):
    person = a_retiree()
    phone = oneself(person)
    for approve in (True, False):
        attempt = an_attempt(person, phone)
        settle(attempt, "review", "flat_face")
        assert collection("face_failures").count_documents({}) == 0
        sessions.decide(attempt["_id"], approve=approve, reason="看过了", actor=COMMUNITY_WORKER)
    assert collection("face_failures").count_documents({"counts": True}) == 1


def test_a_failure_is_counted_once_however_often_it_is_counted(clocked):
    person = a_retiree()
    phone = oneself(person)
    attempt = fail(person, phone)
    for _ in range(3):
        transaction(lambda session: face_limits.count_failure(session, attempt))
    sessions.ask_for_review(attempt["_id"], phone)
    sessions.decide(attempt["_id"], approve=False, reason="不是本人", actor=COMMUNITY_WORKER)
    assert collection("face_failures").count_documents({}) == 1
    assert not locked(person)


def test_a_check_that_dies_before_its_commit_has_counted_nothing(clocked):
    person = a_retiree()
    attempt = an_attempt(person)

    def dies(session):
        sessions.settle(session, attempt, "fail", ["different_person"], {})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transaction(dies)
    assert collection("face_failures").count_documents({}) == 0
    settle(attempt, "fail", "different_person")
    assert collection("face_failures").count_documents({}) == 1


def test_a_worker_unlocks_with_a_reason_and_the_person_may_try_at_once(clocked):
    person = a_retiree()
    phone = oneself(person)
    for _ in range(3):
        fail(person, phone)
    face_limits.unlock(person["_id"], "已见到本人", COMMUNITY_WORKER)
    assert not locked(person)
    assert follow_ups.listed(COMMUNITY_WORKER) == ([], 0)
    assert follow_ups.listed(COMMUNITY_WORKER, state="done")[0][0]["outcome"] == "face_unlocked"
    entry = collection("audit").find_one({"action": "face.unlocked", "subject.id": person["_id"]})
    assert entry["after"] == {"reason": "已见到本人"}
    fail(person, phone)
    fail(person, phone)
    assert not locked(person), "what was before the look counts no longer"


def test_of_two_workers_who_unlock_at_once_one_does(clocked):
    person = a_locked_person(clocked)
    results = at_once(*[lambda: face_limits.unlock(person["_id"], "已见到本人", COMMUNITY_WORKER)] * 3)
    assert sorted(getattr(result, "code", "done") for result in results) == ["done", "not_locked", "not_locked"]
    assert audit_actions(person).count("face.unlocked") == 1


def test_only_the_own_office_unlocks(clocked):
    person = a_locked_person(clocked)
    with pytest.raises(NotFound):
        face_limits.unlock(person["_id"], "已见到本人", ELSEWHERE)
    with pytest.raises(Forbidden):
        face_limits.unlock(person["_id"], "是我本人", oneself(person))
    assert locked(person)


def test_a_review_that_a_worker_approves_is_the_look_that_unlocks(clocked):
    person = a_retiree()
    phone = oneself(person)
    attempts = [fail(person, phone) for _ in range(3)]
    sessions.ask_for_review(attempts[0]["_id"], phone)
    sessions.decide(attempts[0]["_id"], approve=True, reason="是本人，登记照片太旧", actor=COMMUNITY_WORKER)
    assert not locked(person)
    assert collection("face_failures").count_documents({"counts": True}) == 0
    start(person, phone)


def test_whoever_is_locked_may_still_ask_for_the_window_a_visit_or_video(clocked):
    person = a_locked_person(clocked)
    for method in follow_ups.METHODS:
        assert follow_ups.ask_for_help(person["_id"], method, "", oneself(person))["method"] == method


# ---- An account


def test_suspicious_failures_against_two_people_within_a_day_lock_the_account_for_a_day(clocked):
    people_ = [a_retiree() for _ in range(3)]
    phone = one_phone_for(*people_)
    fail(people_[0], phone)
    clocked.shift(86_399)
    fail(people_[1], phone)
    with pytest.raises(TooMany, match="face_paused") as refused:
        start(people_[2], phone)
    assert refused.value.retry_after == 86_401
    start(people_[2], oneself(people_[2]))
    clocked.shift(86_400)
    start(people_[0], phone)


def test_counting_a_failure_again_does_not_lengthen_the_lock(clocked):
    persons = [a_retiree(), a_retiree()]
    phone = one_phone_for(*persons)
    attempts = [fail(person, phone) for person in persons]
    clocked.shift(3600)
    for attempt in attempts:
        assert transaction(lambda session, attempt=attempt: face_limits.count_failure(session, attempt)) == []
    with pytest.raises(TooMany, match="face_paused") as refused:
        start(persons[0], phone)
    assert refused.value.retry_after == 23 * 3600 + 1


def test_failures_against_two_people_on_different_days_do_not_lock_the_account(clocked):
    people_ = [a_retiree(), a_retiree()]
    phone = one_phone_for(*people_)
    fail(people_[0], phone)
    clocked.shift(86_401)
    fail(people_[1], phone)
    start(people_[0], phone)


def test_five_suspicious_failures_within_a_week_lock_the_account(clocked):
    people_ = [a_retiree() for _ in range(5)]
    phone = one_phone_for(*people_)
    for person in people_:
        clocked.shift(86_401)
        start(person, phone)
        fail(person, phone)
    with pytest.raises(TooMany, match="face_paused"):
        start(people_[0], phone)


def test_a_volunteer_with_fifteen_neighbours_may_meet_two_old_photographs(clocked):
    neighbours = [a_retiree() for _ in range(15)]
    phone = one_phone_for(*neighbours)
    for person in neighbours[2:]:
        fail(person, phone, "too_dark")
        certify(person, phone)
    for person in neighbours[:2]:
        fail(person, phone)
        fail(person, phone)
        start(person, phone)


def test_who_passed_excuses_only_four_for_each_who_failed(clocked):
    neighbours = [a_retiree() for _ in range(10)]
    phone = one_phone_for(*neighbours)
    for person in neighbours[3:]:
        certify(person, phone)
    for person in neighbours[:2]:
        fail(person, phone)
    with pytest.raises(TooMany, match="face_paused"):
        start(neighbours[2], phone)


def test_a_daughter_with_four_parents_helps_them_all_on_one_day(clocked):
    parents = [a_retiree() for _ in range(4)]
    phone = one_phone_for(*parents)
    fail(parents[0], phone)
    fail(parents[0], phone)
    for parent in parents:
        certify(parent, phone)


def test_an_account_opens_sixty_sessions_a_day(clocked):
    neighbours = [a_retiree() for _ in range(7)]
    phone = one_phone_for(*neighbours)
    for number in range(60):
        start(neighbours[number % 7], phone)
    with pytest.raises(TooMany, match="too_many_sessions"):
        start(neighbours[0], phone)
    clocked.shift(43_200)
    start(neighbours[0], phone)


def test_phones_of_one_account_that_start_at_once_do_not_get_past_the_limit(clocked):
    collection("rules").insert_one(
        rules.Rule("certification_sessions_per_day_account", 3, "测试", "2026-01-01").as_document()
    )
    persons = [a_retiree() for _ in range(8)]
    phone = one_phone_for(*persons)
    results = at_once(*[lambda person=person: start(person, phone) for person in persons])
    refused = [result for result in results if isinstance(result, Exception)]
    assert [getattr(error, "code", error) for error in refused] == ["too_many_sessions"] * 5
    assert collection("certification_sessions").count_documents({}) == 3


def test_failures_of_one_account_that_are_decided_at_once_see_each_other(clocked):
    persons = [a_retiree() for _ in range(4)]
    phone = one_phone_for(*persons)
    attempts = [an_attempt(person, phone) for person in persons]
    results = at_once(*[lambda attempt=attempt: settle(attempt, "fail", "different_person") for attempt in attempts])
    assert [result["state"] for result in results] == ["failed"] * 4
    (alarm,) = collection("face_alarms").find()
    assert set(alarm["retiree_ids"]) == {person["_id"] for person in persons}
    with pytest.raises(TooMany, match="face_paused"):
        start(persons[0], phone)


def test_a_worker_who_unlocks_the_person_frees_the_phone_that_was_paused_for_him(clocked):
    father, mother = a_retiree(), a_retiree()
    phone = one_phone_for(father, mother)
    for _ in range(3):
        fail(father, phone)
    settle(an_attempt(mother, phone), "fail", "different_person")
    with pytest.raises(TooMany, match="face_paused"):
        start(mother, phone)
    face_limits.unlock(father["_id"], "已见到本人", COMMUNITY_WORKER)
    start(mother, phone)


# ---- A device


def test_one_device_with_several_accounts_is_locked_as_one_account_is(clocked):
    persons = [a_retiree() for _ in range(3)]
    for person in persons[:2]:
        fail(person, oneself(person), device_id=PHONE)
    with pytest.raises(TooMany, match="face_paused"):
        start(persons[2], oneself(persons[2]), device_id=PHONE)
    start(persons[2], oneself(persons[2]), device_id=PHONE.replace("0", "9"))
    entry = collection("audit").find_one({"action": "face.paused"})
    assert (entry["subject"]["kind"], entry["after"]["holder"]) == ("account", "device")
    assert face_limits.device_key(PHONE) not in str(list(collection("audit").find()))


def test_a_tablet_in_the_hall_of_an_office_goes_on_where_two_of_ten_fail(clocked):
    visitors = [a_retiree() for _ in range(11)]
    for person in visitors[:8]:
        certify(person, oneself(person), device_id=PHONE)
    for person in visitors[8:10]:
        fail(person, oneself(person), device_id=PHONE)
    start(visitors[10], oneself(visitors[10]), device_id=PHONE)


@pytest.mark.parametrize(
    "device_id", [None, "", "short", "x" * 65, "0123456789abcde\n", "一部手机一部手机一部手机一部手机"]
)
def test_a_device_without_a_proper_name_is_none(clocked, device_id):
    person = a_retiree()
    attempt = start(person, oneself(person), device_id=device_id)
    assert attempt["device_key"] is None


def test_of_a_device_only_a_keyed_hash_is_kept_and_that_for_as_long_as_it_counts(clocked):
    person = a_retiree()
    attempt = start(person, oneself(person), device_id=PHONE)
    assert len(attempt["device_key"]) == 64
    assert PHONE not in str(list(collection("certification_sessions").find()) + list(collection("face_holders").find()))
    clocked.shift(86_400 * 30)
    assert face_limits.forget_devices() == 0
    clocked.shift(86_401)
    assert face_limits.forget_devices() == 1
    assert sessions.by_id(attempt["_id"])["device_key"] is None
