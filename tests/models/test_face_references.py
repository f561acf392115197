"""The face that attempts are compared with: kept with consent only, gone on withdrawal, counted."""

from __future__ import annotations

import pytest

from models import (
    access,
    by_hand,
    certification_sessions,
    certifications,
    clock,
    consents,
    face_references,
    people,
    rules,
)
from models.access import Actor
from models.database import collection, transaction
from models.errors import Conflict, Forbidden, NotFound
from tests.builders import (
    CITY_WORKER,
    COMMUNITY_WORKER,
    OTHER_COMMUNITY,
    a_retiree,
    an_attempt,
    audit_actions,
    oneself,
)
from tests.story import agreed, files_stored, raw_text_of_the_database

TEMPLATE = b"a template of one hundred and twenty-eight numbers"


def put(person, data: bytes = b"photo", **more) -> None:
    face_references.put_photo(person["_id"], data, "staff", COMMUNITY_WORKER, **more)


def settle(person, template: bytes | None = TEMPLATE, reasons: tuple[str, ...] = ()) -> None:
    reference = face_references.of(person["_id"])
    photo_id = reference["candidate_id"] or reference["photo_id"]
    transaction(lambda session: face_references.settle(session, person["_id"], photo_id, template, list(reasons)))


def held(person) -> dict:
    return face_references.get(person["_id"], CITY_WORKER)


def test_a_photograph_waits_for_the_worker_who_looks_at_it(ground):
    person = a_retiree()
    assert held(person)["state"] == "none"
    put(person)
    assert (held(person)["state"], held(person)["has_photo"], held(person)["enrolled"]) == ("pending", False, False)
    assert collection("outbox").find_one({"kind": "enrol"})["queue"] == "bulk"


def test_without_consent_a_photograph_stays_a_photograph(ground):
    person = a_retiree()
    put(person)
    settle(person)
    assert (held(person)["state"], held(person)["enrolled"]) == ("ready", False)
    assert face_references.templates(face_references.of(person["_id"])) == []


def test_with_consent_the_template_is_kept_encrypted_and_the_ledger_says_so(ground):
    person = a_retiree()
    put(person, consent_on_paper=True)
    settle(person)
    assert held(person)["enrolled"]
    assert people.get(person["_id"], CITY_WORKER)["face"] == {"enrolled": True}
    assert face_references.templates(face_references.of(person["_id"])) == [TEMPLATE]
    raw = raw_text_of_the_database()
    assert TEMPLATE not in raw
    assert raw.count(b"a template") == 0


def test_a_template_that_is_made_or_refused_is_audited(ground):
    person = a_retiree()
    put(person, consent_on_paper=True)
    settle(person)
    assert audit_actions(person)[-1] == "face.ready"
    put(person)
    settle(person, None, ("no_face",))
    assert audit_actions(person)[-1] == "face.rejected"


def test_a_photograph_that_shows_no_face_is_rejected_with_the_reason(ground):
    person = a_retiree()
    put(person, consent_on_paper=True)
    settle(person, None, ("no_face",))
    assert (held(person)["state"], held(person)["reasons"]) == ("rejected", ["no_face"])


def test_a_new_photograph_replaces_the_old_one_and_its_file_once_it_is_found_usable(ground):
    person = a_retiree()
    put(person, b"first", consent_on_paper=True)
    settle(person)
    put(person, b"blurred")
    blurred = face_references.of(person["_id"])["candidate_id"]
    transaction(lambda session: face_references.settle(session, person["_id"], blurred, None, ["blurred"]))
    assert (held(person)["state"], held(person)["enrolled"]) == ("rejected", True), "what was enrolled stays in force"
    assert face_references.photo(person["_id"], COMMUNITY_WORKER) == b"first"

    put(person, b"second")
    overtaken = face_references.of(person["_id"])["candidate_id"]
    put(person, b"third")
    transaction(lambda session: face_references.settle(session, person["_id"], overtaken, TEMPLATE, []))
    assert held(person)["state"] == "pending", "the verdict on a replaced photograph is of no account"
    settle(person)
    assert face_references.photo(person["_id"], COMMUNITY_WORKER) == b"third"
    released = collection("files.files").count_documents({"metadata.kept": False})
    assert files_stored() - released == 1, "what is not named any more is left to the sweeper"


