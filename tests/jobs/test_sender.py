"""What leaves the house: once, in time, not in the night, not too often, and what is not known is counted."""

from __future__ import annotations

import datetime as dt
import threading
import time
from concurrent.futures import Future

import pytest
import time_machine
from bson import ObjectId

from jobs import sender
from models import clock, contact_settings, deliveries, leases, messages, providers, subscription_grants
from models.database import collection, transaction
from models.deliveries import CALL, SMS, WECHAT
from models.message_templates import sandbox_template
from models.messages import EMERGENCY, IMPORTANT, ROUTINE
from notifications import engine
from tests.builders import COMMUNITY_WORKER, a_retiree, helper_of, oneself
from tests.gateways import gateways
from tests.house import wait_until
from tests.story import at_once

TEN_IN_THE_MORNING = dt.datetime(2026, 11, 23, 10, tzinfo=clock.SHANGHAI)
TEMPLATE = sandbox_template("notice")


@pytest.fixture
def clocked(ground):
    with time_machine.travel(TEN_IN_THE_MORNING, tick=False) as traveller:
        yield traveller


@pytest.fixture
def outside():
    with gateways() as both:
        yield both


def tell(person, importance: str = IMPORTANT, cause: str = "1", **more) -> None:
    values = {"title": "养老金调整说明", "summary": "下个月起养老金有调整。"}
    transaction(
        lambda session: engine.tell(session, person["_id"], "notice", cause, values, importance=importance, **more)
    )


def sent(person, importance: str = IMPORTANT, **more) -> list[tuple[str, str, str | None]]:
    """Say something, plan it and send it: (channel, state, why) of each delivery."""
    tell(person, importance, **more)
    sender.run()
    return how(person)


def how(person) -> list[tuple[str, str, str | None]]:
    rows = collection("deliveries").find({"retiree_id": person["_id"]}).sort("_id")
    return [(row["channel"], row["state"], row["error"] or row["waits_for"]) for row in rows]


def the_delivery(person, channel: str = SMS) -> dict:
    return collection("deliveries").find_one({"retiree_id": person["_id"], "channel": channel})


def the_message(person) -> dict:
    return collection("messages").find_one({"retiree_id": person["_id"]})


def grants_of(actor) -> int:
    return subscription_grants.held([actor.account_id], TEMPLATE).get(actor.account_id, 0)


def wishes(person, copy_family: bool = False, **channels: bool) -> None:
    wished = {**dict.fromkeys(contact_settings.CHANNELS, True), **channels}
    version = contact_settings.of_many([person["_id"]])[person["_id"]]["version"]
    contact_settings.put(person["_id"], wished, copy_family, version, COMMUNITY_WORKER)


# ---- Once


def test_a_text_message_leaves_once_and_the_gateway_has_it(clocked, outside):
    person = a_retiree()
    assert sent(person) == [(SMS, "accepted", None)]
    sender.run()
    (arrived,) = outside.sms.delivered()
    assert arrived["phone"] == person["phone"]
    assert arrived["text"].startswith("【银龄通】社区通知：养老金调整说明。")
    assert (the_delivery(person)["provider_id"], the_delivery(person)["attempts"]) == (arrived["message_id"], 1)
    deliveries.receipt("sms", arrived["message_id"], "delivered")
    assert how(person) == [(SMS, "delivered", None)]


def test_a_subscribe_message_uses_up_one_grant_and_opens_the_message(clocked, outside):
    person = a_retiree()
    actor = oneself(person)
    outside.grant(actor, times=2)
    assert sent(person, ROUTINE) == [(WECHAT, "accepted", None)]
    (arrived,) = outside.wechat.delivered()
    assert arrived["page"] == f"pages/index/index?message={the_message(person)['_id']}"
    assert arrived["data"]["thing1"]["value"] == "养老金调整说明"
    assert grants_of(actor) == 1


def test_hundreds_are_sent_once_each_by_several_senders_at_once(clocked, outside):
    persons = [a_retiree() for _ in range(60)]
    engine.tell_many(
        [row["_id"] for row in persons], "notice", "1", {"title": "标题", "summary": "摘要"}, importance=IMPORTANT
    )
    while engine.plan():
        pass
    pace = [sender.Pace(SMS, 1000) for _ in range(2)]
    over, planning = threading.Event(), Future()
    planning.set_result(None)
    at_once(*[lambda one=one: sender._send(one, planning, over) for one in pace for _ in range(3)])
    assert sorted(outside.texts()) == sorted(row["phone"] for row in persons)


