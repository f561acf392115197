"""The inbox: one message a cause, newest first, read by whoever it is for."""

from __future__ import annotations

import pytest
from bson import ObjectId

from models import messages
from models.database import collection, transaction
from models.errors import NotFound
from tests.builders import a_retiree, helper_of, oneself


def put(person, cause: str = "1", title: str = "认证成功") -> None:
    transaction(
        lambda session: messages.put(session, person["_id"], "certified", cause, title, "正文", "/certificates")
    )


def test_a_message_whose_event_is_delivered_twice_is_there_once(ground):
    person = a_retiree()
    put(person)
    put(person, title="另一个标题")
    rows, total = messages.inbox(person["_id"], oneself(person))
    assert (total, rows[0]["title"], rows[0]["read_at"]) == (1, "认证成功", None)


def test_messages_come_newest_first_and_by_the_page(ground):
    person = a_retiree()
    for cause in "123":
        put(person, cause, f"第{cause}条")
    rows, total = messages.inbox(person["_id"], oneself(person), page=1, size=2)
    assert ([row["title"] for row in rows], total) == (["第3条", "第2条"], 3)


def test_a_message_is_read_once_and_keeps_the_first_time(ground):
    person = a_retiree()
    put(person)
    message = collection("messages").find_one({})
    messages.mark_read(message["_id"], helper_of(person))
    first = collection("messages").find_one({})["read_at"]
    messages.mark_read(message["_id"], oneself(person))
    assert first is not None
    assert collection("messages").find_one({})["read_at"] == first
    assert messages.unread(person["_id"], oneself(person)) == 0


def test_the_inbox_of_somebody_else_does_not_exist(ground):
    person, stranger = a_retiree(), a_retiree()
    put(person)
    message = collection("messages").find_one({})
    with pytest.raises(NotFound, match="message_not_found"):
        messages.mark_read(message["_id"], oneself(stranger))
    with pytest.raises(NotFound, match="retiree_not_found"):
        messages.inbox(person["_id"], oneself(stranger))
    with pytest.raises(NotFound):
        messages.mark_read(ObjectId(), oneself(person))
