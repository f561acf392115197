"""`flask faces re-enrol` and `flask faces evaluations` at a shell."""

from __future__ import annotations

from click.testing import CliRunner

from commands import faces as command
from faces.encoder import encoder
from models import face_cohorts
from models.database import collection, transaction
from tests.builders import a_retiree
from tests.models.test_face_cohorts import MEASURED
from tests.story import enrolled


def run(name: str) -> str:
    done = CliRunner().invoke(command.group, [name], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_an_operator_sees_every_evaluation_and_which_is_in_force(ground):
    nothing = {"plain": None, "normalised": None, "thresholds": None, "used": False, "why_not": "too_few_people"}
    older = transaction(lambda session: face_cohorts.put(session, [], {**MEASURED, **nothing, "people": 12}))
    newer = transaction(lambda session: face_cohorts.put(session, [], MEASURED))
    lines = run("evaluations").splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("*")] == [["*", str(newer)]]
    assert any(str(older) in line and "12 people" in line and "not used: too_few_people" in line for line in lines)
    assert any("normalised" in line and "2.00%" in line and "10.00%" in line for line in lines)
    assert any("sure -4.80" in line and "different -0.25" in line for line in lines)


def test_an_operator_asks_for_templates_of_the_network_in_force_once(ground):
    person = a_retiree()
    enrolled(person)
    collection("face_references").update_one({}, {"$set": {"templates.0.model": "older@1"}})
    assert run("re-enrol") == f"network {encoder().model}: 1 people asked for, 0 need a new photograph\n"
    assert " 0 people asked for" in run("re-enrol")
    assert collection("outbox").count_documents({"kind": "re_enrol", "queue": "bulk"}) == 1
