"""A published notice reaches the inbox of each of its audience once, and is taken back from all of them."""

from __future__ import annotations

import pytest

from jobs import fan_out
from models import audiences, clock, messages, notices
from models.database import collection
from models.messages import IMPORTANT
from notifications import engine
from tests.builders import (
    OTHER_COMMUNITY,
    a_published_notice,
    a_retiree,
    a_writer,
    finish_work,
    oneself,
)


def again(kind: str) -> None:
    """Deliver events of a kind once more, as after a crash."""
    collection("outbox").update_many(
        {"kind": kind}, {"$set": {"state": "pending", "leased_until": clock.now(), "handed_out_at": None}}
    )
    finish_work()


def inboxes(**where) -> list[dict]:
    return list(collection("messages").find(where).sort("retiree_id"))


def a_correction(notice, writer):
    """The next version of a notice, reviewed and published."""
    notices.correct(notice["_id"], "写错了日期", writer)
    asked = notices.ask_for_review(notice["_id"], writer)
    notices.review(notice["_id"], True, "", asked["revision"], a_writer())
    return notices.publish(notice["_id"], writer)


def test_everybody_of_the_audience_has_the_notice_once_however_often_its_events_are_delivered(ground):
    here = [a_retiree() for _ in range(3)]
    a_retiree(division=OTHER_COMMUNITY)
    notice = a_published_notice(importance=IMPORTANT, expires_on="2999-12-31")
    finish_work()
    again("publish_notice")
    again("fan_out")
    held = inboxes()
    assert [row["retiree_id"] for row in held] == [person["_id"] for person in here]
    assert {row["cause"] for row in held} == {notices.cause(notice["_id"], 1)}
    first = held[0]
    assert (first["title"], first["body"]) == (notice["title"], notice["summary"])
    assert (first["importance"], first["expires_on"], first["link"]) == (
        IMPORTANT, "2999-12-31", f"/library/{notice['_id']}",
    )  # fmt: skip
    assert (first["notice_id"], first["notice_version"], first["branch"]) == (notice["_id"], 1, False)
    assert collection("outbox").count_documents({"kind": "fan_out"}) == 1


def test_a_large_audience_is_written_in_chunks(ground, monkeypatch):
    persons = [a_retiree() for _ in range(5)]
    monkeypatch.setattr(audiences, "CHUNK", 2)
    a_published_notice()
    finish_work()
    assert collection("outbox").count_documents({"kind": "fan_out", "state": "done"}) == 3
    assert [row["retiree_id"] for row in inboxes()] == [person["_id"] for person in persons]


def test_whoever_joins_after_the_freeze_is_not_written_to(ground):
    a_retiree()
    a_published_notice()
    finish_work()
    a_retiree()
    again("publish_notice")
    again("fan_out")
    assert len(inboxes()) == 1


def test_a_withdrawn_notice_ends_in_every_inbox(ground):
    person = a_retiree()
    writer = a_writer()
    notice = a_published_notice(writer)
    finish_work()
    notices.withdraw(notice["_id"], "弄错了", writer)
    finish_work()
    (row,), _ = messages.inbox(person["_id"], oneself(person))
    assert messages.shown(row)["title"] == "已撤回"


def test_a_notice_that_was_withdrawn_before_its_fan_out_reaches_nobody(ground):
    a_retiree()
    writer = a_writer()
    notice = a_published_notice(writer)
    notices.withdraw(notice["_id"], "弄错了", writer)
    finish_work()
    assert inboxes() == []


def test_a_correction_is_said_anew_and_the_old_message_says_that_there_is_one(ground):
    person = a_retiree()
    writer = a_writer()
    notice = a_published_notice(writer)
    finish_work()
    a_correction(notice, writer)
    finish_work()
    rows, _ = messages.inbox(person["_id"], oneself(person))
    assert [messages.shown(row)["title"] for row in rows] == [notice["title"], "已更正"]
    assert messages.unread(person["_id"], oneself(person))["unread"] == 1


@pytest.mark.parametrize("how", ["withdrawn", "corrected"])
def test_a_chunk_that_is_written_after_the_notice_ended_is_taken_back(ground, how):
    person = a_retiree()
    writer = a_writer()
    notice = a_published_notice(writer)
    if how == "withdrawn":
        notices.withdraw(notice["_id"], "弄错了", writer)
    else:
        a_correction(notice, writer)
    finish_work()
    # a worker that had looked before the end writes its chunk now, and looks again
    engine.tell_many(
        [person["_id"]], "notice", notices.cause(notice["_id"], 1), {"title": "标题", "summary": "摘要"},
        notice_id=notice["_id"], notice_version=1,
    )  # fmt: skip
    fan_out._take_back_if_over(notice["_id"], notices.version(notice["_id"], 1))
    assert {row["notice_version"]: row["ended"] for row in inboxes()}[1] == how
    assert messages.unread(person["_id"], oneself(person))["unread"] == (how == "corrected")


def test_a_notice_of_the_party_branch_is_marked_as_the_branchs(ground):
    a_retiree(party_member=True)
    a_retiree()
    a_published_notice(a_writer("branch_secretary"))
    finish_work()
    assert [row["branch"] for row in inboxes()] == [True]
