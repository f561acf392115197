"""From a template and values to words: nothing missing, nothing read as a gap that is none, every channel within its limits."""

from __future__ import annotations

import string

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from models import access, divisions, message_templates, wechat_fields
from models.access import Actor
from models.built_in_templates import BUILT_IN
from models.errors import Forbidden, NotFound
from notifications import templates
from settings import settings
from tests.builders import CITY_WORKER, COMMUNITY, OTHER_CITY_COMMUNITY, a_retiree, certified_until
from tests.story import settings_with

ADMINISTRATOR = Actor(access.ADMINISTRATOR, ObjectId())

# what people are called, what notices are titled, and what somebody may try
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
SOMETHING = ANYTHING.filter(lambda text: text.strip() and wechat_fields.one_line(text))
KEYS = st.sampled_from([key for key in BUILT_IN if BUILT_IN[key].inbox])


def values_of(key: str) -> dict[str, str]:
    return {gap.name: gap.example for gap in message_templates.placeholders(key)}


def a_template(**changes) -> dict:
    channels = {"wechat": changes.pop("wechat", None), "sms": changes.pop("sms", None)}
    return {"key": "test", "version": 3, "title": "题", "body": "文", "link": "", "channels": channels, **changes}


@pytest.mark.parametrize("key", BUILT_IN)
def test_every_message_of_the_house_can_be_said_on_all_its_channels(ground, key):
    known = BUILT_IN[key]
    shown = templates.render(key, values_of(key))
    assert shown.version == 0
    assert shown.faults == ()
    assert bool(shown.wechat) == bool(known.wechat)
    assert bool(shown.sms) == bool(known.sms)
    assert not {"{", "}"} & set(f"{shown.title}{shown.body}{shown.link}{shown.sms}")
    for name, field in (shown.wechat or {}).items():
        assert wechat_fields.fits(wechat_fields.kind_of(name), field["value"])


@pytest.mark.parametrize("missing", [None, "", "   ", "\n"])
def test_a_missing_value_is_an_error_before_anything_is_sent(ground, missing):
    with pytest.raises(templates.MissingValue) as caught:
        templates.render("certified", {"certified_on": "2026年3月15日", "due_on": missing})
    assert (caught.value.key, caught.value.names) == ("certified", ["due_on"])
    with pytest.raises(templates.MissingValue) as caught:
        templates.render("notice", {})
    assert caught.value.names == ["title", "summary"]


@pytest.mark.parametrize("channel", ["sms", "wechat", "link"])
def test_a_value_that_only_one_channel_wants_may_not_be_missing_either(channel):
    wanted = {
        "sms": {"sms": "{code}"},
        "wechat": {"wechat": {"template_id": "t", "fields": [{"name": "thing1", "value": "{code}"}]}},
        "link": {"link": "/notices/{code}"},
    }[channel]
    with pytest.raises(templates.MissingValue):
        templates.rendered(a_template(**wanted), {})
    assert templates.rendered(a_template(**wanted), {"code": "7"}).version == 3


def test_what_nobody_wants_may_be_missing_and_a_number_is_a_value():
    shown = templates.rendered(a_template(body="还有{days}天"), {"days": 0, "other": None})
    assert shown.body == "还有0天"


def test_the_version_that_is_in_force_is_the_one_that_is_said(ground):
    content = {"title": "好了", "body": "{due_on}", "link": "", "channels": {"wechat": None, "sms": None}}
    message_templates.draft("certified", content, ADMINISTRATOR)
    assert templates.render("certified", values_of("certified")).version == 0
    message_templates.activate("certified", 1, ADMINISTRATOR)
    shown = templates.render("certified", values_of("certified"))
    assert (shown.version, shown.title, shown.wechat, shown.wechat_template_id, shown.sms) == (
        1,
        "好了",
        None,
        None,
        None,
    )
    with pytest.raises(LookupError):
        templates.render("nothing", {})


def test_a_value_that_a_field_of_wechat_would_refuse_closes_wechat_and_not_the_message():
    wechat = {"template_id": "t", "fields": [{"name": "date1", "value": "{due_on}"}, {"name": "thing2", "value": "好"}]}
    shown = templates.rendered(a_template(body="{due_on}", wechat=wechat, sms="{due_on}"), {"due_on": "下个月"})
    assert (shown.wechat, shown.wechat_template_id, shown.sms, shown.body) == (None, None, "下个月", "下个月")
    assert "date1" in shown.faults[0]


# ---- Properties


