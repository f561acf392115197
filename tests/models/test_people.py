"""The ledger: who may see whom, what is found by what, and that nobody is in it twice."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from models import access, certification_sessions, clock, follow_ups, people
from models.access import Actor
from models.database import collection, transaction
from models.errors import Conflict, Invalid, NotFound, Stale
from tests.builders import (
    CITY_WORKER,
    COMMUNITY,
    COMMUNITY_WORKER,
    OTHER_CITY_COMMUNITY,
    OTHER_COMMUNITY,
    a_retiree,
    an_id_number,
    audit_actions,
    helper_of,
    oneself,
)


def found(actor: Actor, **filters: str) -> list[str]:
    return [person["name"] for person in people.search(actor, **filters)[0]]


def test_the_same_id_number_is_never_two_people(ground):
    person = a_retiree()
    with pytest.raises(Conflict, match="already_in_ledger"):
        a_retiree(id_number=person["id_number"], name="李建国")
    assert collection("retirees").count_documents({}) == 1


def test_an_old_number_of_15_digits_is_upgraded_to_18(ground):
    person = a_retiree(id_number="110105491231002")
    assert person["id_number"] == "11010519491231002X"
    assert person["id_birth"] == "1949-12-31"
    assert people.find_by_id_number("11010519491231002X")["_id"] == person["_id"]


def test_a_sex_that_contradicts_the_number_is_refused(ground):
    with pytest.raises(Invalid, match="sex_differs"):
        a_retiree(id_number=an_id_number(sex="female"), sex="male")


def test_a_recognised_birth_that_differs_is_kept_beside_the_birth_of_the_number(ground):
    person = a_retiree(recognised_birth="1949-06-01")
    held = people.get(person["_id"], CITY_WORKER)
    assert (held["id_birth"], held["recognised_birth"]) == ("1950-01-01", "1949-06-01")


def test_a_worker_adds_nobody_outside_the_own_area(ground):
    with pytest.raises(Invalid, match="outside_area"):
        people.add({"name": "张三", "id_number": an_id_number(), "division": OTHER_COMMUNITY}, COMMUNITY_WORKER)


def test_the_first_certification_of_a_new_retiree_is_due_twelve_months_after_retirement(ground):
    retires = clock.today() + dt.timedelta(days=40)
    person = a_retiree(retired_on=retires.isoformat())
    assert person["certification"]["due_on"] == clock.add_months(retires, 12).isoformat()
    assert a_retiree()["certification"]["due_on"] == clock.add_months(clock.today(), 12).isoformat()


@pytest.mark.parametrize(
    ("actor", "sees"),
    [
        (Actor(access.COMMUNITY, division=COMMUNITY), {"甲某"}),
        (Actor(access.COMMUNITY, division=OTHER_COMMUNITY), {"乙某"}),
        (Actor(access.STREET, division="430102001"), {"甲某", "乙某"}),
        (Actor(access.DISTRICT, division="430102"), {"甲某", "乙某"}),
        (Actor(access.CITY, division="4301"), {"甲某", "乙某"}),
        (Actor(access.CITY, division="5405"), {"丙某"}),
        (Actor(access.ARCHIVE_KEEPER, division="4301"), {"甲某", "乙某"}),
        (Actor(access.BRANCH_SECRETARY, division=COMMUNITY), {"甲某"}),
        (Actor(access.BRANCH_SECRETARY, division=OTHER_COMMUNITY), set()),  # there, but no member
        (Actor(access.ENTERPRISE, division="4301", enterprise="示范厂"), {"乙某"}),
        (Actor(access.ENTERPRISE, division="4301"), set()),
        (Actor(access.AUDITOR, division="4301"), set()),
        (Actor(access.ADMINISTRATOR, division="4301"), set()),
        (Actor(access.COMMUNITY), set()),
        (Actor(access.CITY), set()),
        (Actor(access.RETIREE), set()),
        (Actor(access.FAMILY), set()),
        (Actor("a role that does not exist", division="4301"), set()),
    ],
)
def test_a_role_and_a_division_say_whom_one_sees_and_everybody_else_does_not_exist(ground, actor, sees):
    three = [
        a_retiree(name="甲某", party_member=True),
        a_retiree(name="乙某", division=OTHER_COMMUNITY, enterprise="示范厂"),
        a_retiree(name="丙某", division=OTHER_CITY_COMMUNITY),
    ]
    rows, total = people.search(actor)
    assert {row["name"] for row in rows} == sees
    assert total == len(sees)
    assert sum(people.counts(actor).values()) == len(sees)
    for person in three:
        if person["name"] in sees:
            assert people.get(person["_id"], actor)["name"] == person["name"]
        else:
            with pytest.raises(NotFound, match="retiree_not_found"):
                people.get(person["_id"], actor)


def test_an_area_is_a_prefix_and_its_neighbour_with_a_longer_code_is_not_inside(ground):
    a_retiree(name="甲某", division="430102001001")
    a_retiree(name="乙某", division="430102002001")
    assert found(Actor(access.STREET, division="430102001")) == ["甲某"]
    assert found(CITY_WORKER, division="430102002") == ["乙某"]
    assert found(COMMUNITY_WORKER, division="430102002") == []


def test_a_retiree_sees_oneself_and_a_helper_sees_the_parent_only(ground):
    mother, stranger = a_retiree(name="王秀英"), a_retiree(name="李建国")
    assert found(oneself(mother)) == ["王秀英"]
    assert found(helper_of(mother)) == ["王秀英"]
    with pytest.raises(NotFound):
        people.get(stranger["_id"], helper_of(mother))


@pytest.mark.parametrize("q", ["王秀", "王秀英", "wangxiu", "wxy", "Wang Xiu"])
def test_a_person_is_found_by_characters_pinyin_or_initials(ground, q):
    a_retiree(name="王秀英")
    a_retiree(name="李建国")
    assert found(CITY_WORKER, q=q) == ["王秀英"]


def test_a_person_is_found_by_the_whole_number_or_telephone_and_never_by_a_part_of_it(ground):
    person = a_retiree(name="王秀英")
    assert found(CITY_WORKER, q=person["id_number"].lower()) == ["王秀英"]
    assert found(CITY_WORKER, q=person["phone"]) == ["王秀英"]
    assert found(CITY_WORKER, q=person["id_number"][:17]) == []
    assert found(CITY_WORKER, q=person["phone"][:10]) == []


@pytest.mark.parametrize("q", [".*", "^", "王.英", "(", "[a", "$where", "\\", "王|李"])
def test_what_looks_like_a_pattern_is_searched_for_as_it_stands(ground, q):
    a_retiree(name="王秀英")
    assert found(CITY_WORKER, q=q) == []


def test_a_page_holds_what_it_was_asked_for_and_the_total_counts_all(ground):
    for _ in range(5):
        a_retiree()
    rows, total = people.search(CITY_WORKER, page=2, size=2)
    assert (len(rows), total) == (2, 5)
    assert people.search(CITY_WORKER, page=4, size=2) == ([], 5)


def test_a_change_raises_the_version_and_a_change_of_an_older_version_is_refused(ground):
    person = a_retiree()
    changed = people.change(person["_id"], {"phone": "16912345678"}, 1, COMMUNITY_WORKER)
    assert (changed["version"], changed["phone"]) == (2, "16912345678")
    with pytest.raises(Stale):
        people.change(person["_id"], {"phone": "16987654321"}, 1, COMMUNITY_WORKER)
    assert people.get(person["_id"], CITY_WORKER)["phone"] == "16912345678"


def test_a_change_of_name_is_found_under_the_new_spelling(ground):
    person = a_retiree(name="王秀英")
    people.change(person["_id"], {"name": "欧阳建国"}, 1, COMMUNITY_WORKER)
    assert found(CITY_WORKER, q="oyjg") == ["欧阳建国"]
    assert found(CITY_WORKER, q="wxy") == []


def test_what_may_not_be_edited_stays_whatever_a_change_says(ground):
    person = a_retiree()
    people.change(
        person["_id"],
        {"id_number": an_id_number(), "version": 9, "certification": {}, "face": {"enrolled": True}},
        1,
        COMMUNITY_WORKER,
    )
    held = people.get(person["_id"], CITY_WORKER)
    assert held["id_number"] == person["id_number"]
    assert held["certification"] == person["certification"]
    assert held["face"] == {"enrolled": False}


def test_a_death_needs_its_day(ground):
    person = a_retiree()
    with pytest.raises(Invalid, match="died_on_missing"):
        people.change(person["_id"], {"status": "deceased"}, 1, COMMUNITY_WORKER)


def test_nobody_is_moved_out_of_reach_of_whoever_moves_them(ground):
    person = a_retiree()
    with pytest.raises(Invalid, match="outside_area"):
        people.change(person["_id"], {"division": OTHER_COMMUNITY}, 1, COMMUNITY_WORKER)


def test_what_is_open_about_a_person_moves_to_the_new_community_with_the_person(ground):
    person = a_retiree()
    phone = oneself(person)
    follow_ups.ask_for_help(person["_id"], "window", "", phone)
    attempt = certification_sessions.start(person["_id"], phone, consent=True)
    people.change(person["_id"], {"division": OTHER_COMMUNITY}, 1, CITY_WORKER)
    there = Actor(access.COMMUNITY, division=OTHER_COMMUNITY)
    assert follow_ups.listed(there)[1] == 1
    assert follow_ups.listed(COMMUNITY_WORKER)[1] == 0
    assert certification_sessions.by_id(attempt["_id"])["division"] == OTHER_COMMUNITY


def test_an_import_fills_what_is_missing_and_leaves_what_a_worker_wrote(ground):
    person = a_retiree(address=None)
    fields = {"address": "示范路5号", "phone": "16911111111", "name": "别人"}
    assert transaction(lambda session: people.fill(session, person, fields, CITY_WORKER))
    held = people.get(person["_id"], CITY_WORKER)
    assert (held["address"], held["phone"], held["name"]) == ("示范路5号", person["phone"], "王秀英")
    assert not transaction(lambda session: people.fill(session, held, fields, CITY_WORKER))
    assert audit_actions(person) == ["retiree.added", "retiree.filled"]


def test_seeing_a_whole_number_is_a_separate_act_with_a_purpose_and_is_audited(ground):
    person = a_retiree()
    shown = people.reveal(person["_id"], "id_number", "打电话核对", COMMUNITY_WORKER)
    assert shown == person["id_number"]
    entry = collection("audit").find_one({"action": "retiree.revealed"})
    assert entry["after"] == {"field": "id_number", "purpose": "打电话核对"}
    with pytest.raises(NotFound, match="nothing_there"):
        people.reveal(person["_id"], "address", "打电话核对", COMMUNITY_WORKER)
    with pytest.raises(NotFound, match="retiree_not_found"):
        people.reveal(person["_id"], "id_number", "打电话核对", Actor(access.COMMUNITY, division=OTHER_COMMUNITY))


def test_completeness_counts_the_eleven_fields_of_the_ledger(ground):
    assert people.completeness(a_retiree()) == 3  # birth, sex, telephone
    full = dict.fromkeys(people.LEDGER_1, "x")
    assert people.completeness(full) == len(people.LEDGER_1) == 11


def test_a_dead_person_counts_as_ended_whatever_the_due_date(ground):
    person = a_retiree()
    people.change(person["_id"], {"status": "deceased", "died_on": "2026-01-02"}, 1, COMMUNITY_WORKER)
    with time_machine.travel(clock.now() + clock.days(800), tick=False):
        assert people.counts(CITY_WORKER) == {
            "valid": 0, "due_soon": 0, "overdue": 0, "checking": 0, "suspended": 0, "ended": 1,
        }  # fmt: skip
