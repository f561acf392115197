"""The face that attempts are compared with: kept with consent only, gone on withdrawal, counted."""

from __future__ import annotations

import numpy as np
import pytest

from faces import Template
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

TODAYS, OLDER = "todays@1", "older@1"


def a_template(number: float = 0.5, model: str = TODAYS) -> Template:
    return Template(np.linspace(0, number, 128), model, "unit")


TEMPLATE = a_template()


def put(person, data: bytes = b"photo", **more) -> None:
    face_references.put_photo(person["_id"], data, "staff", COMMUNITY_WORKER, **more)


def settle(person, template: Template | None = TEMPLATE, reasons: tuple[str, ...] = ()) -> None:
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
    assert face_references.templates(face_references.of(person["_id"])) == [TEMPLATE.to_bytes()]
    raw = raw_text_of_the_database()
    assert TEMPLATE.to_bytes() not in raw
    assert TEMPLATE.vector.tobytes()[4:40] not in raw


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
                session, person["_id"], a_template(number), None, access.system()
            )
        )
    kept = face_references.templates(face_references.of(person["_id"]))
    assert kept == [made.to_bytes() for made in (TEMPLATE, a_template(3), a_template(4))]


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


# ---- Another network


def of_the_older_network(**more):
    """Somebody with a photograph and a template that today's network cannot be compared with."""
    person = a_retiree()
    put(person, consent_on_paper=True)
    settle(person, a_template(model=OLDER), **more)
    return person


def offer() -> tuple[int, int]:
    return face_references.offer_again(TODAYS, "unit")


def renew(person, template: Template | None) -> None:
    photo_id = face_references.of(person["_id"])["photo_id"]
    transaction(lambda session: face_references.renew(session, person["_id"], photo_id, template))


def models_of(person) -> list[str]:
    return [row["model"] for row in face_references.of(person["_id"])["templates"]]


def test_network_and_normalisation_stand_beside_the_template_in_plain(ground):
    person = of_the_older_network()
    (row,) = face_references.of(person["_id"])["templates"]
    assert (row["model"], row["normalisation"], row["from"]) == (OLDER, "unit", "photo")


def test_whoever_agreed_and_has_a_photograph_is_enrolled_again_and_nobody_is_asked_for_twice(ground):
    person, current = of_the_older_network(), a_retiree()
    put(current, consent_on_paper=True)
    settle(current)
    without_consent = a_retiree()
    put(without_consent)
    settle(without_consent)
    assert (offer(), offer()) == ((1, 0), (0, 0))
    (event,) = collection("outbox").find({"kind": "re_enrol"})
    assert (event["payload"]["retiree_id"], event["queue"]) == (person["_id"], "bulk")


def test_whoever_agreed_after_the_photograph_was_put_is_enrolled_the_next_night(ground):
    person = a_retiree()
    put(person)
    settle(person)
    assert offer() == (0, 0)
    agreed(person)
    assert offer() == (1, 0)
    renew(person, TEMPLATE)
    assert held(person)["enrolled"]
    assert people.get(person["_id"], CITY_WORKER)["face"] == {"enrolled": True}


def test_a_new_template_drops_those_of_other_networks_and_keeps_what_was_learnt_since(ground):
    person = of_the_older_network()
    for model in (OLDER, TODAYS):
        transaction(
            lambda session, model=model: face_references.add_template(
                session, person["_id"], a_template(2, model), None, access.system()
            )
        )
    renew(person, TEMPLATE)
    assert models_of(person) == [TODAYS, TODAYS]
    kept = face_references.templates(face_references.of(person["_id"]))
    assert kept == [TEMPLATE.to_bytes(), a_template(2).to_bytes()]
    assert audit_actions(person)[-1] == "face.renewed"
    assert offer() == (0, 0)


def test_a_photograph_that_does_not_serve_the_new_network_is_offered_to_be_replaced_and_nothing_is_forced(ground):
    person = of_the_older_network()
    renew(person, None)
    assert (held(person)["photo_wanted"], held(person)["enrolled"], models_of(person)) == (True, True, [OLDER])
    assert offer() == (0, 1)
    put(person, b"a better photograph")
    settle(person)
    assert not held(person)["photo_wanted"]
    assert offer() == (0, 0)


def test_whoever_has_no_photograph_is_counted_until_there_is_one_or_the_old_network_comes_back(ground):
    person = a_retiree()
    agreed(person)
    transaction(
        lambda session: face_references.add_template(
            session, person["_id"], a_template(model=OLDER), None, access.system()
        )
    )
    assert offer() == (0, 1)
    assert held(person)["photo_wanted"]
    assert face_references.offer_again(OLDER, "unit") == (0, 0)
    assert not held(person)["photo_wanted"]


def test_nothing_is_renewed_after_withdrawal_nor_for_a_photograph_that_was_replaced(ground):
    replaced, withdrawn = of_the_older_network(), of_the_older_network()
    before = {person["_id"]: face_references.of(person["_id"])["photo_id"] for person in (replaced, withdrawn)}
    put(replaced, b"another")
    settle(replaced, a_template(3, OLDER))
    face_references.withdraw(withdrawn["_id"], oneself(withdrawn))
    for person in (replaced, withdrawn):
        photo_id = before[person["_id"]]
        assert not face_references.to_renew(person["_id"], photo_id, TODAYS, "unit")
        transaction(
            lambda session, person=person, photo_id=photo_id: face_references.renew(
                session, person["_id"], photo_id, TEMPLATE
            )
        )
    assert models_of(replaced) == [OLDER]
    assert face_references.of(withdrawn["_id"]) is None


def test_people_are_drawn_from_those_who_agreed_and_whom_this_network_has_described(ground):
    drawable = [a_retiree() for _ in range(5)]
    for person in drawable:
        put(person, consent_on_paper=True)
        settle(person)
    of_the_older_network()
    silent = of_the_older_network()
    renew(silent, TEMPLATE)
    collection("consents").update_one({"retiree_id": silent["_id"]}, {"$set": {"version": "an older text"}})
    everybody = {person["_id"] for person in drawable}
    assert set(face_references.drawn(TODAYS, "unit", 100)) == everybody
    draws = [frozenset(face_references.drawn(TODAYS, "unit", 3)) for _ in range(40)]
    assert {len(draw) for draw in draws} == {3}
    assert set().union(*draws) == everybody
    assert len(set(draws)) > 1, "not the same ones every night"


def test_pairs_of_one_person_come_from_a_photograph_and_an_approved_attempt(ground):
    both, only_photo = a_retiree(), a_retiree()
    for person in (both, only_photo):
        put(person, consent_on_paper=True)
        settle(person)
    transaction(
        lambda session: face_references.add_template(session, both["_id"], a_template(2), None, access.system())
    )
    assert face_references.drawn(TODAYS, "unit", 100, reviewed=True) == [both["_id"]]
    ((person_id, stored),) = face_references.templates_of([both["_id"]], TODAYS, "unit")
    assert person_id == both["_id"]
    assert stored == [("photo", TEMPLATE.to_bytes()), ("attempt", a_template(2).to_bytes())]
    assert list(face_references.templates_of([both["_id"]], OLDER, "unit")) == []
