"""What happened becomes what the retiree reads; SMS leave once, or say why they did not."""

from __future__ import annotations

import time_machine

from jobs import registry
from models import by_hand, clock, follow_ups, outbox
from models import certification_sessions as sessions
from models.database import collection, transaction
from tests.builders import COMMUNITY_WORKER, a_retiree, an_attempt, finish_work, oneself
from tests.story import settings_with


def titles(person) -> list[str]:
    return [row["title"] for row in collection("messages").find({"retiree_id": person["_id"]}).sort("_id")]


def deliver_again(kind: str) -> None:
    collection("outbox").update_many(
        {"kind": kind}, {"$set": {"state": "pending", "leased_until": clock.now(), "handed_out_at": None}}
    )
    finish_work()


def test_a_certificate_is_told_once_however_often_its_event_is_delivered(ground):
    person = a_retiree()
    by_hand.record(person["_id"], "window", clock.today(), "", COMMUNITY_WORKER)
    finish_work()
    deliver_again("certified")
    assert titles(person) == ["认证成功"]


def test_a_failure_is_told_with_what_to_do_next(ground):
    person = a_retiree()
    attempt = an_attempt(person)
    transaction(lambda session: sessions.settle(session, attempt, "fail", ["no_face"], {}))
    finish_work()
    deliver_again("attempt_failed")
    assert titles(person) == ["人脸认证没有通过"]
    assert "不影响您领养老金" in collection("messages").find_one({})["body"]


def test_a_request_for_help_is_confirmed(ground):
    person = a_retiree()
    follow_ups.ask_for_help(person["_id"], "home_visit", "", oneself(person))
    finish_work()
    deliver_again("help_asked")
    assert titles(person) == ["已收到您的申请"]


def an_sms() -> object:
    payload = {"phone": "16912345678", "template": "sign_in_code", "values": {"code": "123456", "minutes": "10"}}
    return transaction(lambda session: outbox.add(session, "sms", payload, secret=True))


def test_an_sms_leaves_through_the_gateway_once(ground, capsys):
    event = an_sms()
    registry.deliver(str(event))
    registry.deliver(str(event))
    assert capsys.readouterr().out.count("验证码123456") == 1
    assert collection("outbox").find_one({"_id": event})["state"] == "done"


def test_a_gateway_that_is_away_is_asked_again_and_the_event_ends_visibly(ground):
    event = an_sms()
    away = {"SMS_GATEWAY": "http", "SMS_GATEWAY_URL": "http://127.0.0.1:9/sms", "SMS_GATEWAY_KEY": "key"}
    with settings_with(**away), time_machine.travel(clock.now(), tick=False) as clocked:
        registry.deliver(str(event))
        held = collection("outbox").find_one({"_id": event})
        assert (held["state"], held["error"]) == ("pending", "SmsUnavailable")
        for _ in range(5):
            clocked.shift(2000)
            registry.deliver(str(event))
    held = collection("outbox").find_one({"_id": event})
    assert (held["state"], held["attempts"]) == ("failed", 6)
    assert outbox.counts()["failed"] == 1
