"""What operators see of a request: its id everywhere, one line, no more than they need."""

from __future__ import annotations

import json
import re

import pytest

from tests.builders import a_retiree, audit_actions
from tests.story import V1, a_worker


def test_a_request_keeps_the_id_that_it_came_with_and_gets_one_where_it_has_none(client):
    assert (
        client.get("/healthz", headers={"X-Request-Id": "from-the-proxy-1"}).headers["X-Request-Id"]
        == "from-the-proxy-1"
    )
    first, second = (client.get("/healthz").headers["X-Request-Id"] for _ in range(2))
    assert re.fullmatch("[0-9a-f]{16}", first)
    assert first != second


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space in it", 'quote"in-it-12', "<script>12345678"])
def test_an_id_that_could_spoil_a_log_line_is_replaced(client, given):
    assert re.fullmatch("[0-9a-f]{16}", client.get("/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"])


def test_a_request_is_one_line_of_json_with_route_status_account_and_role(client, caplog):
    person = a_retiree()
    headers = a_worker()
    with caplog.at_level("INFO", logger="web"):
        caplog.clear()
        reply = client.get(f"{V1}/retirees/{person['_id']}?q=secret", headers=headers)
    assert reply.status_code == 200
    (record,) = [record for record in caplog.records if record.name == "web"]
    line = record.msg
    assert line["route"] == "/api/v1/retirees/<objectid:retiree_id>"
    assert (line["method"], line["status"], line["role"]) == ("GET", 200, "community")
    assert line["request_id"] == reply.headers["X-Request-Id"]
    assert "secret" not in json.dumps(line, default=str)


def test_the_id_of_the_request_stands_in_the_audit_entry_of_its_change(client):
    from models.database import collection

    person = a_retiree()
    client.patch(
        f"{V1}/retirees/{person['_id']}",
        json={"native_place": "示范"},
        headers={**a_worker(), "If-Match": '"1"', "X-Request-Id": "abcdefgh-12345678"},
    )
    assert audit_actions(person)[-1] == "retiree.changed"
    assert collection("audit").find_one({"action": "retiree.changed"})["request_id"] == "abcdefgh-12345678"


def test_the_auditor_reads_over_http_who_changed_what(client):
    person, worker = a_retiree(phone="13812345678"), a_worker()
    client.patch(f"{V1}/retirees/{person['_id']}", json={"phone": "16987654321"}, headers={**worker, "If-Match": '"1"'})
    rows = client.get(f"{V1}/audit", query_string={"page": 1, "page_size": 50}, headers=a_worker("auditor", "")).json
    entry = next(row for row in rows if row["action"] == "retiree.changed")
    assert (entry["role"], entry["subject_kind"], entry["subject_id"]) == ("community", "retiree", str(person["_id"]))
    assert (entry["before"], entry["after"]) == ({"phone": "138****5678"}, {"phone": "169****4321"})
