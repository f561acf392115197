"""Subscribe messages over the wire: one grant is one message, and every refusal says what to do."""

from __future__ import annotations

import socket
import threading

import pytest
import requests
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from models import clock, wechat_fields
from tests.story import at_once
from tests.wechat.conftest import APPID, SECRET
from wechat import sandbox_fields
from wechat.client import (
    AnswerLost,
    BadTemplate,
    Client,
    NoGrant,
    RecipientGone,
    TokenRejected,
    WeChatMisconfigured,
    WeChatUnavailable,
)

TEMPLATE = "T-certification"
DATA = {"thing1": "养老金领取资格认证", "date2": "2026年12月1日"}


@pytest.fixture
def token(wechat) -> str:
    return wechat.fetch_token()[0]


@pytest.fixture
def wang(wechat, sandbox) -> str:
    """The openid of somebody who tapped 允许 once."""
    openid = wechat.login("wang").openid
    sandbox.grant(openid, TEMPLATE)
    return openid


def test_a_message_arrives_as_it_was_sent_and_has_an_id(wechat, sandbox, wang, token):
    number = wechat.send_subscribe_message(wang, TEMPLATE, "pages/index?notice=1", DATA, token)
    [message] = sandbox.messages(openid=wang)
    assert message == {
        "msgid": int(number),
        "touser": wang,
        "template_id": TEMPLATE,
        "page": "pages/index?notice=1",
        "data": {name: {"value": text} for name, text in DATA.items()},
        "miniprogram_state": "formal",
    }


def test_a_message_that_opens_nothing_names_no_page(wechat, sandbox, wang, token):
    wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)
    assert sandbox.messages()[0]["page"] is None


def test_a_trial_opens_the_trial_version(base, sandbox, wang, token):
    Client(base, APPID, SECRET, timeout=3, state="trial").send_subscribe_message(wang, TEMPLATE, "", DATA, token)
    assert sandbox.messages()[0]["miniprogram_state"] == "trial"


def test_one_grant_is_one_message(wechat, sandbox, wang, token):
    wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)
    with pytest.raises(NoGrant) as caught:
        wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)
    assert caught.value.errcode == 43101
    sandbox.grant(wang, TEMPLATE, times=2)
    for _ in range(2):
        wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)
    assert len(sandbox.messages(openid=wang)) == 3


def test_a_grant_is_for_one_person_and_one_template(wechat, wang, token):
    for openid, template in ((wang, "T-other"), (wechat.login("li").openid, TEMPLATE)):
        with pytest.raises(NoGrant):
            wechat.send_subscribe_message(openid, template, "", DATA, token)


def test_of_four_senders_with_one_grant_one_sends(wechat, sandbox, wang, token):
    answers = at_once(*[lambda: wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)] * 4)
    assert sorted(type(answer).__name__ for answer in answers) == ["NoGrant", "NoGrant", "NoGrant", "str"]
    assert len(sandbox.messages()) == 1


def test_whoever_switches_the_messages_off_in_wechat_gets_none(wechat, sandbox, wang, token):
    sandbox.ask("DELETE", "grants", params={"openid": wang})
    with pytest.raises(NoGrant):
        wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)


def test_a_phone_asks_for_three_templates_at_once_and_not_for_four(sandbox, wang):
    three = ["T1", "T2", "T3"]
    answer = sandbox.ask("POST", "grants", json={"openid": wang, "template_ids": three})
    assert answer == {"errMsg": "requestSubscribeMessage:ok", "T1": "accept", "T2": "accept", "T3": "accept"}
    assert sandbox.ask("POST", "grants", json={"openid": wang, "template_ids": [*three, "T4"]})["errCode"] == 20003


@pytest.mark.parametrize(
    ("openid", "template", "page", "data", "raised", "errcode"),
    [
        ("", TEMPLATE, "", DATA, RecipientGone, 40003),
        ("gone-wang", TEMPLATE, "", DATA, RecipientGone, 40003),
        ("wang", "", "", DATA, BadTemplate, 40037),
        ("wang", "bad", "", DATA, BadTemplate, 40037),
        ("wang", "banned", "", DATA, BadTemplate, 43116),
        ("wang", TEMPLATE, "bad/page", DATA, BadTemplate, 41030),
        ("wang", TEMPLATE, "https://example.org/", DATA, BadTemplate, 41030),
        ("wang", TEMPLATE, "", {}, BadTemplate, 47003),
        ("wang", TEMPLATE, "", {"thing1": ""}, BadTemplate, 47003),
        ("wang", TEMPLATE, "", {"phrase3": "六个汉字太长"}, BadTemplate, 47003),
    ],
)
def test_a_message_that_can_never_arrive_says_why(
    wechat, sandbox, token, openid, template, page, data, raised, errcode
):
    with pytest.raises(raised) as caught:
        wechat.send_subscribe_message(openid, template, page, data, token)
    assert caught.value.errcode == errcode
    assert sandbox.counts()[f"refused {errcode}"] == 1
    assert sandbox.messages() == []


