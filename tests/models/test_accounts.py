"""Staff sign in with a password and, where it is on, an authenticator; guessing is slow and tells nothing."""

from __future__ import annotations

import statistics
import time

import pyotp
import pytest
import time_machine

from models import access, accounts, clock, encryption, sign_ins
from models.access import Actor
from models.database import collection
from models.errors import Conflict, Invalid, NotFound, TooMany, Unauthenticated
from tests.builders import COMMUNITY, PASSWORD
from tests.story import at_once

SOMEBODY = Actor("anonymous", ip="192.0.2.1")


@pytest.fixture
def worker(ground):
    return accounts.open_staff("zhang", PASSWORD, access.COMMUNITY, COMMUNITY)


def sign_in(password: str = PASSWORD, totp: str | None = None, username: str = "zhang"):
    return accounts.sign_in_staff(username, password, totp, SOMEBODY)


def with_authenticator(worker) -> str:
    accounts.begin_totp(worker)
    secret = encryption.decrypt(collection("accounts").find_one({"_id": worker})["totp_offered"])
    accounts.confirm_totp(worker, pyotp.TOTP(secret).now(), SOMEBODY)
    return secret


def test_the_right_password_signs_in(worker):
    assert sign_in()["_id"] == worker


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(worker):
    answers = []
    for username in ("zhang", "nobody"):
        with pytest.raises(Unauthenticated) as refused:
            sign_in("not the password", username=username)
        answers.append((refused.value.code, refused.value.detail))
    assert answers[0] == answers[1] == ("wrong_password", "用户名或密码不对，请再试一次。")


def test_an_unknown_name_takes_as_long_as_a_wrong_password(worker):
    def seconds(username: str) -> float:
        taken = []
        for _ in range(4):
            began = time.perf_counter()
            with pytest.raises(Unauthenticated):
                sign_in("not the password", username=username)
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)

    with pytest.raises(Unauthenticated):
        sign_in(username="nobody")  # the hash of nobody is made once
    assert seconds("nobody") > seconds("zhang") / 4


def test_five_failures_in_a_row_lock_the_account_for_fifteen_minutes_even_for_the_right_password(worker):
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            sign_in("not the password")
    with pytest.raises(TooMany, match="account_locked") as refused:
        sign_in()
    assert 0 < refused.value.retry_after <= 15 * 60 + 1
    assert collection("audit").count_documents({"action": "account.locked"}) == 1
    with time_machine.travel(clock.now() + clock.seconds(15 * 60 + 1), tick=False):
        assert sign_in()["_id"] == worker


def test_a_name_that_nobody_has_is_locked_like_one_that_somebody_has(worker):
    answers = []
    for username in ("zhang", "nobody"):
        told = []
        with time_machine.travel(clock.now(), tick=False):
            for _ in range(7):
                with pytest.raises((Unauthenticated, TooMany)) as refused:
                    sign_in("not the password", username=username)
                told.append((refused.value.code, refused.value.detail, getattr(refused.value, "retry_after", 0)))
        answers.append(told)
    assert answers[0] == answers[1]
    assert [code for code, _, _ in answers[0]] == ["wrong_password"] * 5 + ["account_locked"] * 2
    assert collection("audit").count_documents({"action": "account.locked"}) == 2


def test_a_failure_does_not_keep_the_name_that_was_typed_and_is_forgotten_in_a_day(ground):
    with pytest.raises(Unauthenticated):
        sign_in(username="a password in the wrong field")
    held = collection("sign_in_failures").find_one({})
    assert "wrong field" not in str(held)
    assert held["failures"] == 1
    assert clock.now() < held["forget_at"] <= clock.now() + clock.days(1)


def test_failures_of_another_day_lock_nobody(worker):
    for _ in range(4):
        with pytest.raises(Unauthenticated):
            sign_in("not the password")
    with time_machine.travel(clock.now() + clock.days(1.01), tick=False):
        with pytest.raises(Unauthenticated):
            sign_in("not the password")
        assert sign_in()["_id"] == worker


def test_twelve_guesses_at_once_are_five(worker):
    answers = at_once(*[lambda: sign_in("not the password")] * 12)
    codes = [answer.code for answer in answers]
    assert (codes.count("wrong_password"), codes.count("account_locked")) == (5, 7)
    assert collection("audit").count_documents({"action": "account.locked"}) == 1


def test_a_success_forgets_the_failures_before_it(worker):
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(Unauthenticated):
                sign_in("not the password")
        sign_in()


def test_a_disabled_account_does_not_sign_in_and_does_not_say_why(worker):
    collection("accounts").update_one({"_id": worker}, {"$set": {"enabled": False}})
    with pytest.raises(Unauthenticated, match="wrong_password"):
        sign_in()


def test_the_password_is_stored_as_an_argon2id_hash_only(worker):
    held = collection("accounts").find_one({"_id": worker})
    assert held["password_hash"].startswith("$argon2id$")
    assert PASSWORD not in str(held)


