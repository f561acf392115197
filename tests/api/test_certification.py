"""The whole story over HTTP: from a phone that signs in to a certificate that the community sees."""

from __future__ import annotations

import datetime as dt
import io
import re

import pytest
import time_machine

from models import clock, face_references
from models.database import collection
from tests.builders import OTHER_COMMUNITY, a_retiree, finish_work, headers_of, helper_of, oneself
from tests.faces import actors
from tests.story import (
    V1,
    a_wechat_sandbox,
    a_worker,
    acted,
    agreed,
    at_home_on_the_phone,
    at_once,
    attempt_over_http,
    bearer,
    bind,
    code_sent_to,
    enrolled,
    fail_over_http,
    files_stored,
    multipart,
    nothing_to_see,
    send_frames,
    settings_with,
    start_session,
)

JPEG = b"\xff\xd8\xff\xe0 begins like a photograph"


def path_of(person) -> str:
    return f"{V1}/retirees/{person['_id']}"


# ---- From the sign-in to the certificate


def test_a_retiree_signs_in_by_sms_certifies_by_face_and_the_community_sees_it(client):
    person = a_retiree(name="欧阳秀英")
    enrolled(person)
    phone = at_home_on_the_phone(client, person)
    seen = attempt_over_http(client, person, phone)
    today, due = clock.today(), clock.add_months(clock.today(), 12)
    assert (seen["state"], seen["next"], seen["reasons"]) == ("passed", "done", [])
    assert seen["certificate"]["method_name"] == "人脸认证"
    assert seen["certificate"]["due_on"] == due.isoformat()
    assert f"{due.year}年{due.month}月{due.day}日" in seen["message"]
    assert client.get(path_of(person) + "/certification", headers=phone).json["state"] == "valid"
    assert [row["certified_on"] for row in client.get(path_of(person) + "/certifications", headers=phone).json] == [
        today.isoformat()
    ]
    inbox = client.get(path_of(person) + "/inbox", headers=phone).json["items"]
    assert [message["title"] for message in inbox] == ["认证成功"]
    assert client.put(f"{V1}/inbox/{inbox[0]['id']}/read", headers=phone).status_code == 204
    assert client.get(path_of(person) + "/inbox", headers=phone).json["items"][0]["read_at"].endswith("+08:00")

    worker = a_worker()
    row = client.get(f"{V1}/retirees?certification=valid", headers=worker).json[0]
    assert row["certification"] == {
        "state": "valid", "last_certified_on": today.isoformat(), "due_on": due.isoformat(),
        "suspended_on": None,
    }  # fmt: skip
    assert client.get(path_of(person) + "/certifications", headers=worker).json[0]["method"] == "face"
    page = client.get(f"/verify/{seen['certificate']['code']}")
    assert page.status_code == 200
    assert "欧***" in page.text
    assert "欧阳秀英" not in page.text
    assert files_stored() == 1, "the photograph of enrolment; every frame is gone"


def test_a_daughter_signs_in_with_wechat_and_certifies_her_mother_after_the_mothers_phone_agreed(client):
    mother = a_retiree()
    enrolled(mother)
    with a_wechat_sandbox():
        signed_in = client.post(f"{V1}/auth/wechat", json={"code": "daughter:1"})
    assert signed_in.status_code == 200
    daughter = bearer(signed_in.json["access_token"])
    asked = bind(client, mother, daughter, "child")
    assert (asked.status_code, asked.json["state"], asked.json["retiree"]) == (202, "code_required", None)
    assert asked.json["phone"] == f"{mother['phone'][:3]}****{mother['phone'][-4:]}"
    assert client.get(path_of(mother), headers=daughter).status_code == 404, "not before the phone on record agreed"
    code = code_sent_to(mother["phone"], "binding_code")
    bound = client.post(f"{V1}/me/bindings/{asked.json['id']}/confirmation", json={"code": code}, headers=daughter)
    assert (bound.status_code, bound.json["retiree"]["name"]) == (200, mother["name"])
    me = client.get(f"{V1}/me", headers=daughter).json
    assert (me["role"], [row["relation"] for row in me["retirees"]]) == ("family", ["child"])
    assert attempt_over_http(client, mother, daughter)["state"] == "passed"


