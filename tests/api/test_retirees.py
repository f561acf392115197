"""The ledger over HTTP: numbers are masked, edits carry a version, and outside one's area nothing exists."""

from __future__ import annotations

import io
import json
import re

import PIL.Image
import pytest
from bson import ObjectId

from models import (
    access,
    accounts,
    certification_sessions,
    clock,
    deliveries,
    face_alarms,
    face_references,
    follow_ups,
    imports,
    second_looks,
    sign_ins,
)
from models.database import collection, transaction
from tests.builders import (
    COMMUNITY,
    COMMUNITY_WORKER,
    OTHER_CITY_COMMUNITY,
    OTHER_COMMUNITY,
    PASSWORD,
    a_message,
    a_published_notice,
    a_retiree,
    an_attempt,
    an_id_number,
    headers_of,
    helper_of,
    oneself,
)
from tests.story import V1, a_worker, at_once, bearer

RETIREES = f"{V1}/retirees"
READERS = ("community", "street", "district", "city", "archive_keeper", "branch_secretary", "enterprise")
OFFICE = ("community", "street", "district", "city")


def sign_in_as(role: str, division: str, enterprise: str | None = None) -> dict[str, str]:
    if role in access.PUBLIC_ROLES:
        person = a_retiree(division=OTHER_CITY_COMMUNITY)
        return headers_of(oneself(person) if role == access.RETIREE else helper_of(person))
    return a_worker(role, division, enterprise=enterprise)


# Somebody of every role, each of them far from the person
OUTSIDERS = {
    "retiree": ("retiree", ""),
    "family": ("family", ""),
    "community": ("community", OTHER_COMMUNITY),
    "street": ("street", "430102002"),
    "district": ("district", "430103"),
    "city": ("city", "5405"),
    "archive_keeper": ("archive_keeper", "5405"),
    "branch_secretary": ("branch_secretary", OTHER_COMMUNITY),
    "enterprise": ("enterprise", "4301"),
    "auditor": ("auditor", ""),
    "administrator": ("administrator", ""),
    "auditor with a division": ("auditor", "4301"),
    "administrator with a division": ("administrator", "4301"),
    "community without a division": ("community", ""),
    "city without a division": ("city", ""),
}


@pytest.fixture
def everything_about_a_person(client):
    """Somebody with a photograph, a session under review, a message, a follow-up and an import of the community."""
    person = a_retiree(name="欧阳秀英")
    phone = oneself(person)
    face_references.put_photo(person["_id"], b"photo", "staff", COMMUNITY_WORKER)
    attempt = an_attempt(person, phone)
    transaction(lambda session: certification_sessions.settle(session, attempt, "review", ["match_doubtful"], {}))
    follow_up = follow_ups.ask_for_help(person["_id"], "window", "", phone)
    message = a_message(person, title="欧阳秀英的消息")
    delivery = deliveries.make(message, deliveries.CALL, clock.now())
    deliveries.put_all([delivery])
    row = imports.start(imports.ROSTER, "花名册.xlsx", b"PK\x03\x04", COMMUNITY_WORKER)
    # drawn for a second look as well, so that every route has something to hide
    look = {"state": second_looks.WAITING, "until": clock.now() + clock.days(7)}
    collection("certification_sessions").update_one({"_id": attempt["_id"]}, {"$set": {"second_look": look}})
    alarm = transaction(
        lambda session: face_alarms.raise_alarm(
            session, face_alarms.SAME_FILM, account_id=phone.account_id, retiree_ids=[person["_id"]],
            division=person["division"], session_id=attempt["_id"],
        )
    )  # fmt: skip
    return {
        "retiree_id": person["_id"],
        "session_id": attempt["_id"],
        "review_id": attempt["_id"],
        "look_id": attempt["_id"],
        "alarm_id": alarm["_id"],
        "follow_up_id": follow_up["_id"],
        "message_id": message["_id"],
        "notice_id": a_published_notice()["_id"],
        "file_id": ObjectId(),
        "delivery_id": delivery["_id"],
        "import_id": row["_id"],
        "binding_id": collection("bindings").find_one({"retiree_id": person["_id"]})["_id"],
        "number": 0,
    }


