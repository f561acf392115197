"""Deliveries: one a channel, claimed by one, sent once unless an answer was lost, and a person's work where devices end."""

from __future__ import annotations

import pytest
import time_machine
from bson import ObjectId

from models import access, audit, clock, deliveries, messages, people
from models.access import Actor
from models.database import collection
from models.errors import Conflict, Forbidden, NotFound
from tests.builders import (
    CITY_WORKER,
    COMMUNITY,
    COMMUNITY_WORKER,
    OTHER_COMMUNITY,
    a_message,
    a_retiree,
    audit_actions,
)
from tests.story import at_once

SECRETARY = Actor(access.BRANCH_SECRETARY, division=COMMUNITY)


def stopped():
    return time_machine.travel(clock.now(), tick=False)


def a_delivery(channel: str = deliveries.SMS, message=None, **more):
    message = message or a_message(a_retiree(), importance=messages.IMPORTANT)
    row = deliveries.make(message, channel, clock.now(), **more)
    assert deliveries.put_all([row]) == 1
    return row


def held(delivery) -> dict:
    return collection("deliveries").find_one({"_id": delivery["_id"]})


def being_sent(delivery=None):
    delivery = delivery or a_delivery()
    claimed = deliveries.claim(delivery["channel"])
    assert deliveries.begin(claimed, claimed["channel"])
    return claimed


# ---- Once


def test_whatever_is_planned_twice_is_one_delivery_a_channel_and_account(ground):
    message = a_message(a_retiree())
    for _ in range(2):
        deliveries.put_all(
            [
                deliveries.make(message, deliveries.SMS, clock.now()),
                deliveries.make(message, deliveries.CALL, clock.now()),
                deliveries.make(message, deliveries.WECHAT, clock.now(), account_id=message["_id"]),
            ]
        )
    assert collection("deliveries").count_documents({}) == 3


def test_of_many_senders_one_claims_a_delivery(ground):
    a_delivery()
    claimed = at_once(*[lambda: deliveries.claim(deliveries.SMS) for _ in range(8)])
    assert sum(row is not None for row in claimed) == 1


def test_emergencies_overtake_what_waits_longer(ground):
    with stopped() as clocked:
        routine = a_delivery()
        clocked.shift(10)
        person = a_retiree()
        urgent = a_delivery(message=a_message(person, importance=messages.EMERGENCY))
        later = a_delivery(message=a_message(person, "2", importance=messages.IMPORTANT))
        order = [deliveries.claim(deliveries.SMS)["_id"] for _ in range(3)]
    assert order == [urgent["_id"], routine["_id"], later["_id"]]
    assert deliveries.claim(deliveries.SMS) is None
    assert deliveries.claim(deliveries.WECHAT) is None


def test_whoever_lost_the_claim_sends_nothing(ground):
    a_delivery()
    with stopped() as clocked:
        slow = deliveries.claim(deliveries.SMS)
        clocked.shift(61)
        quick = deliveries.claim(deliveries.SMS)
        assert quick["_id"] == slow["_id"]
        assert not slow["interrupted"]
        assert quick["interrupted"]
        assert not deliveries.begin(slow, "sms")
        assert deliveries.begin(quick, "sms")
        deliveries.accept(slow, "1")
        assert held(quick)["state"] == deliveries.SENDING
        deliveries.accept(quick, "2")
    assert (held(quick)["state"], held(quick)["provider_id"]) == (deliveries.ACCEPTED, "2")


def test_a_delivery_that_was_put_off_in_order_was_not_interrupted(ground):
    a_delivery()
    claimed = deliveries.claim(deliveries.SMS)
    deliveries.postpone(claimed, clock.now(), deliveries.QUIET_HOURS)
    again = deliveries.claim(deliveries.SMS)
    assert (again["waits_for"], again["interrupted"], again["attempts"]) == (deliveries.QUIET_HOURS, False, 0)


# ---- Trying again


def test_a_process_that_dies_while_it_sends_leaves_a_lost_answer_that_is_counted_and_tried_again(ground):
    with stopped() as clocked:
        being_sent()
        assert deliveries.recover() == 0
        assert not deliveries.any_due()
        clocked.shift(61)
        assert deliveries.any_due()
        assert deliveries.recover() == 1
        again = deliveries.claim(deliveries.SMS)
    assert (again["lost_answers"], again["attempts"], again["error"]) == (1, 1, deliveries.ANSWER_LOST)


