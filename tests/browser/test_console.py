"""What staff do in the console: a roster comes in, somebody is found, a wrong password is said to be wrong."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import expect

from commands import demo
from tests.browser import steps
from tests.browser.conftest import DESKTOP

pytestmark = pytest.mark.browser

HEADER = ["序号", "姓名", "身份证号码", "联系电话", "退休时间", "所属社区"]


def a_roster(path: Path) -> Path:
    """Two good rows, and two that no clerk's computer should let through."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["示范机械厂退休人员花名册"])
    sheet.append(HEADER)
    good = [demo.id_number("1950-05-05", "male", 390), demo.id_number("1949-09-09", "female", 391)]
    sheet.append([1, "赵长江", good[0], 16911110001, dt.date(2010, 5, 31), "银杏社区"])
    sheet.append([2, "钱玉兰", good[1], "169-1111-0002", "2004.9", "银杏社区"])
    sheet.append([3, "孙淑珍", good[0][:-1] + ("1" if good[0][-1] != "1" else "2"), "", "", "银杏社区"])
    sheet.append([4, "周国强", 4.30102e17, "", "", "银杏社区"])
    book.save(path)
    return path


def test_a_roster_comes_in_and_the_bad_rows_go_back_with_the_reason(house, launch, watched, tmp_path):
    page = watched(launch().new_context(**DESKTOP, accept_downloads=True).new_page())
    steps.sign_in_as_staff(page, house, "community")
    page.goto(f"{house.url}/admin#/imports")
    page.get_by_test_id("import-file").locator("input").or_(page.locator("input[type=file]")).first.set_input_files(
        a_roster(tmp_path / "花名册.xlsx")
    )
    page.get_by_test_id("import-start").click()
    expect(page.get_by_test_id("import-added").first).to_contain_text("2", timeout=60_000)
    expect(page.get_by_test_id("import-rejected").first).to_contain_text("2")
    with page.expect_download() as download:
        page.get_by_test_id("import-errors").first.click()
    saved = tmp_path / "rejected.xlsx"
    download.value.save_as(saved)
    rows = list(openpyxl.load_workbook(saved).active.iter_rows(values_only=True))
    assert rows[0] == (*HEADER, "原因")
    assert [row[1] for row in rows[1:]] == ["孙淑珍", "周国强"]
    assert all(row[-1] for row in rows[1:])

    page.goto(f"{house.url}/admin#/people")
    page.get_by_test_id("people-q").locator("input").or_(page.locator("input[data-testid=people-q]")).first.fill("qyl")
    page.get_by_test_id("people-search").click()
    expect(page.get_by_test_id("people-table")).to_contain_text("钱玉兰")


def test_a_wrong_password_is_said_to_be_wrong_and_nothing_else(house, launch, watched):
    page = watched(launch().new_context(**DESKTOP).new_page())
    page.goto(f"{house.url}/admin")
    page.get_by_test_id("username").fill("community")
    page.get_by_test_id("password").fill("not the password")
    page.get_by_test_id("sign-in").click()
    expect(page.get_by_test_id("sign-in-error")).to_contain_text("用户名或密码不对")


def test_the_reader_of_the_api_document_opens_from_our_own_files(house, launch, watched):
    page = watched(launch().new_context(**DESKTOP).new_page())
    elsewhere = []
    page.on(
        "request",
        lambda request: (
            elsewhere.append(request.url) if not request.url.startswith((house.url, "data:", "blob:")) else None
        ),
    )
    page.goto(f"{house.url}/api/docs")
    expect(page.locator("body")).to_contain_text("养老保险待遇领取资格认证")
    assert elsewhere == []