BODIES = {
    "PATCH /api/v1/retirees/<objectid:retiree_id>": {"json": {"native_place": "示范"}},
    "POST /api/v1/retirees/<objectid:retiree_id>/reveals": {"json": {"field": "phone", "purpose": "联系"}},
    "PUT /api/v1/retirees/<objectid:retiree_id>/suspension": {"json": {"suspended_on": None}},
    "POST /api/v1/retirees/<objectid:retiree_id>/certifications": {
        "json": {"method": "window", "certified_on": clock.today().isoformat()}
    },
    "POST /api/v1/retirees/<objectid:retiree_id>/certification-help": {"json": {"method": "window"}},
    "POST /api/v1/retirees/<objectid:retiree_id>/certification-sessions": {"json": {"consent": True}},
    "POST /api/v1/follow-ups/<objectid:follow_up_id>/completion": {"json": {"outcome": "已办理"}},
    "POST /api/v1/certification-reviews/<objectid:review_id>/decision": {"json": {"approve": True, "reason": "是本人"}},
    "POST /api/v1/me/bindings/<objectid:binding_id>/confirmation": {"json": {"code": "123456"}},
    "POST /api/v1/retirees/<objectid:retiree_id>/face/unlock": {"json": {"reason": "已见到本人"}},
    "PUT /api/v1/retirees/<objectid:retiree_id>/contact-settings": {
        "json": {"channels": {"wechat": True, "sms": True, "call": True, "paper": True}, "copy_family": False}
    },
    "POST /api/v1/face-alarms/<objectid:alarm_id>/closure": {"json": {"finding": "harmless", "note": "已核实"}},
    "POST /api/v1/second-looks/<objectid:look_id>/answer": {"json": {"answer": "same"}},
    "POST /api/v1/deliveries/<objectid:delivery_id>/reached": {"json": {"note": "女儿接的电话"}},
    "PATCH /api/v1/notices/<objectid:notice_id>": {"json": {"title": "示范"}},
    "POST /api/v1/notices/<objectid:notice_id>/review": {"json": {"approve": True}},
    "POST /api/v1/notices/<objectid:notice_id>/publication": {"json": {}},
    "POST /api/v1/notices/<objectid:notice_id>/withdrawal": {"json": {"reason": "写错了"}},
    "POST /api/v1/notices/<objectid:notice_id>/corrections": {"json": {"reason": "写错了"}},
}
PICTURE = io.BytesIO()
PIL.Image.new("RGB", (40, 40)).save(PICTURE, "JPEG")
UPLOADS = {
    "PUT /api/v1/retirees/<objectid:retiree_id>/face": ("photo", PICTURE.getvalue()),
    "POST /api/v1/notices/<objectid:notice_id>/pictures": ("file", PICTURE.getvalue()),
    "POST /api/v1/notices/<objectid:notice_id>/attachments": ("file", b"%PDF-1.7\n%%EOF\n"),
}


LISTS = [
    f"{V1}/{name}"
    for name in (
        "retirees", "retirees/imports", "certification-reviews", "follow-ups", "face-alarms", "second-looks", "notices",
        "deliveries",
    )
]  # fmt: skip


def routes_about_somebody(application) -> list[tuple[str, str, str]]:
    return [
        (method, rule.rule, f"{method} {rule.rule}")
        for rule in application.url_map.iter_rules()
        if "objectid:" in rule.rule
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
    ]


@pytest.mark.parametrize("who", OUTSIDERS)
def test_outside_ones_area_every_route_about_somebody_answers_404_and_shows_nothing(
    application, client, everything_about_a_person, who
):
    headers = {**sign_in_as(*OUTSIDERS[who]), "If-Match": '"1"'}
    role = OUTSIDERS[who][0]
    asked = 0
    for method, rule, name in routes_about_somebody(application):
        view = application.view_functions[
            next(r.endpoint for r in application.url_map.iter_rules() if r.rule == rule and method in r.methods)
        ]
        path = re.sub(r"<\w+:(\w+)>", lambda found: str(everything_about_a_person[found[1]]), rule)
        more = BODIES.get(name, {})
        if name in UPLOADS:
            field, data = UPLOADS[name]
            more = {"data": {field: (io.BytesIO(data), "x")}, "content_type": "multipart/form-data"}
        if "/library/" in rule:
            more = {"query_string": {"retiree_id": str(everything_about_a_person["retiree_id"])}}
        reply = client.open(path, method=method, headers=headers, **more)
        if role in view.allowed:
            assert (reply.status_code, reply.json and reply.json["status"]) == (404, 404), (name, reply.text)
            asked += 1
        else:
            assert (reply.status_code, reply.json["code"]) == (403, "not_allowed"), name
        assert "欧阳" not in reply.text, name
        assert str(everything_about_a_person["retiree_id"]) not in reply.text, name
    assert asked > 0 or role in ("auditor", "administrator")


