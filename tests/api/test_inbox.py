"""The inbox over HTTP: newest first, by the page, and only one's own."""

from __future__ import annotations

from models import messages
from models.database import transaction
from tests.builders import a_retiree, headers_of, helper_of, oneself
from tests.story import V1, a_worker


def put(person, *causes: str) -> None:
    for cause in causes:
        transaction(
            lambda session, cause=cause: messages.put(
                session, person["_id"], "certified", cause, f"第{cause}条", "正文", "/certificates"
            )
        )


def test_messages_come_newest_first_by_the_page(client):
    person = a_retiree()
    put(person, "1", "2", "3")
    path = f"{V1}/retirees/{person['_id']}/inbox"
    headers = headers_of(oneself(person))
    reply = client.get(path, query_string={"page_size": 2}, headers=headers)
    assert [row["title"] for row in reply.json] == ["第3条", "第2条"]
    assert '"total": 3' in reply.headers["X-Pagination"]
    assert set(reply.json[0]) == {"id", "title", "body", "link", "created_at", "read_at"}
    assert reply.json[0]["created_at"].endswith("+08:00")
    assert [row["title"] for row in client.get(path, query_string={"page": 4}, headers=headers).json] == []


def test_a_helper_reads_the_parents_messages_and_a_stranger_none(client):
    person = a_retiree()
    put(person, "1")
    helper, stranger = headers_of(helper_of(person)), headers_of(oneself(a_retiree()))
    path = f"{V1}/retirees/{person['_id']}/inbox"
    message = client.get(path, headers=helper).json[0]["id"]
    assert client.get(path, headers=stranger).status_code == 404
    assert client.put(f"{V1}/inbox/{message}/read", headers=stranger).json["code"] == "message_not_found"
    assert client.get(path, headers=helper).json[0]["read_at"] is None
    for _ in range(2):
        assert client.put(f"{V1}/inbox/{message}/read", headers=helper).status_code == 204
    assert client.get(path, headers=helper).json[0]["read_at"]


def test_what_the_house_says_to_a_retiree_is_not_for_staff(client):
    person = a_retiree()
    assert client.get(f"{V1}/retirees/{person['_id']}/inbox", headers=a_worker()).status_code == 403
