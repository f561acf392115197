"""What the house says by itself is true for whoever reads it."""

from __future__ import annotations

import pytest

from models import access, face_limits, message_templates
from models import certification_sessions as sessions
from models.access import Actor
from models.database import collection, transaction
from notifications import sms
from tests.builders import COMMUNITY_WORKER, a_retiree, an_attempt, finish_work, oneself


def fail(person, actor, *reasons: str) -> None:
    attempt = an_attempt(person, actor)
    transaction(lambda session: sessions.settle(session, attempt, "fail", list(reasons), {}))


def told(person) -> list[str]:
    return [row["template"] for row in collection("messages").find({"retiree_id": person["_id"]}).sort("_id")]


def test_the_failure_that_locks_the_face_sends_to_a_person_and_not_to_another_try(ground):
    person = a_retiree()
    actor = oneself(person)
    for _ in range(3):
        fail(person, actor, "different_person")
        finish_work()
    assert told(person) == ["attempt_failed", "attempt_failed", "attempt_failed_locked"]
    last = collection("messages").find_one({"template": "attempt_failed_locked"})
    assert "再试" not in last["body"]
    assert last["link"] == "/help"


def test_the_third_failure_of_a_day_in_bad_light_sends_to_a_person_as_well(ground):
    person = a_retiree()
    actor = oneself(person)
    for _ in range(3):
        fail(person, actor, "too_dark")
    finish_work()
    assert sessions.wants_a_person(collection("retirees").find_one({"_id": person["_id"]}))
    assert told(person)[-1] == "attempt_failed_locked"


def test_who_was_unlocked_before_the_message_was_written_may_try_again(ground):
    person = a_retiree()
    actor = oneself(person)
    for _ in range(3):
        fail(person, actor, "different_person")
    face_limits.unlock(person["_id"], "本人来过窗口，已核对", COMMUNITY_WORKER)
    finish_work()
    assert told(person) == ["attempt_failed"] * 3


def test_an_office_may_word_the_codes_as_its_carrier_approved_them(ground):
    writer = Actor(access.ADMINISTRATOR)
    words = {
        "title": "",
        "body": "",
        "link": "",
        "channels": {"wechat": None, "sms": "您的验证码为{code}，{minutes}分钟内有效。"},
    }
    message_templates.draft("sign_in_code", words, writer)
    message_templates.activate("sign_in_code", 1, writer)
    assert sms.render("sign_in_code", {"code": "123456", "minutes": "5"}).endswith("您的验证码为123456，5分钟内有效。")
    with pytest.raises(KeyError):
        sms.render("certified", {"certified_on": "2026年3月15日", "due_on": "2027年3月15日"})
