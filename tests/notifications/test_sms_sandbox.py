"""The loopback SMS gateway: what it takes, what it refuses, how it fails, and what it says afterwards."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest
import requests
import time_machine

from models import clock
from notifications.sms import HttpGateway, SmsAnswerLost, SmsRefused, SmsUnavailable
from notifications.sms_sandbox import SmsSandbox
from tests.sandboxes import running

KEY = "a-key-for-tests"
PHONE, OTHER = "13812345678", "13912345678"


@pytest.fixture
def sandbox():
    with running(SmsSandbox(KEY)) as listening:
        yield listening


@pytest.fixture
def gateway(sandbox) -> HttpGateway:
    return HttpGateway(f"{sandbox.base}/send", KEY)


def test_a_message_is_taken_as_it_was_sent_and_has_a_name(gateway, sandbox):
    name = gateway.send(PHONE, "sign_in_code", {"code": "123456", "minutes": "10"})
    gateway.send_text(OTHER, "notice", "您有一条新通知。")
    assert sandbox.messages(phone=PHONE) == [
        {
            "message_id": name,
            "phone": PHONE,
            "template": "sign_in_code",
            "values": {"code": "123456", "minutes": "10"},
            "text": "【银龄通】验证码123456，10分钟内有效。任何人索要都不要告诉。",
        }
    ]
    assert len(sandbox.messages()) == 2


def test_a_gateway_with_a_query_in_its_address_checks_that_too(sandbox):
    assert HttpGateway(f"{sandbox.base}/send?tenant=1&name=%E9%93%B6", KEY).send_text(PHONE, "notice", "您好。")


def test_whoever_does_not_sign_is_refused(sandbox):
    with pytest.raises(SmsRefused, match="401"):
        HttpGateway(f"{sandbox.base}/send", "another-key").send_text(PHONE, "notice", "您好。")
    assert requests.post(f"{sandbox.base}/send", json={"phone": PHONE, "text": "您好。"}, timeout=3).status_code == 401
    assert sandbox.messages() == []


def test_a_clock_that_is_wrong_by_more_than_five_minutes_is_refused(sandbox):
    late = HttpGateway(f"{sandbox.base}/send", KEY, clock=lambda: clock.now().timestamp() - 302)
    with pytest.raises(SmsRefused, match="401"):
        late.send_text(PHONE, "notice", "您好。")


@pytest.mark.parametrize("phone", ["", "0731-84907501", "12812345678", "1381234567"])
def test_a_number_that_is_no_mobile_is_refused(gateway, sandbox, phone):
    with pytest.raises(SmsRefused, match="422"):
        gateway.send_text(phone, "notice", "您好。")
    assert sandbox.messages() == []


def test_over_the_limit_the_gateway_is_busy_until_the_second_is_over(gateway, sandbox):
    sandbox.ask("PUT", "limit", json={"per_second": 2})
    with time_machine.travel(clock.now(), tick=False) as clocked:
        for _ in range(2):
            gateway.send_text(PHONE, "notice", "您好。")
        with pytest.raises(SmsUnavailable, match="429"):
            gateway.send_text(PHONE, "notice", "您好。")
        clocked.shift(1)
        gateway.send_text(PHONE, "notice", "您好。")
    counts = sandbox.counts()
    assert (counts["asked"], counts["delivered"], counts["refused 429"]) == (4, 3, 1)


@pytest.mark.parametrize("kind", ["busy", "error"])
def test_a_gateway_that_is_not_well_sends_nothing(gateway, sandbox, kind):
    sandbox.fault(kind, who=PHONE)
    gateway.send_text(OTHER, "notice", "您好。")
    with pytest.raises(SmsUnavailable) as caught:
        gateway.send_text(PHONE, "notice", "您好。")
    assert not isinstance(caught.value, SmsAnswerLost)
    assert sandbox.messages(phone=PHONE) == []


@pytest.mark.parametrize(("kind", "more"), [("hang", {"seconds": 2}), ("drop", {})])
def test_a_gateway_that_takes_the_message_and_does_not_say_so_leaves_the_answer_lost(sandbox, kind, more):
    impatient = HttpGateway(f"{sandbox.base}/send", KEY, read_seconds=0.2)
    sandbox.fault(kind, **more)
    with pytest.raises(SmsAnswerLost):
        impatient.send_text(PHONE, "notice", "您好。")
    assert len(sandbox.messages(phone=PHONE)) == 1


def test_the_program_listens_on_this_machine_only_and_quits_when_asked():
    with subprocess.Popen(
        [sys.executable, "-m", "notifications.sms_sandbox", "--port", "0", "--per-second", "5"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LOG_LEVEL": "INFO", "SMS_GATEWAY_KEY": KEY},
    ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert found, line
            assert HttpGateway(f"{found[0]}/send", KEY).send_text(PHONE, "notice", "您好。")
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