def test_a_field_that_wechat_refuses_is_named_and_its_value_is_not(wechat, wang, token):
    data = {**DATA, "thing7": "王秀英" * 7}
    with pytest.raises(BadTemplate, match="field thing7") as caught:
        wechat.send_subscribe_message(wang, TEMPLATE, "", data, token)
    assert "王秀英" not in str(caught.value)


def test_a_refused_message_leaves_the_grant(wechat, sandbox, wang, token):
    with pytest.raises(BadTemplate):
        wechat.send_subscribe_message(wang, TEMPLATE, "", {"thing1": ""}, token)
    wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)
    assert len(sandbox.messages(openid=wang)) == 1


def test_a_token_that_wechat_does_not_know_is_rejected(wechat, wang):
    with pytest.raises(TokenRejected):
        wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, "no-such-token")


# ---- Limits and faults


def test_over_the_limit_of_a_second_wechat_takes_no_more_and_the_next_second_does(wechat, sandbox, wang, token):
    sandbox.grant(wang, TEMPLATE, times=10)
    sandbox.ask("PUT", "limit", json={"per_second": 3})
    with time_machine.travel(clock.now(), tick=False) as clocked:
        for _ in range(3):
            wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)
        with pytest.raises(WeChatUnavailable) as caught:
            wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)
        assert (caught.value.errcode, isinstance(caught.value, AnswerLost)) == (45009, False)
        clocked.shift(1.001)
        wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)
    counts = sandbox.counts()
    assert (counts["asked"], counts["delivered"], counts["refused 45009"], counts["busiest_second"]) == (5, 4, 1, 4)


@pytest.mark.parametrize(("kind", "more"), [("busy", {}), ("error", {}), ("error", {"status": 503})])
def test_a_wechat_that_is_not_well_means_try_again_and_nothing_was_sent(wechat, sandbox, wang, token, kind, more):
    sandbox.fault(kind, **more)
    with pytest.raises(WeChatUnavailable) as caught:
        wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)
    assert not isinstance(caught.value, AnswerLost)
    assert sandbox.messages() == []
    wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)


def test_a_wechat_that_takes_the_message_and_does_not_say_so_leaves_the_answer_lost(base, sandbox, wang, token):
    impatient = Client(base, APPID, SECRET, timeout=3, message_timeout=0.2)
    sandbox.fault("hang", seconds=2)
    with pytest.raises(AnswerLost, match=r"within 0\.2 s"):
        impatient.send_subscribe_message(wang, TEMPLATE, "", DATA, token)
    assert len(sandbox.messages(openid=wang)) == 1


def test_a_wechat_that_hangs_up_without_a_word_leaves_the_answer_lost(wechat, sandbox, wang, token):
    sandbox.fault("drop")
    with pytest.raises(AnswerLost, match="hung up"):
        wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)
    assert len(sandbox.messages(openid=wang)) == 1


@pytest.mark.parametrize("status", [502, 504])
def test_a_proxy_that_answers_in_wechats_place_leaves_the_answer_lost(wechat, sandbox, wang, token, status):
    sandbox.fault("error", status=status)
    with pytest.raises(AnswerLost, match=str(status)):
        wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]"])
def test_an_answer_that_makes_no_sense_leaves_the_answer_lost(answer):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def reply() -> None:
            line, _ = listening.accept()
            with line:
                line.recv(65536)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))

        thread = threading.Thread(target=reply)
        thread.start()
        strange = Client(f"http://127.0.0.1:{listening.getsockname()[1]}", APPID, SECRET, timeout=3)
        with pytest.raises(AnswerLost):
            strange.send_subscribe_message("wang", TEMPLATE, "", DATA, "token")
        thread.join()


def test_where_no_connection_is_made_nothing_was_sent():
    with pytest.raises(WeChatUnavailable) as caught:
        Client("http://127.0.0.1:1", APPID, SECRET, timeout=3).send_subscribe_message("o", TEMPLATE, "", DATA, "t")
    assert not isinstance(caught.value, AnswerLost)


def test_a_slow_wechat_is_waited_for(wechat, sandbox, wang, token):
    sandbox.fault("slow", seconds=0.2)
    assert wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)


