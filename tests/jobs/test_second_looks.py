"""Second looks in the background: the check keeps the frames of a drawn pass, and the clock ends what waited too long."""

from __future__ import annotations

import time_machine

from jobs import housekeeping
from models import certification_sessions as sessions
from models import clock, rules, second_looks
from models.database import collection
from tests.builders import COMMUNITY_WORKER, a_retiree, finish_work, oneself
from tests.story import acted, enrolled, files_stored


def a_checked_attempt(per_mille: int):
    """A real attempt of somebody enrolled, checked by the worker's own job."""
    person = a_retiree()
    enrolled(person)
    record = rules.Rule("second_look_per_mille", per_mille, "测试", "2020-01-01").as_document()
    collection("rules").insert_one(record)
    phone = oneself(person)
    attempt = sessions.start(person["_id"], phone, consent=True)
    sessions.receive(attempt["_id"], acted(attempt), phone)
    finish_work()
    return sessions.by_id(attempt["_id"])


def test_the_check_keeps_the_frames_of_a_drawn_pass_until_the_look_and_a_dead_process_leaves_them_to_the_sweeper(
    ground,
):
    attempt = a_checked_attempt(1000)
    assert (attempt["state"], attempt["second_look"]["state"]) == ("passed", "waiting")
    assert files_stored() == 1 + len(attempt["frames"]) > 1
    housekeeping.run("delete_frames")
    assert files_stored() == 1 + len(attempt["frames"])
    # the answer is committed and its process killed: nothing else has to happen in it
    second_looks.answer(attempt["_id"], "same", "", COMMUNITY_WORKER)
    housekeeping.run("delete_frames")
    assert files_stored() == 1, "the reference photograph"


def test_the_check_deletes_the_frames_of_every_other_pass_at_once(ground):
    attempt = a_checked_attempt(0)
    assert (attempt["state"], attempt["frames"], files_stored()) == ("passed", [], 1)
    assert "second_look" not in attempt
    assert attempt["counted"]["outcome"] == "pass"


def test_the_clock_ends_a_look_that_nobody_made(ground):
    attempt = a_checked_attempt(1000)
    with time_machine.travel(clock.now() + clock.days(7.01), tick=False):
        for tick in ("end_second_looks", "delete_frames", "end_second_looks"):
            housekeeping.run(tick)
    assert sessions.by_id(attempt["_id"])["second_look"]["state"] == "not_looked"
    assert files_stored() == 1


def test_the_clock_cuts_the_way_from_old_labels_back_to_a_person(ground):
    attempt = a_checked_attempt(1000)
    second_looks.answer(attempt["_id"], "same", "", COMMUNITY_WORKER)
    housekeeping.run("unlink_labels")
    assert collection("face_labels").count_documents({"session_id": attempt["_id"]}) == 1
    with time_machine.travel(clock.now() + clock.days(181), tick=False):
        housekeeping.run("unlink_labels")
    assert collection("face_labels").count_documents({"session_id": {"$exists": True}}) == 0
    assert collection("face_labels").count_documents({}) == 1


def test_the_clock_stores_the_month_that_is_over(ground):
    with time_machine.travel("2026-12-01T00:40:00+08:00", tick=False):
        housekeeping.run("prepare_face_report")
        housekeeping.run("prepare_face_report")
    (report,) = collection("face_reports").find()
    assert report["_id"] == "2026-11"