@pytest.mark.parametrize("who", OUTSIDERS)
def test_outside_ones_area_every_list_is_empty(application, client, everything_about_a_person, who):
    headers = sign_in_as(*OUTSIDERS[who])
    role = OUTSIDERS[who][0]
    for rule in application.url_map.iter_rules():
        view = application.view_functions[rule.endpoint]
        if "GET" in rule.methods and rule.rule.startswith("/api/v1") and "<" not in rule.rule:
            reply = client.get(rule.rule, headers=headers)
            assert "欧阳".encode() not in reply.data, rule.rule
            if role not in view.allowed:
                assert reply.status_code == 403, rule.rule
            elif rule.rule in LISTS:
                assert reply.json == [], rule.rule
            elif rule.rule == f"{V1}/overview":
                shown = reply.json
                assert sum(shown["certification"].values()) == shown["reviews"] == shown["follow_ups"] == 0


@pytest.mark.parametrize("q", ["欧阳", "id_number", "phone"])
@pytest.mark.parametrize("who", [who for who, (role, _) in OUTSIDERS.items() if role in READERS])
def test_a_search_finds_nobody_outside_the_area_whatever_is_known_of_the_person(client, who, q):
    person = a_retiree(name="欧阳秀英")
    headers = sign_in_as(*OUTSIDERS[who])
    found = client.get(RETIREES, query_string={"q": person.get(q, q)}, headers=headers)
    assert (found.status_code, found.json) == (200, [])
    found = client.get(RETIREES, query_string={"division": COMMUNITY}, headers=headers)
    assert found.json == []


@pytest.mark.parametrize("role", ["auditor", "administrator"])
def test_auditors_and_administrators_see_no_people_at_all(client, role):
    person = a_retiree()
    headers = a_worker(role, "4301")
    for path in ("", f"/{person['_id']}", f"/{person['_id']}/certification", f"/{person['_id']}/face", "/imports"):
        assert client.get(RETIREES + path, headers=headers).status_code == 403


@pytest.mark.parametrize("role", [*READERS, "retiree", "family"])
def test_party_membership_is_shown_to_the_person_and_the_branch_only(client, role):
    person = a_retiree(party_member=True, enterprise="示范厂")
    headers = {
        "retiree": lambda: headers_of(oneself(person)),
        "family": lambda: headers_of(helper_of(person)),
    }.get(role, lambda: a_worker(role, COMMUNITY, enterprise="示范厂"))()
    shown = client.get(f"{RETIREES}/{person['_id']}", headers=headers).json
    assert shown["name"] == person["name"]
    assert ("party_member" in shown) is (role in ("retiree", "family", "branch_secretary"))
    if role in READERS:
        assert "party_member" not in client.get(RETIREES, headers=headers).json[0]


@pytest.mark.parametrize("role", [*READERS, "retiree", "family"])
def test_no_reply_holds_a_whole_number_telephone_or_address(client, role):
    person = a_retiree(
        address="示范市银杏区桂花路5号3栋301", emergency_phone="16955556666", enterprise="示范厂", party_member=True
    )
    headers = {
        "retiree": lambda: headers_of(oneself(person)),
        "family": lambda: headers_of(helper_of(person)),
    }.get(role, lambda: a_worker(role, COMMUNITY, enterprise="示范厂"))()
    texts = [client.get(f"{RETIREES}/{person['_id']}", headers=headers).text]
    if role in READERS:
        texts.append(client.get(RETIREES, headers=headers).text)
        texts.append(client.get(RETIREES, query_string={"q": person["id_number"]}, headers=headers).text)
    for text in texts:
        assert person["_id"].__str__() in text
        for secret in (person["id_number"], person["phone"], "5号3栋301", "16955556666"):
            assert secret not in text


def test_a_list_shows_the_strict_mask_and_the_page_of_one_person_the_wider(client):
    person = a_retiree(id_number="430102195503071216", sex="male", phone="13812345678")
    headers = a_worker()
    row = client.get(RETIREES, headers=headers).json[0]
    assert (row["id_number"], row["phone"]) == ("4****************6", "138****5678")
    shown = client.get(f"{RETIREES}/{person['_id']}", headers=headers).json
    assert (shown["id_number"], shown["phone"]) == ("430102********1216", "138****5678")


