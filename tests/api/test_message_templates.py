"""Templates over HTTP: who may write them, how a version is made, shown and sent."""

from __future__ import annotations

import pytest

from models import access
from tests.builders import a_retiree, a_worker, headers_of, oneself
from tests.story import V1

PATH = f"{V1}/message-templates"
WECHAT = {"template_id": "OK2V3j2Wk2VHiotWvkEGfxVWeZa8", "fields": [{"name": "date1", "value": "{due_on}"}]}
CONTENT = {
    "title": "认证好了",
    "body": "下次请在{due_on}之前认证。",
    "link": "/certificates",
    "channels": {"wechat": WECHAT, "sms": "下次请在{due_on}之前认证。"},
}


@pytest.fixture
def city(client):
    return a_worker(access.CITY, "4301")


def test_a_version_is_written_previewed_and_sent(client, city):
    reply = client.post(f"{PATH}/certified/versions", json=CONTENT, headers=city)
    assert reply.status_code == 201
    assert (reply.json["version"], reply.json["state"]) == (1, "draft")
    assert reply.json["channels"] == CONTENT["channels"]
    person = a_retiree(name="陈桂兰")
    shown = client.post(
        f"{PATH}/certified/preview", json={"retiree_id": str(person["_id"]), "version": 1}, headers=city
    ).json
    assert set(shown) == {"title", "body", "link", "sms", "wechat", "problems"}
    assert shown["wechat"][0]["name"] == "date1"
    sent = client.post(f"{PATH}/certified/versions/1/activation", headers=city)
    assert (sent.status_code, sent.json["state"]) == (200, "active")
    held = client.get(f"{PATH}/certified", headers=city).json
    assert [(row["version"], row["state"]) for row in held["versions"]] == [(1, "active"), (0, "retired")]
    assert {"name": "due_on", "words": "到期日", "example": "2027年3月15日", "needed": False} in held["placeholders"]


def test_the_list_has_every_message_of_the_house_and_those_of_the_office(client, city):
    own = {"key": "mid_autumn", "words": "中秋问候", "title": "中秋节问候", "body": "{name}，中秋快乐。"}
    assert client.post(PATH, json=own, headers=city).status_code == 201
    rows = {row["key"]: row for row in client.get(PATH, headers=city).json}
    assert rows["notice"]["active"]["version"] == 0
    assert rows["notice"]["built_in"] is True
    assert rows["sign_in_code"]["inbox"] is False
    assert (rows["mid_autumn"]["active"], rows["mid_autumn"]["drafts"]) == (None, 1)
    assert client.post(PATH, json=own, headers=city).json["code"] == "template_exists"


def test_what_wechat_would_refuse_is_refused_with_its_place(client, city):
    fields = [{"name": "thing1", "value": "一" * 21}]
    body = {**CONTENT, "channels": {"wechat": {**WECHAT, "fields": fields}, "sms": None}}
    reply = client.post(f"{PATH}/certified/versions", json=body, headers=city)
    assert (reply.status_code, reply.json["code"]) == (422, "bad_template")
    assert reply.json["errors"][0]["pointer"] == "/channels/wechat/fields/0/value"
    assert "20个字以内" in reply.json["detail"]


def test_a_draft_that_is_not_saved_yet_can_be_looked_at(client, city):
    shown = client.post(f"{PATH}/certified/preview", json={"draft": CONTENT}, headers=city)
    assert (shown.status_code, shown.json["title"]) == (200, "认证好了")
    broken = client.post(f"{PATH}/certified/preview", json={"draft": {**CONTENT, "title": "{x}"}}, headers=city)
    assert broken.status_code == 200
    assert broken.json["problems"]


def test_what_is_not_there_is_not_found(client, city):
    for path in ("/nothing", "/certified/versions/9/activation", "/nothing/versions", "/nothing/preview"):
        method = client.get if path == "/nothing" else client.post
        body = {} if path == "/nothing" else {"json": CONTENT if path.endswith("versions") else {}}
        reply = method(PATH + path, headers=city, **body)
        assert (reply.status_code, reply.json["code"]) == (404, "template_not_found"), path
    huge = client.post(f"{PATH}/certified/versions/{10**30}/activation", headers=city)
    assert huge.status_code == 404
    stranger = client.post(f"{PATH}/certified/preview", json={"retiree_id": "0" * 24}, headers=city)
    assert stranger.json["code"] == "retiree_not_found"


def test_templates_are_for_administrators_and_the_city(client):
    assert client.get(PATH, headers=a_worker(access.ADMINISTRATOR, "")).status_code == 200
    for headers in (a_worker(), a_worker(access.STREET, "430102001"), headers_of(oneself(a_retiree()))):
        assert client.get(PATH, headers=headers).status_code == 403
        assert client.post(f"{PATH}/notice/versions", json=CONTENT, headers=headers).status_code == 403
