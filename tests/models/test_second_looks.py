"""Second looks: drawn by chance, blind, made once by somebody else; what they find stops no pension."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from models import access, certifications, clock, consents, face_references, rules, second_looks
from models import certification_sessions as sessions
from models.access import Actor
from models.database import collection, transaction
from models.errors import Conflict, Forbidden, NotFound
from tests.builders import COMMUNITY, COMMUNITY_WORKER, OTHER_COMMUNITY, a_retiree, an_attempt, audit_actions, oneself
from tests.story import at_once, enrolled, files_stored

ELSEWHERE = Actor(access.COMMUNITY, division=OTHER_COMMUNITY)


def look_at(per_mille: int, division: str = "") -> None:
    """Set the share of passes that are drawn from a day on that wins over the tests' own."""
    record = rules.Rule("second_look_per_mille", per_mille, "测试", "2020-01-01", division=division)
    collection("rules").insert_one(record.as_document())


def a_pass(person=None, actor=None, photo: bool = True):
    """An attempt that the machine has passed, of somebody with a reference photograph."""
    person = person or a_retiree()
    if photo:
        collection("face_references").update_one(
            {"retiree_id": person["_id"]}, {"$set": {"photo_id": person["_id"], "state": "ready"}}, upsert=True
        )
    attempt = an_attempt(person, actor)
    figures = {"match": {"distance": 0.31, "decision": "sure"}}
    return transaction(lambda session: sessions.settle(session, attempt, "pass", [], figures))


def drawn(person=None, actor=None):
    look_at(1000)
    attempt = a_pass(person, actor)
    assert attempt["second_look"]["state"] == "waiting"
    return attempt


def answer(attempt, said: str = "same", note: str = "", actor: Actor = COMMUNITY_WORKER):
    return second_looks.answer(attempt["_id"], said, note, actor)


def state_of(attempt) -> str:
    return sessions.by_id(attempt["_id"])["second_look"]["state"]


# ---- The draw


def test_of_every_thousand_passes_about_twenty_are_drawn_and_chance_says_which(ground):
    person = a_retiree()
    collection("face_references").insert_one({"retiree_id": person["_id"], "photo_id": person["_id"]})
    collection("rules").delete_many({})
    attempt = {"frames": [{"file_id": None}]}
    draws = transaction(lambda session: [second_looks.draw(session, attempt, person) for _ in range(3_000)])
    # 3,000 draws of 20 in 1,000: 60, and outside of 20 to 120 less than once in a million runs
    assert 20 < sum(draw is not None for draw in draws) < 120


def test_a_drawn_pass_keeps_its_frames_for_seven_days_and_the_certificate_stands_at_once(ground):
    with time_machine.travel(dt.datetime(2026, 11, 21, 2, tzinfo=dt.UTC), tick=False):
        attempt = drawn()
        assert attempt["second_look"]["until"] == dt.datetime(2026, 11, 28, 2, tzinfo=dt.UTC)
        assert certifications.of_session(attempt["_id"])["method"] == "face"
        assert sessions.delete_frames() == 0
        assert files_stored() == len(attempt["frames"])


def test_a_pass_that_is_not_drawn_keeps_nothing(ground):
    attempt = a_pass()
    assert "second_look" not in attempt
    assert sessions.delete_frames() == len(attempt["frames"])


def test_without_a_reference_photograph_nothing_is_drawn(ground):
    look_at(1000)
    assert "second_look" not in a_pass(photo=False)


def test_doubts_and_refusals_are_not_drawn(ground):
    look_at(1000)
    for verdict in ("review", "fail"):
        person = a_retiree()
        collection("face_references").insert_one({"retiree_id": person["_id"], "photo_id": person["_id"]})
        attempt = an_attempt(person)
        settled = transaction(
            lambda session, attempt=attempt, verdict=verdict: sessions.settle(session, attempt, verdict, [], {})
        )
        assert "second_look" not in settled


def test_a_city_sets_its_own_share(ground):
    look_at(1000, division="4301")
    assert "second_look" in a_pass()


def test_the_text_that_people_agree_to_names_the_days(ground):
    days = rules.number("second_look_days", clock.today())
    assert any("再看一遍" in text and f"最多保存{days}天" in text for text in consents.TEXTS[consents.CURRENT])


# ---- Who looks


def test_the_one_that_must_be_looked_at_first_stands_first(ground):
    first, second = drawn(), a_pass()
    rows, total = second_looks.listed(COMMUNITY_WORKER)
    assert ([row["_id"] for row in rows], total) == ([first["_id"], second["_id"]], 2)
    assert second_looks.listed(COMMUNITY_WORKER, page=2, size=1)[0][0]["_id"] == second["_id"]


def test_outside_the_own_area_a_look_does_not_exist(ground):
    attempt = drawn()
    assert second_looks.listed(ELSEWHERE) == ([], 0)
    for call in (
        lambda: second_looks.get(attempt["_id"], ELSEWHERE),
        lambda: second_looks.frame(attempt["_id"], 0, ELSEWHERE),
        lambda: answer(attempt, actor=ELSEWHERE),
    ):
        with pytest.raises(NotFound):
            call()
    with pytest.raises(Forbidden):
        answer(attempt, actor=oneself({"_id": attempt["retiree_id"]}))


def test_a_pass_that_was_not_drawn_cannot_be_looked_at(ground):
    with pytest.raises(NotFound, match="look_not_found"):
        second_looks.get(a_pass()["_id"], COMMUNITY_WORKER)


