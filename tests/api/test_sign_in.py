"""Signing in over HTTP: by SMS, with WeChat on the wire, by a staff password; staying in, and going out."""

from __future__ import annotations

import pyotp
import pytest
import time_machine

from models import access, accounts, clock, encryption
from models.access import Actor
from models.database import collection
from tests.builders import COMMUNITY, PASSWORD, a_retiree, finish_work
from tests.story import V1, a_wechat_sandbox, bearer, code_sent_to, settings_with, sign_in_by_sms

PHONE = "16912345678"


def post(client, path: str, **body):
    return client.post(f"{V1}/auth/{path}", json=body)


# ---- SMS


def test_a_code_arrives_on_the_phone_and_signs_in(client, capsys):
    sent = post(client, "sms-codes", phone=PHONE)
    assert (sent.status_code, sent.json) == (200, {"sent": True, "resend_after": 60, "expires_in": 600})
    finish_work()
    code = code_sent_to(PHONE)
    assert f"验证码{code}" in capsys.readouterr().out
    signed_in = post(client, "sms", phone=PHONE, code=code)
    assert signed_in.status_code == 200
    assert signed_in.json["token_type"] == "Bearer"
    assert signed_in.json["expires_in"] == 900
    assert signed_in.json["account"] | {"id": ""} == {
        "id": "", "kind": "public", "role": "retiree", "division": "", "name": "",
    }  # fmt: skip


def test_the_code_stands_in_the_reply_of_the_demo_and_nowhere_else(client):
    assert "demo_code" not in post(client, "sms-codes", phone=PHONE).json
    with settings_with(YINLING_DEMO=True):
        sent = post(client, "sms-codes", phone="16912345679")
    assert sent.json["demo_code"] == code_sent_to("16912345679")


def test_a_known_and_an_unknown_phone_get_the_same_answer(client):
    person = a_retiree()
    known, unknown = post(client, "sms-codes", phone=person["phone"]), post(client, "sms-codes", phone=PHONE)
    assert (known.status_code, known.json) == (unknown.status_code, unknown.json)


def test_a_second_code_within_a_minute_is_refused_and_says_when(client):
    post(client, "sms-codes", phone=PHONE)
    again = post(client, "sms-codes", phone=PHONE)
    assert (again.status_code, again.json["code"]) == (429, "code_just_sent")
    assert 0 < int(again.headers["Retry-After"]) <= 61


def test_a_wrong_code_is_refused_and_after_five_the_right_one_too(client):
    post(client, "sms-codes", phone=PHONE)
    code = code_sent_to(PHONE)
    for _ in range(5):
        refused = post(client, "sms", phone=PHONE, code=f"{(int(code) + 1) % 10**6:06d}")
        assert (refused.status_code, refused.json["code"]) == (422, "wrong_code")
    assert post(client, "sms", phone=PHONE, code=code).status_code == 422


@pytest.mark.parametrize(
    "phone", ["", "123", "26912345678", "169123456789", "１６９１２３４５６７８", "16912345678\n", 1, None, []]
)
def test_what_is_no_mobile_number_is_refused(client, phone):
    refused = client.post(f"{V1}/auth/sms-codes", json={"phone": phone})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/phone"
    assert collection("sms_codes").count_documents({}) == 0


# ---- WeChat


def test_the_same_wechat_user_has_the_same_account(client):
    with a_wechat_sandbox():
        first, again, other = (post(client, "wechat", code=code) for code in ("wang:1", "wang:2", "li:1"))
    assert first.status_code == 200
    assert first.json["account"]["id"] == again.json["account"]["id"] != other.json["account"]["id"]
    assert "session_key" not in first.text
    assert client.get(f"{V1}/me", headers=bearer(first.json["access_token"])).json["retirees"] == []


@pytest.mark.parametrize(
    ("code", "status", "token"),
    [
        ("bad-code", 401, "wechat_code_refused"),
        ("busy", 503, "wechat_unavailable"),
        ("http500", 503, "wechat_unavailable"),
        ("slow", 503, "wechat_unavailable"),
    ],
)
def test_a_sign_in_that_wechat_does_not_confirm_is_refused_in_time(client, code, status, token):
    with a_wechat_sandbox(WECHAT_TIMEOUT=0.3):
        refused = post(client, "wechat", code=code)
    assert (refused.status_code, refused.json["code"]) == (status, token)
    assert collection("accounts").count_documents({}) == 0


def test_a_wechat_code_is_good_once(client):
    with a_wechat_sandbox():
        assert post(client, "wechat", code="wang:1").status_code == 200
        assert post(client, "wechat", code="wang:1").json["code"] == "wechat_code_refused"


def test_a_wrong_secret_of_ours_is_our_trouble_and_not_the_retirees(client):
    with a_wechat_sandbox(WECHAT_SECRET="wrong"):
        refused = post(client, "wechat", code="wang:1")
    assert (refused.status_code, refused.json["code"]) == (503, "wechat_unavailable")
    assert "手机验证码" in refused.json["detail"]


def test_where_wechat_is_away_the_reply_says_so(client):
    from wechat import client as wechat

    wechat.client.cache_clear()
    with settings_with(WECHAT_API_BASE="http://127.0.0.1:9"):
        assert post(client, "wechat", code="wang:1").status_code == 503
    wechat.client.cache_clear()


