"""An attempt: drawn by the server, one at a time, decided once, its frames gone when their time is over."""

from __future__ import annotations

import pytest
import time_machine

from models import access, by_hand, certifications, clock, outbox, people, rules
from models import certification_sessions as sessions
from models.access import Actor
from models.database import collection, transaction
from models.errors import Conflict, Forbidden, Gone, Invalid, NotFound, TooMany
from settings import ACTIONS
from tests.builders import (
    CITY_WORKER,
    COMMUNITY_WORKER,
    OTHER_COMMUNITY,
    a_retiree,
    an_attempt,
    audit_actions,
    helper_of,
    oneself,
)
from tests.story import agreed, at_once, files_stored, settings_with

ELSEWHERE = Actor(access.COMMUNITY, division=OTHER_COMMUNITY)


def start(person, actor=None, **more):
    return sessions.start(person["_id"], actor or oneself(person), **{"consent": True, **more})


def parts_of(attempt, *names: str):
    return [(name, f"{attempt['_id']}-{number}".encode()) for number, name in enumerate(names)]


def settle(attempt, verdict: str, *reasons: str):
    return transaction(lambda session: sessions.settle(session, attempt, verdict, list(reasons), {"score": 1}))


def a_review(person=None):
    attempt = an_attempt(person or a_retiree())
    return settle(attempt, "review", "match_doubtful")


def state_of(attempt) -> str:
    return sessions.by_id(attempt["_id"])["state"]


# ---- Starting


def test_the_server_draws_two_or_three_different_actions_in_an_order_that_changes(ground):
    person = a_retiree()
    phone = oneself(person)
    drawn = []
    with time_machine.travel(clock.now(), tick=False) as clocked:
        for _ in range(4):
            drawn += [tuple(start(person, phone)["actions"]) for _ in range(10)]
            clocked.shift(86_400)
    assert {len(actions) for actions in drawn} == {2, 3}
    assert all(len(set(actions)) == len(actions) and set(actions) <= set(ACTIONS) for actions in drawn)
    assert len(set(drawn)) > 10


def test_the_house_may_narrow_the_actions_that_are_drawn(ground):
    with settings_with(FACE_ACTIONS=("nod", "blink")):
        assert set(start(a_retiree())["actions"]) == {"nod", "blink"}


def test_a_session_has_three_minutes(ground):
    person = a_retiree()
    with time_machine.travel(clock.now(), tick=False):
        attempt = start(person)
        assert (attempt["expires_at"] - clock.now()).total_seconds() == 180


def test_nobody_is_asked_for_actions_who_cannot_do_them(ground):
    noted = a_retiree(liveness_note="颈椎病，不能转头")
    assert start(noted)["actions"] == []
    assert start(a_retiree(), can_do_actions=False)["actions"] == []


def test_without_consent_there_is_no_session_and_with_it_consent_is_recorded_once(ground):
    person = a_retiree()
    phone = oneself(person)
    with pytest.raises(Conflict, match="consent_required"):
        start(person, phone, consent=False)
    start(person, phone)
    start(person, phone, consent=False)
    start(person, phone)
    assert collection("consents").count_documents({}) == 1


def test_a_new_version_of_the_text_asks_again(ground):
    person = a_retiree()
    agreed(person)
    collection("consents").update_one({}, {"$set": {"version": "2025-01"}})
    with pytest.raises(Conflict, match="consent_required"):
        start(person, consent=False)


def test_two_phones_at_once_get_exactly_one_session_and_the_other_is_told_so(ground):
    person = a_retiree()
    phones = [oneself(person), *(helper_of(person) for _ in range(3))]
    results = at_once(*[lambda phone=phone: start(person, phone) for phone in phones])
    refused = [result for result in results if isinstance(result, Conflict)]
    assert len(refused) == 3
    assert {error.code for error in refused} == {"session_open"}
    assert collection("certification_sessions").count_documents({"open": True}) == 1


def test_the_same_phone_that_taps_twice_ends_with_one_open_session(ground):
    person = a_retiree()
    phone = oneself(person)
    at_once(*[lambda: start(person, phone)] * 3)
    assert collection("certification_sessions").count_documents({"open": True}) == 1


