"""The cohort: drawn and measured at night, used by the check where it helps, gone with whoever leaves it."""

from __future__ import annotations

import numpy as np
import pytest
import time_machine
from bson import ObjectId

from faces import Template
from faces.cohort import SUFFIX
from faces.encoder import encoder, unit
from jobs import cohort, housekeeping, registry
from models import access, clock, encryption, face_cohorts, face_references, outbox, rules
from models import certification_sessions as sessions
from models.database import collection, transaction
from tests.builders import a_retiree, finish_work, oneself
from tests.faces.population import even, mixed
from tests.story import acted, agreed, enrolled

PEOPLE = 60
THRESHOLDS = {"sure": -3.5, "different": 0.5}


@pytest.fixture(autouse=True)
def _small(ground):
    """A city small enough for a test."""
    for key, value in (("face_cohort_size", PEOPLE), ("face_cohort_least_people", 50), ("face_cohort_least_pairs", 30)):
        collection("rules").insert_one(rules.Rule(key, value, "测试").as_document())


def scoring() -> str:
    return encoder().normalisation + SUFFIX


def a_template(vector) -> Template:
    return Template(vector, encoder().model, encoder().normalisation)


def an_enrolled_person(photo, *attempts):
    """Somebody with the template of a photograph and those of attempts that were approved."""
    person = a_retiree()
    agreed(person)
    for vector in (photo, *attempts):
        transaction(
            lambda session, vector=vector: face_references.add_template(
                session, person["_id"], a_template(vector), ObjectId(), access.system()
            )
        )
    return person


def a_city(population=None, pairs: int = 40):
    """Enrolled people, the first of them with an approved attempt as well."""
    population = population or mixed(PEOPLE)
    photos, attempts = population.seen(), population.seen()
    return [
        an_enrolled_person(photos[number], *([attempts[number]] if number < pairs else []))
        for number in range(len(photos))
    ]


def a_cohort_in_force(length: int = 128, **evaluation) -> list:
    """People whose faces lie anywhere, and an evaluation that found them useful."""
    vectors = unit(np.random.default_rng(5).normal(size=(PEOPLE, length)))
    people = [an_enrolled_person(vector) for vector in vectors]
    measured = {
        "model": encoder().model, "normalisation": scoring(), "thresholds": THRESHOLDS, "used": True,
    }  # fmt: skip
    members = [person["_id"] for person in people]
    transaction(lambda session: face_cohorts.put(session, members, {**measured, **evaluation}))
    return people


def a_night() -> dict:
    """The clock asks, the worker works; returns the evaluation in force then."""
    housekeeping.run("refresh_cohort")
    finish_work()
    return face_cohorts.evaluation_in_force()


def somebody_else() -> ObjectId:
    return ObjectId()


# ---- Every night


def test_a_night_draws_the_enrolled_measures_them_and_uses_them_where_that_helps(ground):
    people = a_city()
    found = a_night()
    assert set(face_cohorts.current()["people"]) == {person["_id"] for person in people}
    assert (found["people"], found["genuine"], found["impostor"]) == (PEOPLE, 40, PEOPLE * (PEOPLE - 1) / 2)
    assert (found["model"], found["normalisation"]) == (encoder().model, scoring())
    assert (found["used"], found["why_not"]) == (True, None)
    assert found["normalised"]["frr"] < found["plain"]["frr"]
    assert found["thresholds"]["sure"] <= -4.8, "never laxer than the policy"
    assert found["thresholds"]["different"] >= -0.25
    loaded = cohort.in_force(somebody_else())
    assert loaded.name == str(found["_id"])
    assert (loaded.thresholds.sure, loaded.thresholds.different) == tuple(found["thresholds"].values())


def test_a_larger_city_is_sampled(ground):
    collection("rules").update_one({"key": "face_cohort_size"}, {"$set": {"value": 52}})
    a_city()
    assert a_night()["people"] == len(face_cohorts.current()["people"]) == 52


@pytest.mark.parametrize(
    "city, why_not",
    [
        (lambda: [], "too_few_people"),
        (lambda: a_city(mixed(49)), "too_few_people"),
        (lambda: a_city(pairs=29), "too_few_pairs"),
        (lambda: a_city(even(PEOPLE, noise=0.2)), "does_not_help"),
    ],
)
def test_until_it_is_known_to_help_the_cautious_thresholds_decide(ground, city, why_not):
    city()
    found = a_night()
    assert (found["used"], found["why_not"]) == (False, why_not)
    assert cohort.in_force(somebody_else()) is None


