"""Templates in versions: what may be saved, what is sent now, and that only one version of a message ever is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from bson import ObjectId

from models import access, message_templates
from models.access import Actor
from models.built_in_templates import BUILT_IN, MOMENTS
from models.database import collection
from models.errors import Conflict, Forbidden, Invalid, NotFound
from tests.story import settings_with

ADMINISTRATOR = Actor(access.ADMINISTRATOR, ObjectId())
WECHAT = {"template_id": "OK2V3j2Wk2VHiotWvkEGfxVWeZa8", "fields": [{"name": "date1", "value": "{due_on}"}]}


def content(**changes: Any) -> dict[str, Any]:
    """Words for `certified` that may be saved."""
    channels = {"wechat": changes.pop("wechat", WECHAT), "sms": changes.pop("sms", "下次请在{due_on}之前认证。")}
    return {
        "title": "认证好了",
        "body": "下次请在{due_on}之前认证。",
        "link": "/certificates",
        "channels": channels,
        **changes,
    }


def refused(key: str = "certified", **changes: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        message_templates.draft(key, content(**changes), ADMINISTRATOR)
    assert caught.value.code == "bad_template"
    return caught.value


def states(key: str) -> dict[int, str]:
    return {row["version"]: row["state"] for row in collection("message_templates").find({"key": key})}


# ---- The house's own words


@pytest.mark.parametrize("key", BUILT_IN)
def test_the_houses_own_words_could_be_saved_as_a_version(key):
    assert message_templates.faults(key, message_templates.built_in(key)) == []


@pytest.mark.parametrize("key", BUILT_IN)
def test_a_message_that_asks_for_leave_says_when_and_in_which_words(key):
    known = BUILT_IN[key]
    assert set(known.moments) <= set(MOMENTS)
    assert bool(known.moments) == bool(known.ask)
    assert not known.moments or known.wechat


def test_a_face_that_is_locked_is_never_told_to_try_again():
    words = BUILT_IN["attempt_failed_locked"]
    assert "再试" in BUILT_IN["attempt_failed"].body
    assert "再试" not in "".join([words.title, words.body, *words.wechat.values()])
    assert "不影响您领养老金" in words.body


def test_the_real_wechat_gets_no_template_that_only_the_sandbox_knows(ground):
    assert message_templates.active("notice")["channels"]["wechat"]["template_id"] == "sandbox_notice"
    with settings_with(WECHAT_API_BASE="https://api.weixin.qq.com"):
        assert message_templates.active("notice")["channels"]["wechat"] is None


# ---- Versions


def test_a_draft_is_not_sent_before_it_is_activated(ground):
    written = message_templates.draft("certified", content(), ADMINISTRATOR)
    assert (written["version"], written["state"]) == (1, "draft")
    assert message_templates.active("certified")["version"] == 0
    message_templates.activate("certified", 1, ADMINISTRATOR)
    assert message_templates.active("certified")["title"] == "认证好了"


def test_activating_one_version_retires_the_other_and_zero_goes_back_to_the_houses_own_words(ground):
    for title in ("第一版", "第二版"):
        message_templates.draft("certified", content(title=title), ADMINISTRATOR)
    message_templates.activate("certified", 1, ADMINISTRATOR)
    message_templates.activate("certified", 2, ADMINISTRATOR)
    assert states("certified") == {1: "retired", 2: "active"}
    message_templates.activate("certified", 1, ADMINISTRATOR)
    assert states("certified") == {1: "active", 2: "retired"}
    message_templates.activate("certified", 0, ADMINISTRATOR)
    assert states("certified") == {1: "retired", 2: "retired"}
    assert message_templates.active("certified")["title"] == "认证成功"
    actions = [
        row["after"] for row in collection("audit").find({"action": "message_template.activated"}).sort("$natural")
    ]
    assert actions == [{"version": 1}, {"version": 2}, {"version": 1}, {"version": 0}]


def test_activating_what_is_active_changes_nothing_and_is_not_audited_twice(ground):
    message_templates.draft("certified", content(), ADMINISTRATOR)
    for _ in range(2):
        assert message_templates.activate("certified", 1, ADMINISTRATOR)["state"] == "active"
    message_templates.activate("notice", 0, ADMINISTRATOR)
    assert collection("audit").count_documents({"action": "message_template.activated"}) == 1


def test_two_administrators_activating_at_once_leave_one_version_active(ground):
    for _ in range(4):
        message_templates.draft("certified", content(), ADMINISTRATOR)
    with ThreadPoolExecutor(4) as threads:
        for _ in range(5):
            list(
                threads.map(lambda number: message_templates.activate("certified", number, ADMINISTRATOR), range(1, 5))
            )
            assert sorted(states("certified").values()) == ["active", "retired", "retired", "retired"]


def test_two_who_write_at_once_get_two_numbers_or_one_is_asked_to_save_again(ground):
    def write(_: int) -> int:
        try:
            return int(message_templates.draft("certified", content(), ADMINISTRATOR)["version"])
        except Conflict:
            return 0

    with ThreadPoolExecutor(4) as threads:
        numbers = [number for number in threads.map(write, range(12)) if number]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 3


def test_a_version_that_nobody_wrote_cannot_be_sent(ground):
    for key, number in (("certified", 7), ("nothing", 0), ("certified", 10**30)):
        with pytest.raises(NotFound):
            message_templates.activate(key, number, ADMINISTRATOR)
    with pytest.raises(LookupError):
        message_templates.active("nothing")


def test_only_administrators_and_the_city_write_templates(ground):
    for role in (access.COMMUNITY, access.STREET, access.AUDITOR, access.RETIREE):
        actor = Actor(role, ObjectId(), division="430102001")
        for call in (
            lambda actor=actor: message_templates.listed(actor),
            lambda actor=actor: message_templates.versions("notice", actor),
            lambda actor=actor: message_templates.draft("notice", content(), actor),
            lambda actor=actor: message_templates.create("party_day", "活动", content(), actor),
            lambda actor=actor: message_templates.activate("notice", 0, actor),
        ):
            with pytest.raises(Forbidden):
                call()
    assert message_templates.listed(Actor(access.CITY, ObjectId(), division="4301"))


# ---- Keys of an office's own


def test_an_office_may_make_a_message_of_its_own_with_what_is_known_for_everybody(ground):
    words = {
        "title": "中秋节问候",
        "body": "{name}，{community}祝您中秋快乐。",
        "link": "",
        "channels": {"wechat": None, "sms": None},
    }
    message_templates.create("mid_autumn", "中秋问候", words, ADMINISTRATOR)
    with pytest.raises(LookupError):
        message_templates.active("mid_autumn")
    message_templates.activate("mid_autumn", 1, ADMINISTRATOR)
    assert message_templates.active("mid_autumn")["body"] == words["body"]
    row = message_templates.listed(ADMINISTRATOR)[-1]
    assert (row["key"], row["words"], row["built_in"]) == ("mid_autumn", "中秋问候", False)
    with pytest.raises(Invalid):
        message_templates.draft("mid_autumn", {**words, "body": "{due_on}"}, ADMINISTRATOR)


def test_a_key_is_made_once_and_never_in_place_of_one_of_the_house(ground):
    words = content(body="{name}", wechat=None, sms=None)
    message_templates.create("party_day", "主题党日", words, ADMINISTRATOR)
    for key in ("party_day", "notice"):
        with pytest.raises(Conflict):
            message_templates.create(key, "活动", words, ADMINISTRATOR)
    for key in ("Party", "2day", "a", "x" * 41, "党日"):
        with pytest.raises(Invalid) as caught:
            message_templates.create(key, "活动", words, ADMINISTRATOR)
        assert caught.value.code == "bad_key"


def test_the_list_shows_what_is_sent_now_and_how_many_drafts_wait(ground):
    message_templates.draft("certified", content(), ADMINISTRATOR)
    message_templates.draft("certified", content(title="又一版"), ADMINISTRATOR)
    message_templates.activate("certified", 1, ADMINISTRATOR)
    row = next(row for row in message_templates.listed(ADMINISTRATOR) if row["key"] == "certified")
    assert (row["active"]["version"], row["drafts"]) == (1, 1)
    held = message_templates.versions("certified", ADMINISTRATOR)["versions"]
    assert [(row["version"], row["state"]) for row in held] == [(2, "draft"), (1, "active"), (0, "retired")]


# ---- What may be saved


def test_a_gap_that_the_message_does_not_know_is_refused_with_those_that_it_knows(ground):
    error = refused(body="{name}的{pension}")
    assert error.pointer == "/body"
    assert "{pension}" in error.detail
    assert "{due_on}" in error.detail


@pytest.mark.parametrize(
    "text", ["{due_on", "due_on}", "{}", "{due_on!r}", "{due_on:>9}", "{due_on.year}", "{0}", "{ due_on }"]
)
def test_a_brace_that_is_no_gap_is_refused(ground, text):
    assert refused(title=text).pointer == "/title"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("thing1", "您的养老金领取资格认证已经成功请在手机上查看", "20个字以内"),
        ("thing1", "下次请在{due_on}之前再来认证好吗", "20个字以内"),
        ("phrase1", "认证已经成功", "5个以内的汉字"),
        ("time1", "{due_on}", "时间"),
        ("number1", "{due_on}", "数字"),
        ("character_string1", "{due_on}", "不能有汉字"),
        ("phone_number1", "电话{service_phone}", "电话号码"),
        ("const1", "{due_on}", "不能有花括号"),
        ("name1", "{due_on}", "姓名"),
    ],
)
def test_a_field_that_wechat_would_refuse_is_refused_when_it_is_saved(ground, field, value, says):
    error = refused(
        wechat={**WECHAT, "fields": [{"name": "date9", "value": "{due_on}"}, {"name": field, "value": value}]}
    )
    assert error.pointer == "/channels/wechat/fields/1/value"
    assert says in error.detail


def test_a_field_that_wechat_does_not_have_or_that_stands_twice_is_refused(ground):
    twice = [{"name": "date1", "value": "{due_on}"}, {"name": "date1", "value": "{due_on}"}]
    assert refused(wechat={**WECHAT, "fields": twice}).pointer == "/channels/wechat/fields/1/name"
    assert (
        refused(wechat={**WECHAT, "fields": [{"name": "wish1", "value": "好"}]}).pointer
        == "/channels/wechat/fields/0/name"
    )
    assert refused(wechat={**WECHAT, "fields": []}).pointer == "/channels/wechat/fields"
    assert refused(wechat={**WECHAT, "template_id": "有汉字"}).pointer == "/channels/wechat/template_id"


def test_a_text_message_that_is_too_long_or_signs_itself_is_refused(ground):
    assert refused(sms="【社区】下次请在{due_on}之前认证。").pointer == "/channels/sms"
    assert refused(sms="长" * 331).pointer == "/channels/sms"
    message_templates.draft("certified", content(sms="长" * 330), ADMINISTRATOR)


def test_a_message_needs_a_title_a_text_and_a_link_that_leads_into_our_pages(ground):
    assert refused(title="").pointer == "/title"
    assert refused(title="第一行\n第二行").pointer == "/title"
    assert refused(body="").pointer == "/body"
    assert refused(body="长" * 2001).pointer == "/body"
    assert refused(link="https://example.com").pointer == "/link"
    assert refused(link="//example.com").pointer == "/link"


def test_a_code_is_always_in_the_text_that_brings_it_and_goes_by_text_message_alone(ground):
    only_sms = {"title": "", "body": "", "link": "", "wechat": None}
    assert "验证码" in refused("sign_in_code", **only_sms, sms="您好，{minutes}分钟内有效。").detail
    assert refused("sign_in_code", **only_sms, sms=None).pointer == "/channels/sms"
    assert (
        refused("sign_in_code", **{**only_sms, "body": "验证码{code}"}, sms="{code}，{minutes}分钟").pointer == "/body"
    )
    assert refused(
        "sign_in_code", **{**only_sms, "wechat": WECHAT | {"fields": []}}, sms="{code}，{minutes}"
    ).pointer == ("/channels/wechat")
    message_templates.draft(
        "sign_in_code", content(**only_sms, sms="验证码{code}，{minutes}分钟内有效。"), ADMINISTRATOR
    )
    with pytest.raises(Invalid):
        message_templates.draft("sign_in_code", content(**only_sms, sms="{name}的{code}，{minutes}"), ADMINISTRATOR)