def test_a_session_that_the_same_account_left_behind_gives_way(ground):
    person = a_retiree()
    phone = oneself(person)
    first = start(person, phone)
    start(person, phone)
    assert state_of(first) == "expired"


def test_another_phone_waits_until_the_time_of_the_first_is_over(ground):
    person = a_retiree()
    first = start(person)
    child = helper_of(person)
    with pytest.raises(Conflict, match="session_open"):
        start(person, child)
    with time_machine.travel(clock.now() + clock.seconds(181), tick=False):
        assert start(person, child)["state"] == "awaiting_frames"
    assert state_of(first) == "expired"


def test_nobody_starts_again_while_the_frames_are_looked_at(ground):
    person = a_retiree()
    phone = oneself(person)
    attempt = an_attempt(person, phone)
    with pytest.raises(Conflict, match="being_checked"):
        start(person, phone)
    settle(attempt, "review", "match_doubtful")
    with pytest.raises(Conflict, match="being_checked"):
        start(person, phone)


def test_a_person_may_start_ten_times_a_day(ground):
    person = a_retiree()
    phone = oneself(person)
    with time_machine.travel(clock.start_of(clock.today()) + clock.days(1.4), tick=False) as clocked:
        for _ in range(10):
            start(person, phone)
        with pytest.raises(TooMany, match="too_many_sessions"):
            start(person, phone)
        clocked.shift(86_400)
        start(person, phone)


def test_three_failures_in_a_row_offer_a_person_and_the_next_day_begins_anew(ground):
    person = a_retiree()
    phone = oneself(person)
    with time_machine.travel(clock.start_of(clock.today()) + clock.days(1.4), tick=False) as clocked:
        for _ in range(3):
            settle(an_attempt(person, phone), "fail", "no_face")
        assert sessions.wants_a_person(people.get(person["_id"], phone))
        with pytest.raises(Conflict, match="ask_a_person"):
            start(person, phone)
        clocked.shift(86_400)
        assert not sessions.wants_a_person(people.get(person["_id"], phone))
        start(person, phone)


def test_a_success_forgets_the_failures_before_it(ground):
    person = a_retiree()
    phone = oneself(person)
    for verdict in ("fail", "fail", "pass"):
        settle(an_attempt(person, phone), verdict)
    assert sessions.failures_today(people.get(person["_id"], phone)) == 0


def test_the_dead_do_not_certify(ground):
    person = a_retiree()
    phone = oneself(person)
    people.change(person["_id"], {"status": "deceased", "died_on": "2026-01-02"}, 1, COMMUNITY_WORKER)
    with pytest.raises(Conflict, match="not_entitled"):
        start(person, phone)


def test_a_stranger_can_neither_start_nor_see_nor_send(ground):
    person, stranger = a_retiree(), oneself(a_retiree())
    attempt = start(person)
    with pytest.raises(NotFound, match="retiree_not_found"):
        start(person, stranger)
    with pytest.raises(NotFound, match="session_not_found"):
        sessions.get(attempt["_id"], stranger)
    with pytest.raises(NotFound, match="session_not_found"):
        sessions.receive(attempt["_id"], parts_of(attempt, "neutral"), stranger)
    with pytest.raises(NotFound, match="session_not_found"):
        sessions.get(attempt["_id"], ELSEWHERE)


# ---- Frames


def test_frames_bring_the_session_to_the_worker_and_the_person_to_checking(ground):
    person = a_retiree()
    attempt = an_attempt(person)
    assert attempt["state"] == "checking"
    assert certifications.status(person["_id"], CITY_WORKER)["state"] == "checking"
    event = collection("outbox").find_one({"kind": "check"})
    assert (event["queue"], event["payload"]) == ("faces", {"session_id": attempt["_id"]})
    assert audit_actions(person)[-1] == "certification.frames_received"


def test_frames_are_taken_once_even_when_they_are_sent_at_the_same_moment(ground):
    person = a_retiree()
    phone = oneself(person)
    attempt = start(person, phone)
    parts = parts_of(attempt, *sessions.expected_parts(attempt))
    results = at_once(*[lambda: sessions.receive(attempt["_id"], parts, phone)] * 4)
    refused = [result for result in results if isinstance(result, Exception)]
    assert len(refused) == 3
    assert {type(error) for error in refused} == {Conflict}
    assert files_stored() == len(parts)
    assert collection("outbox").count_documents({"kind": "check"}) == 1


