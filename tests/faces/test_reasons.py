"""Every reason has an attempt or a photograph that causes it, and one that just does not.

The pictures of a fault stand in `test_face_quality`, those of pictures of pictures in `test_presentation` and `test_antispoof`.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from faces import DEFAULT_POLICY, REASONS, LabelledFrame, check, enrol, look, model_id, reasons
from faces.encoder import unit
from faces.verdict import FAILS, REVIEWS
from tests.faces import actors
from tests.faces.test_face_quality import beside, blurred, in_a_room, scene, with_glasses

ME, OTHER = actors.PEOPLE
SMALL = replace(DEFAULT_POLICY, max_bytes=100_000, max_pixels=actors.WIDTH * actors.HEIGHT)

ELSEWHERE = {
    reasons.FLAT_FACE,
    reasons.SCREEN_SUSPECTED,
    reasons.PRESENTATION_ATTACK,
    reasons.ANTISPOOF_UNAVAILABLE,
}


def photograph(data, policy=DEFAULT_POLICY):
    """The reasons of one picture, bytes or pixels."""
    return look(data if isinstance(data, bytes) else actors.jpeg(data), policy).reasons


def acted(*actions, who=ME, n=3):
    return [LabelledFrame(action, data) for action, data in actors.attempt(who, actions, n)]


def attempt(frames, asked=("nod",), templates=None):
    return check(frames, list(asked), templates).reasons


def partly_somebody_else(share):
    """The nod is done by a blend of both people; 1 is the other one."""
    mine, theirs = acted("nod"), acted("nod", who=OTHER)
    return [
        replace(one, data=actors.jpeg(actors.pixels(one.data) * (1 - share) + actors.pixels(other.data) * share))
        if one.action == "nod"
        else one
        for one, other in zip(mine, theirs, strict=True)
    ]


def at(distance):
    """A template so far from the person in the frames, on the way to the other one."""
    mine = check(acted("nod", n=1), ["nod"], None).template
    theirs = enrol(actors.photo(OTHER)).template.vector
    aside = unit(theirs - mine.vector * (theirs @ mine.vector))
    angle = 2 * np.arcsin(distance / 2)
    return replace(mine, vector=mine.vector * np.cos(angle) + aside * np.sin(angle))


def matched(distance):
    return attempt(acted("nod", n=1), templates=[at(distance)])


def with_template(**change):
    template = enrol(actors.photo()).template
    return attempt(acted("nod", n=1), templates=[replace(template, **change)])


def instead(done):
    """A nod is asked for and something else is done."""
    return [replace(frame, action="nod") if frame.action == done else frame for frame in acted(done)]


def still():
    return [LabelledFrame(action, data) for action, data in actors.still(ME, ["nod"], n=3)]


SURE, DIFFERENT = DEFAULT_POLICY.match[0].sure, DEFAULT_POLICY.match[0].different
NODDING = acted("nod", n=1)

# reason: (what causes exactly it, what just does not)
EXAMPLES = {
    reasons.IMAGE_TOO_LARGE: (
        lambda: photograph(actors.photo().ljust(100_001, b"\0"), SMALL),
        lambda: photograph(actors.frames(ME, "neutral", 1)[0].ljust(100_000, b"\0"), SMALL),
    ),
    reasons.NOT_AN_IMAGE: (lambda: photograph(b"GIF89a"), lambda: photograph(actors.photo())),
    reasons.TOO_MANY_PIXELS: (
        lambda: photograph(np.pad(scene(), ((0, 0), (0, 1), (0, 0)), mode="edge"), SMALL),
        lambda: photograph(scene(), SMALL),
    ),
    reasons.IMAGE_BROKEN: (lambda: photograph(actors.photo()[:-3000]), lambda: photograph(actors.photo() + b"\0" * 9)),
    reasons.NO_FACE: (lambda: photograph(np.full((480, 640, 3), 128)), lambda: photograph(in_a_room(900))),
    reasons.SEVERAL_FACES: (lambda: photograph(beside(0.9)), lambda: photograph(beside(0.3))),
    reasons.FACE_TOO_SMALL: (lambda: photograph(in_a_room(900)), lambda: photograph(in_a_room(540))),
    reasons.TOO_DARK: (lambda: photograph(scene() * 0.18), lambda: photograph(scene() * 0.30)),
    reasons.TOO_BRIGHT: (lambda: photograph(scene() * 1.35), lambda: photograph(scene() * 1.15)),
    reasons.BLURRED: (lambda: photograph(blurred(7)), lambda: photograph(blurred(3.5))),
    reasons.TURNED_AWAY: (
        lambda: photograph(actors.posed(ME, yaw=30)),
        lambda: photograph(actors.posed(ME, yaw=15)),
    ),
    reasons.EYES_COVERED: (lambda: photograph(with_glasses(0.95)), lambda: photograph(with_glasses(0.45))),
    reasons.WRONG_FRAMES: (lambda: attempt(NODDING, ["blink"]), lambda: attempt(NODDING)),
    reasons.NEUTRAL_MISSING: (lambda: attempt(NODDING[1:]), lambda: attempt(NODDING)),
    reasons.NOTHING_MOVED: (
        lambda: attempt(still()),
        lambda: attempt(instead("open_mouth")),
    ),
    reasons.ACTION_NOT_SEEN: (
        lambda: attempt(instead("open_mouth")),
        lambda: attempt(acted("nod")),
    ),
    reasons.DIFFERENT_PEOPLE: (lambda: attempt(partly_somebody_else(0.75)), lambda: attempt(partly_somebody_else(0.5))),
    reasons.SAME_PEOPLE_DOUBTFUL: (
        lambda: attempt(partly_somebody_else(0.5)),
        lambda: attempt(partly_somebody_else(0.3)),
    ),
    reasons.NO_ACTIONS_ASKED: (lambda: attempt(acted(), []), lambda: attempt(NODDING)),
    reasons.DIFFERENT_PERSON: (lambda: matched(DIFFERENT + 0.01), lambda: matched(DIFFERENT - 0.01)),
    reasons.MATCH_DOUBTFUL: (lambda: matched(DIFFERENT - 0.01), lambda: matched(SURE - 0.01)),
    reasons.NOT_ENROLLED: (lambda: attempt(NODDING, templates=[]), lambda: attempt(NODDING)),
    reasons.MODEL_CHANGED: (lambda: with_template(model="older@1"), lambda: with_template(model=model_id())),
}
# Nobody moved, so the action was not seen either
BESIDE = {reasons.NOTHING_MOVED: {reasons.ACTION_NOT_SEEN}}


def test_every_reason_has_its_examples_here_or_in_a_test_of_its_own():
    assert set(EXAMPLES) | ELSEWHERE == set(REASONS)
    assert not set(EXAMPLES) & ELSEWHERE
    assert set(REASONS) == FAILS | REVIEWS
    named = {value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}
    assert named == set(REASONS)


@pytest.mark.parametrize("code", EXAMPLES)
def test_a_reason_is_given_where_it_holds_and_not_where_it_just_does_not(code):
    causes, just_not = EXAMPLES[code]
    assert set(causes()) == {code} | BESIDE.get(code, set())
    assert code not in just_not()


@pytest.mark.parametrize("code", sorted(ELSEWHERE))
def test_the_reasons_that_are_tested_elsewhere_are(code, request):
    others = [path for path in request.path.parent.glob("test_*.py") if path != request.path]
    assert any(re.search(rf"\breasons\.{code.upper()}\b", path.read_text()) for path in others)