def test_tries_are_further_apart_each_time_and_end_in_front_of_a_person(ground):
    delivery = a_delivery()
    waits = []
    with stopped() as clocked:
        for _ in range(deliveries.MAX_ATTEMPTS):
            sent = being_sent(delivery)
            deliveries.try_again(sent, "unavailable")
            waits.append((held(delivery)["due_at"] - clock.now()).total_seconds())
            clocked.shift(3 * 3600)
    for wait, planned in zip(waits, deliveries.BACKOFF_SECONDS, strict=False):
        assert 0.8 * planned - 0.01 <= wait <= 1.2 * planned
    assert (held(delivery)["state"], held(delivery)["lost_answers"]) == (deliveries.FAILED, 0)
    assert deliveries.failed() == 1
    rows, total = deliveries.listed(COMMUNITY_WORKER, state=deliveries.FAILED)
    assert (total, rows[0]["message"]["title"]) == (1, "关于资格认证的通知")


def test_lost_answers_end_in_front_of_a_person_too(ground):
    delivery = a_delivery()
    with stopped() as clocked:
        for _ in range(deliveries.MAX_ATTEMPTS):
            being_sent(delivery)
            clocked.shift(61)
            deliveries.recover()
    assert (held(delivery)["state"], held(delivery)["lost_answers"]) == (deliveries.FAILED, 6)


@pytest.mark.parametrize("how", ["refused", "failed", "undelivered", "not wanted"])
def test_a_channel_that_leads_nowhere_makes_the_next_one_due_at_once(ground, how):
    with stopped() as clocked:
        message = a_message(a_retiree(), importance=messages.IMPORTANT)
        tomorrow = clock.now() + clock.days(1)
        messages.planned([(message, tomorrow, 2)])
        claimed = a_delivery(message=message)
        if how == "not wanted":
            deliveries.cancel_claimed(deliveries.claim(deliveries.SMS), deliveries.NOT_WANTED)
        else:
            claimed = being_sent(claimed)
        if how == "refused":
            deliveries.refuse(claimed, deliveries.NO_PHONE)
        if how == "failed":
            claimed["attempts"] = deliveries.MAX_ATTEMPTS
            deliveries.try_again(claimed, "unavailable")
        if how == "undelivered":
            deliveries.accept(claimed, "7")
            assert messages.to_plan(1) == []
            assert deliveries.receipt("sms", "7", "undelivered")
        assert [row["_id"] for row in messages.to_plan(1)] == [message["_id"]]
        clocked.shift(1)


def test_an_older_channel_that_fails_late_does_not_hurry_the_one_after_the_next(ground):
    message = a_message(a_retiree(), importance=messages.IMPORTANT)
    messages.planned([(message, clock.now() + clock.days(1), 2)])
    a_delivery(deliveries.WECHAT, message, account_id=message["_id"])
    deliveries.refuse(deliveries.claim(deliveries.WECHAT), deliveries.NO_GRANT)
    assert messages.to_plan(1) == []


# ---- Receipts


def test_a_receipt_counts_once_however_often_it_comes(ground):
    sent = being_sent()
    deliveries.accept(sent, "7")
    assert deliveries.receipt("sms", "7", "delivered")
    assert not deliveries.receipt("sms", "7", "delivered")
    assert not deliveries.receipt("sms", "7", "undelivered")
    assert held(sent)["state"] == deliveries.DELIVERED
    assert collection("early_receipts").count_documents({}) == 0


def test_a_receipt_that_is_faster_than_the_answer_waits_for_it(ground):
    sent = being_sent()
    assert not deliveries.receipt("sms", "7", "undelivered")
    assert not deliveries.receipt("sms", "7", "undelivered")
    deliveries.accept(sent, "7")
    assert (held(sent)["state"], held(sent)["error"]) == (deliveries.REFUSED, deliveries.UNDELIVERED)


def test_a_receipt_whose_answer_was_written_by_a_process_that_died_is_settled_later(ground):
    with stopped() as clocked:
        sent = being_sent()
        deliveries.receipt("sms", "7", "delivered")
        deliveries.receipt("sms", "unknown", "delivered")
        # the answer is written, and the process dies before it looks for a receipt
        collection("deliveries").update_one({"_id": sent["_id"]}, {"$set": {"state": "accepted", "provider_id": "7"}})
        assert deliveries.settle_receipts() == 0
        clocked.shift(60)
        assert deliveries.settle_receipts() == 1
        assert deliveries.settle_receipts() == 0
    assert held(sent)["state"] == deliveries.DELIVERED