def test_one_sender_runs_at_a_time(clocked, outside):
    person = a_retiree()
    tell(person)
    assert leases.take("sender", ObjectId(), 15)
    sender.run()
    assert how(person) == []
    clocked.shift(15)
    sender.run()
    assert how(person) == [(SMS, "accepted", None)]


# ---- Decided at the moment of sending


def planned(person, importance: str = IMPORTANT) -> None:
    tell(person, importance)
    while engine.plan():
        pass


def test_what_was_read_meanwhile_is_not_sent(clocked, outside):
    person = a_retiree()
    actor = oneself(person)
    planned(person)
    collection("messages").update_one({}, {"$set": {"read_at": clock.now()}})
    sender.run()
    assert how(person) == [(SMS, "cancelled", "read")]
    assert outside.texts() == []
    messages.mark_read(the_message(person)["_id"], actor)


def test_what_was_withdrawn_or_ran_out_meanwhile_is_not_sent(clocked, outside):
    withdrawn, over = a_retiree(), a_retiree()
    planned(withdrawn)
    collection("messages").update_one({"retiree_id": withdrawn["_id"]}, {"$set": {"ended": "withdrawn"}})
    tell(over, expires_on="2026-11-23")
    while engine.plan():
        pass
    clocked.shift(clock.days(1))
    sender.run()
    assert how(withdrawn) == [(SMS, "cancelled", "withdrawn")]
    assert how(over) == [(SMS, "cancelled", "expired")]
    assert outside.texts() == []


def test_what_was_switched_off_meanwhile_gives_way_to_the_next_channel(clocked, outside):
    person = a_retiree()
    planned(person)
    wishes(person, sms=False)
    sender.run()
    sender.run()
    assert how(person) == [(SMS, "cancelled", "not_wanted"), (CALL, "listed", None)]


def test_nothing_leaves_between_nine_and_eight_but_an_emergency(clocked, outside):
    person, urgent = a_retiree(), a_retiree()
    planned(person)
    clocked.move_to(TEN_IN_THE_MORNING.replace(hour=21))
    assert sent(urgent, EMERGENCY) == [(SMS, "accepted", None)]
    assert how(person) == [(SMS, "waiting", "quiet_hours")]
    clocked.move_to(TEN_IN_THE_MORNING.replace(hour=7, minute=59) + clock.days(1))
    sender.run()
    assert outside.texts() == [urgent["phone"]]
    clocked.move_to(TEN_IN_THE_MORNING.replace(hour=8) + clock.days(1))
    sender.run()
    assert how(person) == [(SMS, "accepted", None)]


def test_the_fourth_of_a_day_waits_for_the_morning_but_an_emergency_does_not(clocked, outside):
    person = a_retiree()
    for cause in "1234":
        tell(person, cause=cause)
    sender.run()
    assert sorted(row[1:] for row in how(person)) == [("accepted", None)] * 3 + [("waiting", "daily_cap")]
    assert ("accepted", None) in [row[1:] for row in sent(person, EMERGENCY, cause="5")][4:]
    assert len(outside.texts()) == 4
    clocked.move_to(TEN_IN_THE_MORNING.replace(hour=8) + clock.days(1))
    sender.run()
    assert len(outside.texts()) == 5


def test_a_number_where_no_text_message_arrives_leads_to_a_call_at_once(clocked, outside):
    person = a_retiree(phone="073182345678")
    assert sent(person) == [(SMS, "refused", "no_phone")]
    sender.run()
    assert how(person)[1:] == [(CALL, "listed", None)]


def test_an_account_that_does_not_act_for_the_person_any_more_gets_nothing(clocked, outside):
    person = a_retiree()
    child = helper_of(person)
    outside.grant(child)
    planned(person)
    collection("bindings").delete_many({})
    sender.run()
    assert how(person)[0] == (WECHAT, "refused", "gone")
    assert outside.openids() == []
    assert grants_of(child) == 1


