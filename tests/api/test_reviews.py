"""The review queue over HTTP: figures and frames for whoever decides, every look audited, one decision."""

from __future__ import annotations

import pytest

from models import certification_sessions as sessions
from models.database import collection, transaction
from tests.builders import a_retiree, an_attempt, audit_actions, finish_work, headers_of, oneself
from tests.story import V1, a_worker

REVIEWS = f"{V1}/certification-reviews"


def a_review(person=None):
    attempt = an_attempt(person or a_retiree())
    transaction(
        lambda session: sessions.settle(
            session, attempt, "review", ["match_doubtful"], {"distance": 0.44}, ["工作人员会帮您核对。"]
        )
    )
    return attempt


def decide(client, attempt, headers, **body):
    return client.post(
        f"{REVIEWS}/{attempt['_id']}/decision", json={"approve": True, "reason": "是本人", **body}, headers=headers
    )


def test_the_oldest_review_comes_first_and_the_queue_has_pages(client):
    first, second = a_review(), a_review()
    headers = a_worker()
    rows = client.get(REVIEWS, headers=headers).json
    assert [row["id"] for row in rows] == [str(first["_id"]), str(second["_id"])]
    page = client.get(REVIEWS, query_string={"page": 2, "page_size": 1}, headers=headers)
    assert [row["id"] for row in page.json] == [str(second["_id"])]
    assert '"total": 2' in page.headers["X-Pagination"]


def test_a_review_shows_the_figures_the_frames_and_the_history(client):
    person = a_retiree()
    failed = an_attempt(person)
    transaction(lambda session: sessions.settle(session, failed, "fail", ["no_face"], {}))
    attempt = a_review(person)
    shown = client.get(f"{REVIEWS}/{attempt['_id']}", headers=a_worker()).json
    assert shown["figures"] == {"distance": 0.44}
    assert shown["advice"] == ["工作人员会帮您核对。"]
    assert [row["id"] for row in shown["attempts_before"]] == [str(failed["_id"])]
    assert [frame["number"] for frame in shown["frames"]] == list(range(len(attempt["frames"])))
    assert shown["enrolled_photo"] is False
    assert person["id_number"] not in str(shown)
    assert "nonce" not in shown


def test_every_look_at_a_frame_is_audited(client):
    attempt = a_review()
    path = f"{REVIEWS}/{attempt['_id']}/frames"
    headers = a_worker()
    assert client.get(f"{path}/0", headers=headers).status_code == 200
    assert client.get(f"{path}/99", headers=headers).json["code"] == "frame_gone"
    assert client.get(f"{path}/{10**30}", headers=headers).status_code == 404
    assert audit_actions({"_id": attempt["retiree_id"]}).count("certification.frame_seen") == 1


def test_a_rejection_is_told_to_the_retiree_and_counts(client):
    person = a_retiree()
    attempt = a_review(person)
    decided = decide(client, attempt, a_worker(), approve=False, reason="不是同一个人")
    assert (decided.status_code, decided.json["state"]) == (200, "failed")
    finish_work()
    phone = headers_of(oneself(person))
    assert (
        client.get(f"{V1}/retirees/{person['_id']}/inbox", headers=phone).json["items"][0]["title"]
        == "人脸认证没有通过"
    )
    assert client.get(f"{V1}/certification-sessions/{attempt['_id']}", headers=phone).json["next"] == "try_again"


def test_a_review_is_decided_once(client):
    attempt, headers = a_review(), a_worker()
    assert decide(client, attempt, headers).status_code == 200
    again = decide(client, attempt, headers, approve=False)
    assert (again.status_code, again.json["code"]) == (409, "already_decided")
    assert collection("certificates").count_documents({}) == 1


def test_the_same_decision_sent_twice_with_one_key_is_one_decision(client):
    attempt, headers = a_review(), {**a_worker(), "Idempotency-Key": "decide-1"}
    replies = [decide(client, attempt, headers) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [200, 200]
    assert replies[0].json == replies[1].json


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reason": ""}, "/reason"),
        ({"reason": "x"}, "/reason"),
        ({"reason": None}, "/reason"),
        ({"approve": "perhaps"}, "/approve"),
        ({"approve": None}, "/approve"),
        ({"certified_on": "2026-01-01"}, "/certified_on"),
    ],
)
def test_a_decision_needs_a_yes_or_no_and_a_reason(client, body, pointer):
    refused = decide(client, a_review(), a_worker(), **body)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


@pytest.mark.parametrize("role", ["archive_keeper", "branch_secretary", "enterprise", "auditor", "administrator"])
def test_only_the_office_reviews(client, role):
    attempt, headers = a_review(), a_worker(role)
    assert client.get(REVIEWS, headers=headers).status_code == 403
    assert client.get(f"{REVIEWS}/{attempt['_id']}/frames/0", headers=headers).status_code == 403
    assert decide(client, attempt, headers).status_code == 403


def test_a_retiree_does_not_decide_the_own_review(client):
    person = a_retiree()
    attempt = a_review(person)
    assert decide(client, attempt, headers_of(oneself(person))).status_code == 403
