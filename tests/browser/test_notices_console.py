"""A notice in the console: written, seen by a second person, sent, and read by somebody."""

from __future__ import annotations

import pytest
import requests
from PIL import Image
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.conftest import DESKTOP
from tests.house import wait_until

pytestmark = pytest.mark.browser

READER = 36  # a demo retiree of the community whom no other test signs in
TITLE = "年度认证开始了"
SUMMARY = "请在12月31日以前认证一次，手机、窗口、上门都能办。"


def a_picture(path):
    Image.new("RGB", (900, 500), "seagreen").save(path)
    return path


def test_a_draft_is_reviewed_by_a_second_person_and_published_and_the_dashboard_shows_its_reader(
    house, launch, watched, tmp_path
):
    header, reader = house.retiree(READER)
    name = house.person(READER)["name"]
    desk = watched(launch().new_context(**DESKTOP).new_page())
    steps.sign_in_as_staff(desk, house, "community")
    desk.get_by_test_id("menu-notices").click()
    desk.get_by_test_id("notice-new").click()
    desk.get_by_test_id("notice-title").fill(TITLE)
    desk.get_by_test_id("notice-summary").fill(SUMMARY)
    desk.get_by_test_id("editor").click()
    desk.keyboard.type("各位退休同志：")
    desk.keyboard.press("Enter")
    desk.get_by_test_id("tool-b").click()
    desk.keyboard.type("认证不收钱。")
    # a picture belongs to a notice that is there: the draft is saved with it
    desk.get_by_test_id("editor-picture").set_input_files(a_picture(tmp_path / "picture.png"))
    expect(desk.get_by_test_id("editor").locator("img[src^=blob]")).to_be_visible()
    expect(desk.get_by_test_id("preview-summary")).to_have_text(SUMMARY)
    expect(desk.get_by_test_id("preview-body").locator("b")).to_have_text("认证不收钱。")
    expect(desk.get_by_test_id("preview-body").locator("img[src^=blob]")).to_be_visible()

    desk.get_by_test_id("audience-some").click()
    desk.get_by_test_id("audience-field").click()
    desk.get_by_role("option", name="名单").click()
    desk.get_by_test_id("audience-people").get_by_role("combobox").fill(name)
    desk.get_by_role("option").filter(has_text=name).click()
    desk.keyboard.press("Escape")
    expect(desk.get_by_test_id("audience-total")).to_have_text("1")
    expect(desk.get_by_test_id("audience-nobody")).to_have_text("0")
    desk.get_by_test_id("notice-review-request").click()
    expect(desk.get_by_test_id("notice-state")).to_have_text("待审核")
    expect(desk.get_by_test_id("notice-approve")).to_have_count(0)

    second = watched(launch().new_context(**DESKTOP).new_page())
    steps.sign_in_as_staff(second, house, "street")
    second.get_by_test_id("menu-notices").click()
    second.get_by_test_id("notice-row").filter(has_text=TITLE).click()
    expect(second.get_by_test_id("preview-body").locator("img[src^=blob]")).to_be_visible()
    second.get_by_test_id("notice-approve").click()
    second.get_by_test_id("step-go").click()
    expect(second.get_by_test_id("notice-state")).to_have_text("待发布")
    second.get_by_test_id("notice-publish").click()
    second.get_by_test_id("step-go").click()
    expect(second.get_by_test_id("notice-state")).to_have_text("已发布")

    def arrived():
        inbox = requests.get(f"{house.api}/retirees/{reader}/inbox", headers=header, timeout=30).json()["items"]
        return next((message for message in inbox if message["title"] == TITLE), None)

    message = wait_until(arrived, "the message in the inbox")
    requests.put(f"{house.api}/inbox/{message['id']}/read", headers=header, timeout=30).raise_for_status()

    desk.reload()
    expect(desk.get_by_test_id("notice-state")).to_have_text("已发布")
    desk.get_by_role("tab", name="送达和阅读").click()
    expect(desk.get_by_test_id("reach-people").locator("b")).to_have_text("1")
    expect(desk.get_by_test_id("reach-opened").locator("b")).to_have_text("1")
    expect(desk.get_by_test_id("reach-communities")).to_contain_text("银杏社区")
    expect(desk.get_by_test_id("unread-people")).to_contain_text("都打开了")