def test_a_receipt_and_its_answer_at_the_same_moment_find_each_other(ground):
    for number in range(20):
        sent = being_sent(a_delivery(message=a_message(a_retiree())))
        at_once(
            lambda sent=sent, number=number: deliveries.accept(sent, str(number)),
            lambda number=number: deliveries.receipt("sms", str(number), "delivered"),
        )
        assert held(sent)["state"] == deliveries.DELIVERED
    assert collection("early_receipts").count_documents({}) == 0


# ---- The day's cap


def test_a_person_has_no_more_than_the_cap_a_day_even_from_two_senders_at_once(ground):
    person = a_retiree()
    for cause in "12345":
        a_delivery(message=a_message(person, cause))
    claimed = [deliveries.claim(deliveries.SMS) for _ in range(5)]
    with stopped() as clocked:
        counted = at_once(*[lambda row=row: deliveries.count(row, 3) for row in claimed])
        assert sorted(counted) == [False, False, True, True, True]
        for row, was in zip(claimed, counted, strict=True):
            assert deliveries.count(row, 3) is was
        clocked.shift(86_400)
        assert not deliveries.count(claimed[counted.index(True)], 0)
        assert deliveries.count(claimed[counted.index(False)], 3)


def test_what_never_left_does_not_count_to_the_day(ground):
    person = a_retiree()
    first, second = a_delivery(message=a_message(person, "1")), a_delivery(message=a_message(person, "2"))
    claimed = deliveries.claim(deliveries.SMS)
    assert deliveries.count(claimed, 1)
    deliveries.refuse(claimed, deliveries.NO_PHONE)
    assert deliveries.count(deliveries.claim(deliveries.SMS), 1)
    assert {held(row)["state"] for row in (first, second)} == {deliveries.REFUSED, deliveries.WAITING}


def test_a_copy_counts_to_the_day_of_whoever_gets_it(ground):
    person, child = a_retiree(), ObjectId()
    a_delivery(message=a_message(person, "1"))
    a_delivery(message=a_message(person, "2"), account_id=child, copy=True)
    assert [deliveries.count(deliveries.claim(deliveries.SMS), 1) for _ in range(2)] == [True, True]


# ---- Work lists


def test_a_work_list_shows_ones_own_area_and_no_more(ground):
    here, there = a_retiree(), a_retiree(division=OTHER_COMMUNITY)
    for person in (here, there):
        a_delivery(deliveries.CALL, a_message(person))
    assert [row["retiree_id"] for row in deliveries.listed(COMMUNITY_WORKER, state="listed")[0]] == [here["_id"]]
    assert deliveries.listed(CITY_WORKER, state="listed")[1] == 2
    assert deliveries.listed(CITY_WORKER, state="listed", division=OTHER_COMMUNITY)[1] == 1
    assert deliveries.listed(CITY_WORKER, state="listed", channel="paper")[1] == 0
    with pytest.raises(Forbidden):
        deliveries.listed(Actor(access.ENTERPRISE, enterprise="钢厂"), state="listed")


def test_what_the_branch_says_to_its_members_is_on_the_lists_of_the_branch_alone(ground):
    row = a_delivery(deliveries.CALL, a_message(a_retiree(party_member=True), branch=True))
    a_delivery(deliveries.CALL, a_message(a_retiree()))
    assert row["_id"] not in [shown["_id"] for shown in deliveries.listed(COMMUNITY_WORKER, state="listed")[0]]
    assert [shown["_id"] for shown in deliveries.listed(SECRETARY, state="listed")[0]] == [row["_id"]]
    with pytest.raises(NotFound):
        deliveries.reached(row["_id"], "", COMMUNITY_WORKER)


def test_whoever_moves_takes_their_place_on_the_list_along(ground):
    person = a_retiree()
    a_delivery(deliveries.CALL, a_message(person))
    people.change(person["_id"], {"division": OTHER_COMMUNITY}, person["version"], CITY_WORKER)
    assert deliveries.listed(COMMUNITY_WORKER, state="listed")[1] == 0
    assert deliveries.listed(Actor(access.COMMUNITY, division=OTHER_COMMUNITY), state="listed")[1] == 1


