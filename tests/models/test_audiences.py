"""Audiences: who an expression means, who may ask for what, and the list that is frozen when a notice is published."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from bson import ObjectId
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from models import access, audiences, clock, contact_settings, people
from models.access import Actor
from models.audiences import EVERYBODY
from models.database import collection, transaction
from models.errors import Forbidden, Invalid
from tests.builders import (
    COMMUNITY,
    COMMUNITY_WORKER,
    OTHER_CITY_COMMUNITY,
    OTHER_COMMUNITY,
    a_retiree,
    certified_until,
    helper_of,
    oneself,
)
from tests.story import at_once

CITY = Actor(access.CITY, division="4301")
BRANCH = Actor(access.BRANCH_SECRETARY, division="430102001")


def leaf(field, op, value):
    return {"field": field, "op": op, "value": value}


def counted(expression, actor=CITY):
    return audiences.count(expression, actor)["people"]


def born(years, days=0):
    """The birthday of somebody who is so old, and so many days."""
    return (clock.add_months(clock.today(), -12 * years) - dt.timedelta(days=days)).isoformat()


def in_days(days):
    return (clock.today() + dt.timedelta(days=days)).isoformat()


# ---- Who is meant


def test_everybody_is_everybody_of_the_own_area_but_the_dead_and_those_who_moved(ground):
    a_retiree()
    a_retiree(status=people.LOST)
    a_retiree(status=people.TO_HAND_OVER)
    a_retiree(status=people.DECEASED)
    a_retiree(status=people.MOVED)
    a_retiree(division=OTHER_COMMUNITY)
    a_retiree(division=OTHER_CITY_COMMUNITY)
    assert counted(EVERYBODY, CITY) == 4
    assert counted(EVERYBODY, COMMUNITY_WORKER) == 3
    assert counted({"not": leaf("age", "is", 0)}, COMMUNITY_WORKER) == 3


def test_an_expression_reaches_nobody_outside_the_own_area_whatever_it_names(ground):
    stranger = a_retiree(division=OTHER_COMMUNITY)
    a_retiree()
    for expression in (
        leaf("division", "is", OTHER_COMMUNITY),
        leaf("retiree", "in", [str(stranger["_id"])]),
        {"any": [leaf("division", "is", OTHER_COMMUNITY), leaf("retiree", "in", [str(stranger["_id"])])]},
    ):
        assert counted(expression, COMMUNITY_WORKER) == 0
        assert counted(expression, CITY) == 1


def test_somebody_is_eighty_from_the_birthday_on(ground):
    for days in (-1, 0, 1):
        a_retiree(recognised_birth=born(80, days))
    assert counted(leaf("age", "at_least", 80)) == 2
    assert counted(leaf("age", "at_most", 79)) == 1
    assert counted(leaf("age", "is", 80)) == 2
    assert counted(leaf("age", "is", 79)) == 1


@pytest.mark.parametrize(
    ("day", "years"), [("2026-02-28", 81), ("2026-03-01", 82), ("2028-02-28", 83), ("2028-02-29", 84)]
)
def test_whoever_was_born_on_a_leap_day_is_a_year_older_when_that_day_is_over_or_there(ground, day, years):
    a_retiree(recognised_birth="1944-02-29")
    with time_machine.travel(f"{day}T12:00:00+08:00", tick=False):
        assert [age for age in range(80, 86) if counted(leaf("age", "is", age))] == [years]


def test_certification_counts_as_the_ledger_does(ground):
    for days in (200, 30, -1):
        certified_until(a_retiree(), in_days(days))
    suspended = a_retiree()
    collection("retirees").update_one(
        {"_id": suspended["_id"]}, {"$set": {"certification.suspended_on": clock.today().isoformat()}}
    )
    for state, people_in_it in {"valid": 1, "due_soon": 1, "overdue": 1, "suspended": 1, "checking": 0}.items():
        assert counted(leaf("certification", "is", state)) == people_in_it, state
        assert people.search(CITY, certification=state)[1] == people_in_it
    assert counted(leaf("certification", "in", ["due_soon", "overdue"])) == 2


def test_fields_are_joined_by_and_or_and_not(ground):
    a_retiree(enterprise="长沙纺织厂", health="chronic", hardship=["低保", "独居"])
    a_retiree(enterprise="长沙纺织厂", health="healthy")
    a_retiree(enterprise="湘江机械厂", hardship=["独居"])
    mill, alone = leaf("enterprise", "is", "长沙纺织厂"), leaf("hardship", "in", ["独居"])
    assert counted(mill) == 2
    assert counted({"all": [mill, alone]}) == 1
    assert counted({"any": [mill, alone]}) == 3
    assert counted({"all": [mill, {"not": alone}]}) == 1
    assert counted({"not": {"any": [mill, alone]}}) == 0
    assert counted({"any": []}) == 0
    assert counted(leaf("health", "in", ["chronic", "unable_self_care"])) == 1


def test_participation_finds_nobody_yet_and_says_so(ground):
    a_retiree()
    found = audiences.count({"any": [leaf("participation", "is", str(ObjectId()))]}, CITY)
    assert found["people"] == 0
    assert found["notes"] == [audiences.NO_ACTIVITIES]
    assert audiences.count(EVERYBODY, CITY)["notes"] == []


def test_the_count_says_who_is_reached_by_wechat_by_sms_and_by_no_device(ground):
    helper_of(a_retiree())
    helper_of(a_retiree(phone=None))
    a_retiree()
    a_retiree(phone=None)
    switched_off = a_retiree()
    oneself(switched_off)
    contact_settings.put(
        switched_off["_id"], {**dict.fromkeys(contact_settings.CHANNELS, False), "call": True}, False, 0, CITY
    )
    found = audiences.count(EVERYBODY, CITY)
    assert found == {"people": 5, "wechat": 2, "sms": 2, "nobody": 2, "notes": []}


# ---- The same rule in every place: counted, frozen, and for the reader of the library

ENTERPRISES = ("甲厂", "乙厂")
AGES = (60, 75, 90)
PEOPLE = [
    {
        "division": (COMMUNITY, OTHER_COMMUNITY)[number % 2],
        "enterprise": ENTERPRISES[number % 3 % 2],
        "hardship": [["低保"], ["独居", "低保"], []][number % 3],
        "health": ("healthy", "chronic", None)[number % 3],
        "age": AGES[(number // 2) % 3],
        "status": people.DECEASED if number == 11 else people.IN_CARE,
    }
    for number in range(12)
]

LEAVES = st.one_of(
    st.builds(leaf, st.just("division"), st.just("is"), st.sampled_from([COMMUNITY, OTHER_COMMUNITY, "4301", "5405"])),
    st.builds(
        leaf, st.just("age"), st.sampled_from(["is", "at_least", "at_most"]), st.sampled_from([59, 60, 75, 76, 90])
    ),
    st.builds(leaf, st.just("enterprise"), st.just("is"), st.sampled_from([*ENTERPRISES, "丙厂"])),
    st.builds(leaf, st.just("hardship"), st.just("in"), st.lists(st.sampled_from(["低保", "独居"]), min_size=1)),
    st.builds(leaf, st.just("health"), st.just("is"), st.sampled_from(["healthy", "chronic", "ordinary"])),
    st.builds(leaf, st.just("participation"), st.just("is"), st.just("0" * 24)),
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda part: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(part, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(part, max_size=3)),
        st.builds(lambda one: {"not": one}, part),
    ),
    max_leaves=6,
)


def is_meant(person, expression):
    """What an expression says, read as a person would read it."""
    if "all" in expression:
        return all(is_meant(person, part) for part in expression["all"])
    if "any" in expression:
        return any(is_meant(person, part) for part in expression["any"])
    if "not" in expression:
        return not is_meant(person, expression["not"])
    value = expression["value"]
    return {
        "division": lambda: person["division"].startswith(value),
        "age": lambda: {
            "is": person["age"] == value,
            "at_least": person["age"] >= value,
            "at_most": person["age"] <= value,
        }[expression["op"]],
        "enterprise": lambda: person["enterprise"] == value,
        "hardship": lambda: bool(set(person["hardship"]) & set(value)),
        "health": lambda: person["health"] == value,
        "participation": lambda: False,
    }[expression["field"]]()


@pytest.fixture
def town(ground):
    return [
        (person, a_retiree(**{**person, "age": None, "recognised_birth": born(person["age"], 30)})) for person in PEOPLE
    ]


def depth(expression):
    parts = expression.get("all") or expression.get("any") or [expression[key] for key in ("not",) if key in expression]
    return 1 + max((depth(part) for part in parts), default=0)


@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(expression=EXPRESSIONS.filter(lambda made: depth(made) <= audiences.DEPTH))
def test_counting_freezing_and_the_library_agree_with_what_the_expression_says(town, expression):
    meant = {row["_id"] for person, row in town if person["status"] != people.DECEASED and is_meant(person, expression)}
    assert counted(expression) == len(meant)
    audience_id = started(expression)
    assert list(audiences.freeze(audience_id)) == ([1] if meant else [])
    assert audiences.members(audience_id, 1) == sorted(meant)
    key = ObjectId()
    for _, row in town:
        assert audiences.matching(row["_id"], {key: (expression, CITY)}) == ([key] if row["_id"] in meant else [])
        assert audiences.holds(audience_id, row["_id"]) == (row["_id"] in meant)


# ---- Who may ask for what


@pytest.mark.parametrize("field", ["health", "hardship"])
def test_the_branch_does_not_choose_by_health_or_hardship(ground, field):
    with pytest.raises(Invalid) as refused:
        audiences.count(leaf(field, "is", "chronic"), BRANCH)
    assert refused.value.code == "field_not_yours"
    assert field not in {row["field"] for row in audiences.fields(BRANCH)}
    assert field in {row["field"] for row in audiences.fields(CITY)}


def test_only_the_branch_chooses_by_party_membership_and_reaches_members_alone(ground):
    a_retiree(party_member=True)
    a_retiree(party_member=False)
    a_retiree()
    member = leaf("party_member", "is", True)
    for actor in (CITY, COMMUNITY_WORKER):
        with pytest.raises(Invalid) as refused:
            audiences.count({"not": member}, actor)
        assert (refused.value.code, refused.value.pointer) == ("field_not_yours", "/expression/not/field")
        assert "party_member" not in {row["field"] for row in audiences.fields(actor)}
    assert counted(member, BRANCH) == 1
    assert counted(EVERYBODY, BRANCH) == 1
    assert counted(leaf("party_member", "is", False), BRANCH) == 0


def test_retirees_and_those_without_an_office_choose_nobody(ground):
    for actor in (oneself(a_retiree()), Actor(access.AUDITOR), Actor(access.ENTERPRISE, enterprise="甲厂")):
        with pytest.raises(Forbidden):
            audiences.count(EVERYBODY, actor)
        with pytest.raises(Forbidden):
            audiences.fields(actor)
    assert counted(EVERYBODY, Actor(access.CITY)) == 0


def test_the_builder_offers_what_the_own_area_knows(ground):
    a_retiree(enterprise="甲厂", hardship=["独居"])
    a_retiree(enterprise="乙厂", hardship=["独居", "低保"], division=OTHER_COMMUNITY)
    offered = {row["field"]: row for row in audiences.fields(COMMUNITY_WORKER)}
    assert [row["value"] for row in offered["enterprise"]["values"]] == ["甲厂"]
    assert [row["value"] for row in offered["hardship"]["values"]] == ["独居"]
    assert offered["age"]["values"] is None
    assert [row["op"] for row in offered["age"]["operators"]] == ["is", "at_least", "at_most"]
    assert offered["participation"]["note"] == audiences.NO_ACTIVITIES


NESTED = {"not": {"not": {"not": {"not": leaf("age", "is", 1)}}}}


@pytest.mark.parametrize(
    ("expression", "pointer"),
    [
        ([], "/expression"),
        ({}, "/expression"),
        ({"all": [], "any": []}, "/expression"),
        ({"all": {}}, "/expression/all"),
        ({"any": [{"all": ["x"]}]}, "/expression/any/0/all/0"),
        ({"not": None}, "/expression/not"),
        ({"$where": "1"}, "/expression"),
        (leaf("id_number", "is", "1"), "/expression/field"),
        (leaf(["age"], "is", 1), "/expression/field"),
        (leaf("age", "in", [1]), "/expression/op"),
        (leaf("age", {"$gt": 1}, 1), "/expression/op"),
        (leaf("age", "is", "80"), "/expression/value"),
        (leaf("age", "is", True), "/expression/value"),
        (leaf("age", "is", 10**30), "/expression/value"),
        (leaf("age", "is", -1), "/expression/value"),
        (leaf("enterprise", "is", {"$ne": None}), "/expression/value"),
        (leaf("enterprise", "is", ""), "/expression/value"),
        (leaf("enterprise", "in", []), "/expression/value"),
        (leaf("enterprise", "in", "甲厂"), "/expression/value"),
        (leaf("enterprise", "is", "甲\0厂"), "/expression/value"),
        (leaf("enterprise", "is", "\ud800"), "/expression/value"),
        (leaf("division", "is", "43x"), "/expression/value"),
        (leaf("certification", "is", "ended"), "/expression/value"),
        (leaf("retiree", "in", ["x" * 24]), "/expression/value"),
        (leaf("retiree", "in", ["0" * 24] * 5_001), "/expression/value"),
        ({"all": [leaf("age", "is", 1)] * 51}, "/expression/all"),
        ({"all": [{"any": [leaf("age", "is", 1)] * 30}] * 2}, "/expression"),
        ({"not": NESTED}, "/expression/not/not/not/not/not"),
        ({**leaf("age", "is", 1), "also": 1}, "/expression"),
    ],
)
def test_an_expression_that_says_nothing_clear_is_refused_with_the_place_of_the_fault(ground, expression, pointer):
    with pytest.raises(Invalid) as refused:
        audiences.count(expression, CITY)
    assert (refused.value.code, refused.value.pointer) == ("bad_audience", pointer)


def test_five_levels_are_not_too_deep(ground):
    assert counted(NESTED) == 0


# ---- The frozen list


def started(expression, office=CITY):
    return transaction(lambda session: audiences.start(session, ObjectId(), 1, expression, office))


def many(count, division=COMMUNITY):
    """People with nothing but what an audience looks at."""
    row = {"division": division, "status": people.IN_CARE, "name_pinyin": "", "certification": {}}
    collection("retirees").insert_many([{**row, "_id": ObjectId(), "id_number": str(ObjectId())} for _ in range(count)])


def test_a_list_is_frozen_in_ascending_chunks_of_a_thousand_and_counted(ground):
    many(2_500)
    audience_id = started(EVERYBODY)
    assert audiences.frozen_people(audience_id) is None
    assert list(audiences.freeze(audience_id)) == [1, 2, 3]
    chunks = [audiences.members(audience_id, number) for number in (1, 2, 3, 4)]
    assert [len(chunk) for chunk in chunks] == [1_000, 1_000, 500, 0]
    everybody = [one for chunk in chunks for one in chunk]
    assert everybody == sorted(set(everybody))
    assert len(everybody) == audiences.frozen_people(audience_id) == 2_500
    held = audiences.get(audience_id)
    assert (held["state"], held["chunks"]) == (audiences.FROZEN, 3)


def test_a_worker_that_dies_half_way_goes_on_behind_the_last_id(ground):
    many(2_500)
    audience_id = started(EVERYBODY)
    going = audiences.freeze(audience_id)
    assert next(going) == 1
    going.close()
    first = audiences.members(audience_id, 1)
    many(10)
    assert list(audiences.freeze(audience_id)) == [1, 2, 3]
    assert audiences.members(audience_id, 1) == first
    assert audiences.frozen_people(audience_id) == 2_510


def test_two_workers_that_freeze_at_once_write_one_list(ground):
    many(3_200)
    audience_id = started(EVERYBODY)
    numbers = at_once(*[lambda: sorted(set(audiences.freeze(audience_id)))] * 3)
    assert numbers == [[1, 2, 3, 4]] * 3
    ids = [one for number in (1, 2, 3, 4) for one in audiences.members(audience_id, number)]
    assert len(ids) == len(set(ids)) == audiences.frozen_people(audience_id) == 3_200


def test_what_is_frozen_stays_whoever_joins_or_changes_later(ground):
    person = a_retiree(health="chronic")
    audience_id = started(leaf("health", "is", "chronic"), COMMUNITY_WORKER)
    assert list(audiences.freeze(audience_id)) == [1]
    collection("retirees").update_one({"_id": person["_id"]}, {"$set": {"health": "healthy"}})
    later = a_retiree(health="chronic")
    assert list(audiences.freeze(audience_id)) == [1]
    assert audiences.members(audience_id, 1) == [person["_id"]]
    assert audiences.holds(audience_id, person["_id"])
    assert not audiences.holds(audience_id, later["_id"])
    assert not audiences.holds(audience_id, ObjectId("0" * 24))


def test_nobody_is_a_list_too(ground):
    audience_id = started({"any": []})
    assert list(audiences.freeze(audience_id)) == []
    assert audiences.frozen_people(audience_id) == 0


def test_more_notices_than_one_question_holds_are_asked_in_several(ground):
    person = a_retiree()
    wanted = {ObjectId(): (leaf("age", "at_least", number % 2 * 130), CITY) for number in range(audiences.AT_ONCE + 9)}
    found = audiences.matching(person["_id"], wanted)
    assert found == [key for number, key in enumerate(wanted) if number % 2 == 0]
