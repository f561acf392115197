"""What the clock asks for: whatever waits is swept, and doing it again does nothing."""

from __future__ import annotations

import time_machine

from jobs import housekeeping
from models import audit, certification_sessions, clock, files, rules
from models.database import collection, transaction
from tests.builders import a_retiree, an_attempt, oneself
from tests.story import enrolled, files_stored


def in_days(days: float):
    return time_machine.travel(clock.now() + clock.days(days), tick=False)


def test_a_session_that_nobody_finished_is_closed(ground):
    person = a_retiree()
    attempt = certification_sessions.start(person["_id"], oneself(person), consent=True)
    housekeeping.run("expire_sessions")
    assert certification_sessions.by_id(attempt["_id"])["state"] == "awaiting_frames"
    with in_days(0.01):
        housekeeping.run("expire_sessions")
        housekeeping.run("expire_sessions")
    assert certification_sessions.by_id(attempt["_id"])["state"] == "expired"


def test_frames_are_deleted_when_their_time_is_over_also_where_the_worker_died_after_its_verdict(ground):
    passed, failed = an_attempt(a_retiree()), an_attempt(a_retiree())
    for attempt, verdict in ((passed, "pass"), (failed, "fail")):
        transaction(
            lambda session, attempt=attempt, verdict=verdict: certification_sessions.settle(
                session, attempt, verdict, [], {}
            )
        )
    housekeeping.run("delete_frames")
    assert files_stored() == len(failed["frames"])
    with in_days(30.1):
        housekeeping.run("delete_frames")
    assert files_stored() == collection("files.chunks").count_documents({}) == 0


def test_files_that_nothing_names_are_swept(ground):
    files.put(b"left behind", "frame")
    with in_days(0.1):
        housekeeping.run("sweep_files")
    assert files_stored() == 0


def test_the_number_of_faces_is_warned_about_in_the_log(ground, caplog, capsys):
    enrolled(a_retiree())
    housekeeping.run("count_faces")
    assert "faces_" not in caplog.text + capsys.readouterr().out
    for key in ("faces_warning", "faces_filing"):
        collection("rules").insert_one(rules.Rule(key, 1, "测试", "2026-01-01").as_document())
        housekeeping.run("count_faces")
    logged = caplog.text + capsys.readouterr().out
    assert "faces_near_filing" in logged
    assert "faces_must_be_filed" in logged


def test_the_audit_log_is_sealed_day_by_day(ground):
    a_retiree()
    with in_days(2):
        housekeeping.run("seal_audit")
        housekeeping.run("seal_audit")
        assert audit.verify().faults == ()
    assert collection("audit_seals").count_documents({}) in (1, 2)
