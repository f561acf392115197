"""Pages and files: our own only, kept or asked for again, and a certificate that anybody can check."""

from __future__ import annotations

import pytest

from models import certifications, clock, people
from models.database import transaction
from tests.builders import COMMUNITY_WORKER, a_retiree


def a_certificate(person) -> dict:
    return transaction(
        lambda session: certifications.certify(session, person, "window", clock.today(), COMMUNITY_WORKER)
    )


@pytest.mark.parametrize("path", ["/", "/admin", "/admin/", "/api/docs"])
def test_a_page_is_asked_for_again_each_time(client, path):
    reply = client.get(path)
    assert (reply.status_code, reply.mimetype) == (200, "text/html")
    assert "no-cache" in reply.headers["Cache-Control"]


def test_a_vendored_file_may_be_kept_and_our_own_may_not(client):
    kept = client.get("/static/vendor/vue-3.5.45/vue.global.prod.js")
    assert kept.status_code == 200
    assert "max-age=2592000" in kept.headers["Cache-Control"]
    assert "max-age" not in client.get("/static/app/index.html").headers["Cache-Control"]


@pytest.mark.parametrize(
    "path", ["../settings.py", "..%2fsettings.py", "%2e%2e/settings.py", "/etc/passwd", "vendor", ""]
)
def test_nothing_but_our_static_files_is_served(client, path):
    assert client.get(f"/static/{path}").status_code in (404, 308)


@pytest.mark.parametrize("path", ["/", "/admin", "/verify/x", "/api/v1/me", "/no/such"])
def test_every_reply_says_what_a_browser_may_do(client, path):
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Permissions-Policy"] == "camera=(self), microphone=(), geolocation=()"


def test_https_is_remembered_where_it_was_used(client):
    assert "Strict-Transport-Security" not in client.get("/").headers
    assert "Strict-Transport-Security" in client.get("/", base_url="https://localhost").headers


def test_anybody_with_the_code_learns_that_a_certificate_is_genuine_and_no_whole_name(client):
    person = a_retiree(name="欧阳建国")
    certificate = a_certificate(person)
    page = client.get(f"/verify/{certificate['code'].lower()}")
    assert page.status_code == 200
    assert "欧***" in page.text
    assert certificate["number"] in page.text
    for secret in ("欧阳建国", person["id_number"], person["phone"], str(person["_id"])):
        assert secret not in page.text


@pytest.mark.parametrize("code", ["AAAABBBBCCCCDDDD", "x", "{{7*7}}", "<script>alert(1)", "%00", "a" * 3000])
def test_a_code_that_nobody_gave_out_is_not_found_and_not_repeated(client, code):
    page = client.get(f"/verify/{code}")
    assert page.status_code == 404
    assert "没有查到" in page.text
    assert "49" not in page.text or "{{" not in code
    assert "<script>alert" not in page.text


def test_the_certificate_of_somebody_who_died_is_not_in_force(client):
    person = a_retiree()
    certificate = a_certificate(person)
    people.change(person["_id"], {"status": "deceased", "died_on": "2026-01-02"}, 1, COMMUNITY_WORKER)
    assert not certifications.verify(certificate["code"])["in_force"]
    assert client.get(f"/verify/{certificate['code']}").status_code == 200


def test_the_pages_are_told_the_telephone_number_and_no_secret(client):
    told = client.get("/app-config.json").json
    assert (told["phone"], told["demo"], told["secure"]) == ("12333", False, False)
    assert not any(word in str(told).lower() for word in ("secret", "key", "token", "mongodb"))
