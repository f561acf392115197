"""What people do on the pages, as steps for tests."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from commands import demo
from tests.browser.film import Film
from tests.faces import actors
from tests.house import House

DECIDED = "[data-testid=result]:is([data-state=passed],[data-state=in_review],[data-state=failed])"


def sign_in_on_phone(page: Page, house: House, place: int) -> None:
    """Sign in by SMS as the demo retiree of that place and, the first time, bind to oneself."""
    page.goto(house.url)
    page.get_by_test_id("phone").fill(house.phone(place))
    page.get_by_test_id("send-code").click()
    page.get_by_test_id("fill-code").click()
    page.get_by_test_id("sign-in").click()
    own, home = page.get_by_test_id("relation-self"), page.get_by_test_id("certification-text")
    own.or_(home).first.wait_for()
    if own.count():
        name, birth, sex, _ = demo.FIRST_WALK[place]
        own.click()
        page.get_by_test_id("name").fill(name)
        page.get_by_test_id("id-number").fill(demo.id_number(birth, sex, place))
        page.get_by_test_id("bind").click()
    expect(home).to_be_visible()


def go_to_preparation(page: Page) -> None:
    """From home through consent, where it is not given yet, and residence to the page before the camera."""
    page.get_by_test_id("start").click()
    agree, residence = page.get_by_test_id("agree"), page.get_by_test_id("residence-local")
    agree.or_(residence).first.wait_for()
    if agree.count():
        agree.click()
    residence.click()
    page.get_by_test_id("next").click()


def go_to_camera(page: Page) -> None:
    go_to_preparation(page)
    page.get_by_test_id("open-camera").click()
    expect(page.get_by_test_id("begin")).to_be_enabled(timeout=20_000)


def act(page: Page, film: Film) -> str:
    """Do before the camera what the page asks for; returns what became of it."""
    page.get_by_test_id("begin").click()
    decided = page.locator(DECIDED)
    while not decided.count():
        asked = page.locator("[data-testid=instruction][data-action]")
        if asked.count():
            film.show(asked.first.get_attribute("data-action", timeout=2_000) or "neutral")
        page.wait_for_timeout(100)
    return decided.get_attribute("data-state") or ""


def take_photographs(page: Page, person: str, folder: Path) -> str:
    """One by one, as where the browser gives no camera stream; returns what became of it."""
    page.get_by_test_id("begin").click()
    decided = page.locator(DECIDED)
    step = page.get_by_test_id("step-count")
    while True:
        step.or_(decided).first.wait_for()
        if not step.count():
            break
        label = step.text_content()
        action = page.get_by_test_id("instruction").get_attribute("data-action") or ""
        for number, data in enumerate(actors.frames(person, action, 3, seed=50)):
            photo = folder / f"{action}-{number}.jpg"
            photo.write_bytes(data)
            page.get_by_test_id("take-photo").set_input_files(photo)
            expect(page.get_by_test_id("thumb")).to_have_count(number + 1)
        page.get_by_test_id("next").click()
        expect(step.filter(has_text=label or "")).to_have_count(0)
    decided.wait_for(timeout=60_000)
    return decided.get_attribute("data-state") or ""


def sign_in_as_staff(page: Page, house: House, username: str) -> None:
    page.goto(f"{house.url}/admin")
    page.get_by_test_id("username").fill(username)
    page.get_by_test_id("password").fill(demo.PASSWORD)
    page.get_by_test_id("sign-in").click()
    page.get_by_test_id("who").wait_for()