def test_an_errcode_that_nobody_knows_is_for_a_person_to_look_at(base, token):
    with pytest.raises(WeChatMisconfigured) as caught:
        Client(base, "wxwrong", SECRET, timeout=3).fetch_token()
    assert caught.value.errcode == 40013


def test_a_fault_meets_whom_it_is_for_as_often_as_it_was_asked_for(wechat, sandbox, wang, token):
    li = wechat.login("li").openid
    sandbox.grant([wang, li], TEMPLATE, times=5)
    sandbox.fault("busy", who=wang, times=2)
    wechat.send_subscribe_message(li, TEMPLATE, "", DATA, token)
    for _ in range(2):
        with pytest.raises(WeChatUnavailable):
            wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)
    wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)
    assert sandbox.counts()["fault busy"] == 2


def test_a_share_of_faults_is_a_share_and_can_be_ended(wechat, sandbox, wang, token):
    sandbox.grant(wang, TEMPLATE, times=300)
    sandbox.fault("busy", share=0.3)
    for _ in range(100):
        try:
            wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)
        except WeChatUnavailable:
            pass
    counts = sandbox.counts()
    assert 15 <= counts["fault busy"] <= 45
    assert counts["delivered"] == 100 - counts["fault busy"]
    sandbox.ask("DELETE", "faults")
    for _ in range(10):
        wechat.send_subscribe_message(wang, TEMPLATE, "", DATA, token)


@pytest.mark.parametrize("kind", ["", "none", None])
def test_a_fault_that_the_sandbox_does_not_know_is_refused(sandbox, kind):
    assert requests.post(f"{sandbox.base}/sandbox/faults", json={"kind": kind}, timeout=3).status_code == 400


# ---- Fields


FITS = [
    ("thing1", "二十个字刚刚好二十个字刚刚好二十个字刚好"),
    ("thing12", "7月起调整，见附件1（PDF）"),
    ("number1", "0.5"),
    ("letter2", "ABC"),
    ("symbol3", "+-*"),
    ("character_string19", "430102-2026-0001"),
    ("time1", "15:01"),
    ("time1", "2026年10月1日 15:01"),
    ("time1", "15:01~16:30"),
    ("date3", "2026年10月1日"),
    ("date3", "2026-10-01"),
    ("date3", "10月1日"),
    ("date3", "2026年10月1日 08:30~2026年10月2日 17:00"),
    ("amount1", "¥12.50"),
    ("amount1", "100元"),
    ("phone_number4", "+86-0731-84907501"),
    ("car_number2", "粤A8Z888挂"),
    ("name1", "欧阳建国"),
    ("name1", "Zhang San"),
    ("phrase2", "已通过"),
]
FITS_NOT = [
    ("thing1", "二十一个字就太长了二十一个字就太长了多三个"),
    ("thing1", "两\n行"),
    ("number1", "十二"),
    ("number1", "1" * 33),
    ("letter2", "A1"),
    ("symbol3", "++++++"),
    ("character_string19", "编号1"),
    ("time1", "25:00"),
    ("time1", "下午三点"),
    ("date3", "明天"),
    ("amount1", "一百元"),
    ("amount1", "¥12345678901"),
    ("phone_number4", "请打12333"),
    ("name1", "张三3"),
    ("name1", "一二三四五六七八九十一"),
    ("phrase2", "六个汉字太长"),
    ("phrase2", "OK"),
    ("word1", "没有这种"),
    ("thing", "没有数字"),
]


@pytest.mark.parametrize(("field", "value"), FITS)
def test_what_fits_a_field_is_taken_by_wechat_and_by_our_own_table(field, value):
    kind = wechat_fields.kind_of(field)
    assert kind
    assert wechat_fields.fits(kind, value)
    assert sandbox_fields.fits(field, value)


@pytest.mark.parametrize(("field", "value"), FITS_NOT)
def test_what_does_not_fit_is_refused_by_wechat_and_by_our_own_table(field, value):
    kind = wechat_fields.kind_of(field)
    assert not (kind and wechat_fields.fits(kind, value))
    assert not sandbox_fields.fits(field, value)


@given(
    kind=st.sampled_from(sorted(wechat_fields.KINDS)),
    value=st.text(st.sampled_from("中华人民0123456789:~-/.年月日 ¥元ABCabc+（，\n😀"), max_size=36),
)
def test_whatever_our_own_table_lets_through_wechat_takes(kind, value):
    if wechat_fields.fits(kind, value):
        assert sandbox_fields.fits(f"{kind}1", value)
