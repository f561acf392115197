"""Second looks and the monthly report over HTTP: blind until answered, and read by whoever answers for an area."""

from __future__ import annotations

import io

import openpyxl
import pytest
import time_machine

from models import certification_sessions as sessions
from models import clock, face_references, rules
from models.database import collection, transaction
from tests.builders import (
    COMMUNITY,
    COMMUNITY_WORKER,
    OTHER_COMMUNITY,
    a_retiree,
    an_attempt,
    audit_actions,
    finish_work,
    headers_of,
    oneself,
)
from tests.faces import actors
from tests.story import V1, a_worker

LOOKS = f"{V1}/second-looks"
REPORT = f"{V1}/reports/faces"
FIGURES = {"match": {"distance": 0.3123, "decision": "sure"}}


def a_drawn_pass(device: str = ""):
    """A pass of somebody with a photograph, which chance has drawn, and the phone that made it."""
    person = a_retiree()
    phone = oneself(person)
    face_references.put_photo(person["_id"], actors.photo(), "staff", COMMUNITY_WORKER)
    finish_work()
    record = rules.Rule("second_look_per_mille", 1000, "测试", "2020-01-01").as_document()
    collection("rules").insert_one(record)
    attempt = an_attempt(person, phone, device=device)
    settled = transaction(lambda session: sessions.settle(session, attempt, "pass", [], FIGURES))
    collection("rules").delete_one({"_id": record["_id"]})
    return settled, phone


def answer(client, attempt, headers, **body):
    return client.post(f"{LOOKS}/{attempt['_id']}/answer", json={"answer": "same", **body}, headers=headers)


# ---- The second look


def test_whoever_looks_sees_photograph_and_frames_and_nothing_that_the_machine_said(client):
    attempt, _ = a_drawn_pass()
    headers = a_worker()
    (row,) = client.get(LOOKS, headers=headers).json
    assert (row["id"], row["state"]) == (str(attempt["_id"]), "waiting")
    shown = client.get(f"{LOOKS}/{row['id']}", headers=headers)
    assert [frame["number"] for frame in shown.json["frames"]] == list(range(len(attempt["frames"])))
    assert shown.json["figures"] is None
    assert "0.3123" not in shown.text
    assert client.get(f"{LOOKS}/{row['id']}/frames/0", headers=headers).status_code == 200
    photo = f"{V1}/retirees/{attempt['retiree_id']}/face/photo"
    assert client.get(photo, headers=headers).data == actors.photo()
    # nor is there another way to them: the attempt is no review
    assert client.get(f"{V1}/certification-reviews/{row['id']}", headers=headers).status_code == 404


def test_after_the_answer_the_figures_may_be_seen_and_the_frames_not(client):
    attempt, _ = a_drawn_pass()
    headers = a_worker()
    answered = answer(client, attempt, headers, answer="different", note="鼻子不一样")
    assert (answered.status_code, answered.json["state"], answered.json["figures"]) == (200, "different", FIGURES)
    assert answered.json["certificate"]["questioned_at"]
    path = f"{LOOKS}/{attempt['_id']}"
    assert client.get(f"{path}/frames/0", headers=headers).json["code"] == "frame_gone"
    assert client.get(LOOKS, headers=headers).json == []
    (row,) = client.get(LOOKS, query_string={"state": "different"}, headers=headers).json
    assert (row["id"], row["note"]) == (str(attempt["_id"]), "鼻子不一样")
    assert answer(client, attempt, headers).json["code"] == "already_answered"
    (todo,) = client.get(f"{V1}/follow-ups", headers=headers).json
    assert todo["kind"] == "wrong_pass"
    assert todo["retiree"]["id"] == str(attempt["retiree_id"])


def test_the_same_answer_sent_twice_with_one_key_is_one_answer(client):
    attempt, _ = a_drawn_pass()
    headers = {**a_worker(), "Idempotency-Key": "look-1"}
    replies = [answer(client, attempt, headers) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [200, 200]
    assert replies[0].json == replies[1].json
    assert audit_actions({"_id": attempt["retiree_id"]}).count("certification.second_look") == 1


def test_the_retiree_notices_nothing(client):
    attempt, phone = a_drawn_pass()
    headers = headers_of(phone)
    path = f"{V1}/certification-sessions/{attempt['_id']}"
    before = client.get(path, headers=headers).json
    assert (before["state"], before["next"], before["can_be_reviewed"]) == ("passed", "done", False)
    assert "look" not in str(before)
    answer(client, attempt, a_worker(), answer="different")
    assert client.get(path, headers=headers).json == before
    finish_work()
    inbox = client.get(f"{V1}/retirees/{attempt['retiree_id']}/inbox", headers=headers).json["items"]
    assert [message["title"] for message in inbox] == ["认证成功"]


@pytest.mark.parametrize("role", ["archive_keeper", "branch_secretary", "enterprise", "auditor", "administrator"])
def test_only_the_office_looks(client, role):
    attempt, phone = a_drawn_pass()
    for headers in (a_worker(role), headers_of(phone)):
        assert client.get(LOOKS, headers=headers).status_code == 403
        assert client.get(f"{LOOKS}/{attempt['_id']}/frames/0", headers=headers).status_code == 403
        assert answer(client, attempt, headers).status_code == 403


def test_another_community_does_not_find_it(client):
    attempt, _ = a_drawn_pass()
    elsewhere = a_worker(division=OTHER_COMMUNITY)
    assert client.get(LOOKS, headers=elsewhere).json == []
    assert answer(client, attempt, elsewhere).json["code"] == "look_not_found"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"answer": "perhaps"}, "/answer"),
        ({"answer": "not_looked"}, "/answer"),
        ({"answer": None}, "/answer"),
        ({"note": "x" * 301}, "/note"),
        ({"approve": True}, "/approve"),
    ],
)
def test_an_answer_is_one_of_three(client, body, pointer):
    attempt, _ = a_drawn_pass()
    refused = answer(client, attempt, a_worker(), **body)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


