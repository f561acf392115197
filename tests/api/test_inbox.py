"""The inbox over HTTP: newest first, from a place on, and only one's own."""

from __future__ import annotations

import pytest
from bson import ObjectId

from models import messages
from models.access import STREET
from tests.builders import a_message, a_retiree, headers_of, helper_of, oneself
from tests.story import V1, a_worker

STEPS = (("PUT", "read", "read_at"), ("PUT", "listened", "listened_at"), ("POST", "help", "help_asked_at"))


def path_of(person) -> str:
    return f"{V1}/retirees/{person['_id']}/inbox"


def test_messages_come_newest_first_and_go_on_from_a_place(client):
    person = a_retiree()
    for cause in "123":
        a_message(person, cause, title=f"第{cause}条")
    headers = headers_of(oneself(person))
    first = client.get(path_of(person), query_string={"limit": 2}, headers=headers).json
    assert [row["title"] for row in first["items"]] == ["第3条", "第2条"]
    rest = client.get(path_of(person), query_string={"limit": 2, "before": first["next"]}, headers=headers).json
    assert ([row["title"] for row in rest["items"]], rest["next"]) == (["第1条"], None)
    assert set(first["items"][0]) == {
        "id", "retiree_id", "title", "body", "link", "notice_id", "importance", "created_at", "read_at", "listened_at",
        "help_asked_at", "withdrawn",
    }  # fmt: skip
    assert first["items"][0]["created_at"].endswith("+08:00")


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"before": "x"}, {"page": 1}])
def test_a_place_that_makes_no_sense_is_refused(client, query):
    person = a_retiree()
    reply = client.get(path_of(person), query_string=query, headers=headers_of(oneself(person)))
    assert (reply.status_code, reply.json["code"]) == (422, "invalid")


def test_the_badge_shows_how_many_wait_and_how_many_of_these_matter(client):
    person = a_retiree()
    a_message(person, "1")
    message = a_message(person, "2", importance=messages.EMERGENCY)
    headers = headers_of(oneself(person))
    badge = f"{path_of(person)}/unread"
    assert client.get(badge, headers=headers).json == {"unread": 2, "important": 1}
    client.put(f"{V1}/inbox/{message['_id']}/read", headers=headers)
    assert client.get(badge, headers=headers).json == {"unread": 1, "important": 0}


def test_a_message_is_opened_heard_and_asked_about_once_each(client):
    person = a_retiree()
    message = f"{V1}/inbox/{a_message(person)['_id']}"
    headers = headers_of(oneself(person))
    for verb, step, field in STEPS:
        assert client.open(f"{message}/{step}", method=verb, headers=headers).status_code == 204
        first = client.get(message, headers=headers).json[field]
        assert first
        assert client.open(f"{message}/{step}", method=verb, headers=headers).status_code == 204
        assert client.get(message, headers=headers).json[field] == first
    (asked,) = client.get(f"{V1}/follow-ups", headers=a_worker()).json
    assert (asked["kind"], asked["note"], asked["retiree"]["id"]) == (
        "message_help", "《关于资格认证的通知》", str(person["_id"]),
    )  # fmt: skip


def test_of_a_withdrawn_message_only_the_line_that_says_so_is_shown(client):
    person, notice_id = a_retiree(), ObjectId()
    message = a_message(person, notice_id=notice_id, notice_version=1, title="写错了的通知")
    messages.end_notice(notice_id, messages.WITHDRAWN)
    headers = headers_of(oneself(person))
    (row,) = client.get(path_of(person), headers=headers).json["items"]
    assert (row["title"], row["withdrawn"], row["notice_id"]) == ("已撤回", True, str(notice_id))
    reply = client.post(f"{V1}/inbox/{message['_id']}/help", headers=headers)
    assert (reply.status_code, reply.json["code"]) == (409, "message_ended")


def test_a_helper_reads_the_parents_messages_and_a_stranger_none(client):
    person = a_retiree()
    message = f"{V1}/inbox/{a_message(person)['_id']}"
    helper, stranger = headers_of(helper_of(person)), headers_of(oneself(a_retiree()))
    for path in (path_of(person), f"{path_of(person)}/unread"):
        assert client.get(path, headers=stranger).json["code"] == "retiree_not_found"
    assert client.get(message, headers=stranger).json["code"] == "message_not_found"
    for verb, step, _ in STEPS:
        assert client.open(f"{message}/{step}", method=verb, headers=stranger).json["code"] == "message_not_found"
    assert client.get(message, headers=helper).json["read_at"] is None
    assert client.put(f"{message}/read", headers=helper).status_code == 204
    assert client.get(message, headers=helper).json["read_at"]


def test_what_the_house_says_to_a_retiree_is_not_for_staff(client):
    person = a_retiree()
    message = f"{V1}/inbox/{a_message(person)['_id']}"
    for worker in (a_worker(), a_worker(STREET, "430102001")):
        assert client.get(path_of(person), headers=worker).status_code == 403
        assert client.get(message, headers=worker).status_code == 403
