"""A fingerprint stays where a film is encoded again and moves where it is filmed again."""

from __future__ import annotations

import io
import itertools

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageEnhance, ImageFilter

from faces import STRAIGHT, fingerprint, undone
from faces.fingerprint import BYTES
from tests.faces import actors

ALIKE = 15


def picture_of(data: bytes) -> PIL.Image.Image:
    return PIL.Image.open(io.BytesIO(data)).convert("RGB")


def encoded(picture: PIL.Image.Image, quality: int = 90, kind: str = "JPEG", **more) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, quality=quality, **more)
    return file.getvalue()


def distance(one: bytes, other: bytes) -> int:
    """Bits between two uploads as they are."""
    return (int.from_bytes(fingerprint(one)) ^ int.from_bytes(fingerprint(other))).bit_count()


def nearest(altered: bytes, original: bytes, looks: int | None = None) -> int:
    """Bits between an original and the best guess at what the altered picture was made of."""
    held = int.from_bytes(fingerprint(original))
    return min((int.from_bytes(look) ^ held).bit_count() for look in undone(altered)[:looks])


def cropped(picture: PIL.Image.Image, left: float, top: float, right: float, bottom: float) -> PIL.Image.Image:
    width, height = picture.size
    return picture.crop(
        (round(width * left), round(height * top), round(width * (1 - right)), round(height * (1 - bottom)))
    )


@pytest.fixture(scope="module", params=list(itertools.product(actors.PEOPLE, ("neutral", "turn_left"))), ids="-".join)
def frame(request) -> bytes:
    return actors.frames(*request.param, n=1)[0]


ENCODED_AGAIN = {
    **{
        f"quality {quality}": lambda picture, quality=quality: encoded(picture, quality) for quality in (40, 60, 80, 95)
    },
    **{
        f"{scale} times the size": lambda picture, scale=scale: encoded(
            picture.resize((round(picture.width * scale), round(picture.height * scale)))
        )
        for scale in (0.5, 0.75, 1.5)
    },
    "brighter": lambda picture: encoded(ImageEnhance.Brightness(picture).enhance(1.15)),
    "darker": lambda picture: encoded(ImageEnhance.Brightness(picture).enhance(0.85)),
    "softened": lambda picture: encoded(picture.filter(ImageFilter.GaussianBlur(2))),
    "grey": lambda picture: encoded(picture.convert("L")),
    "PNG": lambda picture: encoded(picture, kind="PNG"),
    "WebP": lambda picture: encoded(picture, 60, "WEBP"),
}


@pytest.mark.parametrize("again", ENCODED_AGAIN.values(), ids=ENCODED_AGAIN)
def test_a_frame_that_is_encoded_again_keeps_its_fingerprint_but_for_a_few_bits(frame, again):
    assert distance(again(picture_of(frame)), frame) <= 6


UNDONE = {
    "mirrored": lambda picture: picture.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT),
    "cropped evenly by 2 %": lambda picture: cropped(picture, 0.01, 0.01, 0.01, 0.01),
    "cropped evenly by 3 %": lambda picture: cropped(picture, 0.015, 0.015, 0.015, 0.015),
    "mirrored and cropped": lambda picture: cropped(
        picture.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT), 0.01, 0.01, 0.01, 0.01
    ),
}


@pytest.mark.parametrize("alter", UNDONE.values(), ids=UNDONE)
def test_a_mirror_and_an_even_crop_are_undone_straight(frame, alter):
    assert nearest(encoded(alter(picture_of(frame)), 70), frame, STRAIGHT) <= ALIKE


TILTED = {
    **{
        f"tilted by {degrees}": lambda picture, degrees=degrees: picture.rotate(degrees, PIL.Image.Resampling.BICUBIC)
        for degrees in (-1, 1, 2)
    },
    "cropped at one side": lambda picture: cropped(picture, 0.02, 0, 0, 0),
}


@pytest.mark.parametrize("alter", TILTED.values(), ids=TILTED)
def test_a_small_tilt_and_a_crop_at_one_side_are_undone_too(frame, alter):
    altered = encoded(alter(picture_of(frame)))
    assert nearest(altered, frame) <= ALIKE
    assert distance(altered, frame) > nearest(altered, frame)


@settings(max_examples=30, deadline=None)
@given(quality=st.integers(40, 95), scale=st.floats(0.5, 1.5), light=st.floats(0.85, 1.15), mirrored=st.booleans())
def test_however_a_frame_is_encoded_again_it_is_alike(quality, scale, light, mirrored):
    frame = actors.frames("astronaut", "nod", 1)[0]
    picture = ImageEnhance.Brightness(picture_of(frame)).enhance(light)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    if mirrored:
        picture = picture.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT)
    assert nearest(encoded(picture, quality), frame, STRAIGHT) <= ALIKE


@pytest.mark.parametrize("person", actors.PEOPLE)
def test_whoever_sits_down_again_is_not_alike_whatever_is_undone(person):
    first, again = (actors.attempt(person, ["turn_left", "nod"], n=2, seed=seed) for seed in (0, 50))
    assert min(nearest(new, old) for _, new in again for _, old in first) > 2 * ALIKE


def test_two_people_are_far_apart():
    frames = [actors.frames(person, "neutral", 1)[0] for person in actors.PEOPLE]
    assert nearest(*frames) > 4 * ALIKE


def test_a_picture_that_stands_on_its_head_by_its_metadata_is_set_upright(frame):
    turned = picture_of(frame).transpose(PIL.Image.Transpose.ROTATE_180)
    metadata = PIL.Image.Exif()
    metadata[0x0112] = 3
    assert distance(encoded(turned, 95, exif=metadata), frame) <= 6


def test_a_fingerprint_has_a_fixed_size_and_stands_first_among_those_undone(frame):
    looks = undone(frame)
    assert {len(look) for look in looks} == {BYTES}
    assert looks[0] == fingerprint(frame) == fingerprint(frame)
    assert len(looks) == 110


NOTHING = {
    "no picture": b"\xff\xd8\xff1",
    "nothing at all": b"",
    "half a file": actors.frames("astronaut", "neutral", 1)[0][:5000],
    "a covered lens": actors.jpeg(np.zeros((480, 640, 3))),
    "a covered lens that hisses": actors.jpeg(np.random.default_rng(1).normal(20, 12, (480, 640, 3))),
    "a white wall": actors.jpeg(np.full((480, 640, 3), 250)),
}


@pytest.mark.parametrize("data", NOTHING.values(), ids=NOTHING)
def test_what_shows_nothing_has_no_fingerprint(data):
    assert fingerprint(data) is None
    assert undone(data) == ()


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 20_000), junk=st.binary(min_size=1, max_size=200))
def test_a_damaged_file_never_raises(place, junk):
    whole = actors.frames("astronaut", "neutral", 1)[0]
    found = fingerprint(whole[:place] + junk + whole[place + len(junk) :])
    assert found is None or len(found) == BYTES