# ---- The report


def test_without_a_month_the_report_is_of_this_one_and_as_it_stands_now(client):
    attempt, _ = a_drawn_pass()
    answer(client, attempt, a_worker())
    found = client.get(REPORT, headers=a_worker("street", "430102001")).json
    assert found["month"] == f"{clock.today():%Y-%m}"
    assert (found["division"], found["prepared_at"]) == ("430102001", None)
    assert (found["totals"]["attempts"], found["totals"]["looked"], found["totals"]["different"]) == (1, 1, 0)
    assert found["totals"]["wrong_pass_at_most"] == 0.95
    assert [(row["group"], row["name"]) for row in found["communities"]] == [("other", "其他")]


def test_communities_ages_and_phones_have_names_that_people_read(client):
    for _ in range(5):
        attempt = an_attempt(a_retiree(), device="Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X)")
        transaction(lambda session, attempt=attempt: sessions.settle(session, attempt, "pass", [], FIGURES))
    found = client.get(REPORT, headers=a_worker("auditor", "")).json
    assert [row["name"] for row in found["communities"]] == ["银杏社区"]
    assert [row["name"] for row in found["phones"]] == ["iPhone"]
    assert all(row["name"].endswith("岁") for row in found["ages"])
    assert found["division_name"] == "全部地区"


def test_a_stored_month_says_since_when(client):
    with time_machine.travel("2026-12-02T10:00:00+08:00", tick=False):
        from jobs import housekeeping

        housekeeping.run("prepare_face_report")
        housekeeping.run("prepare_face_report")
        found = client.get(REPORT, query_string={"month": "2026-11"}, headers=a_worker("city", "4301")).json
    assert found["prepared_at"] == "2026-12-02T10:00:00+08:00"


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "1999-01", "2026-11-01", "November", ""])
def test_a_month_is_written_as_year_and_month(client, month):
    for path in (REPORT, f"{REPORT}.xlsx"):
        refused = client.get(path, query_string={"month": month}, headers=a_worker())
        assert refused.status_code == 422
        assert refused.json["errors"][0]["pointer"] == "/month"


def test_a_month_to_come_and_a_place_elsewhere_are_refused_in_a_sentence(client):
    headers = a_worker()
    assert client.get(REPORT, query_string={"month": "2099-01"}, headers=headers).json["code"] == "in_the_future"
    elsewhere = client.get(REPORT, query_string={"division": OTHER_COMMUNITY}, headers=headers)
    assert (elsewhere.status_code, elsewhere.json["code"]) == (404, "division_not_found")


@pytest.mark.parametrize("role", ["archive_keeper", "branch_secretary", "enterprise", "administrator"])
def test_only_the_office_and_the_auditor_read_the_report(client, role):
    for path in (REPORT, f"{REPORT}.xlsx"):
        assert client.get(path, headers=a_worker(role)).status_code == 403


def test_the_spreadsheet_holds_the_same_numbers_and_a_phone_s_name_is_never_a_formula(client):
    for _ in range(5):
        attempt = an_attempt(a_retiree(), device="Mozilla/5.0 (Linux; Android 13; =1+1 Build/1)")
        transaction(lambda session, attempt=attempt: sessions.settle(session, attempt, "pass", [], FIGURES))
    reply = client.get(f"{REPORT}.xlsx", headers=a_worker())
    assert reply.headers["Content-Disposition"].startswith("attachment; filename=faces-")
    book = openpyxl.load_workbook(io.BytesIO(reply.data))
    assert book.sheetnames == ["合计", "按社区", "按年龄", "按手机"]
    header, totals = book["合计"].iter_rows(values_only=True)
    held = dict(zip(header, totals, strict=True))
    assert (held["认证次数"], held["自动通过"], held["自动通过率"], held["错放率"]) == (5, 5, 1, None)
    name = book["按手机"].cell(2, 1)
    assert (name.value, name.data_type) == ("=1+1", "s")


def test_the_file_is_named_after_month_and_place(client):
    reply = client.get(f"{REPORT}.xlsx", query_string={"month": "2026-10"}, headers=a_worker())
    assert reply.headers["Content-Disposition"] == f"attachment; filename=faces-2026-10-{COMMUNITY}.xlsx"