def test_whoever_made_the_attempt_does_not_look_at_it(ground):
    person = a_retiree()
    phone = oneself(person)
    attempt = drawn(person, phone)
    same_account = Actor(access.COMMUNITY, phone.account_id, division=COMMUNITY)
    assert second_looks.listed(same_account) == ([], 0)
    for call in (
        lambda: second_looks.get(attempt["_id"], same_account),
        lambda: second_looks.frame(attempt["_id"], 0, same_account),
        lambda: answer(attempt, actor=same_account),
    ):
        with pytest.raises(Conflict, match="own_attempt"):
            call()


def test_every_look_at_a_frame_is_audited(ground):
    attempt = drawn()
    data = second_looks.frame(attempt["_id"], 0, COMMUNITY_WORKER)
    assert data == f"{attempt['_id']}-neutral".encode()
    with pytest.raises(NotFound, match="frame_gone"):
        second_looks.frame(attempt["_id"], 99, COMMUNITY_WORKER)
    assert audit_actions({"_id": attempt["retiree_id"]}).count("certification.frame_seen") == 1


# ---- The answer


def test_the_person_was_right_and_the_frames_go(ground):
    attempt = drawn()
    answer(attempt, "same")
    assert state_of(attempt) == "same"
    (label,) = collection("face_labels").find()
    assert (label["source"], label["said"], label["machine"]["verdict"]) == ("second_look", "same", "pass")
    # a process that is killed right after the commit leaves the files to the sweeper
    assert sessions.delete_frames() == len(attempt["frames"])
    assert files_stored() == 0
    assert audit_actions({"_id": attempt["retiree_id"]})[-1] == "certification.second_look"


def test_somebody_else_sends_a_worker_and_alarms_the_supervisors_and_the_certificate_stands(ground):
    person = a_retiree()
    attempt = drawn(person)
    answer(attempt, "different", "鼻子不一样")
    certificate = certifications.of_session(attempt["_id"])
    assert certificate["questioned_at"] is not None
    assert certifications.status(person["_id"], COMMUNITY_WORKER)["state"] == "valid"
    (follow_up,) = collection("follow_ups").find()
    assert (follow_up["kind"], follow_up["open"], follow_up["division"]) == ("wrong_pass", True, COMMUNITY)
    (alarm,) = collection("face_alarms").find()
    assert (alarm["kind"], alarm["retiree_ids"]) == ("wrong_pass", [person["_id"]])
    assert alarm["session_ids"] == [attempt["_id"]]
    assert (face_references.of(person["_id"]) or {}).get("templates", []) == []


def test_what_cannot_be_seen_has_no_consequence(ground):
    attempt = drawn()
    answer(attempt, "unclear")
    assert collection("follow_ups").count_documents({}) == collection("face_alarms").count_documents({}) == 0
    assert "questioned_at" not in certifications.of_session(attempt["_id"])


def test_a_machine_s_pass_teaches_no_template_whatever_people_find(ground):
    person = a_retiree()
    enrolled(person)
    before = face_references.of(person["_id"])["templates"]
    look_at(1000)
    attempt = an_attempt(person)
    transaction(lambda session: sessions.settle(session, attempt, "pass", [], {}))
    answer(attempt, "different")
    assert face_references.of(person["_id"])["templates"] == before
    assert collection("outbox").count_documents({"kind": "learn"}) == 0


def test_of_several_workers_who_answer_at_once_one_is_heard(ground):
    attempt = drawn()
    results = at_once(*[lambda said=said: answer(attempt, said) for said in ("same", "different", "unclear", "same")])
    lost = [result for result in results if isinstance(result, Conflict)]
    assert [error.code for error in lost] == ["already_answered"] * 3
    (label,) = collection("face_labels").find()
    assert label["said"] == state_of(attempt)
    assert collection("face_alarms").count_documents({}) == (label["said"] == "different")


# ---- What nobody looked at


def test_a_look_for_which_nobody_had_time_ends_and_its_frames_go(ground):
    with time_machine.travel(clock.now(), tick=False) as clocked:
        attempt = drawn()
        assert second_looks.end() == 0
        clocked.shift(7 * 86_400)
        assert second_looks.listed(COMMUNITY_WORKER) == ([], 0)
        assert second_looks.get(attempt["_id"], COMMUNITY_WORKER)["second_look"]["state"] == "not_looked"
        with pytest.raises(NotFound, match="frame_gone"):
            second_looks.frame(attempt["_id"], 0, COMMUNITY_WORKER)
        with pytest.raises(Conflict, match="already_answered"):
            answer(attempt)
        assert (second_looks.end(), second_looks.end()) == (1, 0)
        assert sessions.delete_frames() == len(attempt["frames"])
    assert state_of(attempt) == "not_looked"
    assert collection("face_labels").count_documents({}) == 0


def test_withdrawn_consent_ends_the_look_and_takes_the_frames_at_once(ground):
    person = a_retiree()
    attempt = drawn(person)
    face_references.withdraw(person["_id"], COMMUNITY_WORKER)
    assert state_of(attempt) == "not_looked"
    assert files_stored() == 0
    with pytest.raises(Conflict, match="already_answered"):
        answer(attempt)


def test_an_answer_and_a_withdrawal_at_the_same_moment_leave_no_way_back(ground):
    person = a_retiree()
    attempt = drawn(person)
    at_once(lambda: answer(attempt), lambda: face_references.withdraw(person["_id"], COMMUNITY_WORKER))
    assert all("session_id" not in label for label in collection("face_labels").find())
    assert files_stored() == 0


def test_somebody_who_has_moved_is_not_shown_to_the_old_community(ground):
    person = a_retiree()
    attempt = drawn(person)
    answer(attempt, "different")
    collection("retirees").update_one({"_id": person["_id"]}, {"$set": {"division": OTHER_COMMUNITY}})
    assert second_looks.listed(COMMUNITY_WORKER, state="different")[0] == []
