"""What a notice is on the telephone: it arrives, is read and read aloud, help is asked for, the library finds it again."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest
import requests
from PIL import Image
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import PHONE
from tests.browser.test_accessibility import assert_reachable
from tests.house import House, wait_until

pytestmark = pytest.mark.browser

# Demo retirees of the community whom no other test signs in: one for each test here
READERS = iter((10, 12, 15, 16, 24))
ON_WECHAT = 11

# Chromium has no voice here. This one says a sentence at once; while `hoarse`, it begins and does not end
VOICE = """
window.said = [];
window.hoarse = false;
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
let saying = null;
const speak = (utterance) => setTimeout(() => {
  window.said.push(utterance.text);
  utterance.onstart();
  if (window.hoarse) saying = utterance;
  else utterance.onend();
});
const cancel = () => {
  if (saying) saying.onerror({ error: "canceled" });
  saying = null;
};
Object.defineProperty(window, "speechSynthesis", { value: { speak, cancel, getVoices: () => [] } });
"""

Office = dict[str, dict[str, str]]
Reader = tuple[dict[str, str], str]

MINI_PROGRAM = "window.opened = []; window.wx = { miniProgram: { navigateTo: ({ url }) => window.opened.push(url) } };"

BODY = """<h2>哪些人能办</h2><p>在本街道居住的<strong>退休人员</strong>，见<a href="https://www.example.cn/">医保局网站</a>。</p>
<script>document.title = "broken"</script><p onclick="alert(1)">带身份证到社区办。</p>
<table><tbody><tr><td>高血压</td><td>报销六成</td><td>社区卫生服务中心</td><td>每年三千元</td></tr></tbody></table>
<p>电话：<a href="tel:12393">12393</a></p>"""
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"


@pytest.fixture(scope="module")
def office(house) -> Office:
    """The headers of those who write and of those who review."""
    return {name: house.staff(name) for name in ("community", "street")}


@pytest.fixture
def reader(house) -> Reader:
    """(the header of a retiree's phone, the retiree's id)."""
    signed_in: Reader = house.retiree(next(READERS))
    return signed_in


@pytest.fixture
def phone(house, reader, launch, watched) -> Page:
    """The retiree's phone, signed in, with a voice."""
    page: Page = watched(launch().new_context(**PHONE).new_page())
    token = reader[0]["Authorization"].removeprefix("Bearer ")
    kept = {"access_token": token, "refresh_token": "", "until": (time.time() + 800) * 1000}
    page.add_init_script(f"localStorage.setItem('yinling.tokens', JSON.stringify({json.dumps(kept)}));")
    page.add_init_script(VOICE)
    return page


def ask(method: str, house: House, path: str, who: dict[str, str], **more: Any) -> requests.Response:
    reply = requests.request(
        method, f"{house.api}{path}", headers={**who, **more.pop("headers", {})}, timeout=30, **more
    )
    assert reply.ok, reply.text
    return reply


def a_picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (640, 360), "seagreen").save(written, "JPEG")
    return written.getvalue()


def publish(house: House, office: Office, retiree_id: str, *, files: bool = False, **fields: Any) -> str:
    """The community writes a notice for one person, the street reviews it, the community publishes it; returns its path."""
    writer, reviewer = office["community"], office["street"]
    known = {
        "kind": "policy", "category": "medical", "summary": "看门诊能多报销一些，带身份证到社区办，不收钱。", "body": BODY,
        "source": "示范市医疗保障局", "document_number": "示医保发〔2026〕18号", "effective_on": "2026-12-01",
        "audience": {"field": "retiree", "op": "in", "value": [retiree_id]},
    }  # fmt: skip
    notice = f"/notices/{ask('POST', house, '/notices', writer, json=known | fields).json()['id']}"
    if files:
        ask("POST", house, f"{notice}/pictures", writer, files={"file": ("map.jpg", a_picture(), "image/jpeg")})
        ask("POST", house, f"{notice}/attachments", writer, files={"file": ("申请表.pdf", PDF, "application/pdf")})
    seen = ask("POST", house, f"{notice}/review-request", writer).headers["ETag"]
    ask("POST", house, f"{notice}/review", reviewer, json={"approve": True}, headers={"If-Match": seen})
    ask("POST", house, f"{notice}/publication", writer, json={})
    return notice