def test_whoever_is_not_enrolled_is_looked_at_by_a_person_and_passes_alone_the_next_time(client):
    person = a_retiree()
    phone = at_home_on_the_phone(client, person)
    seen = attempt_over_http(client, person, phone)
    assert (seen["state"], seen["next"], seen["reasons"]) == ("in_review", "wait", ["not_enrolled"])
    assert "工作人员" in seen["message"]
    assert client.get(path_of(person) + "/certification", headers=phone).json["state"] == "checking"

    worker = a_worker()
    (waiting,) = client.get(f"{V1}/certification-reviews", headers=worker).json
    review = client.get(f"{V1}/certification-reviews/{waiting['id']}", headers=worker).json
    assert review["figures"]["policy"]
    assert review["frames"][0]["action"] == "neutral"
    frame = client.get(f"{V1}/certification-reviews/{waiting['id']}/frames/0", headers=worker)
    assert (frame.mimetype, frame.data[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    decided = client.post(
        f"{V1}/certification-reviews/{waiting['id']}/decision",
        json={"approve": True, "reason": "与身份证照片一致"},
        headers=worker,
    )
    assert (decided.status_code, decided.json["state"]) == (200, "passed")
    finish_work()
    assert client.get(f"{V1}/certification-reviews", headers=worker).json == []
    assert client.get(path_of(person) + "/certifications", headers=phone).json[0]["method"] == "face_review"
    assert client.get(f"{V1}/certification-reviews/{waiting['id']}/frames/0", headers=worker).status_code == 404
    assert files_stored() == 1, "the first neutral frame has become the photograph"
    assert client.get(path_of(person) + "/face", headers=phone).json["enrolled"]

    again = attempt_over_http(client, person, phone, seed=50)
    assert (again["state"], again["certificate"]["method"]) == ("passed", "face")


def test_three_failures_in_a_row_lead_to_a_person_who_certifies_by_hand(client):
    person = a_retiree()
    phone = at_home_on_the_phone(client, person)
    outcomes = [fail_over_http(client, person, phone) for _ in range(3)]
    assert [outcome["state"] for outcome in outcomes] == ["failed"] * 3
    assert [outcome["next"] for outcome in outcomes] == ["try_again", "try_again", "ask_a_person"]
    assert all(outcome["advice"] for outcome in outcomes)
    assert client.get(path_of(person) + "/certification", headers=phone).json["wants_a_person"]
    refused = start_session(client, person, phone)
    assert (refused.status_code, refused.json["code"]) == (409, "ask_a_person")

    help_path = path_of(person) + "/certification-help"
    asked = client.post(help_path, json={"method": "home_visit", "note": "腿脚不便"}, headers=phone)
    assert asked.status_code == 201
    assert "上门" in asked.json["message"]
    worker = a_worker()
    (row,) = client.get(f"{V1}/follow-ups", headers=worker).json
    assert (row["method"], row["note"], row["retiree"]["name"]) == ("home_visit", "腿脚不便", person["name"])
    done = client.post(
        path_of(person) + "/certifications",
        json={"method": "home_visit", "certified_on": clock.today().isoformat(), "note": "上门见到本人"},
        headers=worker,
    )
    assert done.status_code == 201
    finish_work()
    assert client.get(f"{V1}/follow-ups", headers=worker).json == []
    status = client.get(path_of(person) + "/certification", headers=phone).json
    assert (status["state"], status["help"], status["wants_a_person"]) == ("valid", None, False)
    titles = [row["title"] for row in client.get(path_of(person) + "/inbox", headers=phone).json["items"]]
    assert titles.count("人脸认证没有通过") == 3
    assert {"认证成功", "已收到您的申请"} < set(titles)


def test_somebody_else_before_the_camera_fails_and_the_retiree_hears_of_it(client):
    person = a_retiree()
    enrolled(person, "grace_hopper")
    phone = at_home_on_the_phone(client, person)
    seen = attempt_over_http(client, person, phone)
    assert (seen["state"], seen["reasons"]) == ("failed", ["different_person"])
    assert client.get(path_of(person) + "/inbox", headers=phone).json["items"][0]["title"] == "人脸认证没有通过"


def test_a_photograph_held_before_the_camera_certifies_nobody(client):
    person = a_retiree()
    enrolled(person)
    phone = headers_of(oneself(person))
    session = start_session(client, person, phone).json
    send_frames(client, session["id"], actors.still("astronaut", session["actions"], seed=7), phone)
    finish_work()
    seen = client.get(f"{V1}/certification-sessions/{session['id']}", headers=phone).json
    assert seen["state"] in ("failed", "in_review")
    assert collection("certificates").count_documents({}) == 0


def test_a_film_that_is_played_again_fails_as_seen_before(client):
    person = a_retiree()
    enrolled(person)
    phone = headers_of(oneself(person))
    with settings_with(FACE_ACTIONS=("nod", "blink")):
        first = start_session(client, person, phone).json
        parts = acted(first)
        send_frames(client, first["id"], parts, phone)
        finish_work()
        second = start_session(client, person, phone).json
        while second["actions"] != first["actions"]:
            collection("certification_sessions").update_many({}, {"$set": {"created_at": clock.now() - clock.days(2)}})
            second = start_session(client, person, phone).json
    send_frames(client, second["id"], parts, phone)
    finish_work()
    seen = client.get(f"{V1}/certification-sessions/{second['id']}", headers=phone).json
    assert (seen["state"], seen["reasons"]) == ("failed", ["seen_before"])
    assert collection("certificates").count_documents({}) == 1


# ---- Those who cannot, and those who will not


@pytest.mark.parametrize("why", ["a note on the person", "one tap"])
def test_whoever_cannot_do_actions_shows_the_face_only_and_a_person_decides(client, why):
    person = a_retiree(liveness_note="颈椎病，不能转头" if why == "a note on the person" else None)
    enrolled(person)
    phone = headers_of(oneself(person))
    asked = client.get(path_of(person) + "/certification", headers=phone).json["can_do_actions"]
    assert asked is (why == "one tap")
    session = start_session(client, person, phone, **({"can_do_actions": False} if asked else {})).json
    assert session["actions"] == []
    send_frames(client, session["id"], [("neutral", data) for data in actors.frames("astronaut", "neutral")], phone)
    finish_work()
    seen = client.get(f"{V1}/certification-sessions/{session['id']}", headers=phone).json
    assert (seen["state"], seen["next"]) == ("in_review", "wait")
    assert "no_actions_asked" in seen["reasons"]


def test_consent_is_asked_for_given_and_withdrawn_and_the_other_methods_remain(client):
    person = a_retiree()
    phone, worker = headers_of(oneself(person)), a_worker()
    text = client.get(f"{V1}/consent-texts/face", headers=phone).json
    assert any("撤回" in paragraph for paragraph in text["paragraphs"])
    missing = start_session(client, person, phone, consent=False)
    assert (missing.status_code, missing.json["code"]) == (409, "consent_required")
    photo = {"photo": (io.BytesIO(actors.photo()), "id.jpg"), "consent_on_paper": "true"}
    put = client.put(path_of(person) + "/face", data=photo, headers=worker, content_type="multipart/form-data")
    assert put.status_code == 202, put.text
    finish_work()
    held = client.get(path_of(person) + "/face", headers=phone).json
    assert (held["state"], held["enrolled"], held["consent"]["version"]) == ("ready", True, text["version"])
    session = start_session(client, person, phone, consent=False).json
    send_frames(client, session["id"], acted(session), phone)

    assert client.delete(path_of(person) + "/face", headers=phone).status_code == 204
    assert files_stored() == collection("files.chunks").count_documents({}) == 0
    assert collection("face_references").count_documents({}) == 0
    finish_work()
    seen = client.get(f"{V1}/certification-sessions/{session['id']}", headers=phone).json
    assert (seen["state"], seen["reasons"]) == ("failed", ["consent_withdrawn"])
    assert "撤回" in seen["message"]
    held = client.get(path_of(person) + "/face", headers=phone).json
    assert (held["state"], held["enrolled"], held["has_photo"], held["consent"]) == ("none", False, False, None)
    assert not client.get(path_of(person), headers=worker).json["face_enrolled"]
    by_hand = {"method": "window", "certified_on": clock.today().isoformat()}
    assert client.post(path_of(person) + "/certifications", json=by_hand, headers=worker).status_code == 201
    asked = client.post(path_of(person) + "/certification-help", json={"method": "video"}, headers=phone)
    assert asked.status_code == 201


def test_a_photograph_that_came_before_consent_becomes_a_template_with_the_first_attempt(client):
    person = a_retiree()
    photo = {"photo": (io.BytesIO(actors.photo()), "id.jpg")}
    worker = a_worker()
    client.put(path_of(person) + "/face", data=photo, headers=worker, content_type="multipart/form-data")
    finish_work()
    assert not face_references.of(person["_id"])["enrolled"]
    assert attempt_over_http(client, person, headers_of(oneself(person)))["state"] == "passed"
    assert face_references.of(person["_id"])["enrolled"]


# ---- Two at once, too late, too often


def test_two_phones_at_once_get_one_session(application, client):
    person = a_retiree()
    phones = [headers_of(oneself(person)), headers_of(helper_of(person))]
    replies = at_once(
        *[lambda phone=phone: start_session(application.test_client(), person, phone) for phone in phones]
    )
    assert sorted(reply.status_code for reply in replies) == [201, 409]
    refused = next(reply for reply in replies if reply.status_code == 409)
    assert refused.json["code"] == "session_open"
    assert "另一部手机" in refused.json["detail"]


def test_two_workers_who_decide_one_review_one_wins(application, client):
    person = a_retiree()
    phone = headers_of(oneself(person))
    session = attempt_over_http(client, person, phone)
    workers = [a_worker(), a_worker()]
    path = f"{V1}/certification-reviews/{session['id']}/decision"
    replies = at_once(
        *[
            lambda worker=worker: application.test_client().post(
                path, json={"approve": True, "reason": "是本人"}, headers=worker
            )
            for worker in workers
        ]
    )
    assert sorted(reply.status_code for reply in replies) == [200, 409]
    assert collection("certificates").count_documents({}) == 1


def test_frames_after_the_time_are_answered_410_and_the_session_says_expired(client):
    person = a_retiree()
    phone = headers_of(oneself(person))
    session = start_session(client, person, phone).json
    with time_machine.travel(clock.now() + clock.seconds(200), tick=False):
        late = send_frames(client, session["id"], nothing_to_see(session), phone)
        assert (late.status_code, late.json["code"]) == (410, "session_expired")
        seen = client.get(f"{V1}/certification-sessions/{session['id']}", headers=phone).json
        assert (seen["state"], seen["next"]) == ("expired", "try_again")
        assert "再试一次" in seen["message"]


def test_frames_sent_twice_are_answered_409(client):
    person = a_retiree()
    phone = headers_of(oneself(person))
    session = start_session(client, person, phone).json
    assert send_frames(client, session["id"], nothing_to_see(session), phone).status_code == 202
    again = send_frames(client, session["id"], nothing_to_see(session), phone)
    assert (again.status_code, again.json["code"]) == (409, "already_sent")


def test_frames_sent_twice_with_one_idempotency_key_get_the_same_reply(client):
    person = a_retiree()
    phone = headers_of(oneself(person))
    session = start_session(client, person, phone).json
    parts = nothing_to_see(session)
    key = {"Idempotency-Key": "the-train-went-into-a-tunnel"}
    first = send_frames(client, session["id"], parts, phone, **key)
    again = send_frames(client, session["id"], parts, phone, **key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json == again.json
    other = send_frames(client, session["id"], nothing_to_see(session), phone, **key)
    assert (other.status_code, other.json["code"]) == (422, "key_reused")


def test_frames_from_another_phone_are_answered_409(client):
    person = a_retiree()
    session = start_session(client, person, headers_of(oneself(person))).json
    other = send_frames(client, session["id"], nothing_to_see(session), headers_of(helper_of(person)))
    assert (other.status_code, other.json["code"]) == (409, "other_phone")


def test_the_phone_never_sees_the_figures_of_its_attempt(client):
    person = a_retiree()
    enrolled(person)
    seen = attempt_over_http(client, person, headers_of(oneself(person)))
    assert not {"figures", "distance", "nonce", "frames"} & set(seen)


# ---- Broken uploads


@pytest.fixture
def open_session(client):
    person = a_retiree()
    phone = headers_of(oneself(person))
    return start_session(client, person, phone).json, phone


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_an_image"),
        (b"this is a text", "not_an_image"),
        (b"GIF89a" + b"\x00" * 100, "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
        (b"%PDF-1.7", "not_an_image"),
        (b"\xff\xd8", "not_an_image"),
        (JPEG + b"\x00" * (11 * 1024 * 1024), "image_too_large"),
    ],
    ids=["empty", "text", "gif", "svg", "pdf", "two bytes", "11 MB"],
)
def test_what_is_no_photograph_is_refused_by_its_content_and_its_part_is_named(client, open_session, content, code):
    session, phone = open_session
    parts = nothing_to_see(session)
    parts[1] = (parts[1][0], content)
    refused = send_frames(client, session["id"], parts, phone)
    assert (refused.status_code, refused.json["code"]) == (422, code)
    assert refused.json["errors"][0]["pointer"] == f"/{parts[1][0]}"
    assert re.search("[\u4e00-\u9fff]", refused.json["detail"])
    assert files_stored() == 0


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda: actors.photo()[:5000],
        lambda: actors.photo()[:300] + b"\x00" * 5000,
        lambda: JPEG,
        lambda: b"\x89PNG\r\n\x1a\n" + b"\x00" * 50,
        lambda: b"RIFF\x00\x00\x00\x00WEBP" + b"\x00" * 50,
    ],
    ids=["truncated", "zeroes", "only the mark", "empty png", "empty webp"],
)
def test_a_photograph_that_is_broken_inside_fails_with_advice_and_breaks_nothing(client, open_session, spoilt):
    session, phone = open_session
    data = spoilt()
    parts = [(name, data + bytes([place])) for place, (name, _) in enumerate(nothing_to_see(session))]
    assert send_frames(client, session["id"], parts, phone).status_code == 202
    finish_work()
    seen = client.get(f"{V1}/certification-sessions/{session['id']}", headers=phone).json
    assert seen["state"] == "failed"
    assert seen["advice"]
    assert collection("outbox").count_documents({"state": {"$ne": "done"}}) == 0


