"""One “允许” is one message: grants are counted, never used twice, and forgotten where WeChat knows better."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from bson import ObjectId

from models import access, accounts, clock, message_templates, subscription_grants
from models.access import Actor
from models.built_in_templates import MOMENTS
from models.database import collection
from models.errors import Conflict, Invalid
from tests.builders import a_retiree, helper_of, oneself
from tests.story import settings_with

NOTICE = "sandbox_notice"
DUE = "sandbox_certification_due"


def somebody() -> Actor:
    return oneself(a_retiree())


def left(actor: Actor, template_id: str = NOTICE) -> int:
    return subscription_grants.held([actor.account_id], template_id).get(actor.account_id, 0)


def ledger(actor: Actor) -> list[tuple[str, int]]:
    rows = collection("subscription_ledger").find({"account_id": actor.account_id}).sort("$natural")
    return [(row["kind"], row["left"]) for row in rows]


def offered(actor: Actor, moment: str = "home") -> list[str]:
    return [row["key"] for row in subscription_grants.offered(moment, actor)]


def test_every_accept_is_one_message_more(ground):
    actor = somebody()
    assert subscription_grants.note({NOTICE: "accept", DUE: "reject"}, actor) == {NOTICE: 1, DUE: 0}
    assert subscription_grants.note({NOTICE: "accept"}, actor) == {NOTICE: 2}
    assert (left(actor), left(actor, DUE)) == (2, 0)
    assert ledger(actor) == [("rejected", 0), ("given", 1), ("given", 2)]


def test_a_grant_is_used_once_and_where_none_is_left_nothing_is_sent(ground):
    actor = somebody()
    subscription_grants.note({NOTICE: "accept"}, actor)
    assert subscription_grants.take(actor.account_id, NOTICE)
    assert not subscription_grants.take(actor.account_id, NOTICE)
    assert not subscription_grants.take(ObjectId(), NOTICE)
    assert ledger(actor) == [("given", 1), ("used", 0)]


def test_many_senders_at_once_use_no_more_than_was_allowed(ground):
    actor = somebody()
    for _ in range(5):
        subscription_grants.note({NOTICE: "accept"}, actor)
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda _: subscription_grants.take(actor.account_id, NOTICE), range(16)))
    assert taken.count(True) == 5
    assert left(actor) == 0
    assert sorted(row[1] for row in ledger(actor) if row[0] == "used") == [0, 1, 2, 3, 4]


def test_first_taps_on_two_phones_of_one_account_are_both_counted(ground):
    actor = somebody()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: subscription_grants.note({NOTICE: "accept"}, actor), range(8)))
    assert left(actor) == 8


def test_a_message_that_never_left_gives_its_grant_back(ground):
    actor = somebody()
    subscription_grants.note({NOTICE: "accept"}, actor)
    subscription_grants.take(actor.account_id, NOTICE)
    subscription_grants.give_back(actor.account_id, NOTICE)
    assert left(actor) == 1
    assert ledger(actor)[-1] == ("returned", 1)


@pytest.mark.parametrize("how", ["refuse", "ban"])
def test_what_wechat_does_not_know_is_forgotten(ground, how):
    actor = somebody()
    subscription_grants.note({NOTICE: "accept", DUE: "accept"}, actor)
    if how == "refuse":
        subscription_grants.refuse(actor.account_id, NOTICE)
    else:
        subscription_grants.note({NOTICE: "ban"}, actor)
    assert (left(actor), left(actor, DUE)) == (0, 1)


def test_grants_of_many_accounts_are_read_at_once(ground):
    first, second, third = somebody(), somebody(), somebody()
    subscription_grants.note({NOTICE: "accept"}, first)
    subscription_grants.note({NOTICE: "accept"}, third)
    ids = [first.account_id, second.account_id]
    assert subscription_grants.held(ids, NOTICE) == {first.account_id: 1}


def test_an_account_never_holds_more_than_a_hundred_whatever_its_phone_says(ground):
    actor = somebody()
    collection("subscription_grants").insert_one({"account_id": actor.account_id, "template_id": NOTICE, "grants": 100})
    assert subscription_grants.note({NOTICE: "accept"}, actor) == {NOTICE: 100}


# ---- Asking


def test_a_phone_asks_for_what_belongs_to_the_moment_and_never_for_more_than_three(ground):
    actor = somebody()
    assert offered(actor, "certified") == ["notice", "certification_due"]
    for moment in MOMENTS:
        rows = subscription_grants.offered(moment, actor)
        assert 1 <= len(rows) <= 3
        assert all(row["words"] and row["template_id"] for row in rows)


def test_whoever_allows_enough_already_is_not_asked_again(ground):
    actor = somebody()
    for _ in range(subscription_grants.ENOUGH):
        assert "notice" in offered(actor)
        subscription_grants.note({NOTICE: "accept"}, actor)
    assert "notice" not in offered(actor)
    subscription_grants.take(actor.account_id, NOTICE)
    assert "notice" in offered(actor)


def test_whoever_said_no_is_left_alone_for_a_week(ground):
    actor = somebody()
    with time_machine.travel("2026-03-01T10:00:00+08:00", tick=False) as clocked:
        subscription_grants.note({NOTICE: "reject"}, actor)
        assert "notice" not in offered(actor)
        clocked.shift(clock.days(6.9))
        assert "notice" not in offered(actor)
        clocked.shift(clock.days(0.2))
        assert "notice" in offered(actor)
        subscription_grants.note({NOTICE: "accept"}, actor)
        assert "notice" in offered(actor)


def test_a_version_that_names_another_template_of_wechat_starts_at_none(ground):
    actor, writer = somebody(), Actor(access.ADMINISTRATOR, ObjectId())
    subscription_grants.note({NOTICE: "accept"}, actor)
    wechat = {"template_id": "our_own", "fields": [{"name": "thing1", "value": "{title}"}]}
    words = {"title": "{title}", "body": "{summary}", "link": "", "channels": {"wechat": wechat, "sms": None}}
    message_templates.draft("notice", words, writer)
    message_templates.activate("notice", 1, writer)
    assert subscription_grants.offered("home", actor)[0]["template_id"] == "our_own"
    assert left(actor, "our_own") == 0
    with pytest.raises(Invalid) as caught:
        subscription_grants.note({NOTICE: "accept"}, actor)
    assert caught.value.code == "unknown_template"


def test_an_account_that_never_came_by_wechat_is_asked_for_nothing(ground):
    person = a_retiree()
    account = accounts.of_phone("16900000001")
    actor = Actor(access.RETIREE, account["_id"], retiree_ids=(person["_id"],))
    assert offered(actor) == []
    with pytest.raises(Conflict) as caught:
        subscription_grants.note({NOTICE: "accept"}, actor)
    assert caught.value.code == "not_on_wechat"


def test_without_templates_of_ones_own_the_real_wechat_is_not_asked_for_anything(ground):
    actor = helper_of(a_retiree())
    with settings_with(WECHAT_API_BASE="https://api.weixin.qq.com"):
        assert offered(actor) == []