def arrived(house: House, reader: Reader, count: int) -> None:
    inbox = f"/retirees/{reader[1]}/inbox?limit=100"
    wait_until(lambda: len(ask("GET", house, inbox, reader[0]).json()["items"]) == count, "the fan-out")


def receipts(house: House, office: Office, notice: str) -> dict[str, Any]:
    counted: dict[str, Any] = ask("GET", house, f"{notice}/receipts", office["community"]).json()
    return counted


def test_a_notice_arrives_is_read_aloud_and_whoever_does_not_understand_it_is_called(house, office, reader, phone):
    title = "门诊慢性病待遇怎么申请"
    notice = publish(house, office, reader[1], title=title, importance="important", files=True)
    arrived(house, reader, 1)
    phone.goto(house.url)
    expect(phone.get_by_test_id("unread")).to_contain_text("1")
    expect(phone.get_by_test_id("important")).to_contain_text("有1条重要消息没看")
    phone.get_by_test_id("to-messages").click()
    row = phone.get_by_test_id("message-row").filter(has_text=title)
    expect(row).to_have_attribute("data-read", "false")
    expect(row).to_contain_text("重要")
    row.click()
    expect(phone.get_by_test_id("notice-title")).to_have_text(title)
    expect(phone.get_by_test_id("notice-summary")).to_contain_text("看门诊能多报销一些")
    letters = "element => parseFloat(getComputedStyle(element).fontSize)"
    summary, body = phone.get_by_test_id("notice-summary"), phone.get_by_test_id("notice-body")
    assert summary.evaluate(letters) > body.evaluate(letters) >= 18
    expect(body.locator("strong")).to_have_text("退休人员")
    assert body.locator("script, [onclick]").count() == 0
    expect(phone.locator("#main")).to_contain_text("示医保发〔2026〕18号")
    expect(phone.locator("#main")).to_contain_text("2026年12月1日")
    picture = body.locator("img")
    wait_until(lambda: picture.evaluate("image => image.naturalWidth") == 640, "the picture")
    assert_reachable(phone)
    phone.set_viewport_size({"width": 320, "height": 568})
    phone.evaluate("document.documentElement.dataset.letters = 'huge'")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 320
    phone.set_viewport_size(PHONE["viewport"])

    with phone.expect_download() as download:
        phone.get_by_test_id("notice-file").click()
    assert download.value.suggested_filename == "申请表.pdf"
    assert download.value.path().read_bytes() == PDF

    told: list[Request] = []
    phone.on("request", lambda request: told.append(request) if request.url.endswith("/listened") else None)
    phone.evaluate("window.hoarse = true")
    phone.get_by_test_id("listen").click()
    phone.wait_for_function("window.said.length === 1")
    phone.get_by_test_id("listen").click()
    expect(phone.get_by_test_id("listen")).to_have_text("读给我听")
    phone.evaluate("window.hoarse = false")
    with phone.expect_response(lambda reply: reply.url.endswith("/listened")):
        phone.get_by_test_id("listen").click()
    spoken = phone.evaluate("window.said.join('')")
    assert title in spoken
    assert "带身份证到社区办" in spoken
    assert len(told) == 1
    counted = receipts(house, office, notice)
    assert [counted[name] for name in ("people", "opened", "listened", "help")] == [1, 1, 1, 0]

    phone.get_by_test_id("ask-help").click()
    expect(phone.get_by_test_id("help-asked")).to_contain_text("工作人员会打电话给您")
    phone.reload()
    expect(phone.get_by_test_id("help-asked")).to_be_visible()
    assert receipts(house, office, notice)["help"] == 1
    asked = ask("GET", house, "/follow-ups", office["community"], params={"page_size": 100}).json()
    assert [row["note"] for row in asked if row["retiree"]["id"] == reader[1]] == [f"《{title}》"]

    phone.goto(house.url)
    expect(phone.get_by_test_id("certification-text")).to_be_visible()
    expect(phone.get_by_test_id("unread")).to_have_count(0)