# ---- Staff


def test_staff_sign_in_with_a_password_and_then_with_the_authenticator(client):
    accounts.open_staff("zhang", PASSWORD, access.COMMUNITY, COMMUNITY)
    signed_in = post(client, "staff", username="zhang", password=PASSWORD)
    assert (signed_in.status_code, signed_in.json["account"]["division"]) == (200, COMMUNITY)
    headers = bearer(signed_in.json["access_token"])
    offer = client.post(f"{V1}/me/totp", headers=headers).json
    assert offer["qr"].startswith("data:image/svg+xml")
    totp = pyotp.parse_uri(offer["uri"])
    assert client.put(f"{V1}/me/totp", json={"code": totp.now()}, headers=headers).status_code == 204
    assert client.get(f"{V1}/me", headers=headers).json["totp"] is True
    assert post(client, "staff", username="zhang", password=PASSWORD).json["code"] == "totp_required"
    assert post(client, "staff", username="zhang", password=PASSWORD, totp=totp.now()).status_code == 200
    again = post(client, "staff", username="zhang", password=PASSWORD, totp=totp.now())
    assert (again.status_code, again.json["code"]) == (401, "wrong_totp")


def test_five_wrong_passwords_lock_the_account(client):
    accounts.open_staff("zhang", PASSWORD, access.COMMUNITY, COMMUNITY)
    for _ in range(5):
        refused = post(client, "staff", username="zhang", password="not the password")
        assert (refused.status_code, refused.json["code"]) == (401, "wrong_password")
        assert refused.headers["WWW-Authenticate"] == "Bearer"
    locked = post(client, "staff", username="zhang", password=PASSWORD)
    assert (locked.status_code, locked.json["code"]) == (429, "account_locked")
    assert int(locked.headers["Retry-After"]) > 60


@pytest.mark.parametrize("password", ["", "x" * 201, 5, None])
def test_a_password_that_cannot_be_one_is_not_even_tried(client, password):
    accounts.open_staff("zhang", PASSWORD, access.COMMUNITY, COMMUNITY)
    assert client.post(f"{V1}/auth/staff", json={"username": "zhang", "password": password}).status_code == 422
    assert collection("accounts").find_one({})["failures"] == 0


# ---- Staying in and going out


def test_an_access_token_lives_fifteen_minutes_and_the_refresh_token_brings_the_next(client):
    accounts.open_staff("zhang", PASSWORD, access.COMMUNITY, COMMUNITY)
    pair = post(client, "staff", username="zhang", password=PASSWORD).json
    with time_machine.travel(clock.now() + clock.seconds(901), tick=False):
        expired = client.get(f"{V1}/me", headers=bearer(pair["access_token"]))
        assert (expired.status_code, expired.json["code"]) == (401, "sign_in_expired")
        fresh = post(client, "refresh", refresh_token=pair["refresh_token"])
        assert (fresh.status_code, fresh.json["account"]["role"]) == (200, "community")
        assert client.get(f"{V1}/me", headers=bearer(fresh.json["access_token"])).status_code == 200


def test_an_old_refresh_token_ends_the_sign_in_of_the_thief_and_of_the_owner(client):
    post(client, "sms-codes", phone=PHONE)
    owner = post(client, "sms", phone=PHONE, code=code_sent_to(PHONE)).json
    thief = post(client, "refresh", refresh_token=owner["refresh_token"]).json
    reused = post(client, "refresh", refresh_token=owner["refresh_token"])
    assert (reused.status_code, reused.json["code"]) == (401, "sign_in_reused")
    assert post(client, "refresh", refresh_token=thief["refresh_token"]).status_code == 401
    assert client.get(f"{V1}/me", headers=bearer(thief["access_token"])).status_code == 401


def test_whoever_signs_out_is_out_at_once_and_signing_out_never_fails(client):
    post(client, "sms-codes", phone=PHONE)
    pair = post(client, "sms", phone=PHONE, code=code_sent_to(PHONE)).json
    assert post(client, "logout", refresh_token=pair["refresh_token"]).status_code == 204
    assert client.get(f"{V1}/me", headers=bearer(pair["access_token"])).status_code == 401
    for token in (pair["refresh_token"], "nonsense"):
        assert post(client, "logout", refresh_token=token).status_code == 204


def test_a_disabled_account_is_out_at_once(client):
    headers = sign_in_by_sms(client, PHONE)
    collection("accounts").update_one({}, {"$set": {"enabled": False}})
    refused = client.get(f"{V1}/me", headers=headers)
    assert (refused.status_code, refused.json["code"]) == (401, "account_disabled")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic eDp4", "bearer null", "Bearer \x7f", "Bearer é"],
)
def test_what_is_no_token_is_answered_401(client, header):
    reply = client.get(f"{V1}/me", headers={"Authorization": header})
    assert reply.status_code == 401
    assert reply.mimetype == "application/problem+json"


def test_the_secret_of_an_authenticator_that_was_only_offered_changes_nothing(client):
    account_id = accounts.open_staff("zhang", PASSWORD, access.COMMUNITY, COMMUNITY)
    accounts.begin_totp(account_id)
    held = collection("accounts").find_one({"_id": account_id})
    assert encryption.decrypt(held["totp_offered"])
    assert accounts.sign_in_staff("zhang", PASSWORD, None, Actor("anonymous"))