def test_a_person_who_was_told_is_told_by_no_channel_any_more(ground):
    person = a_retiree()
    message = a_message(person, importance=messages.IMPORTANT)
    call, waiting = a_delivery(deliveries.CALL, message), a_delivery(message=message)
    told = deliveries.reached(call["_id"], "打电话说了", COMMUNITY_WORKER)
    assert (told["state"], told["note"]) == (deliveries.REACHED, "打电话说了")
    assert (held(waiting)["state"], held(waiting)["error"]) == (deliveries.CANCELLED, deliveries.TOLD)
    assert messages.to_plan(1) == []
    assert audit_actions(person)[-1] == "delivery.reached"
    with pytest.raises(Conflict, match="delivery_settled"):
        deliveries.reached(call["_id"], "", COMMUNITY_WORKER)
    with pytest.raises(NotFound, match="delivery_not_found"):
        deliveries.reached(call["_id"], "", Actor(access.COMMUNITY, division=OTHER_COMMUNITY))


def test_what_failed_may_be_tried_again_from_the_start_but_no_telephone_call(ground):
    sent = being_sent()
    deliveries.refuse(sent, deliveries.NO_PHONE)
    assert deliveries.retry(sent["_id"], COMMUNITY_WORKER)["state"] == deliveries.WAITING
    again = being_sent(sent)
    assert (again["attempts"], again["error"]) == (1, None)
    with pytest.raises(Conflict):
        deliveries.retry(sent["_id"], COMMUNITY_WORKER)
    call = a_delivery(deliveries.CALL)
    with pytest.raises(Conflict):
        deliveries.retry(call["_id"], COMMUNITY_WORKER)


def test_what_is_out_of_date_leaves_the_lists_by_itself(ground):
    today = clock.today().isoformat()
    call = a_delivery(deliveries.CALL, a_message(a_retiree(), expires_on=today))
    always = a_delivery(deliveries.CALL)
    assert deliveries.expire() == 0
    with time_machine.travel(clock.now() + clock.days(1)):
        assert deliveries.expire() == 1
    assert (held(call)["error"], held(always)["state"]) == (deliveries.EXPIRED, deliveries.LISTED)


def test_the_list_for_the_door_is_noted_in_the_audit_log(ground):
    person = a_retiree()
    a_delivery(deliveries.PAPER, a_message(person))
    assert [row["retiree"]["_id"] for row in deliveries.door_list(COMMUNITY_WORKER, "", 10)] == [person["_id"]]
    entry = audit.entries(Actor(access.AUDITOR))[0][0]
    assert (entry["action"], entry["subject"]["id"], entry["after"]) == (
        "deliveries.door_list",
        COMMUNITY,
        {"people": 1},
    )


def test_a_notice_shows_how_it_went_out_in_ones_own_area(ground):
    notice_id = ObjectId()
    for number in range(3):
        division = OTHER_COMMUNITY if number == 2 else COMMUNITY
        message = a_message(a_retiree(division=division), notice_id=notice_id, notice_version=1)
        a_delivery(message=message)
    sent = being_sent(held({"_id": collection("deliveries").find_one({"division": COMMUNITY})["_id"]}))
    deliveries.try_again(sent, deliveries.ANSWER_LOST, lost=True)
    deliveries.accept(being_sent(a_delivery(deliveries.WECHAT, message, account_id=ObjectId())), "1")
    assert deliveries.counts(notice_id, 1, COMMUNITY_WORKER) == {"channels": {"sms": {"waiting": 2}}, "lost_answers": 1}
    assert deliveries.counts(notice_id, 1, CITY_WORKER) == {
        "channels": {"sms": {"waiting": 3}, "wechat": {"accepted": 1}},
        "lost_answers": 1,
    }
    assert deliveries.counts(notice_id, 2, CITY_WORKER) == {"channels": {}, "lost_answers": 0}


def test_every_state_and_every_reason_is_said_in_chinese(ground):
    assert set(deliveries.MEANING) == set(deliveries.STATES)
    for words in (*deliveries.MEANING.values(), *deliveries.REASONS.values()):
        assert any("\u4e00" <= char <= "\u9fff" for char in words)