def test_the_library_finds_a_notice_until_it_is_withdrawn(house, office, reader, phone):
    title = "高龄津贴发放办法"
    notice = publish(house, office, reader[1], title=title, category="benefit", summary="满八十岁每月有津贴。")
    arrived(house, reader, 1)
    phone.goto(f"{house.url}/#/library")
    phone.get_by_test_id("library-q").fill("高齡津貼怎么领")
    phone.get_by_test_id("library-search").click()
    phone.get_by_test_id("notice-row").first.click()
    expect(phone.get_by_test_id("notice-title")).to_have_text(title)
    phone.get_by_test_id("back").click()
    expect(phone.locator("h1")).to_have_text("找“高齡津貼怎么领”")
    phone.get_by_test_id("to-library").click()
    phone.get_by_test_id("category-benefit").click()
    expect(phone.get_by_test_id("notice-row")).to_contain_text([title])

    ask("POST", house, f"{notice}/withdrawal", office["community"], json={"reason": "标准有变"})
    phone.reload()
    expect(phone.get_by_test_id("nothing-found")).to_be_visible()
    inbox = f"/retirees/{reader[1]}/inbox"
    wait_until(lambda: ask("GET", house, inbox, reader[0]).json()["items"][0]["withdrawn"], "the withdrawal")
    phone.goto(f"{house.url}/#/messages")
    expect(phone.get_by_test_id("message-withdrawn").first).to_contain_text("已撤回")


def test_an_emergency_stands_on_the_first_page_and_to_read_it_there_is_to_read_its_message(
    house, office, reader, phone
):
    title = "今晚有大风，请不要出门"
    notice = publish(house, office, reader[1], title=title, importance="emergency", category="safety")
    arrived(house, reader, 1)
    phone.goto(house.url)
    phone.get_by_test_id("emergencies").get_by_text(title).click()
    expect(phone.get_by_test_id("ask-help")).to_be_visible()
    wait_until(lambda: receipts(house, office, notice)["opened"] == 1, "the receipt")
    phone.get_by_test_id("back").click()
    expect(phone.get_by_test_id("certification-text")).to_be_visible()


def test_the_inbox_goes_on_where_a_button_asks_for_older_messages(house, office, reader, phone):
    for place in range(21):
        publish(house, office, reader[1], title=f"第{place}号通知", kind="question")
    arrived(house, reader, 21)
    phone.goto(f"{house.url}/#/messages")
    rows = phone.get_by_test_id("message-row")
    expect(rows).to_have_count(20)
    phone.get_by_test_id("older").click()
    expect(rows).to_have_count(21)
    assert len({rows.nth(place).text_content() for place in range(21)}) == 21


def test_how_somebody_wishes_to_be_told_is_kept(house, phone):
    phone.goto(f"{house.url}/#/mine")
    phone.get_by_test_id("to-reminders").click()
    expect(phone.get_by_test_id("channel-sms")).to_be_checked()
    phone.get_by_test_id("channel-sms").click()
    expect(phone.get_by_test_id("saved")).to_be_visible()
    phone.get_by_test_id("copy-family").click()
    expect(phone.get_by_test_id("copy-family")).to_be_enabled()
    phone.reload()
    expect(phone.get_by_test_id("channel-sms")).not_to_be_checked()
    expect(phone.get_by_test_id("channel-call")).to_be_checked()
    expect(phone.get_by_test_id("copy-family")).to_be_checked()


def test_inside_a_mini_program_the_first_page_offers_reminders_by_wechat(house, launch, watched):
    page = watched(launch().new_context(**PHONE).new_page())
    page.add_init_script(MINI_PROGRAM)
    person = house.person(ON_WECHAT)
    number = ask(
        "POST", house, f"/retirees/{person['id']}/reveals", house.staff("city"),
        json={"field": "id_number", "purpose": "自动测试"},
    ).json()["value"]  # fmt: skip
    page.goto(house.url)
    page.get_by_test_id("wechat").click()
    page.get_by_test_id("relation-self").click()
    page.get_by_test_id("name").fill(person["name"])
    page.get_by_test_id("id-number").fill(number)
    page.get_by_test_id("bind").click()
    page.get_by_test_id("fill-code").click()
    page.get_by_test_id("confirm-binding").click()
    expect(page.get_by_test_id("wechat-reminders")).to_contain_text("社区有新通知时告诉我")
    page.get_by_test_id("allow-wechat").click()
    assert page.evaluate("window.opened") == ["/pages/reminders/reminders?moment=home"]
