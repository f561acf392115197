"""Signing in with WeChat, over the wire, against the sandbox."""

from __future__ import annotations

import datetime as dt
import logging
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
import time_machine

from tests.sandboxes import running
from tests.wechat.conftest import APPID, SECRET
from wechat.client import (
    Client,
    CodeRefused,
    Session,
    TokenRejected,
    WeChatError,
    WeChatMisconfigured,
    WeChatUnavailable,
)
from wechat.sandbox import create_app


def test_the_same_person_has_the_same_openid_every_time(wechat):
    first, second, other = wechat.login("wang"), wechat.login("wang:2"), wechat.login("li")
    assert first == second
    assert first.openid != other.openid
    assert len(first.openid) == 28


def test_a_unionid_is_there_only_where_wechat_gives_one(wechat):
    assert wechat.login("wang").unionid is None
    assert wechat.login("union-wang").unionid


def test_two_mini_programs_see_two_openids_of_one_person(wechat):
    with running(create_app("wxanother", SECRET)) as another:
        other = Client(another.base, "wxanother", SECRET, timeout=3)
        assert other.login("wang").openid != wechat.login("wang").openid


def test_the_session_key_stays_with_wechat(wechat, base):
    asked = {"appid": APPID, "secret": SECRET, "js_code": "wang:1", "grant_type": "authorization_code"}
    assert requests.get(f"{base}/sns/jscode2session", asked, timeout=3).json()["session_key"]
    session = wechat.login("wang:2")
    assert session == Session(openid=session.openid, unionid=None)
    assert "session_key" not in repr(session)
    assert "session_key" not in repr(vars(wechat))


@pytest.mark.parametrize("code", ["", "bad", "bad-code"])
def test_a_code_that_wechat_does_not_know_is_refused(wechat, code):
    with pytest.raises(CodeRefused) as caught:
        wechat.login(code)
    assert caught.value.errcode == 40029


def test_a_code_is_good_once(wechat):
    wechat.login("wang")
    with pytest.raises(CodeRefused) as caught:
        wechat.login("wang")
    assert caught.value.errcode == 40163


def test_of_two_phones_with_one_code_one_signs_in(wechat):
    def attempt(_: int) -> bool:
        try:
            wechat.login("wang:race")
        except CodeRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == [False, False, False, True]


def test_a_wrong_appid_or_secret_is_for_a_person_to_mend(base):
    for appid, secret, errcode in (("wxwrong", SECRET, 40013), (APPID, "wrong", 40125)):
        for call in (lambda c: c.login("wang"), lambda c: c.fetch_token()):
            with pytest.raises(WeChatMisconfigured) as caught:
                call(Client(base, appid, secret, timeout=3))
            assert caught.value.errcode == errcode


def test_an_address_that_is_not_wechat_is_for_a_person_to_mend(base):
    with pytest.raises(WeChatMisconfigured, match="404"):
        Client(f"{base}/elsewhere", APPID, SECRET, timeout=3).login("wang")
    with pytest.raises(WeChatMisconfigured):
        Client("not an address", APPID, SECRET, timeout=3).login("wang")


@pytest.mark.parametrize("code", ["busy", "http500"])
def test_a_busy_or_broken_wechat_means_try_again(wechat, code):
    with pytest.raises(WeChatUnavailable):
        wechat.login(code)


def test_a_slow_wechat_is_not_waited_for(base):
    with pytest.raises(WeChatUnavailable, match=r"within 0\.1 s"):
        Client(base, APPID, SECRET, timeout=0.1).login("slow")


def test_a_wechat_that_is_not_there_means_try_again():
    with pytest.raises(WeChatUnavailable, match="reached"):
        Client("http://127.0.0.1:1", APPID, SECRET, timeout=3).login("wang")


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b"{}", b'{"openid": 7}', b'{"openid": ""}'])
def test_an_answer_that_makes_no_sense_means_try_again(answer):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with pytest.raises(WeChatUnavailable):
            Client(f"http://127.0.0.1:{server.server_port}", APPID, SECRET, timeout=3).login("wang")
        server.shutdown()
        thread.join()


def test_a_phone_code_hands_over_the_number_once(wechat):
    token, _ = wechat.fetch_token()
    assert wechat.phone_number("13800138000:1", token) == "13800138000"
    with pytest.raises(CodeRefused) as caught:
        wechat.phone_number("13800138000:1", token)
    assert caught.value.errcode == 40163
    assert wechat.phone_number("13800138000:2", token) == "13800138000"


@pytest.mark.parametrize("code", ["", "bad", "12345", "wang"])
def test_a_phone_code_that_wechat_does_not_know_is_refused(wechat, code):
    with pytest.raises(CodeRefused):
        wechat.phone_number(code, wechat.fetch_token()[0])


def test_everybody_who_asks_gets_the_same_token_with_the_time_that_it_has_left(wechat):
    start = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
    with time_machine.travel(start, tick=False) as clocked:
        first, life = wechat.fetch_token()
        assert life == 7200
        clocked.shift(7200 - 301)
        assert wechat.fetch_token() == (first, 301)


def test_in_the_last_five_minutes_the_next_token_is_given_out_and_both_are_good_until_the_end(wechat):
    start = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
    with time_machine.travel(start, tick=False) as clocked:
        first, _ = wechat.fetch_token()
        clocked.shift(7200 - 299)
        second, life = wechat.fetch_token()
        assert (second != first, life) == (True, 7200)
        for token in (first, second):
            assert wechat.phone_number(f"13800138000:{token}", token) == "13800138000"
        clocked.shift(300)
        with pytest.raises(TokenRejected):
            wechat.phone_number("13800138000", first)


def test_a_token_that_is_forced_ends_the_one_before(wechat):
    first, _ = wechat.fetch_token()
    second, _ = wechat.fetch_token(force=True)
    with pytest.raises(TokenRejected) as caught:
        wechat.phone_number("13800138000", first)
    assert caught.value.errcode == 40001
    assert wechat.phone_number("13800138000", second) == "13800138000"


def test_neither_logs_nor_errors_tell_the_secret_the_code_or_the_token(wechat, base, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")  # which the house keeps quiet
    wechat.login("wang:whisper")
    token, _ = wechat.fetch_token()
    wechat.phone_number("13800138000:whisper", token)
    told = [repr(wechat)]
    with pytest.raises(WeChatError) as caught:
        wechat.send_subscribe_message("o-whisper", "T1", "", {"thing1": "whisper " * 9}, token)
    told.append(str(caught.value))
    for client, code in (
        (wechat, "bad-whisper"),
        (wechat, "http500-whisper"),
        (Client("http://127.0.0.1:1", APPID, SECRET, timeout=3), "whisper"),
        (Client(base, APPID, SECRET, timeout=0.1), "slow-whisper"),
    ):
        with pytest.raises(WeChatError) as caught:
            client.login(code)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        told.append(str(caught.value))
    told.append(caplog.text)
    for hidden in (SECRET, "whisper", token):
        assert hidden not in "\n".join(told)
    assert any(record.name.startswith("urllib3") for record in caplog.records), "the test must see what urllib3 logs"


def test_the_sandbox_listens_on_this_machine_only_and_quits_when_asked():
    with subprocess.Popen(
        [sys.executable, "-m", "wechat.sandbox", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LOG_LEVEL": "INFO"},
    ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            address = line.split()[-1]
            assert address.startswith("http://127.0.0.1:"), line
            assert requests.get(f"{address}/healthz", timeout=3).json() == {"status": "ok"}
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
