"""The check of an attempt: decided once, and software that fails never fails a retiree."""

from __future__ import annotations

import io

import PIL.Image
import pytest
import time_machine

import faces
from jobs import check_attempt, registry
from models import certification_sessions as sessions
from models import clock, face_references, files, frame_fingerprints, outbox
from models.database import collection
from tests.builders import COMMUNITY_WORKER, a_retiree, an_attempt, audit_actions, finish_work, oneself
from tests.faces import actors
from tests.story import acted, agreed, at_once, enrolled, files_stored, settings_with


def a_real_attempt(person, seed: int = 0):
    phone = oneself(person)
    attempt = sessions.start(person["_id"], phone, consent=True)
    return sessions.receive(attempt["_id"], acted(attempt, seed=seed), phone)


def check_of(attempt):
    return collection("outbox").find_one({"key": f"check:{attempt['_id']}"})


def state_of(attempt) -> str:
    return sessions.by_id(attempt["_id"])["state"]


def deliver_until_it_is_given_up(event) -> None:
    with time_machine.travel(clock.now(), tick=False) as clocked:
        for _ in range(outbox.MAX_ATTEMPTS):
            registry.deliver(str(event["_id"]))
            clocked.shift(2000)


def test_a_pass_deletes_its_frames_at_once_and_keeps_figures_policy_and_model(ground):
    person = a_retiree()
    enrolled(person)
    attempt = a_real_attempt(person)
    finish_work()
    held = sessions.by_id(attempt["_id"])
    assert (held["state"], held["frames"], files_stored()) == ("passed", [], 1)
    assert held["figures"]["policy"]
    assert held["figures"]["model"]
    assert held["figures"]["match"]["decision"] == "sure"
    assert [seen["action"] for seen in held["figures"]["actions"]] == attempt["actions"]


def test_a_check_that_is_delivered_to_two_workers_at_once_certifies_once(ground):
    person = a_retiree()
    enrolled(person)
    event = str(check_of(a_real_attempt(person))["_id"])
    at_once(*[lambda: registry.deliver(event)] * 2)
    assert collection("certificates").count_documents({}) == 1
    assert audit_actions(person).count("certification.passed") == 1


def test_a_check_whose_frames_cannot_be_read_goes_to_a_person_after_the_last_try(ground):
    person = a_retiree()
    attempt = an_attempt(person)
    collection("files.chunks").update_many({}, {"$set": {"data": b"\x01 the disk has lost this"}})
    deliver_until_it_is_given_up(check_of(attempt))
    held = sessions.by_id(attempt["_id"])
    assert (held["state"], held["reasons"]) == ("in_review", ["could_not_check"])
    assert "工作人员" in held["advice"][0]
    assert check_of(attempt)["state"] == "failed"
    assert sessions.reviews(COMMUNITY_WORKER)[1] == 1


def test_a_check_that_kills_its_worker_every_time_goes_to_a_person_too(ground):
    attempt = an_attempt(a_retiree())
    collection("outbox").update_one({"kind": "check"}, {"$set": {"attempts": outbox.MAX_ATTEMPTS}})
    registry.deliver(str(check_of(attempt)["_id"]))
    assert (state_of(attempt), check_of(attempt)["state"]) == ("in_review", "failed")


def test_a_check_whose_worker_was_killed_is_done_by_the_next_and_its_frames_never_count_against_itself(ground):
    person = a_retiree()
    enrolled(person)
    attempt = a_real_attempt(person)
    outbox.hand_out()
    outbox.claim(check_of(attempt)["_id"])
    frames = [faces.LabelledFrame(*frame) for frame in sessions.load_frames(attempt)]
    frame_fingerprints.seen_before(attempt, check_attempt._pictures(attempt, frames))  # it died after it had noted them
    with time_machine.travel(clock.now() + clock.seconds(60)):
        finish_work()
    assert state_of(attempt) == "passed"
    assert collection("frame_fingerprints").count_documents({}) == len(frames)


def test_consent_that_was_withdrawn_before_the_check_ends_it(ground):
    person = a_retiree()
    phone = oneself(person)
    attempt = an_attempt(person, phone)
    face_references.withdraw(person["_id"], phone)
    finish_work()
    assert sessions.by_id(attempt["_id"])["reasons"] == ["consent_withdrawn"]
    assert check_of(attempt)["state"] == "done"


def test_frames_that_are_gone_are_asked_for_again(ground):
    attempt = an_attempt(a_retiree())
    files.delete([frame["file_id"] for frame in attempt["frames"]])
    finish_work()
    held = sessions.by_id(attempt["_id"])
    assert (held["state"], held["reasons"]) == ("failed", ["frames_lost"])
    assert "重新照" in held["advice"][0]


def test_a_photograph_that_was_put_before_consent_is_compared_with_once_there_is_consent(ground):
    person = a_retiree()
    face_references.put_photo(person["_id"], actors.photo(), "staff", COMMUNITY_WORKER)
    finish_work()
    assert not face_references.of(person["_id"])["enrolled"]
    attempt = a_real_attempt(person)
    finish_work()
    assert state_of(attempt) == "passed"


def test_whoever_has_no_photograph_goes_to_a_person(ground):
    person = a_retiree()
    agreed(person)
    attempt = a_real_attempt(person)
    finish_work()
    assert (state_of(attempt), sessions.by_id(attempt["_id"])["reasons"]) == ("in_review", ["not_enrolled"])