def test_a_whole_number_is_shown_for_a_purpose_and_the_look_is_audited(client):
    person, headers = a_retiree(), a_worker()
    path = f"{RETIREES}/{person['_id']}/reveals"
    shown = client.post(path, json={"field": "phone", "purpose": "打电话约上门"}, headers=headers)
    assert (shown.status_code, shown.json) == (200, {"value": person["phone"]})
    entry = collection("audit").find_one({"action": "retiree.revealed"})
    assert entry["after"] == {"field": "phone", "purpose": "打电话约上门"}
    assert entry["actor"]["ip"] == "127.0.0.1"
    assert entry["request_id"] == shown.headers["X-Request-Id"]
    for body in ({"field": "phone"}, {"field": "phone", "purpose": ""}, {"field": "party_member", "purpose": "好奇"}):
        assert client.post(path, json=body, headers=headers).status_code == 422
    for role in ("archive_keeper", "branch_secretary", "enterprise"):
        refused = client.post(path, json={"field": "phone", "purpose": "好奇"}, headers=a_worker(role))
        assert refused.status_code == 403


def test_a_role_that_was_taken_away_counts_from_the_next_request(client):
    account_id = accounts.open_staff("zhang", PASSWORD, access.CITY, "4301")
    headers = bearer(sign_ins.start(account_id)["access_token"])
    a_retiree()
    assert len(client.get(RETIREES, headers=headers).json) == 1
    collection("accounts").update_one({"_id": account_id}, {"$set": {"division": "5405"}})
    assert client.get(RETIREES, headers=headers).json == []
    collection("accounts").update_one({"_id": account_id}, {"$set": {"role": access.AUDITOR}})
    assert client.get(RETIREES, headers=headers).status_code == 403
    collection("accounts").update_one({"_id": account_id}, {"$set": {"enabled": False}})
    refused = client.get(RETIREES, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (401, "account_disabled")


# ---- Adding and editing


def a_body(**fields) -> dict:
    return {"name": "张桂兰", "id_number": an_id_number(), "division": COMMUNITY, **fields}


def test_a_worker_adds_a_person_once(client):
    headers, body = a_worker(), a_body()
    made = client.post(RETIREES, json=body, headers=headers)
    assert made.status_code == 201, made.text
    assert (made.json["sex"], made.json["birth_differs"], made.json["completeness"]) == ("female", False, 2)
    again = client.post(RETIREES, json=body, headers=headers)
    assert (again.status_code, again.json["code"]) == (409, "already_in_ledger")


def test_a_person_who_is_added_twice_with_one_key_is_added_once_and_told_the_same(client):
    headers = {**a_worker(), "Idempotency-Key": "tap-tap"}
    body = a_body()
    replies = [client.post(RETIREES, json=body, headers=headers) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 201]
    assert replies[0].json == replies[1].json
    assert collection("retirees").count_documents({}) == 1
    other = client.post(RETIREES, json=a_body(), headers=headers)
    assert (other.status_code, other.json["code"]) == (422, "key_reused")
    assert client.post(RETIREES, json=a_body(), headers={**headers, "Idempotency-Key": "a b"}).status_code == 422


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"id_number": "430102195503071217"}, "/id_number"),
        ({"id_number": "430182195511311111"}, "/id_number"),
        ({"id_number": "430102209901010050"}, "/id_number"),
        ({"sex": "male"}, "/sex"),
        ({"sex": "other"}, "/sex"),
        ({"name": "Zhang"}, "/name"),
        ({"name": "张"}, "/name"),
        ({"name": None}, "/name"),
        ({"phone": "12345"}, "/phone"),
        ({"division": OTHER_COMMUNITY}, "/division"),
        ({"division": "4301"}, "/division"),
        ({"recognised_birth": "1950-13-01"}, "/recognised_birth"),
        ({"hardship": "低保"}, "/hardship"),
        ({"hardship": [1]}, "/hardship/0"),
        ({"party_member": True}, "/party_member"),
        ({"certification": {}}, "/certification"),
        ({"$where": "1"}, "/$where"),
        ({"address": "x" * 201}, "/address"),
        ({"address": "a\x00b"}, "/address"),
    ],
)
def test_a_field_that_does_not_fit_is_named_by_its_pointer(client, fields, pointer):
    refused = client.post(RETIREES, json=a_body(**fields), headers=a_worker())
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]
    assert collection("retirees").count_documents({}) == 0


def test_an_edit_says_which_version_it_has_seen(client):
    person, headers = a_retiree(), a_worker()
    path = f"{RETIREES}/{person['_id']}"
    tag = client.get(path, headers=headers).headers["ETag"]
    assert tag == '"1"'
    missing = client.patch(path, json={"native_place": "示范"}, headers=headers)
    assert (missing.status_code, missing.json["code"]) == (428, "version_required")
    changed = client.patch(path, json={"native_place": "示范"}, headers={**headers, "If-Match": tag})
    assert (changed.status_code, changed.headers["ETag"], changed.json["native_place"]) == (200, '"2"', "示范")
    stale = client.patch(path, json={"native_place": "别处"}, headers={**headers, "If-Match": tag})
    assert (stale.status_code, stale.json["code"]) == (412, "stale")
    assert client.get(path, headers=headers).json["native_place"] == "示范"


