"""Places: a prefix is an area, and a clerk's word finds one community or none."""

from __future__ import annotations

import pytest

from models import access, divisions
from models.access import Actor
from models.errors import Invalid

PLACES = {
    "4301": "示范市",
    "430102": "银杏区",
    "430102001": "桂花街道",
    "430102001001": "银杏社区",
    "430102001002": "梧桐社区",
    "430102001003": "柳村",
    "430103001001": "银杏社区",
}
STREET = Actor(access.STREET, division="430102001")
CITY = Actor(access.CITY, division="4301")


@pytest.fixture
def places(ground):
    for code, name in PLACES.items():
        divisions.put(code, name)


@pytest.mark.parametrize("code", ["", "43", "430", "43010", "4301020010011", "43010a", "４３０１"])
def test_a_code_has_4_6_9_or_12_digits(ground, code):
    with pytest.raises(Invalid, match="bad_division"):
        divisions.put(code, "某地")


def test_a_place_that_is_put_again_is_renamed(places):
    divisions.put("4301", "新示范市")
    assert divisions.name("4301") == "新示范市"


def test_a_full_name_is_said_from_the_city_down_and_an_unknown_code_is_its_own_name(places):
    assert divisions.full_name("430102001001") == "示范市银杏区桂花街道银杏社区"
    assert divisions.full_name("999999999999") == "999999999999"
    assert divisions.name("999999999999") == "999999999999"


def test_one_sees_the_places_of_the_own_area_only(places):
    assert [row["_id"] for row in divisions.visible(STREET)] == [
        "430102001", "430102001001", "430102001002", "430102001003",
    ]  # fmt: skip
    assert len(divisions.visible(CITY)) == 7
    assert divisions.visible(Actor(access.AUDITOR)) == []
    assert [row["_id"] for row in divisions.visible(CITY, "430103")] == ["430103001001"]
    assert len(divisions.visible(STREET, "430103")) == 4, "a place outside is answered with the own area"


@pytest.mark.parametrize(
    ("text", "actor", "expected"),
    [
        ("银杏社区", STREET, "430102001001"),
        ("银杏", STREET, "430102001001"),
        (" 梧桐 ", CITY, "430102001002"),
        ("柳村", CITY, "430102001003"),
        ("柳", CITY, "430102001003"),
        ("银杏", CITY, None),
        ("430102001002", CITY, "430102001002"),
        ("430103001001", STREET, None),
        ("430102001", CITY, None),
        ("没有的社区", CITY, None),
        ("", CITY, None),
    ],
)
def test_a_clerks_word_finds_one_community_or_none(places, text, actor, expected):
    assert divisions.find_community(text, actor) == expected


def test_several_names_come_at_once(places):
    assert divisions.names({"4301", "430102", "0000"}) == {"4301": "示范市", "430102": "银杏区"}
