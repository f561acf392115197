"""Identity numbers: DOMAIN.md 9.1 and its worked examples T130 to T142."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.id_numbers import PROVINCES, REFUSALS, InvalidIdNumber, check_digit, normalise, parse

TODAY = date(2026, 11, 21)


def refusal(text: str, today: date = TODAY, allow_15: bool = False) -> str:
    with pytest.raises(InvalidIdNumber) as caught:
        parse(text, today, allow_15)
    return caught.value.code


@pytest.mark.parametrize("text", ["11010519491231002X", "11010519491231002x"])
def test_t130_the_example_of_the_standard_is_a_woman_and_is_kept_in_upper_case(text):
    person = parse(text, TODAY)
    assert (person.number, person.birth, person.sex) == ("11010519491231002X", date(1949, 12, 31), "female")
    assert not person.upgraded_from_15


def test_the_second_example_of_the_standard_is_as_good():
    assert parse("440524188001010014", date(1999, 7, 1)).birth == date(1880, 1, 1)


def test_t132_a_man_born_on_7_march_1955():
    person = parse("430102195503071216", TODAY)
    assert (person.birth, person.sex) == (date(1955, 3, 7), "male")


def test_t134_29_february_of_a_leap_year_exists():
    person = parse("43010219600229001X", TODAY)
    assert (person.birth, person.sex) == (date(1960, 2, 29), "male")


def test_t136_31_november_does_not_exist_however_right_the_check_digit():
    assert check_digit("43018219551131111") == "1"
    assert refusal("430182195511311111") == "no_such_date"


def test_t138_a_county_that_was_abolished_is_still_where_somebody_was_born():
    person = parse("542221195604010190", TODAY)
    assert (person.birth, person.sex) == (date(1956, 4, 1), "male")


def test_t140_nobody_is_born_in_the_future_however_right_the_check_digit():
    assert check_digit("43010220990101005") == "0"
    assert refusal("430102209901010050") == "born_in_future"


def test_t142_a_number_of_15_digits_is_upgraded_where_that_is_allowed():
    person = parse("110105491231002", TODAY, allow_15=True)
    assert (person.number, person.upgraded_from_15) == ("11010519491231002X", True)


def test_a_number_of_15_digits_is_refused_elsewhere_with_a_sentence_of_its_own():
    with pytest.raises(InvalidIdNumber) as caught:
        parse("110105491231002", TODAY)
    assert caught.value.code == "wrong_length"
    assert caught.value.detail == "这是15位的旧身份证号，请填写18位的身份证号。"


def test_orders_996_to_999_of_the_first_generation_were_born_before_1900():
    assert parse("440524800101999", date(1999, 7, 1), allow_15=True).birth == date(1880, 1, 1)
    assert refusal("440524800101999", allow_15=True) == "too_old"


@pytest.mark.parametrize(
    "text, code",
    [
        ("", "wrong_length"),
        ("43010219550307121", "wrong_length"),
        ("4301021955030712166", "wrong_length"),
        ("43010219550307121A", "bad_characters"),
        ("X30102195503071216", "bad_characters"),
        ("४३०१०२१९५५०३०७१२१६", "bad_characters"),
        ("990102195503071216", "bad_province"),
        ("030102195503071216", "bad_province"),
        ("430102195500071216", "no_such_date"),
        ("430102190002291216", "no_such_date"),
        ("430102000003071216", "no_such_date"),
        ("430102189503071216", "too_old"),
        ("430102195503071215", "wrong_check_digit"),
        ("43010219550307121X", "wrong_check_digit"),
    ],
)
def test_what_is_wrong_has_a_name(text, code):
    assert refusal(text) == code


def test_a_wrong_old_number_is_refused_too():
    assert refusal("11010549123100X", allow_15=True) == "bad_characters"
    assert refusal("110105491331002", allow_15=True) == "no_such_date"


def test_somebody_of_130_is_believed_until_the_day_before_turning_131():
    number = "43010218960307121" + check_digit("43010218960307121")
    assert parse(number, date(2027, 3, 6)).birth == date(1896, 3, 7)
    assert refusal(number, date(2027, 3, 7)) == "too_old"


def test_somebody_born_today_is_born():
    number = "43010220261121121" + check_digit("43010220261121121")
    assert parse(number, TODAY).birth == TODAY
    assert refusal(number, TODAY - timedelta(days=1)) == "born_in_future"


@pytest.mark.parametrize(
    "typed",
    [
        "'11010519491231002X",
        "’11010519491231002X",
        "＇11010519491231002X",
        " 110105 19491231 002x ",
        "１１０１０５１９４９１２３１００２Ｘ",
        "１１０１０５１９４９１２３１００２ｘ",
        "\u202d11010519491231002X\u202c",
        "\ufeff11010519491231002X\u3000\n",
        "110105\u00a019491231\u00a0002X",
    ],
)
def test_what_keyboards_spreadsheets_and_chats_add_is_undone(typed):
    assert parse(typed, TODAY).number == "11010519491231002X"


@pytest.mark.parametrize("code", REFUSALS)
def test_every_refusal_is_one_plain_chinese_sentence(code):
    assert re.fullmatch(r"[^。]*[\u4e00-\u9fff][^。]*。", InvalidIdNumber(code).detail)


def test_neither_the_number_nor_its_refusal_tells_the_number():
    assert "430102" not in repr(parse("430102195503071216", TODAY))
    with pytest.raises(InvalidIdNumber) as caught:
        parse("430102195503071215", TODAY)
    assert "430102" not in repr(caught.value) + caught.value.detail


numbers = st.builds(
    lambda province, county, birth, order: f"{province}{county:04}{birth:%Y%m%d}{order:03}",
    st.sampled_from(sorted(PROVINCES)),
    st.integers(0, 9999),
    st.dates(date(1897, 1, 1), TODAY),
    st.integers(0, 999),
).map(lambda first_17: first_17 + check_digit(first_17))


@given(numbers)
def test_every_well_made_number_says_birth_and_sex(number):
    person = parse(number, TODAY)
    assert person.number == number
    assert f"{person.birth:%Y%m%d}" == number[6:14]
    assert person.sex == ("male" if number[16] in "13579" else "female")


@given(numbers, st.integers(0, 17), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_always_noticed(number, place, digit):
    wrong = number[:place] + digit + number[place + 1 :]
    if wrong != number:
        refusal(wrong)


@given(numbers, st.integers(0, 16))
def test_two_neighbours_that_changed_places_are_always_noticed(number, place):
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if swapped != number:
        refusal(swapped)


@given(numbers.filter(lambda number: number[6:8] == "19" and number[14:17] < "996"))
def test_an_old_number_becomes_the_new_number_of_the_same_person(number):
    assert parse(number[:6] + number[8:17], TODAY, allow_15=True).number == number


@given(st.text())
def test_no_text_breaks_it(text):
    with contextlib.suppress(InvalidIdNumber):
        person = parse(text, TODAY, allow_15=True)
        assert parse(person.number, TODAY) == replace(person, upgraded_from_15=False)


@given(st.text())
def test_normalising_twice_changes_nothing_more(text):
    assert normalise(normalise(text)) == normalise(text)
