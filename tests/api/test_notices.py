"""Notices over HTTP: the office writes and reviews, retirees read, and the receipts come back."""

from __future__ import annotations

import datetime as dt
import io

import pytest
import time_machine
from bson import ObjectId
from PIL import Image

from models import access, clock, messages, notices
from models.database import collection, transaction
from tests.builders import (
    COMMUNITY,
    OTHER_COMMUNITY,
    a_published_notice,
    a_retiree,
    a_worker,
    a_writer,
    finish_work,
    headers_of,
    helper_of,
    oneself,
)
from tests.story import V1

NOTICES = f"{V1}/notices"
PDF = b"%PDF-1.7\n%a form\n"
WORDS = {"title": "关于资格认证的通知", "summary": "每年认证一次。", "body": "<p>请按时<strong>认证</strong>。</p>"}


def a_picture():
    written = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(written, "PNG")
    return written.getvalue()


def upload(client, path, data, headers, name="file.bin"):
    return client.post(path, data={"file": (io.BytesIO(data), name)}, headers=headers)


def write(client, headers, **fields):
    reply = client.post(NOTICES, json={**WORDS, **fields}, headers=headers)
    assert reply.status_code == 201, reply.text
    return reply.json


def approve(client, notice, headers, **body):
    shown = client.get(f"{NOTICES}/{notice['id']}", headers=headers)
    return client.post(
        f"{NOTICES}/{notice['id']}/review",
        json={"approve": True, **body},
        headers={**headers, "If-Match": shown.headers["ETag"]},
    )


def published(client, writer, colleague, **fields):
    notice = write(client, writer, **fields)
    assert client.post(f"{NOTICES}/{notice['id']}/review-request", headers=writer).status_code == 200
    assert approve(client, notice, colleague).status_code == 200
    reply = client.post(f"{NOTICES}/{notice['id']}/publication", json={}, headers=writer)
    assert reply.status_code == 200, reply.text
    return reply.json


def test_the_story_of_a_notice_from_the_first_word_to_the_reader(client):
    writer, colleague, person = a_worker(name="李敏"), a_worker(name="陈静"), a_retiree()
    draft = write(client, writer, document_number="人社厅发〔2018〕107号", category="pension", kind="policy")
    assert (draft["state"], draft["version"], draft["author"]["name"]) == ("draft", 1, "李敏")
    assert draft["may_edit"]
    assert not draft["may_review"]
    first = client.get(f"{NOTICES}/{draft['id']}", headers=writer)
    changed = client.patch(
        f"{NOTICES}/{draft['id']}", json={"pinned": True}, headers={**writer, "If-Match": first.headers["ETag"]}
    )
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]
    client.post(f"{NOTICES}/{draft['id']}/review-request", headers=writer)
    seen = client.get(f"{NOTICES}/{draft['id']}", headers=colleague).json
    assert seen["may_review"]
    approved = approve(client, draft, colleague).json
    assert (approved["state"], approved["reviewer"]["name"]) == ("approved", "陈静")
    assert client.post(f"{NOTICES}/{draft['id']}/publication", json={}, headers=writer).json["in_force"] == 1
    phone = headers_of(oneself(person))
    listed = client.get(f"{V1}/library?retiree_id={person['_id']}&q=人社厅发[2018]107号", headers=phone)
    assert [item["title"] for item in listed.json] == [WORDS["title"]]
    assert "body" not in listed.json[0]
    read = client.get(f"{V1}/library/{draft['id']}?retiree_id={person['_id']}", headers=phone)
    assert read.json["body"] == WORDS["body"]
    assert (read.json["corrected"], read.json["pinned"]) == (False, True)


def test_what_the_editor_sends_is_made_harmless_as_it_comes_in(client):
    headers = a_worker()
    draft = write(
        client, headers, body="<p onclick='x()'>好<script>alert(1)</script></p>\r\n<img src='https://x.example/1.gif'>"
    )
    assert draft["body"] == "<p>好</p>"
    shown = client.get(f"{NOTICES}/{draft['id']}", headers=headers)
    changed = client.patch(
        f"{NOTICES}/{draft['id']}", json={"body": "<b style='color:#ccc'>甲</b>"},
        headers={**headers, "If-Match": shown.headers["ETag"]},
    )  # fmt: skip
    assert changed.json["body"] == "<b>甲</b>"
    assert collection("notices").find_one()["text"] == "甲"