def test_a_password_of_fewer_than_ten_characters_is_refused(ground):
    with pytest.raises(Invalid, match="password_too_short"):
        accounts.open_staff("li", "123456789", access.COMMUNITY, COMMUNITY)


def test_a_user_name_is_taken_once(worker):
    with pytest.raises(Conflict, match="username_taken"):
        accounts.open_staff("zhang", PASSWORD, access.CITY, "4301")


@pytest.mark.parametrize("role", ["retiree", "family", "system", "root", ""])
def test_a_staff_account_has_a_staff_role(ground, role):
    with pytest.raises(Invalid, match="bad_role"):
        accounts.open_staff("zhang", PASSWORD, role, COMMUNITY)


def test_a_password_is_changed_by_whoever_knows_the_old_one(worker):
    with pytest.raises(Unauthenticated, match="wrong_password"):
        accounts.change_password(worker, "not the password", "another long password", SOMEBODY)
    with pytest.raises(Invalid, match="password_too_short"):
        accounts.change_password(worker, PASSWORD, "short", SOMEBODY)
    accounts.change_password(worker, PASSWORD, "another long password", SOMEBODY)
    assert sign_in("another long password")
    assert collection("audit").count_documents({"action": "account.password_changed"}) == 1


def guess_the_password_while_signed_in(worker, how: str) -> None:
    if how == "change_password":
        accounts.change_password(worker, "not the password", "another long password", SOMEBODY)
    else:
        accounts.end_totp(worker, "not the password", SOMEBODY)


@pytest.mark.parametrize("how", ["change_password", "end_totp"])
def test_guessing_the_password_at_an_open_console_locks_the_account_too(worker, how):
    for _ in range(5):
        with pytest.raises(Unauthenticated, match="wrong_password"):
            guess_the_password_while_signed_in(worker, how)
    with pytest.raises(TooMany, match="account_locked"):
        guess_the_password_while_signed_in(worker, how)
    with pytest.raises(TooMany, match="account_locked"):
        accounts.change_password(worker, PASSWORD, "another long password", SOMEBODY)
    with pytest.raises(TooMany, match="account_locked"):
        sign_in()
    assert collection("audit").count_documents({"action": "account.locked"}) == 1


def test_whoever_changes_the_password_is_signed_out_everywhere(worker):
    pair = sign_ins.start(worker)
    accounts.change_password(worker, PASSWORD, "another long password", SOMEBODY)
    with pytest.raises(Unauthenticated):
        sign_ins.check(pair["access_token"])


def test_an_authenticator_that_is_on_is_not_replaced_but_switched_off_first(worker):
    secret = with_authenticator(worker)
    with pytest.raises(Conflict, match="totp_is_on") as refused:
        accounts.begin_totp(worker)
    assert "先停用" in refused.value.detail
    assert sign_in(totp=pyotp.TOTP(secret).now())
    accounts.end_totp(worker, PASSWORD, SOMEBODY)
    assert accounts.begin_totp(worker).startswith("otpauth://")