def test_frames_that_come_too_late_are_told_so_and_nothing_is_kept(ground):
    person = a_retiree()
    phone = oneself(person)
    attempt = start(person, phone)
    with (
        time_machine.travel(clock.now() + clock.seconds(181), tick=False),
        pytest.raises(Gone, match="session_expired"),
    ):
        sessions.receive(attempt["_id"], parts_of(attempt, *sessions.expected_parts(attempt)), phone)
    assert files_stored() == 0


def test_frames_come_from_the_phone_that_opened_the_session(ground):
    person = a_retiree()
    attempt = start(person)
    with pytest.raises(Conflict, match="other_phone"):
        sessions.receive(attempt["_id"], parts_of(attempt, *sessions.expected_parts(attempt)), helper_of(person))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: [],
        lambda names: names[1:],
        lambda names: names[:-1],
        lambda names: [*names, "neutral"],
        lambda names: [*names, names[-2]],
        lambda names: names[::-1],
        lambda names: [names[0], *names[:0:-1]],
        lambda _: ["neutral"],
        lambda names: [*names[:-1], "smile"],
        lambda names: [name.upper() for name in names],
    ],
    ids=[
        "none", "no neutral", "one missing", "neutral again", "an action again", "backwards", "actions swapped",
        "neutral only", "an unknown action", "shouted",
    ],
)  # fmt: skip
def test_parts_come_neutral_first_and_then_each_action_in_its_order(ground, spoil):
    person = a_retiree()
    phone = oneself(person)
    attempt = start(person, phone)
    with pytest.raises(Invalid, match="frames_out_of_order"):
        sessions.receive(attempt["_id"], parts_of(attempt, *spoil(sessions.expected_parts(attempt))), phone)
    assert state_of(attempt) == "awaiting_frames"
    assert files_stored() == 0


def test_an_action_has_at_most_sixteen_frames(ground):
    person = a_retiree()
    phone = oneself(person)
    attempt = start(person, phone)
    names = sessions.expected_parts(attempt)
    with pytest.raises(Invalid, match="too_many_frames"):
        sessions.receive(attempt["_id"], parts_of(attempt, *["neutral"] * 17, *names[1:]), phone)
    taken = sessions.receive(attempt["_id"], parts_of(attempt, *["neutral"] * 16, *names[1:]), phone)
    assert len(taken["frames"]) == 16 + len(names) - 1


# ---- Verdicts


def test_a_pass_issues_one_certificate_for_the_day_on_which_the_frames_came(ground):
    person = a_retiree()
    with time_machine.travel(clock.start_of(clock.today()) + clock.days(2), tick=False) as clocked:
        clocked.shift(-1)
        attempt = an_attempt(person)
        day = clock.today().isoformat()
        clocked.shift(2)
        settled = settle(attempt, "pass")
        assert clock.today().isoformat() > day
    certificate = certifications.of_session(attempt["_id"])
    assert (certificate["method"], certificate["certified_on"]) == ("face", day)
    assert settled["frames_delete_at"] <= settled["decided_at"]


def test_a_verdict_is_given_once_whoever_is_faster(ground):
    attempt = an_attempt(a_retiree())
    results = at_once(*[lambda: settle(attempt, "pass")] * 4)
    assert sum(isinstance(result, outbox.AlreadyDone) for result in results) == 3
    assert collection("certificates").count_documents({}) == 1


def test_the_residence_that_was_declared_is_on_the_certificate_and_in_the_ledger(ground):
    person = a_retiree()
    attempt = an_attempt(person, residence={"kind": "other_province", "place": "示范省"})
    settle(attempt, "pass")
    assert certifications.of_session(attempt["_id"])["residence"]["kind"] == "other_province"
    assert people.get(person["_id"], CITY_WORKER)["residence"]["place"] == "示范省"


def test_somebody_recorded_as_dead_who_passes_is_looked_at_by_people(ground):
    person = a_retiree()
    attempt = an_attempt(person)
    people.change(person["_id"], {"status": "deceased", "died_on": "2026-01-02"}, 1, COMMUNITY_WORKER)
    settled = settle(attempt, "pass")
    assert (settled["state"], settled["reasons"]) == ("in_review", ["recorded_as_deceased"])
    assert collection("certificates").count_documents({}) == 0
    with pytest.raises(Conflict, match="deceased"):
        sessions.decide(attempt["_id"], approve=True, reason="是本人", actor=COMMUNITY_WORKER)


