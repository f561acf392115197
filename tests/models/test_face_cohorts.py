"""The cohort in force: one at a time, forgotten with the person, measured by evaluations that never change."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import time_machine
from bson import ObjectId

from faces import Template
from models import clock, face_cohorts, face_references, outbox
from models.database import collection, transaction
from tests.builders import CITY_WORKER, a_retiree, oneself
from tests.story import raw_text_of_the_database

TEMPLATE = Template(np.linspace(0, 1, 128), "made up@1", "unit")
MEASURED = {
    "model": "made up@1",
    "normalisation": "unit",
    "people": 200,
    "genuine": 60,
    "impostor": 19_900,
    "plain": {"eer": 0.05, "frr": 0.3, "far": 0.0001},
    "normalised": {"eer": 0.02, "frr": 0.1, "far": 0.0005},
    "thresholds": {"sure": -4.8, "different": -0.25},
    "used": True,
    "why_not": None,
}


def an_enrolled_person(data: bytes = b"photo"):
    person = a_retiree()
    put_photo(person, data)
    return person


def put_photo(person, data: bytes) -> None:
    face_references.put_photo(person["_id"], data, "staff", CITY_WORKER, consent_on_paper=True)
    photo_id = face_references.of(person["_id"])["candidate_id"]
    transaction(lambda session: face_references.settle(session, person["_id"], photo_id, TEMPLATE, []))


def put(*people, **more) -> ObjectId:
    members = [person["_id"] for person in people]
    return transaction(lambda session: face_cohorts.put(session, members, {**MEASURED, **more}))


def test_a_night_asks_for_one_cohort_and_the_next_night_for_another(ground):
    assert (face_cohorts.ask(), face_cohorts.ask()) == (True, False)
    with time_machine.travel(clock.now() + clock.days(1)):
        assert face_cohorts.ask()
    assert collection("outbox").count_documents({"kind": "refresh_cohort", "queue": outbox.BULK}) == 2


def test_before_the_first_night_there_is_none(ground):
    assert face_cohorts.revision() == (None, 0)
    assert face_cohorts.current()["people"] == face_cohorts.evaluations() == []
    assert face_cohorts.evaluation(None) is None
    face_cohorts.ask()
    assert face_cohorts.revision() == (None, 0)


def test_a_new_cohort_takes_the_place_of_the_old_one_and_the_old_evaluation_stays_as_it_was(ground):
    person, other = an_enrolled_person(), an_enrolled_person()
    first = put(person)
    before = face_cohorts.evaluation(first)
    second = put(person, other, used=False, why_not="does_not_help")
    assert face_cohorts.revision() == (second, 2)
    assert face_cohorts.current()["people"] == [person["_id"], other["_id"]]
    assert face_cohorts.evaluation(first) == before
    assert collection("face_cohorts").count_documents({}) == 1
    assert {row["_id"]: row["in_force"] for row in face_cohorts.evaluations()} == {first: False, second: True}


def test_the_cohort_holds_ids_and_no_face(ground):
    put(an_enrolled_person())
    held = collection("face_cohorts").find_one({})
    assert set(held) == {"_id", "people", "revision", "evaluation_id"}
    assert all(isinstance(person, ObjectId) for person in held["people"])
    assert TEMPLATE.vector.tobytes()[4:40] not in raw_text_of_the_database()
    measured = collection("face_evaluations").find_one({})
    assert set(measured) == {"_id", "made_at", *MEASURED}
    assert ObjectId not in {type(value) for name, value in measured.items() if name != "_id"}


def test_whoever_withdraws_leaves_the_cohort_in_the_same_commit(ground):
    person, other = an_enrolled_person(), an_enrolled_person()
    evaluation_id = put(person, other)
    face_references.withdraw(person["_id"], oneself(person))
    assert face_cohorts.current()["people"] == [other["_id"]]
    assert face_cohorts.revision() == (evaluation_id, 2)


def test_a_new_photograph_takes_its_person_out_until_the_next_night(ground):
    person, other = an_enrolled_person(), an_enrolled_person()
    put(person, other)
    put_photo(person, b"another photograph")
    assert face_cohorts.current()["people"] == [other["_id"]]
    assert face_cohorts.revision()[1] == 2


def test_a_first_photograph_disturbs_no_cohort(ground):
    put(an_enrolled_person())
    an_enrolled_person()
    assert face_cohorts.revision()[1] == 1


@pytest.mark.parametrize("first", ["withdrawal", "cohort"])
def test_nobody_who_withdraws_while_a_cohort_is_made_is_in_it(ground, first):
    person, other = an_enrolled_person(), an_enrolled_person()
    face_cohorts.ask()
    read, write = threading.Event(), threading.Event()

    def make(session) -> None:
        remaining = face_references.remaining(session, [person["_id"], other["_id"]], "made up@1", "unit")
        read.set()
        write.wait(10)
        face_cohorts.put(session, remaining, MEASURED)

    making = threading.Thread(target=transaction, args=(make,))
    making.start()
    read.wait(10)
    if first == "withdrawal":
        face_references.withdraw(person["_id"], oneself(person))
        write.set()
        making.join()
    else:
        write.set()
        making.join()
        face_references.withdraw(person["_id"], oneself(person))
    assert face_cohorts.current()["people"] == [other["_id"]]
