"""What the night measured, in the monthly report; a photograph that is wanted anew, in the console's face panel."""

from __future__ import annotations

from models import face_cohorts
from models.database import collection, transaction
from tests.builders import a_retiree
from tests.models.test_face_cohorts import MEASURED
from tests.story import V1, a_worker, enrolled

REPORT = f"{V1}/reports/faces"


def test_the_report_names_the_evaluation_in_force_and_nobody_who_is_in_it(client):
    headers = a_worker()
    assert client.get(REPORT, headers=headers).json["evaluation_in_force"] is None
    person = a_retiree()
    evaluation_id = transaction(lambda session: face_cohorts.put(session, [person["_id"]], MEASURED))
    found = client.get(REPORT, headers=headers)
    told = found.json["evaluation_in_force"]
    assert (told["id"], told["used"], told["why_not"]) == (str(evaluation_id), True, None)
    assert told["made_at"].endswith("+08:00")
    for name in ("people", "genuine", "impostor", "plain", "normalised", "thresholds"):
        assert told[name] == MEASURED[name]
    assert str(person["_id"]) not in found.text


def test_what_could_not_be_measured_is_told_as_such(client):
    nothing = {"plain": None, "normalised": None, "thresholds": None, "used": False, "why_not": "too_few_people"}
    transaction(lambda session: face_cohorts.put(session, [], {**MEASURED, **nothing}))
    told = client.get(REPORT, headers=a_worker()).json["evaluation_in_force"]
    assert {name: told[name] for name in nothing} == nothing


def test_the_console_learns_that_a_photograph_is_wanted_anew(client):
    person = a_retiree()
    enrolled(person)
    path, headers = f"{V1}/retirees/{person['_id']}/face", a_worker()
    assert client.get(path, headers=headers).json["photo_wanted"] is False
    collection("face_references").update_one({"retiree_id": person["_id"]}, {"$set": {"photo_wanted": True}})
    assert client.get(path, headers=headers).json["photo_wanted"] is True
