"""Limits and alarms over HTTP: what a locked person reads, what a supervisor sees and says, what a worker unlocks."""

from __future__ import annotations

import pytest

from models import access, accounts, clock, face_limits
from models.database import collection
from tests.builders import COMMUNITY, OTHER_CITY_COMMUNITY, a_retiree, headers_of, oneself
from tests.models.test_face_limits import fail, one_phone_for
from tests.story import V1, a_worker, fail_over_http, start_session

ALARMS = f"{V1}/face-alarms"
DEVICE = "f3a1c2d4-0000-4000-8000-123456789abc"


def a_supervisor(role: str = access.STREET, division: str = COMMUNITY[:9]):
    return a_worker(role, division)


def an_alarm():
    """A daughter and her parents: (people, the daughter)."""
    persons = [a_retiree(name="王秀英"), a_retiree(name="李建国")]
    phone = one_phone_for(*persons)
    for person in persons:
        fail(person, phone)
    return persons, phone


def close(client, alarm_id, headers, **body):
    body = {"finding": "harmless", "note": "女儿帮父母办", **body}
    return client.post(f"{ALARMS}/{alarm_id}/closure", json=body, headers=headers)


def a_locked_person():
    person = a_retiree()
    for _ in range(3):
        fail(person, oneself(person))
    return person


def unlock(client, person, headers, reason="已见到本人"):
    return client.post(f"{V1}/retirees/{person['_id']}/face/unlock", json={"reason": reason}, headers=headers)


# ---- The device


def test_the_device_names_itself_in_a_header_that_the_document_declares(client):
    operation = client.get("/api/openapi.json").json["paths"]["/api/v1/retirees/{retiree_id}/certification-sessions"]
    headers = {parameter["name"] for parameter in operation["post"]["parameters"] if parameter["in"] == "header"}
    assert headers == {"X-Device-Id", "Idempotency-Key"}


@pytest.mark.parametrize(("sent", "kept"), [(DEVICE, True), ("??", False), (None, False)])
def test_a_session_keeps_a_hash_of_the_device_and_a_malformed_name_is_none(client, sent, kept):
    person = a_retiree()
    headers = {**headers_of(oneself(person)), **({"X-Device-Id": sent} if sent else {})}
    assert start_session(client, person, headers).status_code == 201
    (attempt,) = collection("certification_sessions").find()
    assert attempt["device_key"] == (face_limits.device_key(DEVICE) if kept else None)


# ---- A locked person


def test_a_locked_person_reads_a_plain_sentence_and_every_other_way_stays_open(client):
    person = a_locked_person()
    phone = headers_of(oneself(person))
    refused = start_session(client, person, phone)
    assert (refused.status_code, refused.json["code"]) == (409, "face_locked")
    for word in ("窗口", "上门", "视频", "不影响您领养老金"):
        assert word in refused.json["detail"]
    status = client.get(f"{V1}/retirees/{person['_id']}/certification", headers=phone).json
    assert (status["face_locked"], status["wants_a_person"]) == (True, True)
    asked = client.post(
        f"{V1}/retirees/{person['_id']}/certification-help", json={"method": "window"}, headers=phone
    )  # fmt: skip
    assert asked.status_code == 201


def test_the_attempt_that_locks_says_so(client):
    person = a_locked_person()
    attempt = collection("certification_sessions").find_one({"retiree_id": person["_id"]})
    phone = headers_of(oneself(person))
    seen = client.get(f"{V1}/certification-sessions/{attempt['_id']}", headers=phone).json
    assert (seen["next"], seen["message"]) == ("ask_a_person", face_limits.LOCKED)


def test_three_failures_of_a_bad_picture_still_say_today_only(client):
    person = a_retiree()
    phone = headers_of(oneself(person))
    outcome = [fail_over_http(client, person, phone) for _ in range(3)][-1]
    assert (outcome["next"], outcome["message"][:2]) == ("ask_a_person", "今天")
    status = client.get(f"{V1}/retirees/{person['_id']}/certification", headers=phone).json
    assert (status["face_locked"], status["wants_a_person"]) == (False, True)


def test_a_worker_sees_the_follow_up_and_unlocks_with_a_reason(client):
    person, worker = a_locked_person(), a_worker()
    (row,) = client.get(f"{V1}/follow-ups", headers=worker).json
    assert (row["kind"], row["retiree"]["id"]) == ("face_locked", str(person["_id"]))
    assert client.get(f"{V1}/retirees/{person['_id']}/face", headers=worker).json["locked_at"]
    done = unlock(client, person, worker)
    assert (done.status_code, done.json["locked_at"]) == (200, None)
    again = unlock(client, person, worker)
    assert (again.status_code, again.json["code"]) == (409, "not_locked")
    assert client.get(f"{V1}/follow-ups", headers=worker).json == []
    assert start_session(client, person, headers_of(oneself(person))).status_code == 201


@pytest.mark.parametrize("role", ["archive_keeper", "branch_secretary", "enterprise", "auditor", "administrator"])
def test_only_the_office_unlocks(client, role):
    assert unlock(client, a_locked_person(), a_worker(role)).status_code == 403


