"""Search in Chinese: what a question finds, and what comes first."""

from __future__ import annotations

import pytest

from models import search
from models.database import collection

NEWEST = [("_id", -1)]


def put(title, number="", summary="", text=""):
    row = {"title": title, "search": search.indexed(title=title, number=number, summary=summary, text=text)}
    collection("notices").insert_one(row)


def titles(q, **where):
    rows, total = search.page("notices", where, q, NEWEST)
    assert total == len(rows)
    return [row["title"] for row in rows]


@pytest.mark.parametrize(
    "q",
    [
        "人社厅发〔2018〕107号",
        "人社厅发[2018]107号",
        "人社厅发（2018）１０７号",
        "人社厅发2018 107",
        "2018 107号",
        "107号",
        "人社廳發〔2018〕107號",
    ],
)
def test_a_document_number_is_found_however_it_is_typed(ground, q):
    put("甲", number="人社厅发〔2018〕107号")
    put("乙", number="人社厅发〔2019〕8号")
    assert titles(q) == ["甲"]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("认证", ["养老金资格认证"]),
        ("證", ["养老金资格认证"]),
        ("醫保", ["医保报销比例"]),
        ("ＷＩＦＩ", ["社区 WiFi 开通"]),
        ("证医", []),
        ("。", []),
        ("  ", ["社区 WiFi 开通", "医保报销比例", "养老金资格认证"]),
    ],
)
def test_a_word_is_found_in_the_middle_in_either_script_and_in_full_width(ground, q, found):
    for title in ("养老金资格认证", "医保报销比例", "社区 WiFi 开通"):
        put(title)
    assert titles(q) == found


@pytest.mark.parametrize(
    "q", ["养老金怎么认证", "请问养老金的认证怎么办？", "我要认证 养老金", "养老金资格认证在哪里办理"]
)
def test_a_question_as_people_ask_it_finds_the_notice(ground, q):
    put("养老金资格认证须知", text="在家用手机就能办")
    put("重阳节活动", text="请带身份证")
    assert titles(q) == ["养老金资格认证须知"]


def test_a_number_that_does_not_exist_does_not_find_every_paper_of_that_office(ground):
    put("甲", number="长人社发〔2018〕107号")
    put("乙", number="长人社发〔2019〕8号")
    put("丙", number="长人社发〔2020〕9号")
    assert titles("长人社发〔2018〕17号") == ["甲"]


def test_the_title_comes_before_the_summary_and_that_before_the_text(ground):
    put("体检安排", text="体检后请领取体检补贴")
    put("健康讲座", summary="讲座之后可以领取体检补贴")
    put("领取体检补贴的办法")
    assert titles("体检补贴") == ["领取体检补贴的办法", "健康讲座", "体检安排"]


def test_words_that_stand_together_come_before_the_same_words_apart(ground):
    put("补贴发放：高龄老人优先")
    put("高龄补贴发放")
    put("发放补贴的老人：高龄优先")
    assert titles("高龄补贴") == ["高龄补贴发放"]
    assert titles("高龄 补贴发放") == ["高龄补贴发放", "补贴发放：高龄老人优先"]


def test_equals_stand_as_the_list_does_and_pages_do_not_overlap(ground):
    for number in range(5):
        put(f"第{number}次体检")
    seen = []
    for page in (1, 2, 3):
        rows, total = search.page("notices", {}, "体检", NEWEST, page=page, size=2)
        assert total == 5
        seen += [row["title"] for row in rows]
    assert seen == [f"第{number}次体检" for number in (4, 3, 2, 1, 0)]


def test_the_filter_of_the_caller_holds_for_every_question(ground):
    put("体检甲")
    put("体检乙")
    assert titles("体检", title="体检甲") == ["体检甲"]
    assert titles("体检甲乙", title="体检甲") == ["体检甲"]


def test_what_is_found_does_not_carry_its_index(ground):
    put("体检")
    for q in ("", "体检"):
        rows, _ = search.page("notices", {}, q, NEWEST)
        assert set(rows[0]) == {"_id", "title"}


@pytest.mark.parametrize("q", ["$where", "{$gt: 1}", ".*", "\\", "体检\x00", "😀", "ا" * 50])
def test_a_strange_question_finds_nothing_and_breaks_nothing(ground, q):
    put("第一次登记")
    assert titles(q) == []