@pytest.mark.parametrize(
    ("request_parts", "status", "code"),
    [
        ({}, 422, "frames_missing"),
        ({"json": {"neutral": "x"}}, 422, "frames_missing"),
        ({"data": b"\xff\xd8\xff", "content_type": "image/jpeg"}, 422, "frames_missing"),
        ({"data": {"neutral": "text, no file"}, "content_type": "multipart/form-data"}, 422, "frames_missing"),
        ({"data": b"--x\r\nnonsense", "content_type": "multipart/form-data; boundary=x"}, 422, "frames_missing"),
        ({"data": b"nonsense", "content_type": "multipart/form-data"}, 422, "frames_missing"),
    ],
    ids=["nothing", "json", "one photograph", "a field", "cut off", "no boundary"],
)
def test_what_is_no_upload_of_photographs_is_refused(client, open_session, request_parts, status, code):
    session, phone = open_session
    refused = client.post(f"{V1}/certification-sessions/{session['id']}/frames", headers=phone, **request_parts)
    assert (refused.status_code, refused.json["code"]) == (status, code)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda parts: parts[1:], "frames_out_of_order"),
        (lambda parts: parts[:-1], "frames_out_of_order"),
        (lambda parts: parts[::-1], "frames_out_of_order"),
        (lambda parts: [*parts, ("smile", parts[0][1])], "frames_out_of_order"),
        (lambda parts: [("../../etc/passwd", parts[0][1]), *parts[1:]], "frames_out_of_order"),
        (lambda parts: [*[parts[0]] * 17, *parts[1:]], "too_many_frames"),
        (lambda parts: [*[parts[0]] * 190, *parts[1:]], "too_many_frames"),
    ],
    ids=["no neutral", "one missing", "backwards", "one too many", "a path", "17 of one", "190 of one"],
)
def test_parts_that_do_not_fit_the_session_are_refused(client, open_session, spoil, code):
    session, phone = open_session
    refused = send_frames(client, session["id"], spoil(nothing_to_see(session)), phone)
    assert (refused.status_code, refused.json["code"]) == (422, code)
    assert files_stored() == 0


