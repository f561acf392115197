"""The check of an attempt: decided once, and software that fails never fails a retiree."""

from __future__ import annotations

import time_machine

from jobs import registry
from models import certification_sessions as sessions
from models import clock, face_references, files, outbox
from models.database import collection
from tests.builders import COMMUNITY_WORKER, a_retiree, an_attempt, audit_actions, finish_work, oneself
from tests.faces import actors
from tests.story import acted, agreed, at_once, enrolled, files_stored


def a_real_attempt(person, seed: int = 0):
    phone = oneself(person)
    attempt = sessions.start(person["_id"], phone, consent=True)
    return sessions.receive(attempt["_id"], acted(attempt, seed=seed), phone)


def check_of(attempt):
    return collection("outbox").find_one({"key": f"check:{attempt['_id']}"})


def state_of(attempt) -> str:
    return sessions.by_id(attempt["_id"])["state"]


def deliver_until_it_is_given_up(event) -> None:
    with time_machine.travel(clock.now(), tick=False) as clocked:
        for _ in range(outbox.MAX_ATTEMPTS):
            registry.deliver(str(event["_id"]))
            clocked.shift(2000)


def test_a_pass_deletes_its_frames_at_once_and_keeps_figures_policy_and_model(ground):
    person = a_retiree()
    enrolled(person)
    attempt = a_real_attempt(person)
    finish_work()
    held = sessions.by_id(attempt["_id"])
    assert (held["state"], held["frames"], files_stored()) == ("passed", [], 1)
    assert held["figures"]["policy"]
    assert held["figures"]["model"]
    assert held["figures"]["match"]["decision"] == "sure"
    assert [seen["action"] for seen in held["figures"]["actions"]] == attempt["actions"]


def test_a_check_that_is_delivered_to_two_workers_at_once_certifies_once(ground):
    person = a_retiree()
    enrolled(person)
    event = str(check_of(a_real_attempt(person))["_id"])
    at_once(*[lambda: registry.deliver(event)] * 2)
    assert collection("certificates").count_documents({}) == 1
    assert audit_actions(person).count("certification.passed") == 1


def test_a_check_whose_frames_cannot_be_read_goes_to_a_person_after_the_last_try(ground):
    person = a_retiree()
    attempt = an_attempt(person)
    collection("files.chunks").update_many({}, {"$set": {"data": b"\x01 the disk has lost this"}})
    deliver_until_it_is_given_up(check_of(attempt))
    held = sessions.by_id(attempt["_id"])
    assert (held["state"], held["reasons"]) == ("in_review", ["could_not_check"])
    assert "工作人员" in held["advice"][0]
    assert check_of(attempt)["state"] == "failed"
    assert sessions.reviews(COMMUNITY_WORKER)[1] == 1


def test_a_check_that_kills_its_worker_every_time_goes_to_a_person_too(ground):
    attempt = an_attempt(a_retiree())
    collection("outbox").update_one({"kind": "check"}, {"$set": {"attempts": outbox.MAX_ATTEMPTS}})
    registry.deliver(str(check_of(attempt)["_id"]))
    assert (state_of(attempt), check_of(attempt)["state"]) == ("in_review", "failed")


def test_a_check_whose_worker_was_killed_is_done_by_the_next(ground):
    attempt = an_attempt(a_retiree())
    outbox.hand_out()
    outbox.claim(check_of(attempt)["_id"])
    sessions.seen_before(attempt)  # it died after it had noted the frames
    with time_machine.travel(clock.now() + clock.seconds(60)):
        finish_work()
    held = sessions.by_id(attempt["_id"])
    assert held["state"] == "failed"
    assert held["reasons"] != ["seen_before"]


def test_consent_that_was_withdrawn_before_the_check_ends_it(ground):
    person = a_retiree()
    phone = oneself(person)
    attempt = an_attempt(person, phone)
    face_references.withdraw(person["_id"], phone)
    finish_work()
    assert sessions.by_id(attempt["_id"])["reasons"] == ["consent_withdrawn"]
    assert check_of(attempt)["state"] == "done"


def test_frames_that_are_gone_are_asked_for_again(ground):
    attempt = an_attempt(a_retiree())
    files.delete([frame["file_id"] for frame in attempt["frames"]])
    finish_work()
    held = sessions.by_id(attempt["_id"])
    assert (held["state"], held["reasons"]) == ("failed", ["frames_lost"])
    assert "重新照" in held["advice"][0]


def test_a_photograph_that_was_put_before_consent_is_compared_with_once_there_is_consent(ground):
    person = a_retiree()
    face_references.put_photo(person["_id"], actors.photo(), "staff", COMMUNITY_WORKER)
    finish_work()
    assert not face_references.of(person["_id"])["enrolled"]
    attempt = a_real_attempt(person)
    finish_work()
    assert state_of(attempt) == "passed"


def test_whoever_has_no_photograph_goes_to_a_person(ground):
    person = a_retiree()
    agreed(person)
    attempt = a_real_attempt(person)
    finish_work()
    assert (state_of(attempt), sessions.by_id(attempt["_id"])["reasons"]) == ("in_review", ["not_enrolled"])