def test_an_edit_says_what_it_has_seen_and_so_does_a_review(client):
    writer, colleague = a_worker(), a_worker()
    draft = write(client, writer)
    assert client.patch(f"{NOTICES}/{draft['id']}", json={"title": "新"}, headers=writer).status_code == 428
    stale = client.patch(f"{NOTICES}/{draft['id']}", json={"title": "新"}, headers={**writer, "If-Match": '"77"'})
    assert (stale.status_code, stale.json["code"]) == (412, "stale")
    client.post(f"{NOTICES}/{draft['id']}/review-request", headers=writer)
    blind = client.post(f"{NOTICES}/{draft['id']}/review", json={"approve": True}, headers=colleague)
    assert blind.status_code == 428


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/title"),
        ({"title": ""}, "/title"),
        ({"title": "长" * 81}, "/title"),
        ({"title": "好", "summary": "长" * 201}, "/summary"),
        ({"title": "好", "kind": "gossip"}, "/kind"),
        ({"title": "好", "category": "x"}, "/category"),
        ({"title": "好", "importance": "x"}, "/importance"),
        ({"title": "好", "expires_on": "2026-02-30"}, "/expires_on"),
        ({"title": "好", "body": "响铃\a"}, "/body"),
        ({"title": "好", "body": "长" * 100_001}, "/body"),
        ({"title": "好", "audience": {"field": "x"}}, "/audience"),
        ({"title": "好", "audience": []}, "/audience"),
        ({"title": "好", "state": "published"}, "/state"),
        ({"title": "好", "division": "4301"}, "/division"),
    ],
)
def test_what_is_not_filled_in_well_is_refused_with_its_place(client, body, pointer):
    reply = client.post(NOTICES, json=body, headers=a_worker())
    assert reply.status_code == 422
    assert [error["pointer"] for error in reply.json["errors"]] == [pointer]


def test_half_a_character_is_refused_and_breaks_nothing(client):
    broken = b'{"title": "x", "body": "\\ud800"}'
    reply = client.post(NOTICES, data=broken, content_type="application/json", headers=a_worker())
    assert (reply.status_code, reply.json["errors"][0]["pointer"]) == (422, "/body")


# ---- Files


def test_a_picture_and_an_attachment_travel_from_the_office_to_the_reader(client):
    writer, colleague, person = a_worker(), a_worker(), a_retiree()
    draft = write(client, writer)
    picture = upload(client, f"{NOTICES}/{draft['id']}/pictures", a_picture(), writer)
    assert (picture.status_code, picture.json["type"]) == (201, "image/jpeg")
    form = upload(client, f"{NOTICES}/{draft['id']}/attachments", PDF, writer, "申请 表.pdf")
    assert form.json == {"id": form.json["id"], "name": "申请 表.pdf", "type": "application/pdf", "bytes": len(PDF)}
    body = f'<p>见图<img data-file="{picture.json["id"]}" alt="流程"></p>'
    changed = client.patch(
        f"{NOTICES}/{draft['id']}", json={"body": body}, headers={**writer, "If-Match": form.headers["ETag"]}
    )
    assert changed.json["body"] == body
    client.post(f"{NOTICES}/{draft['id']}/review-request", headers=writer)
    approve(client, draft, colleague)
    client.post(f"{NOTICES}/{draft['id']}/publication", json={}, headers=writer)
    phone, who = headers_of(oneself(person)), f"retiree_id={person['_id']}"
    read = client.get(f"{V1}/library/{draft['id']}?{who}", headers=phone).json
    assert [row["id"] for row in read["attachments"]] == [form.json["id"]]
    shown = client.get(f"{V1}/library/{draft['id']}/files/{picture.json['id']}?{who}", headers=phone)
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert shown.headers["Content-Disposition"].startswith("inline")
    sent = client.get(f"{V1}/library/{draft['id']}/files/{form.json['id']}?{who}", headers=phone)
    assert sent.data == PDF
    assert sent.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E7%94%B3%E8%AF%B7%20%E8%A1%A8.pdf"
    assert sent.headers["X-Content-Type-Options"] == "nosniff"
    office = client.get(f"{NOTICES}/{draft['id']}/files/{form.json['id']}", headers=colleague)
    assert office.data == PDF
    stranger = headers_of(oneself(a_retiree(division=OTHER_COMMUNITY)))
    assert client.get(f"{V1}/library/{draft['id']}/files/{form.json['id']}?{who}", headers=stranger).status_code == 404


