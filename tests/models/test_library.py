"""The library: what one retiree finds there, and what somebody who was sent a notice may still open."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from models import access, audiences, clock, library, notices, people
from models.database import collection
from models.errors import NotFound
from tests.builders import (
    OTHER_COMMUNITY,
    a_published_notice,
    a_retiree,
    a_writer,
    an_approved_notice,
    certified_until,
    helper_of,
    oneself,
)
from tests.models.test_notices import NOON, STREET, corrected, in_library, leaf, refused


def test_the_library_holds_what_is_for_a_person_now_whenever_they_joined(ground):
    writer = a_writer()
    a_published_notice(writer, title="给大家的")
    a_published_notice(writer, title="给八十岁以上的", audience=leaf("age", "at_least", 80))
    a_published_notice(a_writer(access.CITY, "4301"), title="市里的")
    a_published_notice(a_writer(division=OTHER_COMMUNITY), title="别的社区的")
    a_published_notice(
        a_writer(access.STREET, STREET), title="给别的社区的", audience=leaf("division", "is", OTHER_COMMUNITY)
    )
    an_approved_notice(writer, title="还没发布的")
    young = a_retiree(recognised_birth="1960-01-01")
    old = a_retiree(recognised_birth="1940-01-01")
    assert in_library(young) == ["市里的", "给大家的"]
    assert in_library(old) == ["市里的", "给八十岁以上的", "给大家的"]
    assert in_library(old, helper_of(old)) == in_library(old)


@pytest.mark.parametrize("status", [people.MOVED, people.DECEASED])
def test_whoever_has_moved_away_or_died_has_an_empty_library_and_nobody_else_has(ground, status):
    person, other = a_retiree(), a_retiree()
    a_published_notice(category="pension")
    collection("retirees").update_one({"_id": person["_id"]}, {"$set": {"status": status}})
    assert in_library(person, category="party") == []
    assert len(in_library(other, category="pension")) == 1
    assert access.NOBODY == {"_id": {"$in": []}}


def test_the_library_is_read_for_somebody_one_acts_for_only(ground):
    person, other = a_retiree(), a_retiree()
    notice = a_published_notice()
    for work in (
        lambda: library.shelf(other["_id"], oneself(person)),
        lambda: library.read(notice["_id"], other["_id"], oneself(person)),
    ):
        assert refused(NotFound, work) == "retiree_not_found"


def test_pinned_comes_first_then_the_newest_and_after_its_last_day_a_notice_is_gone(ground):
    writer, person = a_writer(), a_retiree()
    for number, fields in enumerate(({"pinned": True}, {}, {"expires_on": "2026-11-22"})):
        with time_machine.travel(NOON + dt.timedelta(minutes=number), tick=False):
            a_published_notice(writer, title=f"第{number}份", **fields)
    with time_machine.travel(dt.datetime(2026, 11, 22, 23, 59, tzinfo=clock.SHANGHAI), tick=False):
        assert in_library(person) == ["第0份", "第2份", "第1份"]
    with time_machine.travel(dt.datetime(2026, 11, 23, 0, 0, tzinfo=clock.SHANGHAI), tick=False):
        assert in_library(person) == ["第0份", "第1份"]


def test_the_library_is_searched_and_filtered(ground):
    writer, person = a_writer(), a_retiree()
    a_published_notice(
        writer,
        title="高龄津贴",
        kind="policy",
        category="benefit",
        document_number="湘民发〔2024〕12号",
        source="民政局",
    )
    a_published_notice(
        writer, title="重阳节活动", category="activity", body="<p>领取津贴</p>", text="领取津贴的老人也可以参加"
    )
    a_published_notice(a_writer(division=OTHER_COMMUNITY), title="别处的津贴")
    assert in_library(person, q="津贴") == ["高龄津贴", "重阳节活动"]
    assert in_library(person, q="湘民发[2024]12") == ["高龄津贴"]
    assert in_library(person, q="民政局") == ["高龄津贴"]
    assert in_library(person, category="activity") == ["重阳节活动"]
    assert in_library(person, kind="policy", q="津贴") == ["高龄津贴"]
    assert in_library(person, q="体检") == []


def test_whoever_was_sent_a_notice_may_read_it_also_when_the_condition_is_over(ground):
    person, other = a_retiree(), a_retiree()
    certified_until(person, clock.today().isoformat())
    notice = a_published_notice(audience=leaf("certification", "is", "due_soon"))
    assert list(audiences.freeze(notice["audience_id"])) == [1]
    certified_until(person, (clock.today() + dt.timedelta(days=300)).isoformat())
    assert in_library(person) == []
    assert library.read(notice["_id"], person["_id"], oneself(person))["title"] == notice["title"]
    assert refused(NotFound, lambda: library.read(notice["_id"], other["_id"], oneself(other))) == "notice_not_found"


def test_whoever_was_sent_a_notice_is_told_that_it_was_withdrawn_and_others_are_told_nothing(ground):
    writer, person, other = a_writer(), a_retiree(), a_retiree(recognised_birth="1930-01-01")
    notice = a_published_notice(writer, audience=leaf("age", "at_most", 80))
    list(audiences.freeze(notice["audience_id"]))
    notices.withdraw(notice["_id"], "有误", writer)
    assert refused(NotFound, lambda: library.read(notice["_id"], person["_id"], oneself(person))) == "notice_withdrawn"
    assert refused(NotFound, lambda: library.read(notice["_id"], other["_id"], oneself(other))) == "notice_not_found"


def test_a_correction_for_fewer_people_is_not_shown_to_those_who_read_the_first_version(ground):
    writer, young = a_writer(), a_retiree(recognised_birth="1960-01-01")
    notice = a_published_notice(writer)
    list(audiences.freeze(notice["audience_id"]))
    corrected(notice, writer, audience=leaf("age", "at_least", 80))
    assert refused(NotFound, lambda: library.read(notice["_id"], young["_id"], oneself(young))) == "notice_withdrawn"