@given(
    KEYS, st.dictionaries(st.sampled_from(["title", "summary", "name", "due_on", "certified_on", "method"]), SOMETHING)
)
@examples(suppress_health_check=list(HealthCheck), deadline=None)
def test_whatever_people_and_notices_are_called_the_message_can_be_said(key, given_values):
    template = message_templates.built_in(key)
    shown = templates.rendered(template, values_of(key) | given_values)
    assert shown.title == wechat_fields.one_line(shown.title) != ""
    assert shown.body
    assert "\n" not in (shown.sms or "")
    if shown.wechat is None and BUILT_IN[key].wechat:
        assert shown.faults
    for name, field in (shown.wechat or {}).items():
        assert wechat_fields.fits(wechat_fields.kind_of(name), field["value"])


@given(st.text(string.ascii_lowercase + "{}!:.[]_ ", max_size=30))
def test_a_value_is_never_read_as_a_template(text):
    shown = templates.rendered(
        a_template(body="〔{title}〕", title="{title}。"), {"title": f"x{text}", "name": "王秀英"}
    )
    assert shown.body == f"〔x{text.rstrip()}〕"
    assert "王秀英" not in shown.body


@given(st.text(string.ascii_lowercase + "{}!:._0 〔", max_size=30))
def test_what_may_be_saved_can_be_said_and_what_cannot_be_said_is_not_saved(text):
    content = a_template(title=f"题{text}".replace("\n", " "), body=f"文{text}", sms=f"短信{text}")
    if not message_templates.faults("certified", content):
        shown = templates.rendered(content, values_of("certified"))
        assert "{" not in shown.body
        assert "}" not in shown.body


@given(st.permutations(["certified_on", "due_on", "name", "service"]), st.integers(0, 4))
def test_exactly_the_missing_names_are_told(names, given_count):
    body = "".join(f"{{{name}}}" for name in names)
    values = dict.fromkeys(names[:given_count], "x")
    missing = [name for name in names[given_count:] if name != "service"]
    if missing:
        with pytest.raises(templates.MissingValue) as caught:
            templates.rendered(a_template(body=body), values)
        assert caught.value.names == missing
        assert str(caught.value) == f"template test needs {', '.join(missing)}"
    else:
        assert templates.rendered(a_template(body=body), values).body


# ---- Preview


def test_a_preview_shows_a_real_persons_name_community_and_days(ground):
    person = a_retiree(name="陈桂兰")
    certified_until(person, "2026-03-15", "2025-03-15")
    shown = templates.preview("certification_due", CITY_WORKER, retiree_id=person["_id"])
    assert "陈桂兰" in shown["body"]
    assert "2026年3月15日" in shown["body"]
    assert shown["sms"].startswith(f"【{settings.SERVICE_NAME}】陈桂兰")
    assert {"name": "name2", "value": "陈桂兰"} in shown["wechat"]
    assert shown["problems"] == []
    draft = {
        "title": "好",
        "body": "{community}{name}{certified_on}",
        "link": "",
        "channels": {"wechat": None, "sms": None},
    }
    shown = templates.preview("certified", CITY_WORKER, retiree_id=person["_id"], content=draft)
    assert shown["body"] == f"{divisions.name(COMMUNITY)}陈桂兰2025年3月15日"


def test_without_a_person_a_preview_shows_examples_also_to_administrators(ground):
    shown = templates.preview("notice", ADMINISTRATOR)
    assert shown["title"] == "养老金调整说明"


def test_a_draft_that_could_not_be_saved_shows_why_and_nothing_else(ground):
    draft = {"title": "{pension}", "body": "", "link": "", "channels": {"wechat": None, "sms": None}}
    shown = templates.preview("certified", CITY_WORKER, content=draft)
    assert (shown["title"], shown["wechat"]) == ("", [])
    assert "{pension}" in shown["problems"][0]


def test_a_preview_says_where_this_persons_name_would_close_a_channel(ground):
    person = a_retiree(name="王2")
    shown = templates.preview("certification_due", CITY_WORKER, retiree_id=person["_id"])
    assert shown["wechat"] == []
    assert "name2" in shown["problems"][0]
    assert "王2" in shown["body"]


def test_a_preview_reaches_no_further_than_its_writers_area(ground):
    far = a_retiree(division=OTHER_CITY_COMMUNITY)
    for actor, retiree_id, number in (
        (CITY_WORKER, far["_id"], None), (ADMINISTRATOR, far["_id"], None), (CITY_WORKER, None, 9),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            templates.preview("notice", actor, retiree_id=retiree_id, version=number)
    with pytest.raises(NotFound):
        templates.preview("nothing", CITY_WORKER)
    with pytest.raises(Forbidden):
        templates.preview("notice", Actor(access.COMMUNITY, ObjectId(), division=COMMUNITY))


def test_outside_the_sandbox_a_message_goes_by_wechat_only_with_a_template_of_ones_own(ground):
    with settings_with(WECHAT_API_BASE="https://api.weixin.qq.com"):
        assert templates.render("notice", values_of("notice")).wechat is None
