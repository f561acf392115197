"""Signing in over HTTP: by SMS, with WeChat on the wire, by a staff password; staying in, and going out."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap

import pyotp
import pytest
import time_machine

from models import access, accounts, clock, encryption
from models.access import Actor
from models.database import collection
from settings import settings
from tests.builders import COMMUNITY, PASSWORD, a_retiree, finish_work
from tests.story import V1, a_wechat_sandbox, bearer, code_sent_to, settings_with, sign_in_by_sms

PHONE = "16912345678"


def post(client, path: str, **body):
    return client.post(f"{V1}/auth/{path}", json=body)


# ---- SMS


def test_a_code_arrives_on_the_phone_and_signs_in(client, capsys):
    sent = post(client, "sms-codes", phone=PHONE)
    assert (sent.status_code, sent.json) == (200, {"sent": True, "resend_after": 60, "expires_in": 600})
    code = code_sent_to(PHONE)
    finish_work()
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


CODES_FOR_ALL = """
    import json
    from api import create_app
    from models import database
    app = create_app()
    database.client().drop_database("yinling_tests_limits")
    client = app.test_client()
    def ask(number, address):
        return client.post(
            "/api/v1/auth/sms-codes", json={"phone": f"169{number:08d}"}, environ_base={"REMOTE_ADDR": address}
        )
    replies = [ask(number, "192.0.2.1") for number in range(61)]
    print(json.dumps({
        "statuses": [reply.status_code for reply in replies],
        "code": replies[-1].json["code"], "retry": replies[-1].headers.get("Retry-After"),
        "other": ask(61, "192.0.2.2").status_code,
    }))
"""


def test_a_street_office_asks_for_sixty_codes_an_hour_and_another_address_is_not_touched(ground):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CODES_FOR_ALL)],
        env={**os.environ, "RATE_LIMITS": "1", "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["statuses"] == [200] * 60 + [429]
    assert told["code"] == "too_many_requests"
    assert 60 < int(told["retry"]) <= 3601
    assert told["other"] == 200


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


def test_a_wrong_secret_of_ours_stands_in_the_log_for_whoever_runs_the_house(client, caplog):
    with a_wechat_sandbox(WECHAT_SECRET="wrong"):
        post(client, "wechat", code="wang:1")
    lines = [record for record in caplog.records if record.name == "api" and record.levelname == "ERROR"]
    assert [(line.msg["event"], line.msg["errcode"]) for line in lines] == [("wechat_misconfigured", 40125)]
    assert "wang" not in caplog.text


def test_a_wechat_that_is_only_busy_is_no_error_of_ours(client, caplog):
    with a_wechat_sandbox():
        post(client, "wechat", code="busy")
    assert [record for record in caplog.records if record.name == "api"] == []


def test_the_sandbox_says_nothing_about_anybody_also_where_it_cannot_read_a_line(client, caplog):
    caplog.set_level("DEBUG")
    with a_wechat_sandbox():
        post(client, "wechat", code="wang:1")
        with socket.create_connection(("127.0.0.1", settings.WECHAT_SANDBOX_PORT), timeout=5) as line:
            line.sendall(b"GET /sns/jscode2session?js_code=13800138000 and more HTTP/1.1\r\n\r\n")
            assert b"400" in line.recv(4096)
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert "a request could not be read" in told
    assert "13800138000" not in told
    assert settings.WECHAT_SECRET not in told


def test_where_wechat_is_away_the_reply_says_so(client):
    from wechat import client as wechat

    wechat.client.cache_clear()
    with settings_with(WECHAT_API_BASE="http://127.0.0.1:9"):
        assert post(client, "wechat", code="wang:1").status_code == 503
    wechat.client.cache_clear()


# ---- Staff


def test_staff_sign_in_with_a_password_and_then_with_the_authenticator(client):
    # a code lives 30 seconds: time must not go on to the next one between two sign-ins
    with time_machine.travel(clock.now(), tick=False):
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


def test_a_name_that_nobody_has_gets_the_same_six_answers(client):
    accounts.open_staff("zhang", PASSWORD, access.COMMUNITY, COMMUNITY)
    with time_machine.travel(clock.now(), tick=False):
        known, unknown = (
            [post(client, "staff", username=name, password="not the password") for _ in range(6)]
            for name in ("zhang", "nobody")
        )
    for one, other in zip(known, unknown, strict=True):
        assert (one.status_code, one.headers.get("Retry-After")) == (
            other.status_code,
            other.headers.get("Retry-After"),
        )
        assert {**one.json, "request_id": ""} == {**other.json, "request_id": ""}
    assert known[-1].json["code"] == "account_locked"


def test_an_open_console_neither_replaces_the_authenticator_nor_guesses_the_password(client):
    accounts.open_staff("zhang", PASSWORD, access.COMMUNITY, COMMUNITY)
    headers = bearer(post(client, "staff", username="zhang", password=PASSWORD).json["access_token"])
    totp = pyotp.parse_uri(client.post(f"{V1}/me/totp", headers=headers).json["uri"])
    assert client.put(f"{V1}/me/totp", json={"code": totp.now()}, headers=headers).status_code == 204
    again = client.post(f"{V1}/me/totp", headers=headers)
    assert (again.status_code, again.json["code"]) == (409, "totp_is_on")
    for _ in range(5):
        wrong = client.post(f"{V1}/me/totp/end", json={"password": "not the password"}, headers=headers)
        assert (wrong.status_code, wrong.json["code"]) == (401, "wrong_password")
    body = {"old": PASSWORD, "new": "another long password"}
    locked = client.put(f"{V1}/me/password", json=body, headers=headers)
    assert (locked.status_code, locked.json["code"]) == (429, "account_locked")


@pytest.mark.parametrize("password", ["", "x" * 201, 5, None])
def test_a_password_that_cannot_be_one_is_not_even_tried(client, password):
    accounts.open_staff("zhang", PASSWORD, access.COMMUNITY, COMMUNITY)
    assert client.post(f"{V1}/auth/staff", json={"username": "zhang", "password": password}).status_code == 422
    assert collection("sign_in_failures").count_documents({}) == 0


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
    with time_machine.travel(clock.now() + clock.seconds(31), tick=False):
        reused = post(client, "refresh", refresh_token=owner["refresh_token"])
        assert (reused.status_code, reused.json["code"]) == (401, "sign_in_reused")
        assert post(client, "refresh", refresh_token=thief["refresh_token"]).status_code == 401
        assert client.get(f"{V1}/me", headers=bearer(thief["access_token"])).status_code == 401


def test_a_refresh_whose_reply_was_lost_is_asked_for_again_and_nobody_is_signed_out(client):
    post(client, "sms-codes", phone=PHONE)
    pair = post(client, "sms", phone=PHONE, code=code_sent_to(PHONE)).json
    post(client, "refresh", refresh_token=pair["refresh_token"])
    again = post(client, "refresh", refresh_token=pair["refresh_token"])
    assert again.status_code == 200
    assert client.get(f"{V1}/me", headers=bearer(again.json["access_token"])).status_code == 200
    assert post(client, "refresh", refresh_token=again.json["refresh_token"]).status_code == 200


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
