"""From something that has to be said to the channels on which it is said: who, when, and what follows if nobody reads it."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from models import access, clock, contact_settings, deliveries, messages, people, rules
from models.access import Actor
from models.database import collection, transaction
from models.deliveries import CALL, PAPER, SMS, WECHAT
from models.message_templates import sandbox_template
from models.messages import EMERGENCY, IMPORTANT, ROUTINE
from notifications import engine
from notifications.templates import MissingValue
from tests.builders import COMMUNITY, COMMUNITY_WORKER, OTHER_COMMUNITY, a_retiree, helper_of, oneself

TEN_IN_THE_MORNING = dt.datetime(2026, 11, 23, 10, tzinfo=clock.SHANGHAI)
VALUES = {"title": "养老金调整说明", "summary": "下个月起养老金有调整。"}


@pytest.fixture
def clocked(ground):
    with time_machine.travel(TEN_IN_THE_MORNING, tick=False) as traveller:
        yield traveller


def tell(
    person, importance: str = IMPORTANT, cause: str = "1", template: str = "notice", values=VALUES, **more
) -> None:
    def write(session) -> None:
        engine.tell(session, person["_id"], template, cause, values, importance=importance, **more)

    transaction(write)


def told(person, importance: str = IMPORTANT, **more) -> list[tuple[str, str]]:
    """Say something and plan it: the channels, and what stands where."""
    tell(person, importance, **more)
    return planned(person)


def planned(person) -> list[tuple[str, str]]:
    while engine.plan():
        pass
    rows = collection("deliveries").find({"retiree_id": person["_id"]}).sort("_id")
    return [(row["channel"], row["state"]) for row in rows]


def the_message(person) -> dict:
    return collection("messages").find_one({"retiree_id": person["_id"]})


def granted(actor: Actor, key: str = "notice") -> Actor:
    collection("subscription_grants").insert_one(
        {"account_id": actor.account_id, "template_id": sandbox_template(key), "grants": 1}
    )
    return actor


def wishes(person, copy_family: bool = False, **channels: bool) -> None:
    wished = {**dict.fromkeys(contact_settings.CHANNELS, True), **channels}
    contact_settings.put(person["_id"], wished, copy_family, 0, COMMUNITY_WORKER)


def a_rule(key: str, value: int, division: str = "") -> None:
    collection("rules").insert_one(rules.Rule(key, value, "测试", "2026-01-01", division=division).as_document())


def change(person, **fields) -> None:
    people.change(person["_id"], fields, person["version"], Actor(access.SYSTEM))


# ---- Saying


def test_a_message_is_in_the_inbox_with_the_commit_of_its_cause(clocked):
    person = a_retiree()
    tell(person)
    tell(person)
    message = the_message(person)
    assert (message["title"], message["body"]) == ("养老金调整说明", "下个月起养老金有调整。")
    assert message["sms"].startswith("社区通知：养老金调整说明。")
    assert message["wechat"]["template_id"] == "sandbox_notice"
    assert message["wechat"]["data"]["thing1"] == "养老金调整说明"
    assert collection("messages").count_documents({}) == 1


def test_what_a_template_misses_is_an_error_before_anything_is_written(clocked):
    person = a_retiree()
    with pytest.raises(MissingValue):
        tell(person, values={"title": "养老金调整说明"})
    with pytest.raises(MissingValue):
        engine.tell_many([person["_id"]], "notice", "1", {"title": "养老金调整说明"})
    with pytest.raises(LookupError):
        tell({"_id": ObjectId()})
    with pytest.raises(LookupError):
        tell(person, template="no_such_template")
    assert collection("messages").count_documents({}) == 0


def test_a_chunk_is_written_once_however_often_it_is_said(clocked):
    persons = [a_retiree() for _ in range(3)]
    ids = [person["_id"] for person in persons]
    assert engine.tell_many([*ids[:2], ObjectId()], "notice", "1", VALUES) == 2
    assert engine.tell_many(ids, "notice", "1", VALUES) == 1
    assert engine.tell_many(ids, "notice", "2", VALUES) == 3


def test_names_and_communities_are_filled_in_for_each(clocked):
    persons = [a_retiree(name="王秀英"), a_retiree(name="李建国", division=OTHER_COMMUNITY)]
    engine.tell_many([person["_id"] for person in persons], "certification_due", "1", {"due_on": "2026年12月1日"})
    bodies = [the_message(person)["body"] for person in persons]
    assert bodies[0].startswith("王秀英的养老金领取资格认证请在2026年12月1日")
    assert bodies[1].startswith("李建国的")


def test_a_link_of_the_cause_wins_over_that_of_the_template(clocked):
    person = a_retiree()
    tell(person, link="/library/1")
    assert the_message(person)["link"] == "/library/1"


# ---- The ladder


def test_a_routine_message_stays_in_the_inbox_where_nobody_granted_wechat(clocked):
    person = a_retiree()
    oneself(person)
    assert told(person, ROUTINE) == []
    assert the_message(person)["plan_at"] is None


def test_a_routine_message_goes_to_wechat_alone_however_long_nobody_reads_it(clocked):
    person = a_retiree()
    granted(oneself(person))
    assert told(person, ROUTINE) == [(WECHAT, "waiting")]
    clocked.shift(clock.days(30))
    assert planned(person) == [(WECHAT, "waiting")]


def test_an_important_message_that_nobody_reads_goes_on_to_sms_and_to_a_call(clocked):
    person = a_retiree()
    granted(oneself(person))
    assert told(person) == [(WECHAT, "waiting")]
    clocked.shift(clock.seconds(24 * 3600 - 1))
    assert planned(person) == [(WECHAT, "waiting")]
    clocked.shift(1)
    assert planned(person) == [(WECHAT, "waiting"), (SMS, "waiting")]
    clocked.shift(clock.seconds(48 * 3600 - 1))
    assert len(planned(person)) == 2
    clocked.shift(1)
    assert planned(person) == [(WECHAT, "waiting"), (SMS, "waiting"), (CALL, "listed")]
    assert the_message(person)["plan_at"] is None


def test_whoever_reads_it_is_left_alone(clocked):
    person = a_retiree()
    actor = granted(oneself(person))
    told(person)
    messages.mark_read(the_message(person)["_id"], actor)
    clocked.shift(clock.days(3))
    assert planned(person) == [(WECHAT, "cancelled")]


def test_planning_twice_at_once_plans_once(clocked):
    person = a_retiree()
    tell(person)
    before = the_message(person)
    planned(person)
    collection("messages").update_one({}, {"$set": {"plan_at": before["plan_at"], "rung": 0}})
    assert planned(person) == [(SMS, "waiting")]


def test_whoever_has_no_wechat_gets_an_sms_at_once(clocked):
    person = a_retiree()
    assert told(person) == [(SMS, "waiting")]


@pytest.mark.parametrize(
    "fields, channel",
    [
        ({"phone": None}, PAPER),
        ({"phone": None, "emergency_phone": "16912345678"}, CALL),
    ],
)
def test_whom_no_device_reaches_stands_on_the_list_of_a_person_at_once(clocked, fields, channel):
    assert told(a_retiree(**fields)) == [(channel, "listed")]


def test_a_channel_that_somebody_switched_off_is_left_out(clocked):
    person = a_retiree()
    granted(oneself(person))
    wishes(person, wechat=False, sms=False)
    assert told(person) == [(CALL, "listed")]
    silent = a_retiree()
    wishes(silent, wechat=False, sms=False, call=False, paper=False)
    assert told(silent) == []
    on_paper = a_retiree()
    wishes(on_paper, wechat=False, sms=False, call=False)
    assert told(on_paper) == [(PAPER, "listed")]


def test_an_emergency_uses_every_device_at_once_at_any_hour_whatever_is_switched_off(clocked):
    person = a_retiree()
    granted(oneself(person))
    wishes(person, wechat=False, sms=False, call=False)
    clocked.move_to(TEN_IN_THE_MORNING.replace(hour=23))
    assert told(person, EMERGENCY) == [(WECHAT, "waiting"), (SMS, "waiting")]
    assert {row["due_at"] for row in collection("deliveries").find({})} == {clock.now()}
    clocked.shift(2 * 3600)
    assert planned(person)[2:] == [(CALL, "listed")]
    assert told(a_retiree(phone=None), EMERGENCY) == [(PAPER, "listed")]


def test_what_is_said_in_the_night_leaves_in_the_morning_and_its_hours_count_from_there(clocked):
    person = a_retiree()
    granted(oneself(person))
    clocked.move_to(TEN_IN_THE_MORNING.replace(hour=22, minute=30))
    told(person)
    morning = dt.datetime(2026, 11, 24, 8, tzinfo=clock.SHANGHAI)
    assert collection("deliveries").find_one({})["due_at"] == morning
    assert the_message(person)["plan_at"] == morning + clock.days(1)


def test_a_citys_own_rules_hold_in_the_city(clocked):
    a_rule("quiet_hours_end", 11, COMMUNITY[:4])
    a_rule("fallback_hours_sms_to_call", 1, COMMUNITY[:4])
    person = a_retiree()
    told(person)
    assert collection("deliveries").find_one({})["due_at"].astimezone(clock.SHANGHAI).hour == 11
    clocked.shift(2 * 3600)
    assert planned(person)[1:] == [(CALL, "listed")]


def test_where_the_retiree_has_no_phone_of_their_own_those_who_act_for_them_are_told(clocked):
    person = a_retiree()
    child, neighbour = granted(helper_of(person)), granted(helper_of(person, "relative"))
    told(person)
    accounts = {row["account_id"] for row in collection("deliveries").find({"copy": False})}
    assert accounts == {child.account_id, neighbour.account_id}


def test_the_family_gets_a_copy_only_where_the_retiree_wishes_it(clocked):
    person = a_retiree()
    granted(oneself(person))
    child = granted(helper_of(person))
    daughter = helper_of(person)
    collection("accounts").update_one(
        {"_id": daughter.account_id},
        {"$set": {"phone": collection("retirees").find_one({"_id": person["_id"]})["phone"]}},
    )
    told(person)
    assert collection("deliveries").count_documents({"copy": True}) == 0
    wishes(person, copy_family=True)
    told(person, cause="2")
    copies = list(collection("deliveries").find({"copy": True}))
    assert {(row["channel"], row["account_id"]) for row in copies} == {
        (WECHAT, child.account_id),
        (SMS, daughter.account_id),
    }
    assert told(person, ROUTINE, cause="3").count((SMS, "waiting")) == 1


@pytest.mark.parametrize("status", [people.DECEASED, people.MOVED])
def test_nothing_goes_to_a_telephone_for_somebody_who_died_or_moved_away(clocked, status):
    person = a_retiree()
    change(person, status=status, **({"died_on": "2026-11-01"} if status == people.DECEASED else {}))
    assert told(person, EMERGENCY) == []
    engine.tell_many([person["_id"], a_retiree()["_id"]], "notice", "2", VALUES, importance=EMERGENCY)
    assert planned(person) == []
    later = a_retiree()
    tell(later)
    change(later, status=status, **({"died_on": "2026-11-01"} if status == people.DECEASED else {}))
    assert planned(later) == []


def test_what_is_out_of_date_is_planned_no_more(clocked):
    person = a_retiree()
    tell(person, expires_on="2026-11-23")
    clocked.shift(clock.days(1))
    assert planned(person) == []
    assert the_message(person)["plan_at"] is None


def test_what_was_read_while_it_was_planned_stands_on_no_list(clocked):
    person = a_retiree(phone=None)
    tell(person)
    (seen,) = messages.to_plan(1)
    messages.mark_read(seen["_id"], oneself(person))
    deliveries.put_all([deliveries.make(seen, PAPER, clock.now())])
    messages.planned([(seen, None, 3)])
    assert planned(person) == [(PAPER, "cancelled")]


def test_emergencies_are_planned_before_whatever_waits_longer(clocked):
    routine = a_retiree()
    tell(routine)
    clocked.shift(60)
    urgent = a_retiree()
    tell(urgent, EMERGENCY)
    assert engine.plan(limit=1) == 1
    assert collection("deliveries").find_one({})["retiree_id"] == urgent["_id"]


# ---- Quiet hours


@given(
    instant=st.integers(0, 366 * 86_400).map(lambda seconds: TEN_IN_THE_MORNING + dt.timedelta(seconds=seconds)),
    start=st.integers(0, 23),
    end=st.integers(0, 23),
)
def test_the_quiet_hours_end_within_a_day_and_at_their_hour(instant, start, end):
    after = engine.after_quiet_hours(instant, start, end)
    local = after.astimezone(clock.SHANGHAI)
    assert dt.timedelta(0) <= after - instant < dt.timedelta(days=1)
    if after != instant:
        assert (local.hour, local.minute, local.second) == (end, 0, 0)
    assert engine.after_quiet_hours(after, start, end) == after


@pytest.mark.parametrize(
    "hour, minute, expected",
    [
        (20, 59, (23, 20, 59)),
        (21, 0, (24, 8, 0)),
        (23, 59, (24, 8, 0)),
        (0, 0, (23, 8, 0)),
        (7, 59, (23, 8, 0)),
        (8, 0, (23, 8, 0)),
    ],
)
def test_between_nine_in_the_evening_and_eight_in_the_morning_nobody_is_disturbed(hour, minute, expected):
    instant = TEN_IN_THE_MORNING.replace(hour=hour, minute=minute)
    after = engine.after_quiet_hours(instant, 21, 8).astimezone(clock.SHANGHAI)
    assert (after.day, after.hour, after.minute) == expected
