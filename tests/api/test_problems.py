"""Errors: problem+json for whatever goes wrong, in Chinese, with nothing of the inside."""

from __future__ import annotations

import re

import pytest

from models.database import collection
from tests.builders import a_retiree
from tests.story import V1, a_worker

FIELDS = {"type", "title", "status", "detail", "code", "errors", "request_id"}


def is_a_problem(reply, status: int, code: str) -> dict:
    assert reply.status_code == status, reply.text
    assert reply.mimetype == "application/problem+json"
    body = reply.json
    assert set(body) == FIELDS
    assert (body["status"], body["code"]) == (status, code)
    assert body["request_id"] == reply.headers["X-Request-Id"]
    assert body["type"] == f"/api/docs#{code}"
    assert re.search("[\u4e00-\u9fff]", body["detail"])
    assert "Traceback" not in reply.text
    return body


def test_400_a_body_that_is_no_json(client):
    headers = {**a_worker(), "Content-Type": "application/json"}
    for data in (b"{", b"nonsense", b"\xff\xfe"):
        is_a_problem(client.post(f"{V1}/retirees", data=data, headers=headers), 400, "bad_request")


@pytest.mark.parametrize("data", [b"[]", b"null", b'"x"', b"1"])
def test_422_a_body_that_is_json_and_no_object(client, data):
    headers = {**a_worker(), "Content-Type": "application/json"}
    is_a_problem(client.post(f"{V1}/retirees", data=data, headers=headers), 422, "invalid")


def test_401_nobody(client):
    reply = client.get(f"{V1}/me")
    is_a_problem(reply, 401, "sign_in_required")
    assert reply.headers["WWW-Authenticate"] == "Bearer"


def test_403_somebody_else(client):
    is_a_problem(client.get(f"{V1}/audit", headers=a_worker()), 403, "not_allowed")


@pytest.mark.parametrize(
    "path", ["/no/such/page", "/api/v1/nothing", "/api/v1", "/static/none.js", "/static/../settings.py"]
)
def test_404_no_such_page(client, path):
    is_a_problem(client.get(path), 404, "not_found")


def test_404_no_such_person(client):
    reply = client.get(f"{V1}/retirees/{'0' * 24}", headers=a_worker())
    is_a_problem(reply, 404, "retiree_not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_405_no_such_way(client, method):
    reply = client.open(f"{V1}/me", method=method)
    is_a_problem(reply, 405, "method_not_allowed")
    assert "GET" in reply.headers["Allow"]


def test_413_too_much(client):
    reply = client.post(
        f"{V1}/auth/sms-codes", json={"phone": "1"}, environ_overrides={"CONTENT_LENGTH": str(65 * 1024 * 1024)}
    )
    is_a_problem(reply, 413, "too_large")


def test_415_or_422_a_body_of_another_kind(client):
    reply = client.post(f"{V1}/auth/sms-codes", data="phone=16912345678", content_type="text/plain")
    assert reply.status_code in (415, 422)
    is_a_problem(reply, reply.status_code, reply.json["code"])


def test_422_names_every_field_by_its_pointer(client):
    body = is_a_problem(client.post(f"{V1}/auth/sms", json={"phone": "x", "more": {}}), 422, "invalid")
    assert {error["pointer"] for error in body["errors"]} == {"/phone", "/code", "/more"}
    body = is_a_problem(
        client.post(
            f"{V1}/retirees/{'0' * 24}/certification-sessions",
            json={"consent": True, "residence": {"kind": "moon", "colour": 1}},
            headers=_somebody(),
        ),
        422,
        "invalid",
    )
    assert {error["pointer"] for error in body["errors"]} == {"/residence/kind", "/residence/colour"}


def _somebody():
    from tests.builders import headers_of, oneself

    return headers_of(oneself(a_retiree()))


def test_429_says_when_to_come_back(client):
    for _ in range(2):
        reply = client.post(f"{V1}/auth/sms-codes", json={"phone": "16912345678"})
    is_a_problem(reply, 429, "code_just_sent")
    assert int(reply.headers["Retry-After"]) > 0


def test_500_a_record_that_is_broken_is_told_without_what_is_in_it(client):
    person, headers = a_retiree(), a_worker()
    collection("retirees").update_one({"_id": person["_id"]}, {"$set": {"certification": "王秀英的秘密"}})
    body = is_a_problem(client.get(f"{V1}/retirees/{person['_id']}", headers=headers), 500, "internal_error")
    assert "秘密" not in str(body)


def test_a_problem_has_the_headers_of_every_reply(client):
    reply = client.get(f"{V1}/me")
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