def test_a_reason_is_needed_and_another_area_finds_nobody(client):
    person = a_locked_person()
    assert unlock(client, person, a_worker(), "x").json["errors"][0]["pointer"] == "/reason"
    assert unlock(client, person, a_worker(division=OTHER_CITY_COMMUNITY)).status_code == 404
    assert unlock(client, person, headers_of(oneself(person))).status_code == 403


# ---- A paused phone


def test_a_paused_account_is_told_when_to_come_again(client):
    persons, phone = an_alarm()
    refused = start_session(client, persons[0], headers_of(phone))
    assert (refused.status_code, refused.json["code"]) == (429, "face_paused")
    assert 86_000 < int(refused.headers["Retry-After"]) <= 86_401
    assert "窗口" in refused.json["detail"]


# ---- Alarms


def test_a_supervisor_sees_people_attempts_and_whose_phone_it_was_and_closes(client):
    persons, phone = an_alarm()
    supervisor = a_supervisor()
    assert client.get(f"{V1}/overview", headers=supervisor).json["face_alarms"] == {"open": 1, "late": 0}
    (row,) = client.get(ALARMS, headers=supervisor).json
    assert (row["kind"], row["state"], row["late"], row["may_close"], row["others"]) == (
        "account_several_people", "open", False, True, 0,
    )  # fmt: skip
    assert [person["name"] for person in row["retirees"]] == ["王秀英", "李建国"]
    assert persons[0]["id_number"] not in str(row)
    shown = client.get(f"{ALARMS}/{row['id']}", headers=supervisor).json
    assert [attempt["reasons"] for attempt in shown["attempts"]] == [["different_person"]] * 2
    assert {attempt["relation"] for attempt in shown["attempts"]} == {"child"}
    assert {attempt["account"] for attempt in shown["attempts"]} == {str(phone.account_id)}
    closed = close(client, row["id"], supervisor)
    assert (closed.status_code, closed.json["state"], closed.json["closed_by"]) == (200, "closed", "street")
    assert close(client, row["id"], supervisor).json["code"] == "alarm_closed"
    assert client.get(ALARMS, headers=supervisor).json == []
    (done,) = client.get(ALARMS, query_string={"state": "closed"}, headers=supervisor).json
    assert (done["finding"], done["note"]) == ("harmless", "女儿帮父母办")
    assert start_session(client, persons[0], headers_of(phone)).status_code == 201


def test_the_telephone_of_an_account_is_masked(client):
    an_alarm()
    account_id = accounts.of_phone("16912345678")["_id"]
    collection("certification_sessions").update_many({}, {"$set": {"account_id": account_id}})
    supervisor = a_supervisor()
    (row,) = client.get(ALARMS, headers=supervisor).json
    shown = client.get(f"{ALARMS}/{row['id']}", headers=supervisor).json
    assert {attempt["account_phone"] for attempt in shown["attempts"]} == {"169****5678"}
    assert {attempt["relation"] for attempt in shown["attempts"]} == {None}


@pytest.mark.parametrize(
    "role", ["community", "archive_keeper", "branch_secretary", "enterprise", "auditor", "administrator"]
)
def test_alarms_are_for_street_district_and_city(client, role):
    an_alarm()
    (row,) = client.get(ALARMS, headers=a_supervisor()).json
    headers = a_worker(role)
    assert client.get(ALARMS, headers=headers).status_code == 403
    assert client.get(f"{ALARMS}/{row['id']}", headers=headers).status_code == 403
    assert close(client, row["id"], headers).status_code == 403


def test_a_community_counts_no_alarms_on_its_first_page(client):
    an_alarm()
    assert client.get(f"{V1}/overview", headers=a_worker()).json["face_alarms"] == {"open": 0, "late": 0}


def test_out_of_scope_an_alarm_is_not_there(client):
    an_alarm()
    (row,) = client.get(ALARMS, headers=a_supervisor()).json
    elsewhere = a_supervisor(access.CITY, OTHER_CITY_COMMUNITY[:4])
    assert client.get(ALARMS, headers=elsewhere).json == []
    assert client.get(f"{ALARMS}/{row['id']}", headers=elsewhere).json["code"] == "alarm_not_found"
    assert close(client, row["id"], elsewhere).json["code"] == "alarm_not_found"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"finding": "fine"}, "/finding"), ({"finding": None}, "/finding"), ({"note": "x"}, "/note"), ({"x": 1}, "/x")],
)
def test_a_closure_needs_a_finding_and_a_note(client, body, pointer):
    an_alarm()
    supervisor = a_supervisor()
    (row,) = client.get(ALARMS, headers=supervisor).json
    refused = close(client, row["id"], supervisor, **body)
    assert (refused.status_code, [error["pointer"] for error in refused.json["errors"]]) == (422, [pointer])


def test_sessions_that_are_too_many_for_an_account_are_told_in_a_sentence(client):
    person = a_retiree()
    phone = oneself(person)
    collection("face_holders").insert_one(
        {"_id": f"account:{phone.account_id}", "day": clock.today().isoformat(), "opened": 60}
    )
    refused = start_session(client, person, headers_of(phone))
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_sessions")
