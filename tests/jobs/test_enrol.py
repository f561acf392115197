"""Templates: from a photograph that was put, and from an attempt that a person approved."""

from __future__ import annotations

import numpy as np
import time_machine

import faces
from faces import Template
from faces.encoder import encoder, unit
from jobs import housekeeping, registry
from models import access, clock, encryption, face_references, files, outbox
from models import certification_sessions as sessions
from models.database import collection, transaction
from tests.builders import COMMUNITY_WORKER, a_retiree, an_attempt, audit_actions, finish_work, oneself
from tests.faces import actors
from tests.story import acted, agreed, enrolled, files_stored


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


def stored(person) -> list[Template]:
    return [Template.from_bytes(data) for data in face_references.templates(face_references.of(person["_id"]))]


def test_all_good_neutral_frames_together_are_learnt_and_the_first_good_one_becomes_the_photograph(ground):
    person = a_retiree()
    phone = oneself(person)
    attempt = sessions.start(person["_id"], phone, consent=True)
    frames = actors.frames("astronaut", "neutral", 4)
    blurred = actors.jpeg(np.full_like(actors.pixels(frames[0]), 127))
    parts = [("neutral", blurred), *acted(attempt)]
    sessions.receive(attempt["_id"], parts, phone)
    transaction(
        lambda session: sessions.settle(session, sessions.by_id(attempt["_id"]), "review", ["not_enrolled"], {})
    )
    sessions.decide(attempt["_id"], approve=True, reason="是本人", actor=COMMUNITY_WORKER)
    collection("outbox").delete_one({"kind": "check"})
    finish_work()
    seen = [faces.look(data, strict=True).face for data in frames]
    each = [faces.describe([face], faces.DEFAULT_POLICY.views).vector for face in seen]
    (learnt,) = stored(person)
    assert np.allclose(learnt.vector, unit(np.mean(each, axis=0)), atol=1e-5)
    assert not any(np.allclose(learnt.vector, one, atol=1e-5) for one in each)
    assert files.get(face_references.of(person["_id"])["photo_id"]) == frames[0]


def test_the_template_of_a_photograph_has_seen_all_views_of_it(ground):
    person = a_retiree()
    enrolled(person)
    (template,) = stored(person)
    assert template == faces.enrol(actors.photo(), thorough=True).template
    assert template != faces.enrol(actors.photo()).template


# ---- Another network


def of_an_older_network(person, data: bytes | None = None) -> None:
    """As if the network that made the stored templates had been replaced since, and, if asked, the photograph with it."""
    older = Template(np.linspace(0, 1, 96), "older@1", "unit")
    change = {
        "templates.0.model": older.model,
        "templates.0.vector": encryption.encrypt(older.to_bytes(), "face"),
    }
    if data is not None:
        change["photo_id"] = files.put(data, "face")
    collection("face_references").update_one({"retiree_id": person["_id"]}, {"$set": change})


def test_after_a_change_of_network_the_night_enrols_everybody_again_from_the_photograph(ground):
    person = a_retiree()
    enrolled(person)
    before = stored(person)
    of_an_older_network(person)
    housekeeping.run("re_enrol")
    housekeeping.run("re_enrol")
    assert finish_work() == 1
    assert stored(person) == before
    assert before[0].model == encoder().model
    housekeeping.run("re_enrol")
    assert finish_work() == 0


def test_what_was_written_before_templates_named_their_network_is_made_again_too(ground):
    person = a_retiree()
    enrolled(person)
    before = stored(person)
    collection("face_references").update_one(
        {"retiree_id": person["_id"]},
        {
            "$unset": {"templates.0.model": "", "templates.0.normalisation": ""},
            "$set": {"templates.0.vector": encryption.encrypt(b"YLF1 older", "face")},
        },
    )
    housekeeping.run("re_enrol")
    finish_work()
    assert stored(person) == before


def test_a_photograph_in_which_the_new_network_finds_no_face_is_asked_for_again_in_the_console(ground):
    person = a_retiree()
    enrolled(person)
    of_an_older_network(person, b"\xff\xd8\xff no photograph at all")
    housekeeping.run("re_enrol")
    finish_work()
    assert (held(person)["photo_wanted"], held(person)["state"], held(person)["enrolled"]) == (True, "ready", True)


def test_a_photograph_that_cannot_be_read_is_asked_for_again_after_the_last_try(ground):
    person = a_retiree()
    enrolled(person)
    of_an_older_network(person, b"lost")
    files.delete([face_references.of(person["_id"])["photo_id"]])
    housekeeping.run("re_enrol")
    event = collection("outbox").find_one({"kind": "re_enrol"})
    with time_machine.travel(clock.now(), tick=False) as clocked:
        for _ in range(outbox.MAX_ATTEMPTS):
            registry.deliver(str(event["_id"]))
            clocked.shift(2000)
    assert held(person)["photo_wanted"]
    assert collection("outbox").find_one({"_id": event["_id"]})["state"] == "failed"


def test_a_photograph_that_was_replaced_before_its_turn_is_left_alone(ground):
    person = a_retiree()
    enrolled(person)
    of_an_older_network(person)
    housekeeping.run("re_enrol")
    put(person, actors.photo())
    for kind in ("enrol", "re_enrol"):
        event = collection("outbox").find_one({"kind": kind, "state": outbox.PENDING})
        registry.deliver(str(event["_id"]))
        assert collection("outbox").find_one({"_id": event["_id"]})["state"] == outbox.DONE
    assert [template.model for template in stored(person)] == [encoder().model]
    assert "face.renewed" not in audit_actions(person)


def test_without_a_photograph_nobody_is_enrolled_again_and_somebody_is_told(ground):
    person = a_retiree()
    agreed(person)
    older = Template(np.linspace(0, 1, 96), "older@1", "unit")
    transaction(lambda session: face_references.add_template(session, person["_id"], older, None, access.system()))
    housekeeping.run("re_enrol")
    assert finish_work() == 0
    assert held(person)["photo_wanted"]
