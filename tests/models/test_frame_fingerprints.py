"""Frames that were seen before: what is refused, what a person looks at, and what never counts against anybody."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

import pytest
import time_machine
from bson import ObjectId

from models import certification_sessions as sessions
from models import clock, face_references, frame_fingerprints, rules
from models.database import collection
from models.frame_fingerprints import ALIKE, Picture, Seen
from tests.builders import a_retiree, an_attempt, oneself
from tests.story import at_once

PARTS = ("neutral", "neutral", "neutral", "turn_left", "turn_left", "turn_left", "nod", "nod", "nod")

chance = random.Random(7)


def a_look() -> bytes:
    return chance.randbytes(32)


def moved(look: bytes, bits: int) -> bytes:
    """The fingerprint with so many bits changed, spread so that as many words change as can."""
    number = int.from_bytes(look)
    for place in range(bits):
        number ^= 1 << (place * 16 % 256 + place // 16)
    return number.to_bytes(32)


def a_film(parts=PARTS) -> list[Picture]:
    return [
        Picture(number, part, hashlib.sha256(look := a_look()).hexdigest(), (look,))
        for number, part in enumerate(parts)
    ]


def again(film, bits: int = 6, only: int | None = None) -> list[Picture]:
    """The film encoded again: other files that look nearly the same. `only` so many frames of it, the rest is new."""
    new = a_film([picture.part for picture in film])
    kept = len(film) if only is None else only
    return [
        Picture(other.number, other.part, other.digest, (moved(picture.looks[0], bits),)) if place < kept else other
        for place, (picture, other) in enumerate(zip(film, new, strict=True))
    ]


def seen(film, person=None) -> Seen:
    return frame_fingerprints.seen_before(an_attempt(person or a_retiree()), film)


def rows(**where) -> int:
    return collection("frame_fingerprints").count_documents(where)


def test_the_same_file_in_another_session_is_a_film_played_again_whosever_it_was(ground):
    film, owner = a_film(), a_retiree()
    assert not seen(film, owner).played_again
    other = [film[0], *a_film()[1:]]
    found = seen(other)
    assert (found.played_again, found.exact, found.retiree_ids) == (True, 1, (owner["_id"],))


def test_a_film_that_was_encoded_again_is_refused_and_says_whose_it_was(ground):
    film, owner = a_film(), a_retiree()
    seen(film, owner)
    found = seen(again(film))
    assert (found.played_again, found.exact, found.alike, found.searched, found.parts) == (True, 0, 9, 9, 3)
    assert found.retiree_ids == (owner["_id"],)
    assert found.figures["other_people"] == 1


def test_the_persons_own_film_is_refused_without_an_alarm_about_anybody_else(ground):
    film, person = a_film(), a_retiree()
    phone = oneself(person)
    first = an_attempt(person, phone)
    frame_fingerprints.seen_before(first, film)
    collection("certification_sessions").update_one({"_id": first["_id"]}, {"$set": {"state": "failed", "open": False}})
    found = frame_fingerprints.seen_before(an_attempt(person, phone), again(film))
    assert (found.played_again, found.retiree_ids) == (True, ())


@pytest.mark.parametrize("bits, alike", [(ALIKE, 9), (ALIKE + 1, 0)])
@pytest.mark.parametrize("same_person", [True, False])
def test_fifteen_bits_are_alike_and_sixteen_are_not_among_the_own_and_among_all(ground, bits, alike, same_person):
    film, person = a_film(), a_retiree()
    first = an_attempt(person)
    frame_fingerprints.seen_before(first, film)
    collection("certification_sessions").update_one({"_id": first["_id"]}, {"$set": {"state": "failed", "open": False}})
    assert seen(again(film, bits), person if same_person else None).alike == alike


@pytest.mark.parametrize("only, verdict", [(0, "nothing"), (1, "doubtful"), (4, "doubtful"), (5, "played again")])
def test_half_of_the_frames_are_a_film_and_a_few_are_a_doubt(ground, only, verdict):
    film = a_film()
    seen(film)
    found = seen(again(film, only=only))
    assert (found.played_again, found.doubtful) == (verdict == "played again", verdict == "doubtful")
    assert bool(found.retiree_ids) is found.played_again, "a doubt names nobody"


def test_one_look_straight_ahead_that_is_repeated_is_a_doubt_however_many_frames_show_it(ground):
    film = a_film(["neutral"] * 4)
    seen(film)
    assert seen(again(film)).doubtful


def test_a_film_put_together_of_two_attempts_is_refused(ground):
    first, second = a_film(), a_film()
    seen(first)
    seen(second)
    joined = [*again(first)[:3], *again(second)[3:]]
    found = seen(joined)
    assert (found.played_again, len(found.retiree_ids)) == (True, 2)


def test_a_mirror_that_the_looks_undo_is_found(ground):
    film = a_film()
    seen(film)
    mirrored = [Picture(old.number, old.part, old.digest[::-1], (a_look(), old.looks[0]), straight=2) for old in film]
    assert seen(mirrored).played_again


def test_what_only_a_tilt_explains_is_searched_among_the_persons_own_frames_only(ground):
    film, person = a_film(), a_retiree()
    first = an_attempt(person)
    frame_fingerprints.seen_before(first, film)
    collection("certification_sessions").update_one({"_id": first["_id"]}, {"$set": {"state": "failed", "open": False}})
    tilted = [Picture(old.number, old.part, old.digest[::-1], (a_look(), old.looks[0]), straight=1) for old in film]
    assert not seen(tilted).played_again
    assert seen(tilted, person).played_again


def test_a_check_that_is_done_again_never_counts_against_itself_and_notes_once(ground):
    attempt, film = an_attempt(a_retiree()), a_film()
    for _ in range(3):
        assert frame_fingerprints.seen_before(attempt, film) == Seen(searched=9)
    assert rows() == 9


def test_whoever_was_first_stays_first_when_the_check_is_done_again_after_somebody_copied_it(ground):
    attempt, film = an_attempt(a_retiree()), a_film()
    frame_fingerprints.seen_before(attempt, film)
    with time_machine.travel(clock.now() + clock.seconds(90), tick=False):
        assert seen(again(film)).played_again
        assert not frame_fingerprints.seen_before(attempt, film).played_again


def test_of_two_checks_of_one_film_at_the_same_moment_at_least_one_is_refused(ground):
    for _ in range(5):
        film = a_film()
        attempts = [an_attempt(a_retiree()) for _ in range(2)]
        films = [film, again(film)]
        found = at_once(
            *[
                lambda attempt=attempt, shown=shown: frame_fingerprints.seen_before(attempt, shown)
                for attempt, shown in zip(attempts, films, strict=True)
            ]
        )
        assert any(one.played_again for one in found), found


def test_a_part_of_which_half_stands_in_another_part_was_used_twice_and_a_stalled_camera_does_not_do_that(ground):
    film = a_film()
    (turn, *_) = {picture.part for picture in film} - {"neutral"}
    places = [place for place, picture in enumerate(film) if picture.part == turn]
    film[places[0]] = replace(film[places[0]], digest=film[0].digest)
    stalled = seen(film)
    assert (stalled.repeated, stalled.reused) == (pytest.approx(1 / len(places)), False)
    film = a_film()
    for number, place in enumerate(places[: (len(places) + 1) // 2]):
        film[place] = replace(film[place], digest=film[number].digest)
    assert seen(film).reused
    assert seen(a_film()).repeated == 0


def test_withdrawal_deletes_what_is_the_persons_and_nothing_else(ground):
    person, other = a_retiree(), a_retiree()
    phone = oneself(person)
    attempt = an_attempt(person, phone)
    frame_fingerprints.seen_before(attempt, a_film())
    seen(a_film(), other)
    face_references.withdraw(person["_id"], phone)
    assert (rows(retiree_id=person["_id"]), rows(retiree_id=other["_id"])) == (0, 9)
    assert frame_fingerprints.seen_before(attempt, a_film()) == Seen()
    assert rows(retiree_id=person["_id"]) == 0, "nothing is written behind a withdrawal"


def test_a_check_that_races_a_withdrawal_leaves_nothing_behind(ground):
    for _ in range(5):
        person = a_retiree()
        phone = oneself(person)
        attempt = an_attempt(person, phone)
        results = at_once(
            lambda attempt=attempt: frame_fingerprints.seen_before(attempt, a_film()),
            lambda person=person, phone=phone: face_references.withdraw(person["_id"], phone),
        )
        assert not [result for result in results if isinstance(result, Exception)]
        assert rows(retiree_id=person["_id"]) == 0


def test_fingerprints_are_forgotten_when_the_rule_of_the_city_says_so(ground):
    with time_machine.travel(clock.now(), tick=False):
        seen(a_film())
        collection("rules").insert_one(
            rules.Rule("fingerprints_keep_days", 30, "某市规定", "2025-06-01", division="4301").as_document()
        )
        seen(a_film())
        kept = {(row["forget_at"] - clock.now()).days for row in collection("frame_fingerprints").find()}
    assert kept == {400, 30}
    expiry = collection("frame_fingerprints").index_information()["forget"]
    assert (expiry["key"], expiry["expireAfterSeconds"]) == ([("forget_at", 1)], 0)


def test_neutral_frames_and_actions_are_searched_at_places_spread_over_each_part(ground):
    parts = ["neutral"] * 8 + ["nod"] * 6 + ["turn_left"]
    assert frame_fingerprints.searched(parts, "neutral") == {0, 2, 4, 6, 8, 10, 12, 14}
    most = ["neutral"] * 16 + ["nod"] * 16 + ["blink"] * 16 + ["turn_left"] * 16
    assert len(frame_fingerprints.searched(most, "neutral")) == 13


def test_a_frame_that_is_not_searched_is_known_by_its_file(ground):
    film = [Picture(0, "neutral", "a" * 64), *a_film()[1:]]
    seen(film)
    assert rows(fingerprint={"$exists": True}) == 8
    assert seen([Picture(0, "neutral", "a" * 64)]).exact == 1


def test_nothing_of_a_fingerprint_is_in_a_repr(ground):
    look = a_look()
    assert repr(look) not in repr(Picture(0, "neutral", "a", (look,)))
    assert "looks" not in repr(Picture(0, "neutral", "a", (look,)))


def test_a_search_among_others_goes_through_the_index(ground):
    words = frame_fingerprints._words(a_look())
    plan = collection("frame_fingerprints").find({"words": {"$in": words}, "retiree_id": {"$ne": ObjectId()}}).explain()
    assert "by_word" in str(plan["queryPlanner"]["winningPlan"])
    assert sessions.REPLAYED == "seen_before"
