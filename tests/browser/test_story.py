"""The whole story in a real browser: a retiree certifies on a phone, a community worker sees it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.film import Film
from tests.faces import actors

pytestmark = pytest.mark.browser

WITHOUT_CAMERA = "Object.defineProperty(navigator, 'mediaDevices', {value: undefined});"


def test_an_enrolled_retiree_certifies_before_the_camera_and_the_community_sees_it(house, launch, watched, tmp_path):
    retiree_id = house.person(0)["id"]
    house.enrol(retiree_id, actors.photo("astronaut"))
    film = Film(tmp_path / "camera.mjpeg", "astronaut")
    page = watched(launch(film.path).new_context(**PHONE).new_page())
    steps.sign_in_on_phone(page, house, 0)
    steps.go_to_camera(page)
    assert steps.act(page, film) == "passed"
    expect(page.get_by_test_id("result-text")).to_contain_text("认证成功，下次请在")
    number = page.get_by_test_id("certificate-number").text_content() or ""
    assert re.search(r"RZ\d{8}-\d{10}", number)

    page.get_by_test_id("to-home").click()
    expect(page.get_by_test_id("certification")).to_have_attribute("data-state", "valid")
    page.get_by_test_id("to-messages").click()
    expect(page.get_by_test_id("message-row").first).to_contain_text("认证成功")

    desk = watched(launch().new_context(**DESKTOP).new_page())
    steps.sign_in_as_staff(desk, house, "community")
    desk.goto(f"{house.url}/admin#/people/{retiree_id}")
    expect(desk.get_by_test_id("person-certification")).to_contain_text("有效")


def test_without_a_reference_a_person_decides_and_the_next_attempt_passes_by_itself(house, launch, watched, tmp_path):
    page = watched(launch().new_context(**PHONE).new_page())
    page.add_init_script(WITHOUT_CAMERA)
    steps.sign_in_on_phone(page, house, 1)
    steps.go_to_preparation(page)
    page.get_by_test_id("open-photos").click()
    assert steps.take_photographs(page, "grace_hopper", tmp_path) == "in_review"

    desk = watched(launch().new_context(**DESKTOP).new_page())
    steps.sign_in_as_staff(desk, house, "community")
    desk.goto(f"{house.url}/admin#/reviews")
    desk.get_by_test_id("review-row").filter(has_text="李建国").first.click()
    expect(desk.get_by_test_id("review-name")).to_contain_text("李建国")
    expect(desk.get_by_test_id("frame-0")).to_be_visible()
    desk.get_by_test_id("approve").click()
    desk.get_by_test_id("quick-reason").first.click()
    desk.get_by_test_id("decide").click()
    expect(desk.locator("main")).to_contain_text("都审核完了")

    expect(page.locator(steps.DECIDED)).to_have_attribute("data-state", "passed", timeout=30_000)


def test_whoever_cannot_do_the_actions_asks_for_a_person_by_one_tap_and_the_community_sees_it(house, launch, watched):
    page = watched(launch().new_context(**PHONE).new_page())
    steps.sign_in_on_phone(page, house, 2)
    steps.go_to_preparation(page)
    page.get_by_test_id("cannot").click()
    page.get_by_test_id("help-home_visit").click()
    expect(page.get_by_test_id("help-open")).to_contain_text("工作人员会打电话和您约上门的时间")

    desk = watched(launch().new_context(**DESKTOP).new_page())
    steps.sign_in_as_staff(desk, house, "community")
    desk.goto(f"{house.url}/admin#/follow-ups")
    expect(desk.get_by_test_id("follow-up").filter(has_text="张桂兰")).to_contain_text("上门")
