"""The access token that all processes share: fetched once, whoever asks and however many."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import time_machine

from models import clock, leases, shared_tokens
from notifications import access_tokens, wechat_messages
from settings import settings
from tests.sandboxes import running
from tests.story import at_once, settings_with
from wechat import client as wechat
from wechat.sandbox import create_app

HOURS = 3600
DATA = {"thing1": "养老金领取资格认证"}
NAME = f"wechat {settings.WECHAT_APPID}"

ONE_PROCESS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from models import database
from notifications import access_tokens
database.ping()
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(4) as pool:
    print(*set(pool.map(lambda _: access_tokens.current(), range(4))), flush=True)
"""


@pytest.fixture
def sandbox(ground):
    with running(create_app()) as listening, settings_with(WECHAT_API_BASE=listening.base):
        wechat.client.cache_clear()
        access_tokens.forget()
        yield listening
        access_tokens.forget()
        wechat.client.cache_clear()


@pytest.fixture
def standing():
    with time_machine.travel(clock.now(), tick=False) as clocked:
        yield clocked


def fetches(sandbox) -> int:
    return sandbox.counts().get("tokens fetched", 0)


def as_another_process() -> str:
    """What a process is told that knows nothing yet."""
    access_tokens.forget()
    return access_tokens.current()


def test_five_processes_of_four_threads_fetch_one_token(sandbox):
    surroundings = {**os.environ, "WECHAT_API_BASE": sandbox.base}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ONE_PROCESS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=surroundings,
        )
        for _ in range(5)
    ]
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        told = {process.stdout.readline().strip() for process in processes}
    finally:
        for process in processes:
            process.communicate(timeout=30)
    assert told == {access_tokens.current()}
    assert fetches(sandbox) == 1


def test_a_process_asks_the_database_and_wechat_once(sandbox):
    first = access_tokens.current()
    shared_tokens.keep(NAME, shared_tokens.Token("other", clock.now(), clock.now()), shared_tokens.held(NAME))
    assert access_tokens.current() == first
    assert fetches(sandbox) == 1


def test_the_next_token_is_fetched_once_in_the_last_minutes_of_the_old_one(sandbox, standing):
    first = access_tokens.current()
    standing.shift(2 * HOURS - 241)
    assert as_another_process() == first
    standing.shift(1)
    second = as_another_process()
    assert second != first
    assert as_another_process() == second
    assert fetches(sandbox) == 2


def test_while_one_fetches_the_next_token_the_others_go_on_with_the_old_one(sandbox, standing):
    first = access_tokens.current()
    standing.shift(2 * HOURS - 240)
    leases.take(NAME, "the process that fetches", 20)
    assert as_another_process() == first
    assert fetches(sandbox) == 1


def test_where_none_is_good_the_others_wait_for_the_one_who_fetches(sandbox):
    told = at_once(*[as_another_process] * 8)
    assert len(set(told)) == 1
    assert fetches(sandbox) == 1


def test_a_process_that_died_while_it_fetched_is_outlived(sandbox, standing):
    leases.take(NAME, "killed", access_tokens.LEASE_SECONDS)
    standing.shift(access_tokens.LEASE_SECONDS)
    assert access_tokens.current()


def test_a_token_that_somebody_had_replaced_is_fetched_again_by_one(sandbox):
    old = access_tokens.current()
    wechat.client().fetch_token(force=True)
    openids = [f"wang-{n}" for n in range(6)]
    sandbox.grant(openids, "T1")
    answers = at_once(*[lambda to=to: wechat_messages.send(to, "T1", "", DATA) for to in openids])
    assert all(isinstance(answer, str) for answer in answers), answers
    assert len(sandbox.messages()) == 6
    assert access_tokens.current() != old
    assert fetches(sandbox) == 3  # the first, the operator's, and one for all six


def test_a_token_that_wechat_hands_out_and_does_not_take_is_forced_once_in_two_hours(sandbox, standing):
    access_tokens.current()
    sandbox.grant("wang", "T1", times=2)
    sandbox.ask("POST", "token-trouble")
    wechat_messages.send("wang", "T1", "", DATA)
    assert sandbox.counts()["tokens forced"] == 1
    sandbox.ask("POST", "token-trouble")
    for _ in range(3):
        with pytest.raises(wechat.TokenRejected):
            wechat_messages.send("wang", "T1", "", DATA)
    assert sandbox.counts()["tokens forced"] == 1
    standing.shift(2 * HOURS)
    wechat_messages.send("wang", "T1", "", DATA)
    assert len(sandbox.messages(openid="wang")) == 2


def test_a_wechat_that_is_away_is_asked_by_one_for_all_and_again_after_two_seconds(ground, standing):
    with settings_with(WECHAT_API_BASE="http://127.0.0.1:1"):
        wechat.client.cache_clear()
        with pytest.raises(wechat.WeChatUnavailable, match="reached"):
            as_another_process()
        with pytest.raises(wechat.WeChatUnavailable, match="just now"):
            as_another_process()
        standing.shift(2)
        with pytest.raises(wechat.WeChatUnavailable, match="reached"):
            as_another_process()
    wechat.client.cache_clear()


def test_where_the_next_token_cannot_be_had_the_old_one_serves_to_its_end(sandbox, standing):
    first = access_tokens.current()
    standing.shift(2 * HOURS - 240)
    with settings_with(WECHAT_API_BASE="http://127.0.0.1:1"):
        wechat.client.cache_clear()
        assert as_another_process() == first
        assert as_another_process() == first
        standing.shift(180)
        with pytest.raises(wechat.WeChatUnavailable):
            as_another_process()
    standing.shift(2)
    wechat.client.cache_clear()
    assert as_another_process() != first


def test_a_wrong_secret_is_for_a_person_to_mend(sandbox):
    with settings_with(WECHAT_SECRET="wrong"):
        wechat.client.cache_clear()
        with pytest.raises(wechat.WeChatMisconfigured) as caught:
            access_tokens.current()
        assert caught.value.errcode == 40125
    wechat.client.cache_clear()