def test_every_look_at_the_photograph_is_audited(ground):
    person = a_retiree()
    with pytest.raises(NotFound, match="no_photo"):
        face_references.photo(person["_id"], COMMUNITY_WORKER)
    put(person)
    settle(person)
    face_references.photo(person["_id"], COMMUNITY_WORKER)
    assert audit_actions(person)[-1] == "face.photo_seen"


def test_withdrawal_deletes_photograph_template_and_frames_and_leaves_the_other_methods(ground):
    person = a_retiree()
    phone = oneself(person)
    put(person, consent_on_paper=True)
    settle(person)
    attempt = an_attempt(person, phone)
    transaction(lambda session: certification_sessions.settle(session, attempt, "review", ["match_doubtful"], {}))
    face_references.withdraw(person["_id"], phone)
    assert files_stored() == collection("files.chunks").count_documents({}) == 0
    assert face_references.of(person["_id"]) is None
    assert (held(person)["state"], held(person)["consent"]) == ("none", None)
    after = certification_sessions.by_id(attempt["_id"])
    assert (after["state"], after["reasons"], after["frames"]) == ("failed", ["consent_withdrawn"], [])
    assert certifications.status(person["_id"], phone)["state"] == "valid"
    with pytest.raises(Conflict, match="consent_required"):
        certification_sessions.start(person["_id"], phone, consent=False)
    by_hand.record(person["_id"], "window", clock.today(), "", COMMUNITY_WORKER)


def test_the_record_of_a_consent_that_was_withdrawn_stays(ground):
    person = a_retiree()
    agreed(person)
    face_references.withdraw(person["_id"], oneself(person))
    record = collection("consents").find_one({"retiree_id": person["_id"]})
    assert (record["version"], record["channel"]) == (consents.CURRENT, "paper")
    assert record["withdrawn_at"] is not None


def test_nothing_is_learnt_from_an_attempt_after_withdrawal(ground):
    person = a_retiree()
    transaction(lambda session: face_references.add_template(session, person["_id"], TEMPLATE, None, access.system()))
    assert face_references.of(person["_id"]) is None


def test_the_photographs_own_template_and_the_two_newest_others_are_kept(ground):
    person = a_retiree()
    put(person, consent_on_paper=True)
    settle(person)
    for number in range(5):
        transaction(
            lambda session, number=number: face_references.add_template(
                session, person["_id"], f"template {number}".encode(), None, access.system()
            )
        )
    kept = face_references.templates(face_references.of(person["_id"]))
    assert kept == [TEMPLATE, b"template 3", b"template 4"]


def test_outside_the_own_area_there_is_no_face(ground):
    person = a_retiree()
    put(person)
    elsewhere = Actor(access.COMMUNITY, division=OTHER_COMMUNITY)
    settle(person)
    for call in (
        lambda: face_references.get(person["_id"], elsewhere),
        lambda: face_references.photo(person["_id"], elsewhere),
        lambda: face_references.put_photo(person["_id"], b"photo", "staff", elsewhere),
        lambda: face_references.withdraw(person["_id"], elsewhere),
    ):
        with pytest.raises(NotFound):
            call()
    with pytest.raises(Forbidden):
        face_references.photo(person["_id"], oneself(person))
    assert held(person)["has_photo"]


@pytest.mark.parametrize(
    ("people_with_a_face", "warning", "must_file"), [(1, False, False), (2, True, False), (3, True, True)]
)
def test_the_number_of_stored_faces_is_warned_about_before_it_must_be_filed(
    ground, people_with_a_face, warning, must_file
):
    for key, value in (("faces_warning", 2), ("faces_filing", 3)):
        collection("rules").insert_one(rules.Rule(key, value, "测试", "2026-01-01").as_document())
    for _ in range(people_with_a_face):
        person = a_retiree()
        put(person, consent_on_paper=True)
        settle(person)
    assert face_references.filing_state() == {
        "count": people_with_a_face, "warning": warning, "must_file": must_file,
    }  # fmt: skip


def test_the_law_counts_from_ninety_and_a_hundred_thousand():
    values = {record.key: record.value for record in rules.DEFAULTS}
    assert (values["faces_warning"], values["faces_filing"]) == (90_000, 100_000)
