"""An 80-year-old can use it: sizes, contrast, names for screen readers, nothing cut off on a narrow phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser import steps
from tests.browser.conftest import DESKTOP, PHONE

pytestmark = pytest.mark.browser

AAA = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag2aaa", "wcag21a", "wcag21aa", "best-practice"]}}
AA = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
PAGES = (
    "/", "/certify/consent", "/certify/residence", "/help", "/certificates", "/messages", "/library",
    "/library/found?category=medical", "/mine", "/mine/reminders", "/mine/consent",
)  # fmt: skip
DESK = {
    "community": (
        "/overview", "/people", "/reviews", "/second-looks", "/follow-ups", "/notices", "/notices/new/edit", "/deliveries",
        "/imports", "/face-report", "/account",
    ),
    "city": ("/alarms", "/message-templates", "/message-templates/certification_due", "/message-templates/new"),
}  # fmt: skip

TOO_SMALL = (Path(__file__).parent / "measure.js").read_text()


def assert_reachable(phone: Page) -> None:
    """Readable, large enough, named for a screen reader, with the telephone and the reading aloud at hand."""
    found = Axe().run(phone, options=AAA).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"][:120]) for rule in found] == [], phone.url
    assert phone.evaluate(TOO_SMALL) == {"text": [], "targets": []}, phone.url
    assert phone.get_by_test_id("telephone").is_visible(), phone.url
    assert phone.get_by_test_id("read-aloud").count() == 1, phone.url


def test_every_page_of_the_retirees_is_readable_reachable_and_named(house, launch, watched):
    phone = watched(launch().new_context(**PHONE).new_page())
    steps.sign_in_on_phone(phone, house, 3)
    for path in PAGES:
        phone.goto(f"{house.url}/#{path}")
        phone.locator("h1").first.wait_for(state="attached")
        phone.wait_for_load_state("networkidle")
        assert_reachable(phone)


def test_nothing_is_cut_off_on_a_phone_of_320_pixels_with_the_largest_letters(house, launch, watched):
    phone = watched(launch().new_context(**PHONE | {"viewport": {"width": 320, "height": 568}}).new_page())
    steps.sign_in_on_phone(phone, house, 4)
    phone.goto(f"{house.url}/#/mine")
    phone.get_by_test_id("letters-huge").click()
    for path in PAGES:
        phone.goto(f"{house.url}/#{path}")
        phone.wait_for_load_state("networkidle")
        assert phone.evaluate("document.documentElement.scrollWidth") <= 320, path


@pytest.mark.parametrize("username", DESK)
def test_the_console_has_no_barrier_of_its_own(house, launch, watched, username):
    page = watched(launch().new_context(**DESKTOP).new_page())
    steps.sign_in_as_staff(page, house, username)
    for path in DESK[username]:
        page.goto(f"{house.url}/admin#{path}")
        page.wait_for_load_state("networkidle")
        found = Axe().run(page, options=AA).response["violations"]
        serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        assert [(rule["id"], rule["nodes"][0]["html"][:120]) for rule in serious] == [], path
