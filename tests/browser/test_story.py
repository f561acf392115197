"""The whole story in a real browser: a retiree certifies on a phone, a community worker sees it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from commands import demo
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.film import Film
from tests.faces import actors

pytestmark = pytest.mark.browser

def sign_in_on_phone(page: Page, house, place: int) -> str:
    """Sign in by SMS and bind to the demo retiree of that place; returns the name."""
    name, birth, sex, phone = demo.FIRST_WALK[place]
    page.goto(house.url)
    page.get_by_test_id("phone").fill(phone)
    page.get_by_test_id("send-code").click()
    page.get_by_test_id("fill-code").click()
    page.get_by_test_id("sign-in").click()
    page.get_by_test_id("relation-self").or_(page.get_by_test_id("certification-text")).first.wait_for()
    if page.get_by_test_id("relation-self").count():
        page.get_by_test_id("relation-self").click()
        page.get_by_test_id("name").fill(name)
        page.get_by_test_id("id-number").fill(demo.id_number(birth, sex, place))
        page.get_by_test_id("bind").click()
    expect(page.get_by_test_id("certification-text")).to_be_visible()
    return name


def go_to_camera(page: Page) -> None:
    """From home through consent and residence to the open camera."""
    page.get_by_test_id("start").click()
    agree, residence = page.get_by_test_id("agree"), page.get_by_test_id("residence-local")
    agree.or_(residence).first.wait_for()
    if agree.count():
        agree.click()
    residence.click()
    page.get_by_test_id("next").click()
    page.get_by_test_id("open-camera").click()
    expect(page.get_by_test_id("begin")).to_be_enabled(timeout=20_000)


def act(page: Page, film: Film) -> str:
    """Do what the page asks for until it has what it needs; returns what became of it."""
    page.get_by_test_id("begin").click()
    decided = page.locator("[data-testid=result]:is([data-state=passed],[data-state=in_review],[data-state=failed])")
    while not decided.count():
        asked = page.locator("[data-testid=instruction][data-action]")
        if asked.count():
            film.show(asked.first.get_attribute("data-action") or "neutral")
        page.wait_for_timeout(100)
    return decided.get_attribute("data-state") or ""


def sign_in_as_staff(page: Page, house, username: str) -> None:
    page.goto(f"{house.url}/admin")
    page.get_by_test_id("username").fill(username)
    page.get_by_test_id("password").fill(demo.PASSWORD)
    page.get_by_test_id("sign-in").click()
    page.get_by_test_id("who").wait_for()


def test_an_enrolled_retiree_certifies_on_a_phone_and_holds_a_certificate_until_next_year(
    house, launch, watched, tmp_path
):
    retiree_id = house.person(0)["id"]
    house.enrol(retiree_id, actors.photo("astronaut"))
    film = Film(tmp_path / "camera.mjpeg", "astronaut")
    page = watched(launch(film.path).new_context(**PHONE).new_page())
    sign_in_on_phone(page, house, 0)
    go_to_camera(page)
    assert act(page, film) == "passed"
    expect(page.get_by_test_id("result-text").first).to_contain_text("认证成功")
    number = page.get_by_test_id("certificate-number").text_content() or ""
    assert re.search(r"RZ\d{18}", number)
    page.get_by_test_id("to-home").first.click()
    expect(page.get_by_test_id("certification")).to_have_attribute("data-state", "valid")

    desk = watched(launch().new_context(**DESKTOP).new_page())
    sign_in_as_staff(desk, house, "community")
    desk.goto(f"{house.url}/admin#/people/{retiree_id}")
    expect(desk.locator("body")).to_contain_text("2027")