def test_a_file_that_is_not_what_it_should_be_is_refused(client):
    headers = a_worker()
    path = f"{NOTICES}/{write(client, headers)['id']}"
    assert upload(client, f"{path}/pictures", PDF, headers, "1.png").json["code"] == "not_an_image"
    assert upload(client, f"{path}/attachments", a_picture(), headers, "1.pdf").json["code"] == "not_a_document"
    assert client.post(f"{path}/pictures", data={}, headers=headers).status_code == 422
    assert client.delete(f"{path}/files/{ObjectId()}", headers=headers).json["code"] == "no_such_file"


def test_a_removed_file_is_gone_from_the_draft(client):
    headers = a_worker()
    path = f"{NOTICES}/{write(client, headers)['id']}"
    file_id = upload(client, f"{path}/attachments", PDF, headers).json["id"]
    removed = client.delete(f"{path}/files/{file_id}", headers=headers)
    assert removed.status_code == 204
    assert removed.headers["ETag"] == client.get(path, headers=headers).headers["ETag"]
    assert client.get(f"{path}/files/{file_id}", headers=headers).status_code == 404


# ---- Publication


def test_a_notice_is_published_at_a_time_of_the_city_itself(client):
    writer, colleague = a_worker(), a_worker()
    with time_machine.travel(dt.datetime(2026, 11, 21, 12, tzinfo=clock.SHANGHAI), tick=False):
        writer, colleague = a_worker(), a_worker()
        draft = write(client, writer)
        path = f"{NOTICES}/{draft['id']}"
        client.post(f"{path}/review-request", headers=writer)
        approve(client, draft, colleague)
        for wrong in ("2026-11-21T13:00:00", "tomorrow", 5, "2026-11-21", "9999-99-99T00:00:00+08:00"):
            reply = client.post(f"{path}/publication", json={"publish_at": wrong}, headers=writer)
            assert (reply.status_code, reply.json["errors"][0]["pointer"]) == (422, "/publish_at"), wrong
        past = client.post(f"{path}/publication", json={"publish_at": "2026-11-21T11:00:00+08:00"}, headers=writer)
        assert past.json["code"] == "bad_time"
        waiting = client.post(f"{path}/publication", json={"publish_at": "2026-11-22T01:00:00Z"}, headers=writer)
        assert waiting.json["state"] == "approved"
        assert waiting.json["publish_at"] == "2026-11-22T09:00:00+08:00"
        back = client.delete(f"{path}/review-request", headers=writer)
        assert (back.json["state"], back.json["publish_at"]) == ("draft", None)


def test_an_emergency_is_shown_as_unread_by_a_second_person_until_it_is(client):
    writer, colleague = a_worker(), a_worker()
    draft = write(client, writer, importance="emergency")
    assert draft["may_publish"]
    path = f"{NOTICES}/{draft['id']}"
    assert client.post(f"{path}/publication", json={}, headers=writer).json["code"] == "not_approved"
    sent = client.post(f"{path}/publication", json={"emergency_reason": "今晚停水"}, headers=writer).json
    assert (sent["state"], sent["awaits_review"], sent["emergency"]["reason"]) == ("published", True, "今晚停水")
    own = approve(client, draft, writer)
    assert (own.status_code, own.json["code"]) == (409, "own_notice")
    assert approve(client, draft, colleague).json["awaits_review"] is False


def test_a_correction_and_a_withdrawal_leave_their_traces(client):
    writer, colleague = a_worker(), a_worker()
    notice = published(client, writer, colleague)
    path = f"{NOTICES}/{notice['id']}"
    draft = client.post(f"{path}/corrections", json={"reason": "日期有误"}, headers=writer)
    assert (draft.status_code, draft.json["version"], draft.json["in_force"]) == (201, 2, 1)
    client.patch(path, json={"title": "更正后的通知"}, headers={**writer, "If-Match": draft.headers["ETag"]})
    client.post(f"{path}/review-request", headers=writer)
    approve(client, notice, colleague)
    client.post(f"{path}/publication", json={}, headers=writer)
    newest, oldest = client.get(f"{path}/versions", headers=colleague).json
    assert (newest["title"], newest["correction_reason"], newest["people"]) == ("更正后的通知", "日期有误", None)
    assert (oldest["ended_because"], oldest["in_force"]) == ("superseded", False)
    gone = client.post(f"{path}/withdrawal", json={"reason": "政策停止执行"}, headers=colleague)
    assert (gone.json["state"], gone.json["withdrawal"]["reason"]) == ("withdrawn", "政策停止执行")
    person = a_retiree()
    phone = headers_of(oneself(person))
    assert client.get(f"{V1}/library?retiree_id={person['_id']}", headers=phone).json == []


