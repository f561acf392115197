"""Templates: from a photograph that was put, and from an attempt that a person approved."""

from __future__ import annotations

from models import certification_sessions as sessions
from models import face_references, files
from models.database import collection, transaction
from tests.builders import COMMUNITY_WORKER, a_retiree, an_attempt, finish_work, oneself
from tests.faces import actors
from tests.story import acted, files_stored


def put(person, data: bytes, *, consent: bool = True) -> dict:
    face_references.put_photo(person["_id"], data, "staff", COMMUNITY_WORKER, consent_on_paper=consent)
    return face_references.of(person["_id"])


def held(person) -> dict:
    return face_references.get(person["_id"], COMMUNITY_WORKER)


def an_approved_attempt(person, parts=None):
    phone = oneself(person)
    if parts is None:
        attempt = sessions.start(person["_id"], phone, consent=True)
        attempt = sessions.receive(attempt["_id"], acted(attempt), phone)
    else:
        attempt = an_attempt(person, phone)
    transaction(lambda session: sessions.settle(session, attempt, "review", ["not_enrolled"], {}))
    sessions.decide(attempt["_id"], approve=True, reason="是本人", actor=COMMUNITY_WORKER)
    return attempt


def test_a_photograph_with_a_face_and_consent_becomes_a_template(ground):
    person = a_retiree()
    put(person, actors.photo())
    finish_work()
    assert (held(person)["state"], held(person)["enrolled"]) == ("ready", True)
    assert len(face_references.templates(face_references.of(person["_id"]))) == 1


def test_a_photograph_without_consent_is_looked_at_and_leaves_no_template(ground):
    person = a_retiree()
    put(person, actors.photo(), consent=False)
    finish_work()
    assert (held(person)["state"], held(person)["enrolled"]) == ("ready", False)
    assert face_references.of(person["_id"])["templates"] == []


def test_what_shows_no_face_is_rejected_with_its_reason(ground):
    person = a_retiree()
    put(person, b"\xff\xd8\xff no photograph at all")
    finish_work()
    assert held(person)["state"] == "rejected"
    assert held(person)["reasons"]
    assert collection("outbox").count_documents({"state": {"$ne": "done"}}) == 0


def test_a_photograph_that_was_replaced_before_it_was_looked_at_is_left_alone(ground):
    person = a_retiree()
    put(person, b"\xff\xd8\xff the wrong file")
    put(person, actors.photo())
    finish_work()
    assert held(person)["state"] == "ready"


def test_a_photograph_that_was_withdrawn_before_it_was_looked_at_comes_to_nothing(ground):
    person = a_retiree()
    put(person, actors.photo())
    face_references.withdraw(person["_id"], oneself(person))
    finish_work()
    assert held(person)["state"] == "none"
    assert files_stored() == 0


def test_an_approved_attempt_teaches_the_face_and_its_frames_are_deleted(ground):
    person = a_retiree()
    an_approved_attempt(person)
    finish_work()
    reference = face_references.of(person["_id"])
    assert (reference["source"], reference["enrolled"]) == ("first_attempt", True)
    assert files.get(reference["photo_id"])[:3] == b"\xff\xd8\xff"
    assert files_stored() == 1


def test_an_approved_attempt_whose_frames_show_no_face_teaches_nothing_and_is_deleted_all_the_same(ground):
    person = a_retiree()
    an_approved_attempt(person, parts="made up")
    finish_work()
    assert held(person)["state"] == "none"
    assert files_stored() == 0


def test_nothing_is_learnt_where_consent_was_withdrawn_after_the_approval(ground):
    person = a_retiree()
    an_approved_attempt(person)
    face_references.withdraw(person["_id"], oneself(person))
    finish_work()
    assert held(person)["state"] == "none"
    assert files_stored() == 0