def test_more_than_two_hundred_parts_are_too_many_for_the_house(client, open_session):
    session, phone = open_session
    refused = send_frames(client, session["id"], [("neutral", JPEG)] * 201, phone)
    assert (refused.status_code, refused.json["code"]) == (413, "too_large")


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(client, open_session):
    session, phone = open_session
    refused = client.post(
        f"{V1}/certification-sessions/{session['id']}/frames",
        headers=phone,
        environ_overrides={"CONTENT_LENGTH": str(65 * 1024 * 1024)},
        **multipart([("neutral", JPEG)]),
    )
    assert (refused.status_code, refused.json["code"]) == (413, "too_large")


# ---- By hand


@pytest.mark.parametrize("method", ["window", "home_visit", "video", "data_match"])
def test_a_worker_certifies_by_hand(client, method):
    person = a_retiree()
    body = {"method": method, "certified_on": clock.today().isoformat(), "note": "见到本人"}
    made = client.post(path_of(person) + "/certifications", json=body, headers=a_worker())
    assert made.status_code == 201
    assert made.json["due_on"] == clock.add_months(clock.today(), 12).isoformat()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"method": "face"}, "/method"),
        ({"method": "astrology"}, "/method"),
        ({"certified_on": "2026-02-30"}, "/certified_on"),
        ({"certified_on": "yesterday"}, "/certified_on"),
        ({"certified_on": (clock.today() + dt.timedelta(days=1)).isoformat()}, "/certified_on"),
        ({"certified_on": "2020-01-01"}, "/certified_on"),
        ({"note": "x" * 501}, "/note"),
        ({"note": "\x00"}, "/note"),
        ({"approved": True}, "/approved"),
    ],
)
def test_a_certificate_by_hand_that_does_not_fit_names_the_field(client, change, pointer):
    person = a_retiree()
    body = {"method": "window", "certified_on": clock.today().isoformat(), **change}
    refused = client.post(path_of(person) + "/certifications", json=body, headers=a_worker())
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