def test_a_draft_is_thrown_away(client):
    headers = a_worker()
    path = f"{NOTICES}/{write(client, headers)['id']}"
    assert client.delete(path, headers=headers).status_code == 204
    assert client.get(path, headers=headers).json["code"] == "notice_not_found"


def test_an_office_does_not_touch_the_notice_of_another(client):
    writer = a_worker()
    draft = write(client, writer)
    street, next_door = a_worker(access.STREET, COMMUNITY[:9]), a_worker(division=OTHER_COMMUNITY)
    path = f"{NOTICES}/{draft['id']}"
    seen = client.get(path, headers=street)
    assert (seen.status_code, seen.json["may_edit"]) == (200, False)
    edited = client.patch(path, json={"title": "新"}, headers={**street, "If-Match": seen.headers["ETag"]})
    assert (edited.status_code, edited.json["code"]) == (403, "not_your_office")
    assert client.get(path, headers=next_door).status_code == 404
    assert client.get(NOTICES, headers=headers_of(oneself(a_retiree()))).status_code == 403


def test_the_list_is_filtered_searched_and_paged(client):
    writer, colleague = a_worker(), a_worker()
    for title in ("体检甲", "体检乙", "讲座"):
        write(client, writer, title=title)
    published(client, writer, colleague, title="已发布的体检通知")
    reply = client.get(f"{NOTICES}?q=體檢&state=draft&page_size=1", headers=writer)
    assert [row["title"] for row in reply.json] == ["体检乙"]
    assert '"total": 2' in reply.headers["X-Pagination"]
    assert [row["title"] for row in client.get(f"{NOTICES}?state=published", headers=writer).json] == [
        "已发布的体检通知"
    ]


# ---- Audiences


def test_an_audience_is_counted_before_anybody_is_written_to(client):
    a_retiree(recognised_birth="1940-01-01")
    helper_of(a_retiree(recognised_birth="1940-01-01", phone=None))
    a_retiree(recognised_birth="1965-01-01")
    expression = {"all": [{"field": "age", "op": "at_least", "value": 80}]}
    reply = client.post(f"{V1}/audiences/count", json={"expression": expression}, headers=a_worker())
    assert reply.json == {"people": 2, "wechat": 1, "sms": 1, "nobody": 0, "notes": []}
    wrong = client.post(
        f"{V1}/audiences/count",
        json={"expression": {"all": [{"field": "party_member", "op": "is", "value": True}]}},
        headers=a_worker(),
    )
    assert (wrong.status_code, wrong.json["code"]) == (422, "field_not_yours")
    assert wrong.json["errors"][0]["pointer"] == "/expression/all/0/field"


def test_the_builder_is_told_what_it_may_offer(client):
    a_retiree(enterprise="长沙纺织厂")
    offered = client.get(f"{V1}/audiences/fields", headers=a_worker()).json
    by_name = {row["field"]: row for row in offered}
    assert by_name["enterprise"]["values"] == [{"value": "长沙纺织厂", "name": "长沙纺织厂"}]
    assert {"value": "overdue", "name": "逾期"} in by_name["certification"]["values"]
    assert "party_member" not in by_name


# ---- Receipts


def written_to(notice, *persons):
    """The messages that the fan-out would have put."""
    for person in persons:
        message = messages.make(
            person["_id"], person["division"], "notice", notices.cause(notice["_id"], 1), title=notice["title"],
            body="", notice_id=notice["_id"], notice_version=1, importance=notice["importance"],
        )  # fmt: skip
        transaction(lambda session, message=message: messages.put(session, message))


def message_of(person):
    return collection("messages").find_one({"retiree_id": person["_id"]})["_id"]


