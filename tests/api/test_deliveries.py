"""The work lists over HTTP: what failed, whom to call, and the list to take along to the doors."""

from __future__ import annotations

import io

import pytest
from bson import ObjectId
from python_calamine import CalamineWorkbook

from models import access, clock, deliveries
from models.database import collection
from tests.builders import COMMUNITY, OTHER_COMMUNITY, a_message, a_retiree, headers_of, oneself
from tests.story import V1, a_worker

PATH = f"{V1}/deliveries"


def a_delivery(person, channel: str = deliveries.CALL, state: str | None = None, **fields) -> str:
    row = deliveries.make(a_message(person, **fields), channel, clock.now())
    deliveries.put_all([row])
    if state:
        collection("deliveries").update_one(
            {"_id": row["_id"]}, {"$set": {"state": state, "error": "unavailable", "attempts": 6, "lost_answers": 1}}
        )
    return str(row["_id"])


def listed(client, worker, **query) -> list[dict]:
    reply = client.get(PATH, query_string=query, headers=worker)
    assert reply.status_code == 200, reply.text
    return reply.json


def test_a_worker_sees_what_failed_in_words_and_lets_it_try_again(client):
    worker = a_worker()
    delivery_id = a_delivery(a_retiree(), deliveries.SMS, deliveries.FAILED)
    (row,) = listed(client, worker)
    assert (row["id"], row["state"], row["meaning"]) == (delivery_id, "failed", "多次没有发出，需要人工处理")
    assert (row["error_words"], row["attempts"], row["lost_answers"]) == ("服务商暂时没有回应", 6, 1)
    assert row["message"]["title"] == "关于资格认证的通知"
    assert row["retiree"]["phone"].count("*")
    again = client.post(f"{PATH}/{delivery_id}/retry", headers=worker)
    assert (again.status_code, again.json["state"]) == (200, "waiting")
    reply = client.post(f"{PATH}/{delivery_id}/retry", headers=worker)
    assert (reply.status_code, reply.json["code"]) == (409, "delivery_settled")
    assert listed(client, worker) == []


def test_whoever_was_called_leaves_the_list(client):
    worker = a_worker()
    delivery_id = a_delivery(a_retiree())
    assert [row["id"] for row in listed(client, worker, state="listed", channel="call")] == [delivery_id]
    told = client.post(f"{PATH}/{delivery_id}/reached", json={"note": "女儿接的电话"}, headers=worker)
    assert (told.status_code, told.json["state"], told.json["note"]) == (200, "reached", "女儿接的电话")
    assert listed(client, worker, state="listed") == []
    assert client.post(f"{PATH}/{delivery_id}/reached", json={}, headers=worker).status_code == 409


def test_the_lists_end_at_the_border_of_ones_own_area(client):
    here, there = a_delivery(a_retiree()), a_delivery(a_retiree(division=OTHER_COMMUNITY))
    worker, city = a_worker(), a_worker(access.CITY, "4301")
    assert [row["id"] for row in listed(client, worker, state="listed")] == [here]
    assert {row["id"] for row in listed(client, city, state="listed")} == {here, there}
    assert [row["id"] for row in listed(client, city, state="listed", division=OTHER_COMMUNITY)] == [there]
    for step in ("retry", "reached"):
        reply = client.post(f"{PATH}/{there}/{step}", json={} if step == "reached" else None, headers=worker)
        assert (reply.status_code, reply.json["code"]) == (404, "delivery_not_found")
        assert client.post(f"{PATH}/{ObjectId()}/{step}", json={}, headers=city).status_code in (404, 422)


@pytest.mark.parametrize("role", [access.ENTERPRISE, access.AUDITOR, access.ARCHIVE_KEEPER, access.ADMINISTRATOR])
def test_the_lists_are_for_the_offices(client, role):
    assert client.get(PATH, headers=a_worker(role, "4301", enterprise="钢厂")).status_code == 403
    assert client.get(PATH, headers=headers_of(oneself(a_retiree()))).status_code == 403


def test_the_list_for_the_door_is_a_spreadsheet_with_everything_that_is_needed_there(client):
    person = a_retiree(
        address="银杏路1号", emergency_contact="李小红", emergency_phone="16912345678", phone=None
    )  # fmt: skip
    a_delivery(person, deliveries.PAPER, title="=HYPERLINK()")
    a_delivery(a_retiree(division=OTHER_COMMUNITY))
    reply = client.get(f"{PATH}/door-list.xlsx", headers=a_worker())
    assert reply.status_code == 200
    head, row = CalamineWorkbook.from_filelike(io.BytesIO(reply.data)).get_sheet_by_index(0).to_python()
    found = dict(zip(head, row, strict=True))
    assert (found["社区"], found["姓名"], found["方式"]) == ("银杏社区", "王秀英", "上门送纸质通知")
    assert (found["地址"], found["紧急联系人"], found["紧急联系电话"]) == ("银杏路1号", "李小红", "16912345678")
    assert (found["标题"], found["内容"], found["电话"]) == ("=HYPERLINK()", "每年认证一次。", "")
    assert collection("audit").find_one({"action": "deliveries.door_list"})["subject"]["id"] == COMMUNITY
