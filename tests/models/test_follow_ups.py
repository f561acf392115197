"""Follow-ups: one open request a person, seen by the own area, done once."""

from __future__ import annotations

import pytest

from models import access, by_hand, clock, follow_ups
from models.access import Actor
from models.database import collection
from models.errors import Conflict, Forbidden, NotFound
from tests.builders import COMMUNITY_WORKER, OTHER_COMMUNITY, a_retiree, audit_actions, finish_work, oneself
from tests.story import at_once

ELSEWHERE = Actor(access.COMMUNITY, division=OTHER_COMMUNITY)


def test_asking_again_changes_the_method_of_the_one_open_request(ground):
    person = a_retiree()
    phone = oneself(person)
    follow_ups.ask_for_help(person["_id"], "window", "", phone)
    follow_ups.ask_for_help(person["_id"], "home_visit", "腿脚不便", phone)
    rows, total = follow_ups.listed(COMMUNITY_WORKER)
    assert total == 1
    assert (rows[0]["method"], rows[0]["note"]) == ("home_visit", "腿脚不便")


def test_two_taps_at_once_make_one_request(ground):
    person = a_retiree()
    phone = oneself(person)
    at_once(*[lambda: follow_ups.ask_for_help(person["_id"], "window", "", phone)] * 3)
    assert follow_ups.listed(COMMUNITY_WORKER)[1] == 1


def test_whoever_asks_is_told_that_somebody_will_call(ground):
    person = a_retiree()
    follow_ups.ask_for_help(person["_id"], "video", "", oneself(person))
    finish_work()
    (message,) = collection("messages").find({"retiree_id": person["_id"]})
    assert "视频" in message["body"]


def test_only_the_own_area_sees_and_does_a_follow_up(ground):
    person = a_retiree()
    row = follow_ups.ask_for_help(person["_id"], "window", "", oneself(person))
    assert follow_ups.listed(ELSEWHERE) == ([], 0)
    with pytest.raises(NotFound):
        follow_ups.complete(row["_id"], "已办理", ELSEWHERE)
    with pytest.raises(Forbidden):
        follow_ups.listed(oneself(person))
    with pytest.raises(NotFound):
        follow_ups.ask_for_help(person["_id"], "window", "", ELSEWHERE)


def test_a_follow_up_is_done_once_with_an_outcome(ground):
    person = a_retiree()
    row = follow_ups.ask_for_help(person["_id"], "window", "", oneself(person))
    results = at_once(*[lambda: follow_ups.complete(row["_id"], "已电话联系", COMMUNITY_WORKER)] * 3)
    assert sum(isinstance(result, Conflict) for result in results) == 2
    assert follow_ups.listed(COMMUNITY_WORKER, state="done")[0][0]["outcome"] == "已电话联系"
    assert audit_actions(person).count("follow_up.done") == 1


def test_a_certification_by_any_method_closes_the_request(ground):
    person = a_retiree()
    phone = oneself(person)
    follow_ups.ask_for_help(person["_id"], "home_visit", "", phone)
    by_hand.record(person["_id"], "home_visit", clock.today(), "上门见到本人", COMMUNITY_WORKER)
    assert follow_ups.open_for(person["_id"], phone) is None
    assert follow_ups.listed(COMMUNITY_WORKER, state="done")[0][0]["outcome"] == "certified"


def test_a_request_can_be_made_again_after_the_last_one_was_done(ground):
    person = a_retiree()
    phone = oneself(person)
    first = follow_ups.ask_for_help(person["_id"], "window", "", phone)
    follow_ups.complete(first["_id"], "没有联系上", COMMUNITY_WORKER)
    second = follow_ups.ask_for_help(person["_id"], "window", "", phone)
    assert first["_id"] != second["_id"]
    finish_work()
    assert collection("messages").count_documents({"retiree_id": person["_id"]}) == 2
