"""Finding faces: everywhere, near the last one of a film, and from several threads at once."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest

from faces import DEFAULT_POLICY, actions, check, decode, engine, enrol
from faces.verdict import LabelledFrame
from tests.faces import actors

SCORE = DEFAULT_POLICY.detector_score_in_action


def everywhere(data):
    return engine.find(decode(data), SCORE)


def between_the_eyes(face):
    return face.points[36:48].mean(axis=0)


def enlarged(data, size):
    return actors.jpeg(np.asarray(PIL.Image.fromarray(actors.pixels(data)).resize(size, PIL.Image.Resampling.BICUBIC)))


def shifted(data, right, down=0):
    """The whole scene moved over; what comes in at the rim is grey."""
    picture = actors.pixels(data)
    moved = np.full_like(picture, 110)
    height, width = picture.shape[:2]
    rows, columns = slice(max(down, 0), height + min(down, 0)), slice(max(right, 0), width + min(right, 0))
    come = slice(max(-down, 0), height + min(-down, 0)), slice(max(-right, 0), width + min(-right, 0))
    moved[rows, columns] = picture[come]
    return actors.jpeg(moved)


@pytest.mark.parametrize("size", [(640, 480), (1280, 960)])
@pytest.mark.parametrize("action", actors.ACTIONS)
@pytest.mark.parametrize("person", actors.PEOPLE)
def test_a_film_shows_near_the_last_face_what_it_shows_everywhere(person, action, size):
    """The detector's boxes come in steps of a fifth, and the landmarks follow their box: neither is exact to the pixel."""
    resting = [everywhere(enlarged(data, size))[0] for data in actors.frames(person, "neutral", 3)]
    base, last, unit = actions.baseline(resting), resting[-1], size[0] / 640
    followed, searched = [], []
    for data in actors.frames(person, action, 6):
        image = decode(enlarged(data, size))
        (near,) = engine.find_near(image, last, SCORE)
        whole = engine.find(image, SCORE)[0]
        assert np.abs(np.subtract(near.centre, whole.centre)).max() < 0.15 * whole.pixels
        assert np.abs(np.subtract(between_the_eyes(near), between_the_eyes(whole))).max() < 10 * unit
        assert near.pixels == pytest.approx(whole.pixels, rel=0.25)
        followed.append(near)
        searched.append(whole)
        last = near
    for faces in (followed, searched):
        assert actions.judge(action, 6, faces, base, DEFAULT_POLICY).seen


@pytest.mark.parametrize("right, down", [(25, 0), (-30, 20), (0, -30)])
def test_a_head_that_moves_a_little_is_found_near(right, down):
    frame = actors.frames("astronaut", "neutral", 1)[0]
    last = everywhere(frame)[0]
    (near,) = engine.find_near(decode(shifted(frame, right, down)), last, SCORE)
    assert between_the_eyes(near) - between_the_eyes(last) == pytest.approx([right, down], abs=4)


@pytest.mark.parametrize("corner", [(30, 30), (610, 40), (40, 470)])
def test_a_head_that_went_far_from_where_it_was_is_not_found_near_but_elsewhere(corner):
    frame = decode(actors.frames("astronaut", "neutral", 1)[0])
    (here,) = engine.find(frame, SCORE)
    assert engine.find_near(frame, here, SCORE)
    assert engine.find_near(frame, replace(here, centre=corner), SCORE) == []


def test_where_there_is_nobody_nobody_is_found():
    last = everywhere(actors.frames("astronaut", "neutral", 1)[0])[0]
    wall = decode(actors.jpeg(np.full((480, 640, 3), 128)))
    assert engine.find_near(wall, last, SCORE) == engine.find(wall, SCORE) == engine.find_closely(wall, SCORE) == []


@pytest.mark.parametrize("size", [(64, 48), (320, 240), (1, 1), (30, 640), (1920, 1440)])
def test_a_picture_of_another_size_than_the_last_one_breaks_nothing(size):
    """Single photographs may follow a film; whoever is not found near is looked for everywhere."""
    frame = actors.frames("astronaut", "neutral", 1)[0]
    last = everywhere(enlarged(frame, (1280, 960)))[0]
    image = decode(enlarged(frame, size))
    for face in engine.find_near(image, last, SCORE):
        assert np.abs(np.subtract(face.centre, engine.find(image, SCORE)[0].centre)).max() < 40


def test_an_attempt_goes_on_where_the_head_went():
    """Between the neutral frames and the nod the phone was put down elsewhere."""
    frames = [
        LabelledFrame(action, data if action == "neutral" else shifted(data, 190))
        for action, data in actors.attempt("astronaut", ["nod"], n=3)
    ]
    result = check(frames, ["nod"], [enrol(actors.photo()).template])
    assert [seen.seen for seen in result.actions] == [True]
    assert result.actions[0].figures["faces"] == 3


def test_the_small_copy_of_a_film_is_not_even_made_where_the_head_stays():
    frame = actors.frames("astronaut", "neutral", 1)[0]
    last, image = everywhere(frame)[0], decode(frame)
    assert engine.find_near(image, last, SCORE)
    assert "small" not in vars(image)


@pytest.mark.parametrize("share", [0.3, 0.45])
def test_a_face_too_small_for_the_small_copy_is_found_closely(share):
    room = np.full((960, 1280, 3), 120, np.uint8)
    canvas = actors.scene("astronaut")[0].astype(np.uint8)
    portrait = np.asarray(PIL.Image.fromarray(canvas).resize((round(1280 * share), round(960 * share))))
    room[200 : 200 + portrait.shape[0], 300 : 300 + portrait.shape[1]] = portrait
    image = decode(actors.jpeg(room))
    assert engine.find(image, 0.0) == []
    (found,) = engine.find_closely(image, 0.0)
    assert found.centre[0] == pytest.approx(300 + 640 * share, rel=0.05)
    assert found.width == pytest.approx(found.pixels / image.scale)


def test_no_two_threads_share_what_dlib_writes_to_and_each_keeps_its_own():
    tools, start = [], threading.Barrier(3)

    def work():
        start.wait()
        tools.append((engine._tools(), engine._tools()))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mine = engine._tools()
    assert all(first is again for first, again in tools)
    different = [mine, *(first for first, _ in tools)]
    for part in ("detector", "predictor"):
        assert len({id(getattr(each, part)) for each in different}) == 4


def test_four_threads_find_what_one_finds():
    data = [actors.frames(person, "turn_left", 1)[0] for person in actors.PEOPLE] * 2
    alone = [everywhere(each)[0] for each in data]
    found = [None] * len(data)
    start = threading.Barrier(len(data))

    def work(place):
        start.wait()
        found[place] = everywhere(data[place])[0]

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(data))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, found, strict=True):
        assert np.array_equal(one.points, other.points)
        assert np.array_equal(one.chip, other.chip)
        assert (one.score, one.pose, one.iris) == (other.score, other.pose, other.iris)