def test_failed_frames_are_kept_thirty_days_at_most_and_then_really_deleted(ground):
    attempt = an_attempt(a_retiree())
    settle(attempt, "fail", "no_face")
    assert sessions.delete_frames(clock.now() + clock.days(29)) == 0
    assert sessions.delete_frames(clock.now() + clock.days(30.01)) == len(attempt["frames"])
    assert files_stored() == collection("files.chunks").count_documents({}) == 0
    assert sessions.by_id(attempt["_id"])["frames"] == []


def test_a_city_may_keep_failed_frames_for_less_time(ground):
    collection("rules").insert_one(
        rules.Rule("frames_keep_failed_days", 7, "某市规定", "2025-06-01", division="4301").as_document()
    )
    settle(an_attempt(a_retiree()), "fail", "no_face")
    assert sessions.delete_frames(clock.now() + clock.days(7.01)) > 0


def test_a_session_whose_frames_never_came_is_closed_by_the_sweeper(ground):
    attempt = start(a_retiree())
    assert sessions.expire() == 0
    with time_machine.travel(clock.now() + clock.seconds(181), tick=False):
        assert sessions.get(attempt["_id"], CITY_WORKER)["state"] == "expired"
        assert sessions.expire() == 1
        assert sessions.expire() == 0
    assert collection("certification_sessions").count_documents({"open": True}) == 0


# ---- Reviews


def test_a_doubt_waits_in_the_queue_of_the_own_area_the_oldest_first(ground):
    first, second = a_review(), a_review()
    rows, total = sessions.reviews(COMMUNITY_WORKER)
    assert ([row["_id"] for row in rows], total) == ([first["_id"], second["_id"]], 2)
    assert rows[0]["retiree"]["name"] == "王秀英"
    assert sessions.reviews(ELSEWHERE) == ([], 0)


def test_outside_the_own_area_a_review_does_not_exist(ground):
    held = a_review()
    for call in (
        lambda: sessions.review(held["_id"], ELSEWHERE),
        lambda: sessions.frame(held["_id"], 0, ELSEWHERE),
        lambda: sessions.decide(held["_id"], approve=True, reason="是本人", actor=ELSEWHERE),
    ):
        with pytest.raises(NotFound):
            call()
    with pytest.raises(Forbidden):
        sessions.decide(held["_id"], approve=True, reason="是我", actor=helper_of({"_id": held["retiree_id"]}))


def test_an_approval_certifies_by_review_and_a_rejection_counts_as_a_failure(ground):
    yes, no = a_review(), a_review()
    sessions.decide(yes["_id"], approve=True, reason="与登记照片一致", actor=COMMUNITY_WORKER)
    sessions.decide(no["_id"], approve=False, reason="不是同一个人", actor=COMMUNITY_WORKER)
    assert certifications.of_session(yes["_id"])["method"] == "face_review"
    assert certifications.of_session(no["_id"]) is None
    assert sessions.failures_today(people.get(no["retiree_id"], CITY_WORKER)) == 1
    assert (state_of(yes), state_of(no)) == ("passed", "failed")


def test_of_two_workers_who_decide_one_review_one_wins(ground):
    held = a_review()
    results = at_once(
        *[
            lambda approve=approve: sessions.decide(
                held["_id"], approve=approve, reason="看过照片", actor=COMMUNITY_WORKER
            )
            for approve in (True, False, True, False)
        ]
    )
    lost = [result for result in results if isinstance(result, Conflict)]
    assert {error.code for error in lost} == {"already_decided"}
    assert len(lost) == 3
    assert collection("certificates").count_documents({}) == (state_of(held) == "passed")


def test_frames_of_a_rejected_review_are_deleted_at_once_and_a_look_at_them_says_so(ground):
    held = a_review()
    sessions.decide(held["_id"], approve=False, reason="不是同一个人", actor=COMMUNITY_WORKER)
    assert sessions.delete_frames() == len(held["frames"])
    with pytest.raises(NotFound, match="frame_gone"):
        sessions.frame(held["_id"], 0, COMMUNITY_WORKER)