# ---- Films that are played again

TWO_ACTIONS = {"FACE_ACTIONS": ("nod", "turn_left")}


def encoded_again(data: bytes, *, mirrored: bool = False, crop: float = 0.0) -> bytes:
    """As a film is that was cut, made smaller and stored once more."""
    picture = PIL.Image.open(io.BytesIO(data)).convert("RGB")
    across, down = round(picture.width * crop), round(picture.height * crop)
    picture = picture.crop((across, down, picture.width - across, picture.height - down))
    picture = picture.resize((round(picture.width * 0.8), round(picture.height * 0.8)))
    if mirrored:
        picture = picture.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=60)
    return file.getvalue()


def checked(person, parts_of, phone=None):
    """An attempt of two actions with these parts, after the worker has looked."""
    phone = phone or oneself(person)
    with settings_with(**TWO_ACTIONS):
        attempt = sessions.start(person["_id"], phone, consent=True)
    sessions.receive(attempt["_id"], parts_of(attempt), phone)
    finish_work()
    return sessions.by_id(attempt["_id"])


def a_film_of(who: str = "astronaut"):
    """What somebody recorded once: neutral and both actions, to be cut into whatever order is asked for."""
    taken = {part: actors.frames(who, part, 4) for part in ("neutral", "nod", "turn_left")}
    return lambda attempt: [(part, data) for part in ("neutral", *attempt["actions"]) for data in taken[part]]


def altered(film, alter):
    return lambda attempt: [(part, alter(data)) for part, data in film(attempt)]


ALTERED = {
    "encoded again": lambda data: encoded_again(data),
    "mirrored": lambda data: encoded_again(data, mirrored=True),
    "cropped": lambda data: encoded_again(data, crop=0.01),
}


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_a_film_that_was_altered_and_is_played_for_another_person_is_refused_and_the_supervisor_hears_of_it(
    ground, alter
):
    first, second = a_retiree(), a_retiree()
    for person in (first, second):
        enrolled(person)
    assert checked(first, a_film_of())["state"] == "passed"
    held = checked(second, altered(a_film_of(), alter))
    assert (held["state"], held["reasons"]) == ("failed", ["seen_before"])
    assert held["figures"]["seen_before"]["exact"] == 0
    assert held["figures"]["seen_before"]["other_people"] == 1
    alarm = collection("face_alarms").find_one({"kind": "same_film"})
    assert set(alarm["retiree_ids"]) == {first["_id"], second["_id"]}
    assert sessions.can_be_reviewed(held), "frames that are only alike may be looked at by a person"


def test_the_same_files_are_refused_for_good_and_deleted(ground):
    person = a_retiree()
    enrolled(person)
    phone = oneself(person)
    assert checked(person, a_film_of(), phone)["state"] == "passed"
    held = checked(person, a_film_of(), phone)
    assert (held["state"], held["reasons"]) == ("failed", ["seen_before"])
    assert not sessions.can_be_reviewed(held)
    sessions.delete_frames()
    assert sessions.by_id(held["_id"])["frames"] == []
    assert collection("face_alarms").count_documents({}) == 0, "nobody else is concerned"


def test_a_living_person_who_tries_again_in_the_same_chair_passes(ground):
    person = a_retiree()
    enrolled(person)
    phone = oneself(person)
    for seed in (0, 50, 100):
        held = checked(person, lambda attempt, seed=seed: acted(attempt, seed=seed), phone)
        assert (held["state"], held["reasons"]) == ("passed", [])


def test_one_frame_that_is_alike_brings_a_living_person_to_a_worker_and_never_fails(ground):
    person = a_retiree()
    enrolled(person)
    phone = oneself(person)
    checked(person, a_film_of(), phone)

    def but_one(attempt):
        (part, data), *_ = a_film_of()(attempt)
        return [(part, encoded_again(data)), *acted(attempt, seed=50)[1:]]

    held = checked(person, but_one, phone)
    assert (held["state"], held["reasons"]) == ("in_review", ["seen_before_doubtful"])
    assert held["figures"]["seen_before"]["alike"] == 1
    assert "工作人员" in held["advice"][-1]


def test_a_part_of_which_half_was_another_part_is_looked_at_by_a_person(ground):
    person = a_retiree()
    enrolled(person)

    def repeated(attempt):
        parts = acted(attempt)
        last = [place for place, (action, _) in enumerate(parts) if action == parts[-1][0]]
        used = {place: parts[number][1] for number, place in enumerate(last[: (len(last) + 1) // 2])}
        return [(action, used.get(place, data)) for place, (action, data) in enumerate(parts)]

    held = checked(person, repeated)
    assert "frames_repeated" in held["reasons"]
    assert held["state"] != "passed"


def test_frames_that_show_nothing_are_not_held_against_anybody(ground):
    dark = actors.jpeg(actors.pixels(actors.frames("astronaut", "neutral", 1)[0]) * 0)
    for _ in range(2):
        held = checked(a_retiree(), lambda attempt: [(part, dark) for part in sessions.expected_parts(attempt)])
        assert held["state"] == "failed"
        assert "seen_before" not in held["reasons"]
    assert collection("frame_fingerprints").count_documents({}) == 0
