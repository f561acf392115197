"""The inbox: one message a cause, newest first, read by whoever it is for, ended when its notice is."""

from __future__ import annotations

import pytest
from bson import ObjectId

from models import deliveries, messages
from models.database import collection
from models.errors import Conflict, NotFound
from tests.builders import (
    CITY_WORKER,
    COMMUNITY,
    COMMUNITY_WORKER,
    OTHER_COMMUNITY,
    a_message,
    a_retiree,
    audit_actions,
    helper_of,
    oneself,
)
from tests.story import later


def held(message) -> dict:
    return collection("messages").find_one({"_id": message["_id"]})


def a_delivery(message, channel: str = deliveries.SMS, **more):
    row = deliveries.make(message, channel, later(0), **more)
    deliveries.put_all([row])
    return row


def state_of(delivery) -> str:
    return collection("deliveries").find_one({"_id": delivery["_id"]})["state"]


def test_a_message_whose_event_is_delivered_twice_is_there_once(ground):
    person = a_retiree()
    first = a_message(person)
    assert a_message(person, title="另一个标题")["_id"] == first["_id"]
    rows, _ = messages.inbox(person["_id"], oneself(person))
    assert [(row["title"], row["read_at"]) for row in rows] == [("关于资格认证的通知", None)]


def test_a_chunk_that_is_written_again_adds_only_those_that_were_missing(ground):
    persons = [a_retiree() for _ in range(3)]

    def written():
        return [messages.make(person["_id"], COMMUNITY, "notice", "1", title="标题", body="正文") for person in persons]

    assert messages.put_all(written()[:2]) == 2
    assert messages.put_all(written()) == 1
    assert messages.put_all([]) == 0
    assert collection("messages").count_documents({}) == 3


def test_messages_come_newest_first_and_go_on_from_where_the_page_ended(ground):
    person = a_retiree()
    for cause in "12345":
        a_message(person, cause, title=f"第{cause}条")
    actor, seen, mark = oneself(person), [], None
    for _ in range(3):
        rows, mark = messages.inbox(person["_id"], actor, before=mark, limit=2)
        seen.append([row["title"] for row in rows])
    assert seen == [["第5条", "第4条"], ["第3条", "第2条"], ["第1条"]]
    assert mark is None


def test_a_page_that_holds_exactly_all_of_them_is_the_last(ground):
    person = a_retiree()
    a_message(person)
    assert messages.inbox(person["_id"], oneself(person), limit=1)[1] is None


def test_unread_messages_are_counted_to_99_and_the_important_ones_beside_them(ground):
    person = a_retiree()
    actor = oneself(person)
    for number, importance in enumerate((messages.ROUTINE, messages.IMPORTANT, messages.EMERGENCY)):
        a_message(person, str(number), importance=importance)
    assert messages.unread(person["_id"], actor) == {"unread": 3, "important": 2}
    messages.put_all(
        [messages.make(person["_id"], COMMUNITY, "notice", f"x{n}", title="标题", body="正文") for n in range(120)]
    )
    assert messages.unread(person["_id"], actor) == {"unread": 99, "important": 2}


def test_the_number_of_unread_messages_and_a_page_look_at_no_message_that_they_do_not_need(ground):
    person = a_retiree()
    messages.put_all(
        [messages.make(person["_id"], COMMUNITY, "notice", f"{n}", title="标题", body="正文") for n in range(500)]
    )
    collection("messages").update_many({"cause": {"$ne": "7"}}, {"$set": {"unread": False}})
    for query, most in (
        (collection("messages").find({"retiree_id": person["_id"], "unread": True}), 1),
        (collection("messages").find({"retiree_id": person["_id"]}).sort("_id", -1).limit(21), 21),
    ):
        stats = query.explain()["executionStats"]
        assert stats["totalDocsExamined"] <= most
        assert stats["totalKeysExamined"] <= most


def test_a_message_is_read_once_and_keeps_the_first_time(ground):
    person = a_retiree()
    message = a_message(person)
    messages.mark_read(message["_id"], helper_of(person))
    first = held(message)["read_at"]
    messages.mark_read(message["_id"], oneself(person))
    assert first is not None
    assert held(message)["read_at"] == first
    assert messages.unread(person["_id"], oneself(person)) == {"unread": 0, "important": 0}


def test_whoever_hears_a_message_has_opened_it(ground):
    person = a_retiree()
    message = a_message(person)
    messages.mark_listened(message["_id"], oneself(person))
    assert held(message)["read_at"] == held(message)["listened_at"] is not None
    opened = a_message(person, "2")
    messages.mark_read(opened["_id"], oneself(person))
    messages.mark_listened(opened["_id"], oneself(person))
    assert held(opened)["read_at"] <= held(opened)["listened_at"]


