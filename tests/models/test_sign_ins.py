"""Access tokens are short, refresh tokens rotate, and whoever brings an old one ends the sign-in of both."""

from __future__ import annotations

import jwt
import pytest
import time_machine
from bson import ObjectId

from models import clock, sign_ins
from models.database import collection
from models.errors import Unauthenticated
from settings import settings
from tests.story import at_once

ACCOUNT = ObjectId()


def claims_of(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def test_an_access_token_names_its_account_for_fifteen_minutes(ground):
    pair = sign_ins.start(ACCOUNT)
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", 900)
    assert sign_ins.check(pair["access_token"]) == ACCOUNT
    with time_machine.travel(clock.now() + clock.seconds(901), tick=False), pytest.raises(Unauthenticated):
        sign_ins.check(pair["access_token"])


def test_a_refresh_token_is_traded_once_and_the_next_pair_works(ground):
    first = sign_ins.start(ACCOUNT)
    account_id, second = sign_ins.refresh(first["refresh_token"])
    assert account_id == ACCOUNT
    assert sign_ins.check(second["access_token"]) == ACCOUNT
    assert sign_ins.refresh(second["refresh_token"])[0] == ACCOUNT


def half_a_minute_later():
    return time_machine.travel(clock.now() + clock.seconds(31), tick=False)


def test_an_old_refresh_token_that_comes_back_ends_the_whole_family_at_once(ground):
    first = sign_ins.start(ACCOUNT)
    _, second = sign_ins.refresh(first["refresh_token"])
    with half_a_minute_later():
        with pytest.raises(Unauthenticated, match="sign_in_reused"):
            sign_ins.refresh(first["refresh_token"])
        with pytest.raises(Unauthenticated, match="sign_in_expired"):
            sign_ins.refresh(second["refresh_token"])
        for pair in (first, second):
            with pytest.raises(Unauthenticated):
                sign_ins.check(pair["access_token"])


def test_another_sign_in_of_the_same_account_lives_on(ground):
    stolen, own = sign_ins.start(ACCOUNT), sign_ins.start(ACCOUNT)
    sign_ins.refresh(stolen["refresh_token"])
    with half_a_minute_later():
        with pytest.raises(Unauthenticated):
            sign_ins.refresh(stolen["refresh_token"])
        assert sign_ins.check(own["access_token"]) == ACCOUNT


def test_whoever_never_got_the_reply_asks_again_within_thirty_seconds_and_stays_signed_in(ground):
    first = sign_ins.start(ACCOUNT)
    now = clock.now()
    with time_machine.travel(now, tick=False):
        sign_ins.refresh(first["refresh_token"])  # and the reply is lost
    with time_machine.travel(now + clock.seconds(29), tick=False):
        account_id, again = sign_ins.refresh(first["refresh_token"])
        assert account_id == ACCOUNT
        assert sign_ins.check(again["access_token"]) == ACCOUNT
        assert sign_ins.refresh(again["refresh_token"])[0] == ACCOUNT


def test_asking_again_and_again_does_not_make_the_thirty_seconds_longer(ground):
    first = sign_ins.start(ACCOUNT)
    now = clock.now()
    for after in (0, 20, 29):
        with time_machine.travel(now + clock.seconds(after), tick=False):
            sign_ins.refresh(first["refresh_token"])
    with (
        time_machine.travel(now + clock.seconds(30), tick=False),
        pytest.raises(Unauthenticated, match="sign_in_reused"),
    ):
        sign_ins.refresh(first["refresh_token"])


def test_an_old_token_is_refused_at_once_where_its_successor_has_been_used(ground):
    first = sign_ins.start(ACCOUNT)
    _, second = sign_ins.refresh(first["refresh_token"])
    _, third = sign_ins.refresh(second["refresh_token"])
    with pytest.raises(Unauthenticated, match="sign_in_reused"):
        sign_ins.refresh(first["refresh_token"])
    with pytest.raises(Unauthenticated, match="sign_in_expired"):
        sign_ins.refresh(third["refresh_token"])


def test_a_thief_who_is_quick_enough_is_found_out_when_the_owner_comes_back(ground):
    first = sign_ins.start(ACCOUNT)
    _, owners = sign_ins.refresh(first["refresh_token"])
    _, thiefs = sign_ins.refresh(first["refresh_token"])
    with pytest.raises(Unauthenticated, match="sign_in_reused"):
        sign_ins.refresh(owners["refresh_token"])
    with pytest.raises(Unauthenticated, match="sign_in_expired"):
        sign_ins.refresh(thiefs["refresh_token"])
    with pytest.raises(Unauthenticated):
        sign_ins.check(thiefs["access_token"])


def test_two_at_once_with_one_token_leave_one_successor_that_counts(ground):
    first = sign_ins.start(ACCOUNT)
    pairs = [pair for _, pair in at_once(*[lambda: sign_ins.refresh(first["refresh_token"])] * 2)]
    current = collection("sign_ins").find_one({})["current"]
    secrets = [pair["refresh_token"].partition(".")[2] for pair in pairs]
    (good,) = [pair for pair, secret in zip(pairs, secrets, strict=True) if sign_ins._digest(secret) == current]
    (replaced,) = [pair for pair in pairs if pair is not good]
    _, after = sign_ins.refresh(good["refresh_token"])
    with pytest.raises(Unauthenticated, match="sign_in_reused"):
        sign_ins.refresh(replaced["refresh_token"])
    with pytest.raises(Unauthenticated):
        sign_ins.check(after["access_token"])


def test_an_old_token_and_its_successor_at_once_never_both_live_on(ground):
    for _ in range(10):
        first = sign_ins.start(ACCOUNT)
        _, second = sign_ins.refresh(first["refresh_token"])
        at_once(
            lambda first=first: sign_ins.refresh(first["refresh_token"]),
            lambda second=second: sign_ins.refresh(second["refresh_token"]),
        )
        with pytest.raises(Unauthenticated):
            sign_ins.check(first["access_token"])


def test_whoever_never_got_the_reply_can_still_sign_out(ground):
    first = sign_ins.start(ACCOUNT)
    _, second = sign_ins.refresh(first["refresh_token"])
    sign_ins.end(first["refresh_token"])
    with pytest.raises(Unauthenticated):
        sign_ins.check(second["access_token"])


def test_signing_out_ends_the_access_token_too(ground):
    pair = sign_ins.start(ACCOUNT)
    sign_ins.end(pair["refresh_token"])
    with pytest.raises(Unauthenticated):
        sign_ins.check(pair["access_token"])
    with pytest.raises(Unauthenticated, match="sign_in_expired"):
        sign_ins.refresh(pair["refresh_token"])


def test_nobody_is_signed_out_by_a_guess(ground):
    pair = sign_ins.start(ACCOUNT)
    for token in ("", "x", "x.y", str(ObjectId()), f"{ObjectId()}.secret", pair["refresh_token"] + "x"):
        sign_ins.end(token)
    assert sign_ins.check(pair["access_token"]) == ACCOUNT


def test_an_account_is_signed_out_everywhere(ground):
    pairs = [sign_ins.start(ACCOUNT) for _ in range(2)]
    sign_ins.end_all(ACCOUNT)
    for pair in pairs:
        with pytest.raises(Unauthenticated):
            sign_ins.check(pair["access_token"])


def test_a_sign_in_that_is_not_used_for_thirty_days_is_over(ground):
    pair = sign_ins.start(ACCOUNT)
    with time_machine.travel(clock.now() + clock.days(30.1), tick=False), pytest.raises(Unauthenticated):
        sign_ins.refresh(pair["refresh_token"])


@pytest.mark.parametrize("token", ["", ".", "abc", "a.b", "z" * 24 + ".x", "0" * 24, "0" * 24 + ".", "\x00.\x00"])
def test_what_is_no_refresh_token_is_refused(ground, token):
    with pytest.raises(Unauthenticated, match="sign_in_expired"):
        sign_ins.refresh(token)


def test_a_token_that_nobody_signed_is_refused(ground):
    claims = claims_of(sign_ins.start(ACCOUNT)["access_token"])
    with pytest.raises(Unauthenticated):
        sign_ins.check(jwt.encode(claims, None, algorithm="none"))


def test_a_token_under_another_key_is_refused(ground):
    claims = claims_of(sign_ins.start(ACCOUNT)["access_token"])
    with pytest.raises(Unauthenticated):
        sign_ins.check(jwt.encode(claims, "another key of thirty-two characters", sign_ins.ALGORITHM))


@pytest.mark.parametrize(
    "changed",
    [
        {"sub": str(ObjectId())},
        {"fam": str(ObjectId())},
        {"iss": "somebody else"},
        {"sub": "x"},
        {"fam": None},
        {"exp": 1},
    ],
)
def test_a_token_whose_account_sign_in_issuer_or_time_does_not_fit_is_refused(ground, changed):
    claims = claims_of(sign_ins.start(ACCOUNT)["access_token"])
    with pytest.raises(Unauthenticated):
        sign_ins.check(jwt.encode({**claims, **changed}, settings.secret_key, sign_ins.ALGORITHM))


@pytest.mark.parametrize("missing", ["exp", "sub", "fam", "iss"])
def test_a_token_without_one_of_its_claims_is_refused(ground, missing):
    claims = claims_of(sign_ins.start(ACCOUNT)["access_token"])
    del claims[missing]
    with pytest.raises(Unauthenticated):
        sign_ins.check(jwt.encode(claims, settings.secret_key, sign_ins.ALGORITHM))


def test_the_database_holds_no_refresh_token(ground):
    pair = sign_ins.start(ACCOUNT)
    secret = pair["refresh_token"].partition(".")[2]
    assert secret not in str(collection("sign_ins").find_one({}))