def test_every_look_at_a_frame_is_audited(ground):
    held = a_review()
    assert sessions.frame(held["_id"], 0, COMMUNITY_WORKER) == f"{held['_id']}-neutral".encode()
    entry = collection("audit").find_one({"action": "certification.frame_seen"})
    assert entry["after"] == {"session_id": held["_id"], "frame": 0}
    for number in (-1, 99):
        with pytest.raises(NotFound):
            sessions.frame(held["_id"], number, COMMUNITY_WORKER)


def test_an_attempt_that_never_needed_a_person_is_no_review(ground):
    attempt = an_attempt(a_retiree())
    settle(attempt, "pass")
    with pytest.raises(NotFound, match="review_not_found"):
        sessions.review(attempt["_id"], COMMUNITY_WORKER)


def test_whoever_was_refused_by_the_machine_may_ask_a_person_to_look_at_the_same_frames(ground):
    person = a_retiree()
    actor = oneself(person)
    attempt = an_attempt(person, actor)
    transaction(lambda session: sessions.settle(session, attempt, sessions.FAIL, ["action_not_seen"], {}))
    asked = sessions.ask_for_review(attempt["_id"], actor)
    assert asked["state"] == "in_review"
    assert [row["_id"] for row in sessions.reviews(COMMUNITY_WORKER)[0]] == [attempt["_id"]]
    with pytest.raises(Conflict, match="no_review"):
        sessions.ask_for_review(attempt["_id"], actor)
    sessions.decide(attempt["_id"], approve=False, reason="不是本人", actor=COMMUNITY_WORKER)
    with pytest.raises(Conflict, match="no_review"):
        sessions.ask_for_review(attempt["_id"], actor)


@pytest.mark.parametrize("reason", [sessions.REPLAYED, sessions.WITHDRAWN])
def test_a_film_that_was_played_again_is_not_looked_at_twice_and_its_frames_go_at_once(ground, reason):
    person = a_retiree()
    actor = oneself(person)
    attempt = an_attempt(person, actor)
    transaction(lambda session: sessions.settle(session, attempt, sessions.FAIL, [reason], {}))
    with pytest.raises(Conflict, match="no_review"):
        sessions.ask_for_review(attempt["_id"], actor)
    assert sessions.delete_frames() == len(attempt["frames"])


def test_frames_that_are_only_alike_to_earlier_ones_are_kept_and_a_person_may_look_at_them(ground):
    person = a_retiree()
    actor = oneself(person)
    attempt = an_attempt(person, actor)
    figures = {"seen_before": {"exact": 0, "alike": 9}}
    failed = transaction(lambda session: sessions.settle(session, attempt, sessions.FAIL, [sessions.REPLAYED], figures))
    assert sessions.delete_frames() == 0
    assert sessions.can_be_reviewed(failed)
    assert sessions.ask_for_review(attempt["_id"], actor)["state"] == "in_review"


def test_a_certificate_by_hand_closes_the_attempt_that_waits_for_a_person(ground):
    person = a_retiree()
    attempt = an_attempt(person)
    transaction(lambda session: sessions.settle(session, attempt, sessions.REVIEW, ["not_enrolled"], {}))
    first = by_hand.record(person["_id"], "window", clock.today(), "", COMMUNITY_WORKER)
    again = by_hand.record(person["_id"], "window", clock.today(), "", COMMUNITY_WORKER)
    assert first["_id"] == again["_id"], "the button pressed twice is one certificate"
    assert sessions.by_id(attempt["_id"])["state"] == "expired"
    with pytest.raises(Conflict, match="already_decided"):
        sessions.decide(attempt["_id"], approve=True, reason="是本人", actor=COMMUNITY_WORKER)
    assert len(certifications.history(person["_id"], COMMUNITY_WORKER)) == 1


def test_the_houses_own_faults_never_count_towards_being_sent_to_a_person(ground):
    person = a_retiree()
    for _ in range(3):
        attempt = an_attempt(person)
        transaction(
            lambda session, attempt=attempt: sessions.settle(session, attempt, sessions.FAIL, [sessions.LOST], {})
        )
    assert not sessions.wants_a_person(people.get(person["_id"], COMMUNITY_WORKER))