def test_a_suspension_is_noted_by_people_and_ended_by_a_certificate(client):
    person, worker = a_retiree(), a_worker()
    path = path_of(person) + "/suspension"
    body = {"suspended_on": clock.today().isoformat()}
    assert client.put(path, json=body, headers=worker).status_code == 428
    assert client.put(path, json=body, headers={**worker, "If-Match": '"1"'}).status_code == 204
    assert client.put(path, json=body, headers={**worker, "If-Match": '"1"'}).status_code == 412
    assert client.get(path_of(person) + "/certification", headers=worker).json["state"] == "suspended"
    by_hand = {"method": "window", "certified_on": clock.today().isoformat()}
    client.post(path_of(person) + "/certifications", json=by_hand, headers=worker)
    assert client.get(path_of(person) + "/certification", headers=worker).json["state"] == "valid"


def test_a_new_community_sees_the_review_of_whoever_moved_there(client):
    person = a_retiree()
    phone = headers_of(oneself(person))
    attempt_over_http(client, person, phone)
    assert client.get(f"{V1}/certification-reviews", headers=a_worker(division=OTHER_COMMUNITY)).json == []
    client.patch(
        path_of(person),
        json={"division": OTHER_COMMUNITY},
        headers={**a_worker("street", "430102001"), "If-Match": '"1"'},
    )
    assert len(client.get(f"{V1}/certification-reviews", headers=a_worker(division=OTHER_COMMUNITY)).json) == 1


def test_consent_on_paper_is_enough(client):
    person = a_retiree()
    agreed(person)
    assert start_session(client, person, headers_of(oneself(person)), consent=False).status_code == 201
