"""One's own account: whom it acts for, and how it comes to act for them."""

from __future__ import annotations

import pytest

from models import sign_ins
from models.database import collection
from tests.builders import COMMUNITY, PASSWORD, a_retiree, an_id_number
from tests.story import V1, a_worker, at_home_on_the_phone, bind, code_sent_to, sign_in_by_sms

STRANGER = "16977778888"


def test_a_worker_sees_role_and_place(client):
    a_retiree()
    me = client.get(f"{V1}/me", headers=a_worker()).json
    assert (me["role"], me["division"], me["retirees"], me["totp"]) == ("community", COMMUNITY, [], False)
    assert me["division_name"].endswith("银杏社区")
    assert "password" not in str(me)


def test_the_phone_on_record_binds_at_once_and_makes_a_retiree(client):
    person = a_retiree()
    headers = sign_in_by_sms(client, person["phone"])
    bound = bind(client, person, headers)
    assert (bound.status_code, bound.json["state"]) == (201, "confirmed")
    assert bound.json["retiree"] == {"id": str(person["_id"]), "name": person["name"], "relation": "self"}
    assert bind(client, person, headers).json["code"] == "already_bound"


def test_another_phone_is_asked_for_the_code_and_a_wrong_one_binds_nobody(client):
    person = a_retiree()
    headers = sign_in_by_sms(client, STRANGER)
    asked = bind(client, person, headers, "child")
    assert (asked.status_code, asked.json["resend_after"], "demo_code" in asked.json) == (202, 60, False)
    path = f"{V1}/me/bindings/{asked.json['id']}/confirmation"
    code = code_sent_to(person["phone"], "binding_code")
    wrong = client.post(path, json={"code": f"{(int(code) + 1) % 10**6:06d}"}, headers=headers)
    assert (wrong.status_code, wrong.json["code"]) == (422, "wrong_code")
    assert client.get(f"{V1}/retirees/{person['_id']}", headers=headers).status_code == 404
    assert client.post(path, json={"code": code}, headers=headers).status_code == 200
    assert client.get(f"{V1}/retirees/{person['_id']}", headers=headers).status_code == 200
    assert client.post(path, json={"code": code}, headers=headers).status_code == 404


def test_a_wrong_name_and_a_wrong_number_get_the_same_answer(client):
    person = a_retiree()
    headers = sign_in_by_sms(client, STRANGER)
    answers = []
    for changed in ({"name": "李建国"}, {"id_number": an_id_number()}):
        reply = bind(client, {**person, **changed}, headers)
        answers.append((reply.status_code, {**reply.json, "request_id": ""}))
    assert answers[0] == answers[1]
    assert answers[0][1]["code"] == "no_such_retiree"


def test_the_eleventh_try_of_a_day_is_refused_even_where_it_is_right(client):
    person = a_retiree()
    headers = sign_in_by_sms(client, STRANGER)
    for _ in range(10):
        assert bind(client, {**person, "name": "李建国"}, headers).status_code == 404
    refused = bind(client, person, headers)
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_bindings")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"relation": "neighbour"}, "/relation"),
        ({"name": ""}, "/name"),
        ({"id_number": ""}, "/id_number"),
        ({"id_number": "430102195503071217"}, "/id_number"),
        ({"admin": True}, "/admin"),
    ],
)
def test_a_binding_that_does_not_fit_names_the_field(client, change, pointer):
    person = a_retiree()
    body = {"name": person["name"], "id_number": person["id_number"], "relation": "self", **change}
    refused = client.post(f"{V1}/me/bindings", json=body, headers=sign_in_by_sms(client, STRANGER))
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


def test_whoever_unbinds_is_out_of_reach_from_the_next_request(client):
    person = a_retiree()
    headers = at_home_on_the_phone(client, person)
    assert client.delete(f"{V1}/me/bindings/{person['_id']}", headers=headers).status_code == 204
    assert client.get(f"{V1}/retirees/{person['_id']}", headers=headers).status_code == 404
    assert client.delete(f"{V1}/me/bindings/{person['_id']}", headers=headers).status_code == 404


def test_staff_change_their_password_and_the_old_one_is_over(client):
    headers = a_worker()
    path = f"{V1}/me/password"
    wrong = client.put(path, json={"old": "not the password", "new": "another long password"}, headers=headers)
    assert (wrong.status_code, wrong.json["code"]) == (401, "wrong_password")
    short = client.put(path, json={"old": PASSWORD, "new": "short"}, headers=headers)
    assert (short.status_code, short.json["code"]) == (422, "password_too_short")
    assert client.put(path, json={"old": PASSWORD, "new": "another long password"}, headers=headers).status_code == 204
    username = collection("accounts").find_one({})["username"]
    for password, status in ((PASSWORD, 401), ("another long password", 200)):
        reply = client.post(f"{V1}/auth/staff", json={"username": username, "password": password})
        assert reply.status_code == status


def test_the_public_has_no_password_and_staff_bind_nobody(client):
    person = a_retiree()
    public = at_home_on_the_phone(client, person)
    body = {"old": "x", "new": "another long password"}
    assert client.put(f"{V1}/me/password", json=body, headers=public).status_code == 403
    assert client.post(f"{V1}/me/totp", headers=public).status_code == 403
    assert bind(client, person, a_worker()).status_code == 403


def test_a_token_of_an_account_that_is_gone_is_refused(client):
    person = a_retiree()
    headers = at_home_on_the_phone(client, person)
    account = collection("accounts").find_one({})
    collection("accounts").delete_one({"_id": account["_id"]})
    assert client.get(f"{V1}/me", headers=headers).status_code == 401
    sign_ins.end_all(account["_id"])
    assert client.get(f"{V1}/me", headers=headers).json["code"] == "sign_in_expired"
