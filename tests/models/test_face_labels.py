"""Labels: what people said beside what the machine said, in coarse groups, and no way back to who it was."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from models import certification_sessions as sessions
from models import clock, face_labels, face_references
from models.database import collection, transaction
from models.errors import Conflict
from tests.builders import COMMUNITY, COMMUNITY_WORKER, a_retiree, an_attempt, an_id_number, oneself
from tests.story import at_once

HUAWEI = "Mozilla/5.0 (Linux; Android 12; TAS-AN00 Build/HUAWEITAS-AN00; wv) AppleWebKit/537.36 (KHTML, like Gecko)"
FIGURES = {
    "policy": "2026-11.1",
    "model": "a network",
    "match": {"distance": 0.44, "decision": "doubtful", "evaluation": "an evaluation"},
}


def judged(attempt, verdict: str = "review", *reasons: str):
    return transaction(lambda session: sessions.settle(session, attempt, verdict, list(reasons), FIGURES))


def decide(attempt, approve: bool = True):
    return sessions.decide(attempt["_id"], approve=approve, reason="看过照片", actor=COMMUNITY_WORKER)


def labels():
    return list(collection("face_labels").find({}, {"_id": 0}))


def test_a_review_leaves_what_the_machine_measured_what_the_person_said_and_the_groups(ground):
    person = a_retiree(id_number=an_id_number("1950-01-01"), sex="female")
    with time_machine.travel(dt.datetime(2026, 11, 21, 2, tzinfo=dt.UTC), tick=False):
        attempt = an_attempt(person, device=HUAWEI)
        judged(attempt, "review", "match_doubtful")
        decide(attempt)
    assert labels() == [
        {
            "session_id": attempt["_id"],
            "source": "review",
            "said": "approved",
            "machine": {
                "verdict": "review",
                "reasons": ["match_doubtful"],
                "distance": 0.44,
                "decision": "doubtful",
                "policy": "2026-11.1",
                "model": "a network",
                "evaluation": "an evaluation",
            },
            "division": COMMUNITY,
            "age_band": "70-79",
            "sex": "female",
            "phone": "TAS-AN00",
            "decided_at": dt.datetime(2026, 11, 21, 2, tzinfo=dt.UTC),
        }
    ]


def test_a_refusal_at_which_the_retiree_had_a_person_look_is_told_apart(ground):
    person = a_retiree()
    phone = oneself(person)
    attempt = an_attempt(person, phone)
    judged(attempt, "fail", "different_person")
    sessions.ask_for_review(attempt["_id"], phone)
    decide(attempt)
    (label,) = labels()
    assert (label["source"], label["said"], label["machine"]["verdict"]) == ("review_asked", "approved", "fail")


def test_a_review_that_the_machine_could_not_check_leaves_a_label_without_figures(ground):
    attempt = an_attempt(a_retiree())
    transaction(lambda session: sessions.settle(session, attempt, "review", ["could_not_check"], {}))
    decide(attempt, approve=False)
    (label,) = labels()
    assert (label["said"], label["machine"]["distance"], label["machine"]["policy"]) == ("refused", None, None)


def test_of_several_workers_who_decide_at_once_one_leaves_a_label(ground):
    attempt = judged(an_attempt(a_retiree()), "review", "match_doubtful")
    results = at_once(*[lambda approve=approve: decide(attempt, approve) for approve in (True, False, True)])
    assert sum(isinstance(result, Conflict) for result in results) == 2
    assert len(labels()) == 1


def test_what_the_machine_decides_alone_leaves_no_label(ground):
    judged(an_attempt(a_retiree()), "pass")
    judged(an_attempt(a_retiree()), "fail", "no_face")
    assert labels() == []


def test_nothing_leads_from_the_labels_back_to_whoever_withdraws_consent(ground):
    person, other = a_retiree(), a_retiree()
    for one in (person, other):
        decide(judged(an_attempt(one), "review", "match_doubtful"), approve=False)
    face_references.withdraw(person["_id"], COMMUNITY_WORKER)
    linked = [label.get("session_id") for label in labels()]
    assert linked.count(None) == 1
    (kept,) = [session_id for session_id in linked if session_id]
    assert sessions.by_id(kept)["retiree_id"] == other["_id"]
    assert not any("retiree_id" in label for label in labels())


def test_the_way_back_to_a_person_is_cut_after_half_a_year_and_the_label_stays(ground):
    decide(judged(an_attempt(a_retiree()), "review", "match_doubtful"))
    with time_machine.travel(clock.now() + clock.days(179), tick=False):
        assert face_labels.unlink_old() == 0
    with time_machine.travel(clock.now() + clock.days(180.01), tick=False):
        assert face_labels.unlink_old() == 1
        assert face_labels.unlink_old() == 0
    (label,) = labels()
    assert "session_id" not in label
    assert label["machine"]["distance"] == 0.44


@pytest.mark.parametrize(
    ("birth", "band"),
    [
        ("1966-11-22", "0-59"),
        ("1966-11-21", "60-69"),
        ("1956-11-22", "60-69"),
        ("1956-11-21", "70-79"),
        ("1937-01-01", "80-89"),
        ("1936-11-21", "90+"),
        ("1920-01-01", "90+"),
        (None, "other"),
    ],
)
def test_ages_are_kept_in_bands_of_ten_years_counted_by_the_birthday(birth, band):
    assert face_labels.age_band(birth, dt.date(2026, 11, 21)) == band


@pytest.mark.parametrize(
    ("user_agent", "model"),
    [
        (HUAWEI, "TAS-AN00"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.40", "iPhone"),
        ("Mozilla/5.0 (Linux; Android 9; PBEM00 Build/PKQ1.190519.001; wv) AppleWebKit/537.36", "Oppo PBEM00"),
        ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36", "other"),
        ("Mozilla/5.0 (Linux; Android 10; HarmonyOS; HMSCore 6.4) AppleWebKit/537.36 Mobile Safari/537.36", "other"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36", "other"),
        (f"Mozilla/5.0 (Linux; Android 13; {'x' * 90} Build/1)", "x" * 40),
        ("", "other"),
    ],
)
def test_of_a_browser_only_the_model_of_the_phone_is_kept(user_agent, model):
    assert face_labels.phone_model(user_agent) == model
