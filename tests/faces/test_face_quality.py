"""What is wrong with a picture. What causes each fault, and what just does not, stands in `test_reasons`."""

import io

import numpy as np
import PIL.Image
import pytest
from PIL import ImageDraw, ImageFilter

from faces import DEFAULT_POLICY, decode, enrol, quality
from tests.faces import actors


def faults(image, strict=False):
    data = image if isinstance(image, bytes) else actors.jpeg(image)
    return quality.inspect(decode(data), DEFAULT_POLICY, strict=strict).reasons


def scene(person="astronaut"):
    return actors.scene(person)[0]


def blurred(radius):
    return np.asarray(PIL.Image.fromarray(scene().astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius)))


def with_glasses(darkness):
    """Lenses over both eyes; 1 is black, 0 is clear."""
    canvas, points = actors.scene("astronaut")
    lenses = PIL.Image.new("L", (actors.WIDTH, actors.HEIGHT))
    for eye in (points[36:42], points[42:48]):
        x, y = eye.mean(axis=0)
        ImageDraw.Draw(lenses).ellipse((x - 36, y - 26, x + 36, y + 30), fill=round(255 * darkness))
    share = np.asarray(lenses)[..., None] / 255
    return canvas * (1 - share) + 25 * share


def in_a_room(side):
    """The astronaut's photograph in the middle of a larger plain one."""
    room = np.full((side, side, 3), 120, np.uint8)
    portrait = actors.pixels(actors.photo())
    start = (side - 512) // 2
    room[start : start + 512, start : start + 512] = portrait
    return room


def beside(share):
    """Grace Hopper to the left of the astronaut, at a share of her size."""
    room = np.full((480, 960, 3), 120, np.uint8)
    room[:, 400:] = scene()[:, 40:600]
    other = PIL.Image.fromarray(scene("grace_hopper").astype(np.uint8)[:, 120:520])
    other = other.resize((round(400 * share), round(480 * share)))
    room[: other.height, : other.width] = np.asarray(other)
    return room


@pytest.mark.parametrize("person", actors.PEOPLE)
def test_a_good_picture_has_no_fault(person):
    assert faults(actors.photo(person), strict=True) == ()
    assert faults(scene(person), strict=True) == ()


@pytest.mark.parametrize(
    "image", [np.full((480, 640, 3), 128), np.random.default_rng(1).integers(0, 255, (300, 300, 3))]
)
def test_a_wall_has_no_face(image):
    assert faults(image) == ("no_face",)


def test_a_picture_of_a_few_pixels_has_no_face():
    assert faults(np.full((1, 1, 3), 128)) == ("no_face",)


def test_a_black_picture_is_too_dark_and_a_white_one_too_bright():
    assert faults(np.full((480, 640, 3), 4)) == ("too_dark",)
    assert faults(np.full((480, 640, 3), 255)) == ("too_bright",)


@pytest.mark.parametrize(
    "image",
    [
        lambda: actors.posed("astronaut", yaw=-33),
        lambda: actors.posed("astronaut", pitch=-22),
    ],
    ids=["to the right", "down"],
)
def test_who_looks_another_way_is_turned_away(image):
    assert faults(image()) == ("turned_away",)


@pytest.mark.parametrize(
    "image",
    [
        lambda: scene() * 0.30,
        lambda: scene() * 1.15,
        lambda: blurred(3.5),
        lambda: actors.posed("astronaut", yaw=15),
        lambda: with_glasses(0.45),
        lambda: in_a_room(540),
        lambda: beside(0.3),
    ],
    ids=["dusk", "sun", "a little soft", "a little to the left", "tinted glasses", "arm's length", "a background"],
)
def test_what_is_just_good_enough_has_no_fault_at_all(image):
    assert faults(image()) == ()


def test_a_reference_photo_is_held_to_more_than_a_frame_of_the_day():
    slightly_turned = actors.posed("astronaut", yaw=21)
    assert faults(slightly_turned) == ()
    enrolment = enrol(slightly_turned)
    assert enrolment.template is None
    assert enrolment.reasons == ("turned_away",)
    assert enrolment.figures["yaw"] > DEFAULT_POLICY.enrol_yaw


@pytest.mark.parametrize("data, reason", [(b"", "not_an_image"), (b"x" * (10 * 1024 * 1024 + 1), "image_too_large")])
def test_a_reference_photo_that_is_no_picture_is_refused_by_name(data, reason):
    assert enrol(data).reasons == (reason,)


def test_a_photograph_on_its_side_is_enrolled_upright():
    image = PIL.Image.fromarray(actors.pixels(actors.photo())).transpose(PIL.Image.Transpose.ROTATE_90)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif)
    assert enrol(file.getvalue()).template is not None