def test_a_copy_goes_to_the_family_although_the_retiree_has_read(clocked, outside):
    person = a_retiree()
    actor, child = oneself(person), helper_of(person)
    for one in (actor, child):
        outside.grant(one)
    wishes(person, copy_family=True)
    planned(person)
    messages.mark_read(the_message(person)["_id"], actor)
    sender.run()
    assert sorted(how(person)) == [(WECHAT, "accepted", None), (WECHAT, "cancelled", "read")]
    assert grants_of(child) == 0
    assert grants_of(actor) == 1


def test_a_family_that_is_not_wanted_any_more_gets_no_copy(clocked, outside):
    person = a_retiree()
    oneself(person)
    outside.grant(helper_of(person))
    wishes(person, copy_family=True)
    planned(person)
    wishes(person, copy_family=False)
    sender.run()
    assert (WECHAT, "cancelled", "not_wanted") in how(person)
    assert outside.openids() == []


# ---- Grants


def test_where_wechat_knows_of_no_grant_ours_is_forgotten_and_a_text_message_follows(clocked, outside):
    person = a_retiree()
    actor = oneself(person)
    subscription_grants.note({TEMPLATE: "accept"}, actor)
    assert sent(person) == [(WECHAT, "refused", "no_grant")]
    assert grants_of(actor) == 0
    sender.run()
    assert how(person)[1:] == [(SMS, "accepted", None)]


def test_a_grant_that_was_used_for_another_message_meanwhile_is_not_used_twice(clocked, outside):
    person = a_retiree()
    outside.grant(oneself(person))
    planned(person, ROUTINE)
    tell(person, ROUTINE, cause="2")
    while engine.plan():
        pass
    sender.run()
    assert sorted(row[1:] for row in how(person)) == [("accepted", None), ("refused", "no_grant")]
    assert len(outside.openids()) == 1


def test_a_process_that_died_after_it_took_the_grant_does_not_cost_the_message(clocked, outside):
    person = a_retiree()
    actor = oneself(person)
    outside.grant(actor)
    planned(person, ROUTINE)
    claimed = deliveries.claim(WECHAT)
    assert engine.ready(claimed, engine.Policy())
    assert grants_of(actor) == 0
    clocked.shift(61)
    sender.run()
    assert how(person) == [(WECHAT, "accepted", None)]
    assert the_delivery(person, WECHAT)["lost_answers"] == 0


# ---- Providers that are not well


def test_a_busy_gateway_is_asked_again_and_the_message_arrives_once(clocked, outside):
    outside.sms.goes_wrong("busy", times=2)
    person = a_retiree()
    assert sent(person) == [(SMS, "waiting", "unavailable")]
    for _ in range(2):
        clocked.shift(600)
        sender.run()
    assert how(person) == [(SMS, "accepted", None)]
    assert outside.texts() == [person["phone"]]
    assert (the_delivery(person)["attempts"], the_delivery(person)["lost_answers"]) == (3, 0)


def test_a_busy_wechat_costs_no_grant(clocked, outside):
    person = a_retiree()
    actor = oneself(person)
    outside.grant(actor)
    outside.wechat.goes_wrong("busy")
    assert sent(person, ROUTINE) == [(WECHAT, "waiting", "unavailable")]
    assert grants_of(actor) == 1
    clocked.shift(600)
    sender.run()
    assert how(person) == [(WECHAT, "accepted", None)]
    assert grants_of(actor) == 0


def test_a_lost_answer_of_the_gateway_is_counted_and_the_text_may_arrive_twice(clocked, outside):
    outside.sms.goes_wrong("drop")
    person = a_retiree()
    assert sent(person) == [(SMS, "waiting", "answer_lost")]
    clocked.shift(600)
    sender.run()
    assert how(person) == [(SMS, "accepted", None)]
    assert the_delivery(person)["lost_answers"] == 1
    assert len(outside.texts()) == 2


def test_a_lost_answer_of_wechat_never_makes_two_messages_of_one_grant(clocked, outside):
    person = a_retiree()
    outside.grant(oneself(person))
    outside.wechat.goes_wrong("drop")
    assert sent(person, ROUTINE) == [(WECHAT, "waiting", "answer_lost")]
    clocked.shift(600)
    sender.run()
    assert how(person) == [(WECHAT, "refused", "answer_lost")]
    assert len(outside.openids()) == 1
    assert the_delivery(person, WECHAT)["lost_answers"] == 1


