"""Tokens that all processes share: kept encrypted, and never replaced by one that is older."""

from __future__ import annotations

import time_machine

from models import clock, shared_tokens
from models.database import collection
from models.shared_tokens import Token
from tests.story import at_once


def a_token(value: str) -> Token:
    instant = clock.now()
    return Token(value, instant + clock.seconds(6960), instant + clock.seconds(7140))


def test_a_token_comes_back_as_it_was_kept(ground):
    assert shared_tokens.held("wechat") is None
    token = a_token("first")
    assert shared_tokens.keep("wechat", token, None)
    assert shared_tokens.held("wechat") == token
    assert shared_tokens.held("another") is None


def test_the_database_and_the_log_never_see_it(ground):
    token = a_token("a-very-secret-token")
    shared_tokens.keep("wechat", token, None)
    assert "a-very-secret-token" not in str(collection("shared_tokens").find_one({}))
    assert "a-very-secret-token" not in repr(token)


def test_a_process_that_was_asleep_cannot_bring_an_old_token_back(ground):
    first, second = a_token("first"), a_token("second")
    shared_tokens.keep("wechat", first, None)
    assert shared_tokens.keep("wechat", second, first)
    assert not shared_tokens.keep("wechat", a_token("late"), first)
    assert not shared_tokens.keep("wechat", a_token("very late"), None)
    assert shared_tokens.held("wechat") == second


def test_of_eight_first_tokens_one_is_kept(ground):
    kept = at_once(*[lambda n=n: shared_tokens.keep("wechat", a_token(f"token {n}"), None) for n in range(8)])
    assert sorted(kept) == [False] * 7 + [True]


def test_a_failure_speaks_for_all_for_two_seconds_and_until_somebody_succeeds(ground):
    with time_machine.travel(clock.now(), tick=False) as clocked:
        assert not shared_tokens.failed_just_now("wechat")
        shared_tokens.note_failure("wechat")
        assert shared_tokens.failed_just_now("wechat")
        assert shared_tokens.held("wechat") is None
        clocked.shift(2)
        assert not shared_tokens.failed_just_now("wechat")
        shared_tokens.note_failure("wechat")
        shared_tokens.keep("wechat", a_token("first"), None)
        assert not shared_tokens.failed_just_now("wechat")
