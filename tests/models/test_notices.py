"""Notices: written by one, read by a second, published once, corrected and withdrawn; and who may see which."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from models import access, audit, clock, files, library, notices, outbox
from models.access import Actor
from models.database import collection
from models.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from tests.builders import (
    COMMUNITY,
    OTHER_COMMUNITY,
    a_draft,
    a_published_notice,
    a_retiree,
    a_writer,
    an_approved_notice,
    oneself,
)
from tests.story import at_once

STREET = COMMUNITY[:9]
NOON = dt.datetime(2026, 11, 21, 12, tzinfo=clock.SHANGHAI)


def leaf(field, op, value):
    return {"field": field, "op": op, "value": value}


def refused(kind, work):
    with pytest.raises(kind) as caught:
        work()
    return caught.value.code


def review(notice, actor, approve=True, reason=""):
    return notices.review(notice["_id"], approve, reason, notice["revision"], actor)


def events(kind):
    return [row["payload"] for row in collection("outbox").find({"kind": kind}).sort("_id")]


def in_library(person, actor=None, **filters):
    rows, total = library.shelf(person["_id"], actor or oneself(person), **filters)
    assert total == len(rows)
    return [row["title"] for row in rows]


def corrected(notice, writer, **changes):
    """The next version, published."""
    draft = notices.correct(notice["_id"], "日期有误", writer)
    draft = notices.change(draft["_id"], changes, draft["revision"], writer)
    asked = notices.ask_for_review(draft["_id"], writer)
    review(asked, a_writer(writer.role, writer.division))
    return notices.publish(draft["_id"], writer)


# ---- Two persons


def test_a_notice_goes_from_one_person_to_another_and_to_its_readers(ground):
    writer, colleague = a_writer(), a_writer()
    notice = a_draft(writer)
    assert notice["state"] == notices.DRAFT
    asked = notices.ask_for_review(notice["_id"], writer)
    assert asked["state"] == notices.IN_REVIEW
    approved = review(asked, colleague)
    assert (approved["state"], approved["reviewer"]) == (notices.APPROVED, colleague.account_id)
    published = notices.publish(notice["_id"], writer)
    assert (published["state"], published["version"], published["in_force"]) == (notices.PUBLISHED, 1, 1)
    kept = notices.version(notice["_id"], 1)
    assert {name: kept[name] for name in notices.CONTENT} == {name: notice[name] for name in notices.CONTENT}
    assert (kept["author"], kept["reviewer"]) == (writer.account_id, colleague.account_id)
    assert events("publish_notice") == [
        {"notice_id": notice["_id"], "version": 1, "audience_id": published["audience_id"]}
    ]
    actions = [row["action"] for row in collection("audit").find({"subject.id": notice["_id"]}).sort("$natural")]
    assert actions == [
        "notice.created", "notice.review_asked", "notice.reviewed", "notice.published",
    ]  # fmt: skip


def test_nobody_reviews_what_they_have_written_at(ground):
    writer, second, third = a_writer(), a_writer(), a_writer()
    notice = a_draft(writer)
    notice = notices.change(notice["_id"], {"title": "改过的标题"}, notice["revision"], second)
    asked = notices.ask_for_review(notice["_id"], third)
    assert refused(Conflict, lambda: review(asked, writer)) == "own_notice"
    assert refused(Conflict, lambda: review(asked, second)) == "own_notice"
    assert review(asked, third)["state"] == notices.APPROVED


def test_what_is_sent_back_says_why_and_whoever_sent_it_back_may_review_it_again(ground):
    writer, colleague = a_writer(), a_writer()
    asked = notices.ask_for_review(a_draft(writer)["_id"], writer)
    assert refused(Invalid, lambda: review(asked, colleague, approve=False)) == "reason_missing"
    back = review(asked, colleague, approve=False, reason="请写明地点")
    assert (back["state"], back["sent_back"]["reason"]) == (notices.DRAFT, "请写明地点")
    again = notices.ask_for_review(back["_id"], writer)
    assert again["sent_back"] is None
    assert review(again, colleague)["state"] == notices.APPROVED


def test_a_review_is_of_the_text_that_was_read(ground):
    writer, colleague = a_writer(), a_writer()
    seen = notices.ask_for_review(a_draft(writer)["_id"], writer)
    draft = notices.take_back(seen["_id"], writer)
    notices.change(draft["_id"], {"title": "悄悄改过"}, draft["revision"], writer)
    now = notices.ask_for_review(draft["_id"], writer)
    with pytest.raises(Stale):
        review(seen, colleague)
    assert review(now, colleague)["title"] == "悄悄改过"


def test_what_was_approved_does_not_change_without_another_review(ground):
    writer = a_writer()
    notice = an_approved_notice(writer)
    change = lambda: notices.change(notice["_id"], {"title": "新"}, notice["revision"], writer)  # noqa: E731
    assert refused(Conflict, change) == "not_a_draft"
    assert refused(Conflict, lambda: notices.add_file(notice["_id"], "pictures", "图", "image/png", b"x", writer)) == (
        "not_a_draft"
    )
    taken = notices.take_back(notice["_id"], writer)
    assert (taken["state"], taken["reviewer"]) == (notices.DRAFT, None)
    assert refused(Conflict, lambda: notices.publish(notice["_id"], writer)) == "not_approved"


def test_two_reviewers_at_once_decide_once(ground):
    writer = a_writer()
    asked = notices.ask_for_review(a_draft(writer)["_id"], writer)
    results = at_once(*[lambda: review(asked, a_writer())] * 3)
    assert sum(isinstance(result, dict) for result in results) == 1
    assert {type(result) for result in results if not isinstance(result, dict)} <= {Conflict, Stale}


def test_of_two_who_edit_at_once_the_second_is_told(ground):
    writer = a_writer()
    notice = a_draft(writer)
    notices.change(notice["_id"], {"title": "一"}, notice["revision"], writer)
    with pytest.raises(Stale):
        notices.change(notice["_id"], {"title": "二"}, notice["revision"], writer)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"summary": " "}, "summary_missing"),
        ({"body": "", "text": ""}, "text_missing"),
        ({"body": f'<p>见图<img data-file="{"0" * 24}"></p>', "text": "见图"}, "picture_missing"),
    ],
)
def test_a_draft_may_be_unfinished_and_a_review_is_not_asked_for_it(ground, fields, code):
    writer = a_writer()
    draft = a_draft(writer, **fields)
    assert refused(Invalid, lambda: notices.ask_for_review(draft["_id"], writer)) == code


def test_the_last_day_does_not_come_before_the_first(ground):
    days = {"effective_on": "2026-12-02", "expires_on": "2026-12-01"}
    assert refused(Invalid, lambda: a_draft(**days)) == "ends_before_it_begins"
    writer = a_writer()
    draft = a_draft(writer, effective_on="2026-12-02")
    change = lambda: notices.change(draft["_id"], {"expires_on": "2026-12-01"}, draft["revision"], writer)  # noqa: E731
    assert refused(Invalid, change) == "ends_before_it_begins"


# ---- Whose notice


def test_a_community_writes_the_street_reads_approves_and_withdraws_but_does_not_rewrite(ground):
    writer, street = a_writer(), a_writer(access.STREET, STREET)
    asked = notices.ask_for_review(a_draft(writer)["_id"], writer)
    with pytest.raises(Forbidden):
        notices.take_back(asked["_id"], street)
    review(asked, street)
    notices.publish(asked["_id"], street)
    for work in (
        lambda: notices.correct(asked["_id"], "改字", street),
        lambda: notices.discard(asked["_id"], street),
    ):
        assert refused(Forbidden, work) == "not_your_office"
    assert notices.withdraw(asked["_id"], "内容有误", street)["state"] == notices.WITHDRAWN


def test_another_community_and_those_without_an_office_see_nothing(ground):
    notice = a_published_notice()
    elsewhere = a_writer(division=OTHER_COMMUNITY)
    assert notices.listed(elsewhere) == ([], 0)
    for work in (
        lambda: notices.get(notice["_id"], elsewhere),
        lambda: notices.versions(notice["_id"], elsewhere),
        lambda: notices.withdraw(notice["_id"], "不归我", elsewhere),
        lambda: notices.correct(notice["_id"], "不归我", elsewhere),
    ):
        assert refused(NotFound, work) == "notice_not_found"
    for actor in (Actor(access.AUDITOR), Actor(access.ENTERPRISE, enterprise="甲厂"), oneself(a_retiree())):
        with pytest.raises(Forbidden):
            notices.listed(actor)
    assert notices.listed(Actor(access.COMMUNITY)) == ([], 0)


def test_a_community_sees_what_the_city_has_published_and_not_what_it_is_working_on(ground):
    city, below = a_writer(access.CITY, "4301"), a_writer()
    notice = a_draft(city, title="市里的通知")
    with pytest.raises(NotFound):
        notices.get(notice["_id"], below)
    review(notices.ask_for_review(notice["_id"], city), a_writer(access.CITY, "4301"))
    notices.publish(notice["_id"], city)
    draft = notices.correct(notice["_id"], "日期有误", city)
    notices.change(draft["_id"], {"title": "还没定的新标题"}, draft["revision"], city)
    seen = notices.get(notice["_id"], below)
    assert (seen["title"], seen["state"], seen["version"]) == ("市里的通知", notices.PUBLISHED, 1)
    assert [row["title"] for row in notices.listed(below, state=notices.PUBLISHED)[0]] == ["市里的通知"]
    assert notices.listed(below, state=notices.DRAFT)[1] == 0
    assert notices.listed(city, state=notices.DRAFT)[1] == 1
    with pytest.raises(NotFound):
        notices.withdraw(notice["_id"], "不归我管", below)


def test_the_branch_and_the_office_do_not_see_each_others_notices(ground):
    secretary = a_writer(access.BRANCH_SECRETARY)
    member, other = a_retiree(party_member=True), a_retiree(party_member=False)
    notice = a_published_notice(secretary, title="组织生活会", audience=leaf("party_member", "is", True))
    office = a_writer()
    assert notices.listed(office) == ([], 0)
    assert notices.listed(a_writer(access.CITY, "4301")) == ([], 0)
    with pytest.raises(NotFound):
        notices.get(notice["_id"], office)
    assert notices.listed(secretary)[1] == 1
    assert in_library(member) == ["组织生活会"]
    assert in_library(other) == []
    a_published_notice(office)
    assert notices.listed(secretary)[1] == 1
    with pytest.raises(Invalid):
        a_draft(office, audience=leaf("party_member", "is", True))


# ---- Publication


def test_a_press_repeated_or_made_by_two_publishes_once(ground):
    writer = a_writer()
    notice = an_approved_notice(writer)
    results = at_once(*[lambda: notices.publish(notice["_id"], writer)] * 4)
    assert sum(isinstance(result, dict) for result in results) == 1
    assert {result.code for result in results if not isinstance(result, dict)} == {"not_approved"}
    assert len(events("publish_notice")) == 1
    assert collection("audiences").count_documents({}) == 1
    assert collection("notice_versions").count_documents({}) == 1


def test_a_notice_waits_for_its_time_and_is_published_by_the_clock(ground):
    writer = a_writer()
    with time_machine.travel(NOON, tick=False):
        notice = an_approved_notice(writer)
        at = clock.now() + dt.timedelta(hours=3)
        waiting = notices.publish(notice["_id"], writer, publish_at=at)
        assert (waiting["state"], waiting["publish_at"]) == (notices.APPROVED, at)
        assert notices.scheduled() == 0
    with time_machine.travel(NOON + dt.timedelta(hours=3), tick=False):
        assert notices.scheduled() == 1
        assert notices.scheduled() == 0
    published = notices.get(notice["_id"], writer)
    assert (published["state"], published["published_at"], published["publish_at"]) == (notices.PUBLISHED, at, None)
    assert len(events("publish_notice")) == 1


def test_what_waits_for_its_time_can_be_taken_back_or_published_now(ground):
    writer = a_writer()
    at = clock.now() + dt.timedelta(days=1)
    back = notices.publish(an_approved_notice(writer)["_id"], writer, publish_at=at)
    assert notices.take_back(back["_id"], writer)["publish_at"] is None
    early = notices.publish(an_approved_notice(writer)["_id"], writer, publish_at=at)
    assert notices.publish(early["_id"], writer)["state"] == notices.PUBLISHED
    with time_machine.travel(at + dt.timedelta(days=1), tick=False):
        assert notices.scheduled() == 0
    assert len(events("publish_notice")) == 1


@pytest.mark.parametrize("away", [dt.timedelta(0), dt.timedelta(days=-1), dt.timedelta(days=367)])
def test_a_time_in_the_past_or_too_far_away_is_refused(ground, away):
    writer = a_writer()
    with time_machine.travel(NOON, tick=False):
        notice = an_approved_notice(writer)
        at = clock.now() + away
        assert refused(Invalid, lambda: notices.publish(notice["_id"], writer, publish_at=at)) == "bad_time"


def test_what_has_expired_before_its_time_goes_back_and_says_so(ground):
    writer = a_writer()
    with time_machine.travel(NOON, tick=False):
        notice = an_approved_notice(writer, expires_on="2026-11-22")
        notices.publish(notice["_id"], writer, publish_at=clock.now() + dt.timedelta(days=3))
    with time_machine.travel(NOON + dt.timedelta(days=3), tick=False):
        assert notices.scheduled() == 0
        back = notices.get(notice["_id"], writer)
        assert back["state"] == notices.DRAFT
        assert "有效期" in back["sent_back"]["reason"]
        assert notices.scheduled() == 0
    assert events("publish_notice") == []


def test_an_expired_notice_is_not_published(ground):
    writer = a_writer()
    with time_machine.travel(NOON, tick=False):
        notice = an_approved_notice(writer, expires_on="2026-11-20")
        assert refused(Invalid, lambda: notices.publish(notice["_id"], writer)) == "expired"


# ---- Emergencies


def emergency(writer, **fields):
    notice = a_draft(writer, importance=notices.EMERGENCY, title="停水抢修", **fields)
    return notices.publish(notice["_id"], writer, emergency_reason="今晚停水，来不及审核")


def test_an_emergency_goes_out_at_once_with_a_reason_and_shows_that_nobody_has_read_it_yet(ground):
    writer, colleague = a_writer(), a_writer()
    notice = emergency(writer)
    assert notice["state"] == notices.PUBLISHED
    assert notices.awaits_review(notice)
    assert notice["emergency"]["reason"] == "今晚停水，来不及审核"
    assert refused(Conflict, lambda: review(notice, writer)) == "own_notice"
    seen = review(notice, colleague)
    assert not notices.awaits_review(seen)
    assert notices.version(notice["_id"], 1)["reviewer"] == colleague.account_id
    assert refused(Conflict, lambda: review(seen, a_writer())) == "not_in_review"


def test_an_emergency_that_the_second_person_does_not_approve_is_withdrawn(ground):
    writer = a_writer()
    notice = emergency(writer)
    after = review(notice, a_writer(), approve=False, reason="没有这回事")
    assert (after["state"], after["withdrawal"]["reason"]) == (notices.WITHDRAWN, "没有这回事")
    assert len(events("withdraw_notice")) == 1


def test_only_an_emergency_with_a_reason_and_for_now_goes_without_review(ground):
    writer = a_writer()
    routine, urgent = a_draft(writer), a_draft(writer, importance=notices.EMERGENCY)
    for work in (
        lambda: notices.publish(routine["_id"], writer, emergency_reason="急"),
        lambda: notices.publish(urgent["_id"], writer),
        lambda: notices.publish(
            urgent["_id"], writer, emergency_reason="急", publish_at=clock.now() + dt.timedelta(days=1)
        ),
    ):
        assert refused(Conflict, work) == "not_approved"
    unfinished = a_draft(writer, importance=notices.EMERGENCY, summary="")
    assert refused(Invalid, lambda: notices.publish(unfinished["_id"], writer, emergency_reason="急")) == (
        "summary_missing"
    )
    with pytest.raises(Forbidden):
        notices.publish(urgent["_id"], a_writer(access.STREET, STREET), emergency_reason="急")


# ---- Corrections and withdrawal


def test_a_correction_changes_nothing_for_readers_until_it_is_published_and_then_supersedes(ground):
    writer, person = a_writer(), a_retiree()
    notice = a_published_notice(writer, title="体检定在三月")
    before = notices.version(notice["_id"], 1)
    draft = notices.correct(notice["_id"], "日期有误", writer)
    assert (draft["state"], draft["version"], draft["in_force"]) == (notices.DRAFT, 2, 1)
    notices.change(draft["_id"], {"title": "体检定在四月"}, draft["revision"], writer)
    assert in_library(person) == ["体检定在三月"]
    review(notices.ask_for_review(draft["_id"], writer), a_writer())
    published = notices.publish(draft["_id"], writer)
    assert (published["version"], published["in_force"]) == (2, 2)
    assert in_library(person) == ["体检定在四月"]
    newest, oldest = notices.versions(notice["_id"], writer)
    assert (newest["version"], newest["correction_reason"], newest["in_force"]) == (2, "日期有误", True)
    assert (oldest["title"], oldest["ended_because"]) == ("体检定在三月", notices.SUPERSEDED)
    changed = {name for name in before if before[name] != notices.version(notice["_id"], 1)[name]}
    assert changed == {"in_force", "ended_at", "ended_because"}
    assert [payload["version"] for payload in events("publish_notice")] == [1, 2]


def test_a_correction_needs_another_second_person_than_its_own_author(ground):
    writer, colleague = a_writer(), a_writer()
    notice = a_published_notice(writer)
    draft = notices.correct(notice["_id"], "错字", colleague)
    asked = notices.ask_for_review(draft["_id"], colleague)
    assert refused(Conflict, lambda: review(asked, colleague)) == "own_notice"
    assert review(asked, writer)["state"] == notices.APPROVED


def test_a_correction_that_is_given_up_leaves_what_was_published(ground):
    writer = a_writer()
    notice = a_published_notice(writer, title="原来的")
    draft = notices.correct(notice["_id"], "错字", writer)
    changed = notices.change(draft["_id"], {"title": "改了一半"}, draft["revision"], writer)
    entry, _ = notices.add_file(changed["_id"], "pictures", "图", "image/png", b"x", writer)
    notices.discard(draft["_id"], writer)
    after = notices.get(notice["_id"], writer)
    assert (after["title"], after["state"], after["version"]) == ("原来的", notices.PUBLISHED, 1)
    with pytest.raises(NotFound):
        files.get(entry["id"])
    assert notices.listed(writer, q="一半")[1] == 0
    assert corrected(after, writer, title="第二版")["version"] == 2


def test_only_what_is_published_is_corrected_and_once_at_a_time(ground):
    writer = a_writer()
    draft = a_draft(writer)
    assert refused(Conflict, lambda: notices.correct(draft["_id"], "错字", writer)) == "not_published"
    notice = a_published_notice(writer)
    results = at_once(*[lambda: notices.correct(notice["_id"], "错字", writer)] * 3)
    assert sum(isinstance(result, dict) for result in results) == 1
    assert notices.get(notice["_id"], writer)["version"] == 2


def test_a_withdrawn_notice_is_gone_for_its_readers_for_good_and_ends_its_correction(ground):
    writer, person = a_writer(), a_retiree()
    notice = a_published_notice(writer, title="原来的")
    draft = notices.correct(notice["_id"], "错字", writer)
    notices.change(draft["_id"], {"title": "改了一半"}, draft["revision"], writer)
    after = notices.withdraw(notice["_id"], "政策停止执行", writer)
    assert (after["state"], after["in_force"], after["title"]) == (notices.WITHDRAWN, None, "原来的")
    assert in_library(person) == []
    assert events("withdraw_notice") == [{"notice_id": notice["_id"]}]
    for work in (
        lambda: notices.withdraw(notice["_id"], "再撤", writer),
        lambda: notices.correct(notice["_id"], "再改", writer),
    ):
        assert refused(Conflict, work) == "not_published"
    assert refused(Conflict, lambda: notices.publish(notice["_id"], writer)) == "not_approved"


def test_a_draft_that_was_never_published_is_deleted_with_its_files(ground):
    writer = a_writer()
    draft = a_draft(writer)
    entry, _ = notices.add_file(draft["_id"], "attachments", "表.pdf", "application/pdf", b"%PDF-", writer)
    notices.discard(draft["_id"], writer)
    with pytest.raises(NotFound):
        notices.get(draft["_id"], writer)
    with pytest.raises(NotFound):
        files.get(entry["id"])
    published = a_published_notice(writer)
    assert refused(Conflict, lambda: notices.discard(published["_id"], writer)) == "not_a_draft"


# ---- Files


def test_a_file_of_a_published_version_outlives_its_removal_from_the_correction(ground):
    writer, person = a_writer(), a_retiree()
    draft = a_draft(writer)
    entry, held = notices.add_file(draft["_id"], "attachments", "表.pdf", "application/pdf", b"%PDF-1", writer)
    assert held["attachments"] == [entry]
    review(notices.ask_for_review(draft["_id"], writer), a_writer())
    notices.publish(draft["_id"], writer)
    notices.correct(draft["_id"], "换附件", writer)
    notices.remove_file(draft["_id"], entry["id"], writer)
    assert library.file(draft["_id"], entry["id"], person["_id"], oneself(person)) == (entry, b"%PDF-1")
    assert notices.file(draft["_id"], entry["id"], writer) == (entry, b"%PDF-1")
    with time_machine.travel(clock.now() + dt.timedelta(hours=2), tick=False):
        files.sweep()
    assert files.get(entry["id"]) == b"%PDF-1"


def test_a_file_that_is_removed_from_a_draft_is_deleted(ground):
    writer = a_writer()
    draft = a_draft(writer)
    entry, _ = notices.add_file(draft["_id"], "pictures", "图", "image/png", b"x", writer)
    assert notices.remove_file(draft["_id"], entry["id"], writer)["pictures"] == []
    with pytest.raises(NotFound):
        files.get(entry["id"])
    assert refused(NotFound, lambda: notices.remove_file(draft["_id"], entry["id"], writer)) == "no_such_file"


def test_files_lie_encrypted_and_are_not_swept_while_a_draft_names_them(ground):
    writer = a_writer()
    draft = a_draft(writer)
    entry, _ = notices.add_file(draft["_id"], "pictures", "图", "image/png", b"what is on the picture", writer)
    chunks = b"".join(bytes(row["data"]) for row in collection("files.chunks").find({"files_id": entry["id"]}))
    assert b"picture" not in chunks
    with time_machine.travel(clock.now() + dt.timedelta(hours=2), tick=False):
        collection("files.files").update_many({}, {"$set": {"metadata.kept": False}})
        assert files.sweep() == 0
    assert files.get(entry["id"]) == b"what is on the picture"


def test_a_notice_takes_so_many_files_and_no_more(ground):
    writer = a_writer()
    draft = a_draft(writer)
    entries = [{"id": ObjectId(), "name": "", "type": "", "bytes": 1} for _ in range(notices.MOST["attachments"])]
    collection("notices").update_one({"_id": draft["_id"]}, {"$set": {"attachments": entries}})
    add = lambda: notices.add_file(draft["_id"], "attachments", "表.pdf", "application/pdf", b"x", writer)  # noqa: E731
    assert refused(Conflict, add) == "too_many_files"


# ---- The console's list


def test_the_list_is_searched_by_what_is_being_written(ground):
    writer = a_writer()
    draft = a_draft(writer, title="体检")
    notices.change(draft["_id"], {"title": "义诊"}, draft["revision"], writer)
    assert notices.listed(writer, q="体检")[1] == 0
    assert notices.listed(writer, q="義診")[1] == 1
    assert "search" not in notices.listed(writer)[0][0]


def test_every_version_in_force_is_one_by_the_index_itself(ground):
    notice = a_published_notice()
    kept = notices.version(notice["_id"], 1)
    with pytest.raises(DuplicateKeyError):
        collection("notice_versions").insert_one({**kept, "_id": ObjectId(), "version": 2})


def test_the_log_names_no_text_of_a_draft(ground):
    writer = a_writer()
    draft = a_draft(writer)
    notices.change(draft["_id"], {"body": "<p>还没定的内容</p>", "text": "还没定的内容"}, draft["revision"], writer)
    (row,) = collection("audit").find({"action": "notice.changed"})
    assert row["after"]["fields"] == ["body", "text"]
    assert audit.entries(Actor(access.AUDITOR), subject=("notice", draft["_id"]))[1] == 2


def test_a_withdrawal_and_a_publication_do_not_wait_behind_each_other(ground):
    writer = a_writer()
    notice = a_published_notice(writer)
    notices.withdraw(notice["_id"], "有误", writer)
    queues = {row["kind"]: row["queue"] for row in collection("outbox").find()}
    assert queues == {"publish_notice": outbox.MESSAGES, "withdraw_notice": outbox.DEFAULT}