def test_the_old_cohort_stays_in_force_until_a_worker_has_finished_the_new_one(ground):
    a_city()
    first = a_night()
    with time_machine.travel(clock.now() + clock.days(1)):
        housekeeping.run("refresh_cohort")
        event = collection("outbox").find_one({"kind": "refresh_cohort", "state": outbox.PENDING})
        outbox.hand_out()
        outbox.claim(event["_id"])  # and its worker was killed
        assert face_cohorts.evaluation_in_force() == first
    with time_machine.travel(clock.now() + clock.days(1.1)):
        finish_work()
        registry.deliver(str(event["_id"]))
    assert face_cohorts.revision()[1] == 2
    assert [row["in_force"] for row in face_cohorts.evaluations()] == [True, False]


def test_templates_of_another_network_and_what_cannot_be_read_are_left_out(ground):
    people = a_city()
    collection("face_references").update_one(
        {"retiree_id": people[0]["_id"]}, {"$set": {"templates.$[].model": "older@1"}}
    )
    collection("face_references").update_one(
        {"retiree_id": people[50]["_id"]}, {"$set": {"templates.0.vector": encryption.encrypt(b"YLF1 older", "face")}}
    )
    found = a_night()
    assert (found["people"], found["genuine"]) == (PEOPLE - 2, 39)
    assert set(face_cohorts.current()["people"]) == {person["_id"] for person in people} - {
        people[0]["_id"],
        people[50]["_id"],
    }


# ---- A worker's copy


def test_nobody_is_compared_with_themselves_and_the_copy_is_kept_until_the_cohort_changes(ground):
    people = a_cohort_in_force()
    loaded = cohort.in_force(people[0]["_id"])
    assert (len(loaded.people), str(people[0]["_id"]) in loaded.people) == (PEOPLE - 1, False)
    kept = cohort._loaded[1]
    assert cohort.in_force(people[1]["_id"]).people[0] == str(people[0]["_id"])
    assert cohort._loaded[1] is kept
    face_references.withdraw(people[2]["_id"], oneself(people[2]))
    assert str(people[2]["_id"]) not in cohort.in_force(somebody_else()).people
    assert cohort._loaded[1] is not kept


def test_a_face_of_somebody_with_several_templates_is_their_mean(ground):
    people = a_city()
    a_night()
    loaded = cohort.in_force(somebody_else())
    stored = face_references.templates(face_references.of(people[0]["_id"]))
    assert len(stored) == 2
    mean = unit(np.mean([Template.from_bytes(data).vector for data in stored], axis=0))
    assert loaded.vectors[loaded.people.index(str(people[0]["_id"]))] == pytest.approx(mean, abs=1e-6)


def test_where_so_many_have_left_that_too_few_remain_it_is_not_used(ground):
    people = a_cohort_in_force()
    for person in people[:10]:
        face_references.withdraw(person["_id"], oneself(person))
    assert len(cohort.in_force(somebody_else()).people) == 50
    face_references.withdraw(people[10]["_id"], oneself(people[10]))
    assert cohort.in_force(somebody_else()) is None


@pytest.mark.parametrize("other", [{"model": "older@1"}, {"normalisation": "68pt-150px-views-unit"}, {"used": False}])
def test_thresholds_of_another_network_or_another_normalisation_are_never_used(ground, other):
    a_cohort_in_force(**other)
    assert cohort.in_force(somebody_else()) is None


# ---- A check


def checked(person):
    phone = oneself(person)
    attempt = sessions.start(person["_id"], phone, consent=True)
    sessions.receive(attempt["_id"], acted(attempt), phone)
    finish_work()
    return sessions.by_id(attempt["_id"])


def test_a_decision_names_the_evaluation_and_the_thresholds_it_was_made_by(ground):
    a_cohort_in_force()
    person = a_retiree()
    enrolled(person)
    held = checked(person)
    match = held["figures"]["match"]
    assert held["state"] == "passed"
    assert match["normalised"] <= THRESHOLDS["sure"]
    assert (match["thresholds"], match["decision"]) == (THRESHOLDS, "sure")
    assert match["evaluation"] == str(face_cohorts.revision()[0])


def test_without_a_cohort_a_decision_names_the_policy_and_its_plain_thresholds(ground):
    person = a_retiree()
    enrolled(person)
    held = checked(person)
    match = held["figures"]["match"]
    assert match["normalised"] is None
    assert match["evaluation"] == held["figures"]["policy"]
    assert match["thresholds"]["sure"] < match["thresholds"]["different"]
    assert match["distance"] <= match["thresholds"]["sure"]


def test_a_template_that_an_older_release_wrote_sends_its_person_to_a_worker_and_is_never_an_error(ground):
    person = a_retiree()
    enrolled(person)
    collection("face_references").update_one(
        {"retiree_id": person["_id"]}, {"$set": {"templates.0.vector": encryption.encrypt(b"YLF1 older", "face")}}
    )
    held = checked(person)
    assert (held["state"], held["reasons"]) == ("in_review", ["model_changed"])
    assert "系统升级" in held["advice"][0]
