"""Rules are data with dates: the longest division wins, then the latest, and last year keeps last year's rule."""

from __future__ import annotations

import datetime as dt

import pytest
from pymongo.errors import DuplicateKeyError

from models import rules
from models.database import collection
from models.rules import Rule

DAY = dt.date(2026, 6, 1)
COMMUNITY = "430102001001"


def put(value: int, valid_from: str = "2026-01-01", division: str = "", valid_to: str | None = None) -> None:
    record = Rule("certification_cycle_months", value, "某市经办规程", valid_from, valid_to, division)
    collection("rules").insert_one({**record.as_document(), "valid_to": valid_to})


def months(on: dt.date = DAY, division: str = COMMUNITY) -> int:
    return rules.number("certification_cycle_months", on, division)


def test_where_a_city_says_nothing_the_national_rule_counts(ground):
    assert months() == 12


def test_the_rule_of_the_smaller_place_wins(ground):
    put(9, division="43")
    put(6, division="4301")
    assert months() == 6
    assert months(division="430201001001") == 9
    assert months(division="540502001001") == 12


def test_of_two_rules_of_one_place_the_later_counts_from_its_day(ground):
    put(9, "2026-01-01", "4301")
    put(6, "2026-06-01", "4301")
    assert months(dt.date(2026, 5, 31)) == 9
    assert months(dt.date(2026, 6, 1)) == 6


def test_a_rule_that_has_ended_counts_on_its_last_day_and_not_after(ground):
    put(6, "2026-01-01", "4301", valid_to="2026-06-01")
    assert months(dt.date(2026, 6, 1)) == 6
    assert months(dt.date(2026, 6, 2)) == 12


def test_a_citys_own_record_wins_over_a_default_of_the_same_day(ground):
    default = rules.rule("certification_cycle_months", DAY)
    put(6, default.valid_from)
    assert months() == 6


def test_a_rule_that_nobody_wrote_is_an_error_and_no_guess(ground):
    with pytest.raises(LookupError):
        rules.rule("no_such_rule", DAY)
    with pytest.raises(LookupError):
        rules.rule("certification_cycle_months", dt.date(2018, 4, 30))


def test_a_place_has_one_record_of_a_rule_a_day(ground):
    put(6, "2026-01-01", "4301")
    with pytest.raises(DuplicateKeyError):
        put(9, "2026-01-01", "4301")


@pytest.mark.parametrize("record", rules.DEFAULTS, ids=lambda record: record.key)
def test_every_default_names_its_source_in_chinese(record):
    assert any("\u4e00" <= char <= "\u9fff" for char in record.source)
