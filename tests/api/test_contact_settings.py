"""How a retiree wishes to be told, and leave for subscribe messages, over HTTP."""

from __future__ import annotations

from models.database import collection
from tests.builders import COMMUNITY, OTHER_COMMUNITY, a_retiree, a_worker, headers_of, helper_of, oneself
from tests.story import V1

WISH = {"channels": {"wechat": True, "sms": False, "call": True, "paper": False}, "copy_family": True}
ME = f"{V1}/me"


def path(person) -> str:
    return f"{V1}/retirees/{person['_id']}/contact-settings"


def test_settings_are_read_and_set_with_their_version(client):
    person = a_retiree()
    headers = headers_of(oneself(person))
    read = client.get(path(person), headers=headers)
    assert read.json["channels"] == {"wechat": True, "sms": True, "call": True, "paper": True}
    assert read.json["reach"] == {"wechat": True, "sms": True, "call": True, "paper": False}
    assert client.put(path(person), json=WISH, headers=headers).status_code == 428
    tagged = {**headers, "If-Match": read.headers["ETag"]}
    written = client.put(path(person), json=WISH, headers=tagged)
    assert written.status_code == 200
    assert {name: written.json[name] for name in WISH} == WISH
    assert written.headers["ETag"] == '"1"'
    assert client.put(path(person), json=WISH, headers=tagged).json["code"] == "stale"
    assert client.get(path(person), headers=headers).json["copy_family"] is True


def test_family_and_the_community_may_set_it_and_strangers_find_nobody(client):
    person = a_retiree()
    for headers in (headers_of(helper_of(person)), a_worker(division=COMMUNITY)):
        assert client.get(path(person), headers=headers).status_code == 200
    for headers in (headers_of(oneself(a_retiree())), a_worker(division=OTHER_COMMUNITY)):
        assert client.get(path(person), headers=headers).json["code"] == "retiree_not_found"
        reply = client.put(path(person), json=WISH, headers={**headers, "If-Match": '"0"'})
        assert reply.json["code"] == "retiree_not_found"


def test_half_a_wish_is_refused(client):
    person = a_retiree()
    headers = {**headers_of(oneself(person)), "If-Match": '"0"'}
    for body in (
        {"channels": {"sms": True}, "copy_family": True},
        {"channels": WISH["channels"]},
        {**WISH, "letter": True},
    ):
        assert client.put(path(person), json=body, headers=headers).status_code == 422


def test_a_phone_asks_for_leave_and_every_accept_is_one_message(client):
    headers = headers_of(oneself(a_retiree()))
    offers = client.get(f"{ME}/subscription-templates?moment=home", headers=headers).json
    assert [row["key"] for row in offers] == ["notice", "certification_due", "certification_overdue"]
    assert offers[0]["words"] == "社区有新通知时告诉我"
    first, second, _ = (row["template_id"] for row in offers)
    reply = client.post(
        f"{ME}/subscription-grants", json={"results": {first: "accept", second: "reject"}}, headers=headers
    )
    assert (reply.status_code, reply.json) == (200, {"grants": {first: 1, second: 0}})


def test_the_same_answer_sent_twice_counts_once(client):
    headers = {**headers_of(oneself(a_retiree())), "Idempotency-Key": "tap-1"}
    for _ in range(2):
        reply = client.post(
            f"{ME}/subscription-grants", json={"results": {"sandbox_notice": "accept"}}, headers=headers
        )
        assert reply.json == {"grants": {"sandbox_notice": 1}}
    assert collection("subscription_ledger").count_documents({}) == 1


def test_answers_that_nobody_could_give_are_refused(client):
    headers = headers_of(oneself(a_retiree()))
    for results in ({}, {"sandbox_notice": "yes"}, {"x" * 65: "accept"}):
        reply = client.post(f"{ME}/subscription-grants", json={"results": results}, headers=headers)
        assert (reply.status_code, reply.json["code"]) == (422, "invalid")
    unknown = client.post(f"{ME}/subscription-grants", json={"results": {"other": "accept"}}, headers=headers)
    assert unknown.json["code"] == "unknown_template"
    assert client.get(f"{ME}/subscription-templates?moment=noon", headers=headers).status_code == 422
    assert client.get(f"{ME}/subscription-templates?moment=home", headers=a_worker()).status_code == 403
