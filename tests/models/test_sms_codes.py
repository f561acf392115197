"""Codes by SMS: six digits, ten minutes, five guesses, once a minute, ten a day, each for one thing only."""

from __future__ import annotations

import pytest
import time_machine
from bson import ObjectId

from models import clock, outbox, sms_codes
from models.database import collection
from models.errors import Invalid, TooMany
from tests.story import at_once, code_sent_to

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


def test_a_code_for_one_binding_serves_no_other_and_guesses_at_one_do_not_end_the_other(ground):
    daughters, sons = ObjectId(), ObjectId()
    code = sms_codes.send(PHONE, sms_codes.BINDING, daughters)
    with time_machine.travel(clock.now() + clock.seconds(61), tick=False):
        other = sms_codes.send(PHONE, sms_codes.BINDING, sons)
        for _ in range(6):
            with pytest.raises(Invalid):
                sms_codes.check(PHONE, sms_codes.BINDING, wrong(other), sons)
        for binding in (sons, None):
            with pytest.raises(Invalid):
                sms_codes.check(PHONE, sms_codes.BINDING, code, binding)
        sms_codes.check(PHONE, sms_codes.BINDING, code, daughters)


def test_the_minute_between_two_codes_is_that_of_the_phone_whatever_binding_asks(ground):
    sms_codes.send(PHONE, sms_codes.BINDING, ObjectId())
    with pytest.raises(TooMany, match="code_just_sent"):
        sms_codes.send(PHONE, sms_codes.BINDING, ObjectId())
    assert sms_codes.send(PHONE, sms_codes.SIGN_IN)


def test_two_bindings_that_ask_at_once_get_one_code(ground):
    answers = at_once(*[lambda: sms_codes.send(PHONE, sms_codes.BINDING, ObjectId())] * 2)
    assert sorted(getattr(answer, "code", "sent") for answer in answers) == ["code_just_sent", "sent"]
    assert collection("outbox").count_documents({"kind": "sms"}) == 1


def test_the_ten_codes_of_a_day_are_those_of_the_phone_whatever_binding_asks(ground):
    noon = clock.start_of(clock.today()) + clock.days(1.5)
    for minute in range(10):
        with time_machine.travel(noon + clock.seconds(61 * minute), tick=False):
            sms_codes.send(PHONE, sms_codes.BINDING, ObjectId())
    with time_machine.travel(noon + clock.seconds(3600), tick=False), pytest.raises(TooMany, match="too_many_codes"):
        sms_codes.send(PHONE, sms_codes.BINDING, ObjectId())


def test_the_house_sends_two_thousand_codes_an_hour_and_the_next_hour_begins_anew(ground):
    at_ten = clock.start_of(clock.today()) + clock.seconds(10 * 3600)
    collection("sms_hours").insert_one({"_id": at_ten, "sent": 1999})
    with time_machine.travel(at_ten + clock.seconds(3000), tick=False):
        sms_codes.send(PHONE, sms_codes.SIGN_IN)
        with pytest.raises(TooMany, match="sms_house_limit") as refused:
            sms_codes.send("16987654321", sms_codes.SIGN_IN)
        assert refused.value.retry_after == 601
        assert collection("sms_hours").find_one({"_id": at_ten})["sent"] == 2000
        assert collection("outbox").count_documents({"kind": "sms"}) == 1
    with time_machine.travel(at_ten + clock.seconds(3600), tick=False):
        sms_codes.send("16987654321", sms_codes.SIGN_IN)


def test_a_code_that_was_not_sent_is_not_counted_for_the_house(ground):
    sms_codes.send(PHONE, sms_codes.SIGN_IN)
    for _ in range(3):
        with pytest.raises(TooMany, match="code_just_sent"):
            sms_codes.send(PHONE, sms_codes.SIGN_IN)
    assert sum(hour["sent"] for hour in collection("sms_hours").find()) == 1


def test_the_event_of_an_sms_says_when_it_is_of_no_use_any_more(ground):
    with time_machine.travel(clock.now(), tick=False):
        code = sms_codes.send(PHONE, sms_codes.BINDING, ObjectId())
        assert outbox.payload(collection("outbox").find_one({"kind": "sms"})) == {
            "phone": PHONE,
            "template": "binding_code",
            "values": {"code": code, "minutes": "10"},
            "expires_at": clock.now() + clock.seconds(600),
        }


@pytest.mark.parametrize(
    ("phone", "reached"),
    [("13800138000", True), (PHONE, True), ("0731-84907501", False), ("073184907501", False), ("12800138000", False),
     ("138001380001", False), ("１３８００１３８０００", False), ("13800138000\n", False), ("", False), (None, False)],
)  # fmt: skip
def test_an_sms_reaches_mobile_telephones_only(phone, reached):
    assert sms_codes.reaches(phone) is reached


def test_the_database_holds_neither_the_code_nor_the_phone(ground):
    code = sms_codes.send(PHONE, sms_codes.SIGN_IN)
    held = str(collection("sms_codes").find_one({})) + str(collection("outbox").find_one({}))
    assert PHONE not in held
    assert f"'{code}'" not in held
    assert f"b'{code}" not in held


def test_a_phone_to_which_nothing_was_sent_has_no_code(ground):
    with pytest.raises(Invalid, match="wrong_code"):
        sms_codes.check(PHONE, sms_codes.SIGN_IN, "000000")