@pytest.mark.parametrize("tag", ["*", '"x"', '"\u00b2"', '"99999999999999999999999"', 'W/"1"', '"-1"', '""'])
def test_a_version_that_nobody_gave_out_is_stale(client, tag):
    person = a_retiree()
    reply = client.patch(
        f"{RETIREES}/{person['_id']}", json={"native_place": "示范"}, headers={**a_worker(), "If-Match": tag}
    )
    assert reply.status_code == 412


def test_what_a_worker_may_not_edit_is_refused_by_name(client):
    person = a_retiree()
    for field in ("id_number", "party_member", "version", "face", "certification", "_id"):
        reply = client.patch(
            f"{RETIREES}/{person['_id']}", json={field: None}, headers={**a_worker(), "If-Match": '"1"'}
        )
        assert [error["pointer"] for error in reply.json["errors"]] == [f"/{field}"]


@pytest.mark.parametrize("role", ["archive_keeper", "branch_secretary", "enterprise", "auditor", "administrator"])
def test_only_the_office_edits_the_ledger(client, role):
    person = a_retiree()
    headers = {**a_worker(role), "If-Match": '"1"'}
    assert client.patch(f"{RETIREES}/{person['_id']}", json={}, headers=headers).status_code == 403
    assert client.post(RETIREES, json=a_body(), headers=headers).status_code == 403


# ---- Lists


def test_a_list_has_pages_and_says_so_in_a_header(client):
    for _ in range(5):
        a_retiree()
    headers = a_worker()
    reply = client.get(RETIREES, query_string={"page": 2, "page_size": 2, "q": "wxy"}, headers=headers)
    assert len(reply.json) == 2
    pages = json.loads(reply.headers["X-Pagination"])
    assert (pages["total"], pages["total_pages"], pages["page"], pages["next_page"]) == (5, 3, 2, 3)
    assert client.get(RETIREES, query_string={"page": 10**30}, headers=headers).json == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"page": 0}, "/page"),
        ({"page": "x"}, "/page"),
        ({"page_size": 101}, "/page_size"),
        ({"certification": "maybe"}, "/certification"),
        ({"division": "43'; drop"}, "/division"),
        ({"q": "x" * 51}, "/q"),
        ({"secret": "1"}, "/secret"),
    ],
)
def test_a_query_that_does_not_fit_is_named_by_its_pointer(client, query, pointer):
    refused = client.get(RETIREES, query_string=query, headers=a_worker())
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


def test_an_id_that_is_none_is_no_page(client):
    headers = a_worker()
    for wrong in ("x", "1", "0" * 23, "0" * 25, "A" * 24, "../me", "%00" * 24):
        assert client.get(f"{RETIREES}/{wrong}", headers=headers).status_code in (404, 308)
    assert client.get(f"{RETIREES}/{'0' * 24}", headers=headers).json["code"] == "retiree_not_found"


def test_two_taps_at_once_with_one_key_add_one_person_and_the_second_hears_to_wait_or_the_same(application, client):
    headers, body = {**a_worker(), "Idempotency-Key": "tap-tap"}, a_body()
    replies = at_once(*[lambda: application.test_client().post(RETIREES, json=body, headers=headers)] * 3)
    assert 201 in {reply.status_code for reply in replies}
    assert all(reply.status_code == 201 or reply.json["code"] == "still_running" for reply in replies)
    assert len({reply.json["id"] for reply in replies if reply.status_code == 201}) == 1
    assert collection("retirees").count_documents({}) == 1


@pytest.mark.parametrize("role", [*READERS, "retiree"])
def test_health_and_hardship_are_for_the_person_and_the_community_that_helps(client, role):
    person = a_retiree(health="chronic", hardship=["lonely"], enterprise="示范厂", party_member=True)
    headers = headers_of(oneself(person)) if role == "retiree" else a_worker(role, COMMUNITY, enterprise="示范厂")
    shown = client.get(f"{RETIREES}/{person['_id']}", headers=headers).json
    helps = role in ("retiree", *access.OFFICE)
    assert ("health" in shown, "hardship" in shown, "liveness_note" in shown) == (helps, helps, helps)
