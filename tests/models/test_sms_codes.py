"""Codes by SMS: six digits, ten minutes, five guesses, once a minute, ten a day."""

from __future__ import annotations

import pytest
import time_machine

from models import clock, sms_codes
from models.database import collection
from models.errors import Invalid, TooMany
from tests.story import code_sent_to

PHONE = "16912345678"


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_code_of_six_digits_is_used_once(ground):
    code = sms_codes.send(PHONE, sms_codes.SIGN_IN)
    assert len(code) == 6
    assert code == code_sent_to(PHONE)
    sms_codes.check(PHONE, sms_codes.SIGN_IN, code)
    with pytest.raises(Invalid, match="wrong_code"):
        sms_codes.check(PHONE, sms_codes.SIGN_IN, code)


def test_a_code_lives_ten_minutes(ground):
    code = sms_codes.send(PHONE, sms_codes.SIGN_IN)
    with time_machine.travel(clock.now() + clock.seconds(601), tick=False), pytest.raises(Invalid):
        sms_codes.check(PHONE, sms_codes.SIGN_IN, code)
    with time_machine.travel(clock.now() + clock.seconds(590), tick=False):
        sms_codes.check(PHONE, sms_codes.SIGN_IN, code)


def test_five_wrong_guesses_end_a_code(ground):
    code = sms_codes.send(PHONE, sms_codes.SIGN_IN)
    for _ in range(5):
        with pytest.raises(Invalid):
            sms_codes.check(PHONE, sms_codes.SIGN_IN, wrong(code))
    with pytest.raises(Invalid):
        sms_codes.check(PHONE, sms_codes.SIGN_IN, code)


def test_the_fifth_guess_still_counts(ground):
    code = sms_codes.send(PHONE, sms_codes.SIGN_IN)
    for _ in range(4):
        with pytest.raises(Invalid):
            sms_codes.check(PHONE, sms_codes.SIGN_IN, wrong(code))
    sms_codes.check(PHONE, sms_codes.SIGN_IN, code)


def test_the_next_code_is_sent_after_sixty_seconds_and_ends_the_one_before(ground):
    first = sms_codes.send(PHONE, sms_codes.SIGN_IN)
    with pytest.raises(TooMany, match="code_just_sent") as refused:
        sms_codes.send(PHONE, sms_codes.SIGN_IN)
    assert 0 < refused.value.retry_after <= 61
    with time_machine.travel(clock.now() + clock.seconds(61), tick=False):
        second = sms_codes.send(PHONE, sms_codes.SIGN_IN)
        if first != second:
            with pytest.raises(Invalid):
                sms_codes.check(PHONE, sms_codes.SIGN_IN, first)
        sms_codes.check(PHONE, sms_codes.SIGN_IN, second)


def test_a_phone_gets_ten_codes_a_day_and_the_next_day_begins_anew(ground):
    noon = clock.start_of(clock.today()) + clock.days(1.5)
    for minute in range(10):
        with time_machine.travel(noon + clock.seconds(61 * minute), tick=False):
            sms_codes.send(PHONE, sms_codes.SIGN_IN)
    with time_machine.travel(noon + clock.seconds(3600), tick=False), pytest.raises(TooMany, match="too_many_codes"):
        sms_codes.send(PHONE, sms_codes.SIGN_IN)
    with time_machine.travel(noon + clock.days(1), tick=False):
        sms_codes.send(PHONE, sms_codes.SIGN_IN)


def test_a_code_serves_only_what_it_was_sent_for_and_only_its_phone(ground):
    code = sms_codes.send(PHONE, sms_codes.BINDING)
    with pytest.raises(Invalid):
        sms_codes.check(PHONE, sms_codes.SIGN_IN, code)
    with pytest.raises(Invalid):
        sms_codes.check("16987654321", sms_codes.BINDING, code)
    sms_codes.check(PHONE, sms_codes.BINDING, code)


def test_the_database_holds_neither_the_code_nor_the_phone(ground):
    code = sms_codes.send(PHONE, sms_codes.SIGN_IN)
    held = str(collection("sms_codes").find_one({})) + str(collection("outbox").find_one({}))
    assert PHONE not in held
    assert f"'{code}'" not in held
    assert f"b'{code}" not in held


def test_a_phone_to_which_nothing_was_sent_has_no_code(ground):
    with pytest.raises(Invalid, match="wrong_code"):
        sms_codes.check(PHONE, sms_codes.SIGN_IN, "000000")
