"""The limits of the fields of a subscribe message, and how a value is made to fit them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import wechat_fields
from models.wechat_fields import KINDS, fits, kind_of, shortened, units

FITTING = [
    ("thing", "养老金领取资格认证"),
    ("thing", "一" * 20),
    ("thing", "A楼3层（东）"),
    ("number", "1" * 32),
    ("number", "-3.14"),
    ("letter", "abcXYZ"),
    ("symbol", "★☆"),
    ("character_string", "RZ20260315-0000000001"),
    ("time", "15:01"),
    ("time", "9:05:30"),
    ("time", "2019年10月1日 15:01"),
    ("time", "15:01~16:30"),
    ("date", "2019年10月1日"),
    ("date", "2019年10月1日 15:01"),
    ("date", "2019年10月"),
    ("date", "10月1日"),
    ("date", "2018-01-01"),
    ("date", "2018.01.01"),
    ("date", "01-01"),
    ("date", "2026年3月1日~2026年3月15日"),
    ("amount", "¥12.50"),
    ("amount", "1234567890元"),
    ("phone_number", "+86-0766-66888866"),
    ("car_number", "粤A8Z888挂"),
    ("name", "王秀英"),
    ("name", "阿卜杜拉·买买提"),
    ("name", "Maria Ana Santos"),
    ("phrase", "配送中"),
    ("const", "已支付"),
]

NOT_FITTING = [
    ("thing", "一" * 21),
    ("thing", "第一行\n第二行"),
    ("thing", ""),
    ("number", "1" * 33),
    ("number", "十二"),
    ("letter", "abc1"),
    ("letter", "a" * 33),
    ("symbol", "★★★★★★"),
    ("symbol", "a"),
    ("character_string", "编号1"),
    ("character_string", "1" * 33),
    ("time", "2019年10月1日"),
    ("time", "25:00"),
    ("time", "9:05~"),
    ("date", "明天"),
    ("date", "15:01"),
    ("amount", "12345678901"),
    ("amount", "约12元"),
    ("phone_number", "1" * 18),
    ("phone_number", "电话12333"),
    ("car_number", "粤A8Z88888"),
    ("name", "王" * 11),
    ("name", "Maria Ana Santos de Souza"),
    ("name", "王2"),
    ("phrase", "认证已经成功"),
    ("phrase", "OK"),
]


@pytest.mark.parametrize(("kind", "value"), FITTING)
def test_wechat_takes_a_value_within_the_limits_of_its_kind(kind, value):
    assert fits(kind, value)


@pytest.mark.parametrize(("kind", "value"), NOT_FITTING)
def test_wechat_would_refuse_a_value_beyond_the_limits_of_its_kind(kind, value):
    assert not fits(kind, value)


def test_a_field_is_named_by_its_kind_and_a_number():
    assert [kind_of(name) for name in ("thing1", "character_string19", "date02")] == [
        "thing",
        "character_string",
        "date",
    ]
    assert [kind_of(name) for name in ("thing", "1thing", "wish1", "thing1.DATA", "thing1234")] == [None] * 5


def test_a_title_that_is_too_long_for_wechat_ends_in_an_ellipsis():
    assert (
        shortened("thing", "关于调整本市企业退休人员基本养老金发放时间的通知")
        == "关于调整本市企业退休人员基本养老金发放…"
    )
    assert shortened("thing", "关于\n调整") == "关于 调整"
    assert shortened("name", "阿卜杜拉热合曼·买买提明") == "阿卜杜拉热合曼·买买"
    assert shortened("date", "明天或者后天什么时候都行总之不是一个日子") == "明天或者后天什么时候都行总之不是一个日子"


def test_a_rare_character_of_a_name_counts_two_as_on_a_phone():
    assert units("𬭁") == 2
    assert not fits("thing", "𬭁" * 11)
    assert fits("thing", shortened("thing", "𬭁" * 11))


@given(st.text(min_size=1).filter(lambda text: wechat_fields.one_line(text)))
def test_whatever_is_said_fits_a_thing_once_it_is_shortened(text):
    short = shortened("thing", text)
    assert fits("thing", short)
    assert units(short) <= 20
    assert shortened("thing", short) == short


@given(st.sampled_from(sorted(KINDS)), st.text())
def test_shortening_never_lengthens_and_never_leaves_a_control_character(kind, text):
    short = shortened(kind, text)
    assert units(short) <= units(text)
    assert short == wechat_fields.one_line(short)


@given(st.sampled_from(sorted(KINDS)), st.text())
def test_what_fits_is_sent_as_it_is(kind, text):
    if fits(kind, text) and "  " not in text and "\u3000" not in text:
        assert shortened(kind, text) == " ".join(text.split())
