"""Receipts of the SMS gateway: signed, taken once however often they come, also before the message has its name."""

from __future__ import annotations

import json
import time

import pytest
from bson import ObjectId

from models import clock, deliveries, messages
from models.database import collection
from notifications import sms
from notifications.sms_sandbox import SmsSandbox
from tests.builders import COMMUNITY
from tests.sandboxes import running
from tests.story import V1, settings_with

KEY = "a-key-for-tests"
PATH = f"{V1}/callbacks/sms"


@pytest.fixture
def gateway_key():
    with settings_with(SMS_GATEWAY_KEY=KEY):
        yield


def a_delivery(provider_id: str | None, state: str = deliveries.ACCEPTED) -> dict:
    """A text message that the gateway has, or that is being handed to it where it has no name yet."""
    message = messages.make(ObjectId(), COMMUNITY, "notice", "1", title="通知", body="您好。", sms="您好。")
    row = deliveries.make(message, deliveries.SMS, clock.now())
    row |= {"state": state, "claim": ObjectId(), "provider": deliveries.SMS, "provider_id": provider_id}
    deliveries.put_all([row])
    return row


def state_of(row: dict) -> str:
    return collection("deliveries").find_one({"_id": row["_id"]})["state"]


def tell(client, *receipts: tuple[str, str], key: str = KEY, path: str = PATH, **headers: str):
    body = json.dumps({"receipts": [{"message_id": name, "outcome": outcome} for name, outcome in receipts]}).encode()
    signed = {**sms.signature_headers(key, "POST", path, body, time.time()), **headers}
    return client.post(path, data=body, headers=signed, content_type="application/json")


def test_a_receipt_says_what_became_of_a_message(client, gateway_key):
    arrived, off = a_delivery("m-1"), a_delivery("m-2")
    assert tell(client, ("m-1", "delivered"), ("m-2", "undelivered")).status_code == 204
    assert (state_of(arrived), state_of(off)) == (deliveries.DELIVERED, deliveries.REFUSED)


def test_the_same_receipt_again_or_a_contradicting_one_changes_nothing(client, gateway_key):
    row = a_delivery("m-1")
    for outcome in ("delivered", "delivered", "undelivered"):
        assert tell(client, ("m-1", outcome)).status_code == 204
    assert state_of(row) == deliveries.DELIVERED


def test_a_receipt_of_a_message_that_nobody_waits_for_is_taken(client, gateway_key):
    assert tell(client, ("a sign-in code", "delivered")).status_code == 204


def test_a_receipt_that_is_faster_than_its_answer_counts_when_the_answer_comes(client, gateway_key):
    row = a_delivery(None, deliveries.SENDING)
    assert tell(client, ("m-1", "delivered")).status_code == 204
    deliveries.accept(row, "m-1")
    assert state_of(row) == deliveries.DELIVERED


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "another-key"},
        {"X-Signature": ""},
        {"X-Signature": "ä"},
        {"X-Nonce": "another"},
        {"X-Timestamp": "1800000000"},
        {"X-Timestamp": ""},
    ],
)
def test_a_receipt_that_the_gateway_did_not_sign_changes_nothing(client, gateway_key, wrong):
    row = a_delivery("m-1")
    reply = tell(client, ("m-1", "delivered"), **wrong)
    assert (reply.status_code, reply.json["code"]) == (401, "wrong_signature")
    assert state_of(row) == deliveries.ACCEPTED


def test_without_a_key_no_receipt_is_taken(client):
    with settings_with(SMS_GATEWAY_KEY=""):
        assert tell(client, ("m-1", "delivered"), key="").status_code == 401


def test_nothing_of_a_receipt_is_read_before_its_signature_is_right(client, gateway_key):
    assert client.post(PATH, data=b"{", content_type="application/json").status_code == 401


@pytest.mark.parametrize("receipts", [[], [("m-1", "lost")], [("", "delivered")], [("m", "delivered")] * 501])
def test_receipts_that_make_no_sense_are_refused(client, gateway_key, receipts):
    assert tell(client, *receipts).status_code == 422


def test_the_signature_covers_the_query(client, gateway_key):
    row = a_delivery("m-1")
    body = json.dumps({"receipts": [{"message_id": "m-1", "outcome": "delivered"}]}).encode()
    for signed, status in ((PATH, 401), (f"{PATH}?gateway=1", 204)):
        headers = sms.signature_headers(KEY, "POST", signed, body, time.time())
        reply = client.post(f"{PATH}?gateway=1", data=body, headers=headers, content_type="application/json")
        assert reply.status_code == status
    assert state_of(row) == deliveries.DELIVERED


def test_the_gateways_own_receipts_arrive_each_twice_where_it_stutters(application, ground, gateway_key):
    class House:
        """The web application on the wire."""

        def __call__(self, *call):
            return application(*call)

    with running(House()) as house, running(SmsSandbox(KEY, receipts_to=f"{house.base}{PATH}")) as gateway:
        gateway.fault("again", times=None)
        carrier = sms.HttpGateway(f"{gateway.base}/send", KEY)
        rows = []
        for phone in ("13812345678", "13812340000"):
            rows.append(a_delivery(None, deliveries.SENDING))
            deliveries.accept(rows[-1], carrier.send_text(phone, "notice", "您好。"))
        deadline = time.monotonic() + 10
        while deliveries.ACCEPTED in map(state_of, rows) and time.monotonic() < deadline:
            pass
        assert [state_of(row) for row in rows] == [deliveries.DELIVERED, deliveries.REFUSED]
        assert gateway.counts()["fault again"] == 2