def test_receipts_say_by_community_who_opened_listened_and_asked(client):
    with time_machine.travel(dt.datetime(2026, 11, 21, 12, tzinfo=clock.SHANGHAI), tick=False):
        near, far = [a_retiree() for _ in range(3)], a_retiree(division=OTHER_COMMUNITY, name="李建国")
        notice = a_published_notice(a_writer(access.STREET, COMMUNITY[:9]), importance="important")
        written_to(notice, *near, far)
        messages.mark_read(message_of(near[0]), oneself(near[0]))
        messages.mark_listened(message_of(near[1]), oneself(near[1]))
    path = f"{NOTICES}/{notice['_id']}"
    with time_machine.travel(dt.datetime(2026, 11, 28, 9, tzinfo=clock.SHANGHAI), tick=False):
        street = client.get(f"{path}/receipts", headers=a_worker(access.STREET, COMMUNITY[:9])).json
        assert {name: street[name] for name in ("people", "opened", "listened", "help")} == {
            "people": 4, "opened": 2, "listened": 1, "help": 0,
        }  # fmt: skip
        assert (street["unread_for_days"], street["late"]) == (7, True)
        assert [(row["name"], row["people"], row["opened"]) for row in street["by_community"]] == [
            ("银杏社区", 3, 2),
            ("梧桐社区", 1, 0),
        ]
        community = a_worker(division=OTHER_COMMUNITY)
        assert client.get(f"{path}/receipts", headers=community).json["people"] == 1
        unread = client.get(f"{path}/unread", headers=community)
        assert [person["name"] for person in unread.json] == ["李建国"]
        assert client.get(f"{path}/unread?division={COMMUNITY}", headers=community).json == []
        sent = client.get(f"{path}/deliveries", headers=community)
        assert sent.status_code == 200
    with time_machine.travel(dt.datetime(2026, 11, 27, 23, tzinfo=clock.SHANGHAI), tick=False):
        assert client.get(f"{path}/receipts", headers=a_worker()).json["late"] is False


def test_a_published_notice_lies_in_the_inbox_of_its_audience_and_the_receipts_count_it(client):
    old, young = a_retiree(recognised_birth="1940-01-01"), a_retiree(recognised_birth="1965-01-01")
    elderly = {"field": "age", "op": "at_least", "value": 80}
    notice = published(client, a_worker(), colleague := a_worker(), audience=elderly)
    finish_work()
    phone = headers_of(oneself(old))
    (message,) = client.get(f"{V1}/retirees/{old['_id']}/inbox", headers=phone).json["items"]
    assert message["notice_id"] == notice["id"]
    assert client.get(f"{V1}{message['link']}?retiree_id={old['_id']}", headers=phone).json["title"] == WORDS["title"]
    young_phone = headers_of(oneself(young))
    assert client.get(f"{V1}/retirees/{young['_id']}/inbox", headers=young_phone).json["items"] == []
    client.put(f"{V1}/inbox/{message['id']}/read", headers=phone)
    counted = client.get(f"{NOTICES}/{notice['id']}/receipts", headers=colleague).json
    assert (counted["people"], counted["opened"]) == (1, 1)
    (kept,) = client.get(f"{NOTICES}/{notice['id']}/versions", headers=colleague).json
    assert kept["people"] == 1


def test_somebody_who_has_moved_since_is_not_named_to_the_old_community(client):
    person = a_retiree()
    notice = a_published_notice()
    written_to(notice, person)
    collection("retirees").update_one({"_id": person["_id"]}, {"$set": {"division": OTHER_COMMUNITY}})
    assert client.get(f"{NOTICES}/{notice['_id']}/unread", headers=a_worker()).json == []


def test_the_receipts_of_the_branch_are_the_branchs(client):
    member = a_retiree(party_member=True)
    notice = a_published_notice(a_writer(access.BRANCH_SECRETARY))
    written_to(notice, member)
    path = f"{NOTICES}/{notice['_id']}"
    secretary = a_worker(access.BRANCH_SECRETARY)
    assert client.get(f"{path}/receipts", headers=secretary).json["people"] == 1
    assert [row["id"] for row in client.get(f"{path}/unread", headers=secretary).json] == [str(member["_id"])]
    assert client.get(f"{path}/deliveries", headers=secretary).status_code == 200
    for part in ("receipts", "unread", "deliveries", "versions"):
        assert client.get(f"{path}/{part}", headers=a_worker()).status_code == 404


def test_a_notice_that_was_never_published_has_no_receipts(client):
    headers = a_worker()
    draft = write(client, headers)
    for part in ("receipts", "unread", "deliveries"):
        reply = client.get(f"{NOTICES}/{draft['id']}/{part}", headers=headers)
        assert (reply.status_code, reply.json["code"]) == (409, "not_published")