def test_reading_ends_what_would_have_gone_to_a_telephone_but_not_the_copy_for_the_family(ground):
    person = a_retiree()
    message = a_message(person, importance=messages.IMPORTANT)
    child = helper_of(person).account_id
    own, call = a_delivery(message), a_delivery(message, deliveries.CALL)
    copy = a_delivery(message, deliveries.WECHAT, account_id=child, copy=True)
    messages.mark_read(message["_id"], oneself(person))
    assert [state_of(row) for row in (own, call, copy)] == ["cancelled", "cancelled", "waiting"]
    assert messages.to_plan(10) == []


def test_i_need_help_puts_the_message_before_the_community_once(ground):
    person = a_retiree()
    actor, message = oneself(person), a_message(person, title="关于医保的通知")
    for _ in range(2):
        messages.ask_help(message["_id"], actor)
    messages.ask_help(a_message(person, "2", title="关于补贴的通知")["_id"], actor)
    (follow_up,) = collection("follow_ups").find({})
    assert (follow_up["kind"], follow_up["division"], follow_up["open"]) == ("message_help", COMMUNITY, True)
    assert follow_up["note"] == "《关于医保的通知》、《关于补贴的通知》"
    assert held(message)["read_at"] == held(message)["help_asked_at"] is not None
    assert audit_actions(person).count("message.help_asked") == 2


def test_what_the_party_branch_has_written_is_not_named_to_the_community(ground):
    person = a_retiree()
    message = a_message(person, title="支部大会的通知", branch=True)
    messages.ask_help(message["_id"], oneself(person))
    assert collection("follow_ups").find_one({})["note"] == "《一条通知》"


def test_a_withdrawn_notice_leaves_a_line_that_says_so_and_no_badge(ground):
    person = a_retiree()
    notice_id = ObjectId()
    message = a_message(person, notice_id=notice_id, notice_version=1, importance=messages.IMPORTANT)
    waiting = a_delivery(message)
    assert messages.end_notice(notice_id, messages.WITHDRAWN) == 1
    assert messages.end_notice(notice_id, messages.WITHDRAWN) == 0
    (row,), _ = messages.inbox(person["_id"], oneself(person))
    shown = messages.shown(row)
    assert (shown["title"], shown["link"], shown["withdrawn"]) == ("已撤回", "", True)
    assert "每年认证一次" not in shown["body"]
    assert messages.unread(person["_id"], oneself(person)) == {"unread": 0, "important": 0}
    assert state_of(waiting) == "cancelled"
    assert messages.to_plan(10) == []
    with pytest.raises(Conflict, match="message_ended"):
        messages.ask_help(message["_id"], oneself(person))


def test_a_correction_ends_the_messages_of_the_versions_before_it_alone(ground):
    person, notice_id = a_retiree(), ObjectId()
    old = a_message(person, "1", notice_id=notice_id, notice_version=1)
    new = a_message(person, "2", notice_id=notice_id, notice_version=2)
    other = a_message(person, "3", notice_id=ObjectId(), notice_version=1)
    messages.end_notice(notice_id, messages.CORRECTED, before=2)
    assert [held(row)["ended"] for row in (old, new, other)] == ["corrected", None, None]
    assert messages.shown(held(old))["title"] == "已更正"


def test_the_inbox_of_somebody_else_does_not_exist(ground):
    person, stranger = a_retiree(), a_retiree()
    message = a_message(person)
    for act in (messages.get, messages.mark_read, messages.mark_listened, messages.ask_help):
        with pytest.raises(NotFound, match="message_not_found"):
            act(message["_id"], oneself(stranger))
        with pytest.raises(NotFound, match="message_not_found"):
            act(ObjectId(), oneself(person))
    for act in (messages.inbox, messages.unread):
        with pytest.raises(NotFound, match="retiree_not_found"):
            act(person["_id"], oneself(stranger))


def test_receipts_count_the_people_of_ones_own_area_by_community(ground):
    notice_id = ObjectId()
    here = [a_retiree() for _ in range(3)]
    there = a_retiree(division=OTHER_COMMUNITY)
    sent = [a_message(person, notice_id=notice_id, notice_version=1) for person in (*here, there)]
    a_message(here[0], "old", notice_id=notice_id, notice_version=0)
    messages.mark_read(sent[0]["_id"], oneself(here[0]))
    messages.mark_listened(sent[1]["_id"], oneself(here[1]))
    messages.ask_help(sent[1]["_id"], oneself(here[1]))
    mine = {"division": COMMUNITY, "people": 3, "opened": 2, "listened": 1, "help": 1}
    other = {"division": OTHER_COMMUNITY, "people": 1, "opened": 0, "listened": 0, "help": 0}
    assert messages.receipts(notice_id, 1, COMMUNITY_WORKER) == [mine]
    assert messages.receipts(notice_id, 1, CITY_WORKER) == [mine, other]
    rows, total = messages.not_opened(notice_id, 1, CITY_WORKER)
    assert ([row["retiree"]["_id"] for row in rows], total) == ([here[2]["_id"], there["_id"]], 2)
    assert messages.not_opened(notice_id, 1, CITY_WORKER, division=OTHER_COMMUNITY)[1] == 1
    assert messages.not_opened(notice_id, 1, CITY_WORKER, page=2, size=1)[0][0]["retiree_id"] == there["_id"]