def test_a_grant_that_went_with_a_lost_answer_is_not_given_back_when_wechat_is_busy_later(clocked, outside):
    person = a_retiree()
    actor = oneself(person)
    outside.grant(actor)
    outside.wechat.goes_wrong("drop")
    outside.wechat.goes_wrong("busy")
    sent(person, ROUTINE)
    clocked.shift(600)
    sender.run()
    assert how(person) == [(WECHAT, "waiting", "unavailable")]
    assert grants_of(actor) == 0
    clocked.shift(600)
    sender.run()
    assert how(person) == [(WECHAT, "refused", "answer_lost")]
    assert len(outside.openids()) == 1


def test_a_message_that_wechat_never_got_is_sent_again_although_the_grant_was_taken(clocked, outside):
    person = a_retiree()
    outside.grant(oneself(person))
    planned(person, ROUTINE)
    claimed = deliveries.claim(WECHAT)
    assert engine.ready(claimed, engine.Policy())
    assert deliveries.begin(claimed, WECHAT)
    clocked.shift(61)
    sender.run()
    assert how(person) == [(WECHAT, "accepted", None)]
    assert the_delivery(person, WECHAT)["lost_answers"] == 1
    assert len(outside.openids()) == 1


def test_a_gateway_that_stays_away_ends_in_front_of_a_person(clocked, outside):
    outside.sms.goes_wrong("error", share=1)
    person = a_retiree()
    tell(person)
    for _ in range(deliveries.MAX_ATTEMPTS):
        sender.run()
        clocked.shift(3 * 3600)
        if not 8 <= clock.now().astimezone(clock.SHANGHAI).hour < 18:
            clocked.shift(14 * 3600)
    assert (SMS, "failed", "unavailable") in how(person)
    assert deliveries.listed(COMMUNITY_WORKER, state="failed")[1] == 1
    sender.run()
    assert (CALL, "listed", None) in how(person)


def test_a_gateway_that_is_down_is_left_alone_after_a_few_failures(clocked, outside):
    outside.sms.goes_wrong("error", share=1)
    persons = [a_retiree() for _ in range(40)]
    engine.tell_many(
        [row["_id"] for row in persons], "notice", "1", {"title": "标题", "summary": "摘要"}, importance=IMPORTANT
    )
    sender.run()
    asked = outside.sms.counts()["asked"]
    assert providers.FAILURES <= asked < providers.FAILURES + sender.MOST_THREADS
    sender.run()
    assert outside.sms.counts()["asked"] == asked
    outside.sms.is_well()
    for _ in range(6):
        clocked.shift(600)
        sender.run()
    assert sorted(outside.texts()) == sorted(row["phone"] for row in persons)
    assert collection("deliveries").count_documents({"state": "accepted"}) == 40


def test_a_text_message_does_not_wait_for_a_wechat_that_is_slow(clocked, outside):
    outside.wechat.goes_wrong("slow", share=1, seconds=0.4)
    for _ in range(40):
        person = a_retiree()
        outside.grant(oneself(person))
        tell(person, ROUTINE)
    by_sms = a_retiree()
    tell(by_sms)
    running = threading.Thread(target=sender.run)
    running.start()
    wait_until(outside.texts, "the text message", 10)
    assert len(outside.openids()) < 40
    running.join()
    assert len(outside.openids()) == 40


def test_wechat_goes_on_while_the_gateway_is_down(clocked, outside):
    outside.sms.goes_wrong("error", share=1)
    by_sms = [a_retiree() for _ in range(20)]
    by_wechat = a_retiree()
    outside.grant(oneself(by_wechat))
    for person in (*by_sms, by_wechat):
        tell(person)
    sender.run()
    assert how(by_wechat) == [(WECHAT, "accepted", None)]


# ---- As fast as the provider allows, and no faster


def test_the_limit_of_the_gateway_is_used_and_never_exceeded(ground):
    with gateways(per_second=40) as outside, time_machine.travel(TEN_IN_THE_MORNING):
        outside.sms.app.limit.per_second = 40
        persons = [a_retiree() for _ in range(60)]
        engine.tell_many(
            [row["_id"] for row in persons], "notice", "1", {"title": "标题", "summary": "摘要"}, importance=IMPORTANT
        )
        begun = time.perf_counter()
        sender.run()
        took = time.perf_counter() - begun
        assert sorted(outside.texts()) == sorted(row["phone"] for row in persons)
        assert "refused 429" not in outside.sms.counts()
    assert 59 / 40 <= took < 2 * 60 / 40 + 1