def test_a_secret_that_was_offered_before_the_authenticator_was_on_replaces_nothing(worker):
    offered = encryption.encrypt("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "secret")
    secret = with_authenticator(worker)
    collection("accounts").update_one({"_id": worker}, {"$set": {"totp_offered": offered}})
    with pytest.raises(Invalid, match="wrong_totp"):
        accounts.confirm_totp(worker, pyotp.TOTP("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").now(), SOMEBODY)
    assert sign_in(totp=pyotp.TOTP(secret).now())


def test_a_password_without_the_digits_is_no_failure_and_forgives_none(worker):
    secret = with_authenticator(worker)
    with time_machine.travel(clock.now(), tick=False):
        for _ in range(6):
            with pytest.raises(Unauthenticated, match="totp_required"):
                sign_in()
        for _ in range(4):
            with pytest.raises(Unauthenticated):
                sign_in("not the password")
        for _ in range(2):
            with pytest.raises(Unauthenticated, match="totp_required"):
                sign_in()
        with pytest.raises(Unauthenticated):
            sign_in("not the password")
        with pytest.raises(TooMany, match="account_locked"):
            sign_in(totp=pyotp.TOTP(secret).now())


def test_the_authenticator_counts_only_after_its_first_digits_came_back(worker):
    accounts.begin_totp(worker)
    assert sign_in()
    with pytest.raises(Invalid, match="wrong_totp"):
        accounts.confirm_totp(worker, "000000", SOMEBODY)
    assert sign_in()


def test_with_the_authenticator_on_the_password_alone_is_not_enough(worker):
    secret = with_authenticator(worker)
    with pytest.raises(Unauthenticated, match="totp_required"):
        sign_in()
    assert sign_in(totp=pyotp.TOTP(secret).now())


def test_six_digits_sign_in_once(worker):
    secret = with_authenticator(worker)
    with time_machine.travel(clock.now(), tick=False):
        digits = pyotp.TOTP(secret).now()
        assert sign_in(totp=digits)
        with pytest.raises(Unauthenticated, match="wrong_totp"):
            sign_in(totp=digits)
    with time_machine.travel(clock.now() + clock.seconds(60), tick=False):
        assert sign_in(totp=pyotp.TOTP(secret).now())


def test_digits_older_than_those_last_used_are_refused(worker):
    secret = with_authenticator(worker)
    with time_machine.travel(clock.now(), tick=False):
        totp = pyotp.TOTP(secret)
        step = int(time.time()) // 30
        assert sign_in(totp=totp.generate_otp(step + 1))
        with pytest.raises(Unauthenticated, match="wrong_totp"):
            sign_in(totp=totp.generate_otp(step))


def test_guessing_the_six_digits_locks_the_account_like_guessing_the_password(worker):
    secret = with_authenticator(worker)
    with time_machine.travel(clock.now(), tick=False):
        right = {pyotp.TOTP(secret).generate_otp(int(time.time()) // 30 + near) for near in (-1, 0, 1)}
        wrong = [digits for digits in (f"{number:06d}" for number in range(9)) if digits not in right]
        for digits in wrong[:5]:
            with pytest.raises(Unauthenticated, match="wrong_totp"):
                sign_in(totp=digits)
        with pytest.raises(TooMany, match="account_locked"):
            sign_in(totp=pyotp.TOTP(secret).now())


def test_the_authenticator_is_switched_off_by_the_password(worker):
    with_authenticator(worker)
    with pytest.raises(Unauthenticated):
        accounts.end_totp(worker, "not the password", SOMEBODY)
    accounts.end_totp(worker, PASSWORD, SOMEBODY)
    assert sign_in()


def test_the_secret_of_the_authenticator_lies_encrypted(worker):
    secret = with_authenticator(worker)
    assert secret.encode() not in bytes(collection("accounts").find_one({"_id": worker})["totp_secret"])


OPERATOR = [
    (lambda: accounts.disable("zhang"), "account.disabled"),
    (lambda: accounts.enable("zhang"), "account.enabled"),
    (lambda: accounts.reset_password("zhang", "another long password"), "account.password_reset"),
    (lambda: accounts.reset_totp("zhang"), "account.totp_switched_off"),
]


@pytest.mark.parametrize(("act", "action"), OPERATOR)
def test_what_the_operator_does_to_an_account_is_audited_and_signs_it_out_everywhere(worker, act, action):
    pair, other = sign_ins.start(worker), sign_ins.start(accounts.of_phone("16912345678")["_id"])
    act()
    with pytest.raises(Unauthenticated, match="sign_in_expired"):
        sign_ins.check(pair["access_token"])
    assert sign_ins.check(other["access_token"])
    entry = collection("audit").find_one({"action": action})
    assert (entry["actor"]["role"], entry["subject"]["id"]) == ("system", worker)


@pytest.mark.parametrize(("act", "action"), OPERATOR)
def test_the_operator_is_told_where_nobody_has_the_name(ground, act, action):
    with pytest.raises(NotFound, match="no_such_account"):
        act()
    assert collection("audit").count_documents({}) == 0


def test_a_disabled_account_is_shut_until_it_is_enabled(worker):
    accounts.disable("zhang")
    assert accounts.get(worker) is None
    with pytest.raises(Unauthenticated, match="wrong_password"):
        sign_in()
    accounts.enable("zhang")
    assert sign_in()["_id"] == worker


def test_a_password_that_the_operator_gives_ends_the_old_one_and_a_lock(worker):
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            sign_in("not the password")
    with pytest.raises(Invalid, match="password_too_short"):
        accounts.reset_password("zhang", "short")
    accounts.reset_password("zhang", "another long password")
    with pytest.raises(Unauthenticated):
        sign_in()
    assert sign_in("another long password")


def test_an_authenticator_that_was_lost_is_switched_off_by_the_operator(worker):
    with_authenticator(worker)
    accounts.reset_totp("zhang")
    assert sign_in()["_id"] == worker


def test_a_phone_and_a_wechat_user_are_one_account_each_however_often_they_come(ground):
    assert accounts.of_phone("16912345678")["_id"] == accounts.of_phone("16912345678")["_id"]
    assert accounts.of_wechat("o-wang")["_id"] == accounts.of_wechat("o-wang")["_id"]
    assert collection("accounts").count_documents({}) == 2
    assert accounts.phone_of(accounts.of_phone("16912345678")) == "16912345678"
    assert accounts.phone_of(accounts.of_wechat("o-wang")) is None


def test_a_disabled_public_account_does_not_sign_in(ground):
    held = accounts.of_phone("16912345678")
    collection("accounts").update_one({"_id": held["_id"]}, {"$set": {"enabled": False}})
    with pytest.raises(Unauthenticated, match="account_disabled"):
        accounts.of_phone("16912345678")
