"""Pictures of pictures: each cue has a picture that causes it and one that just does not, and none alone fails anybody."""

import io
import itertools
import json

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageDraw, ImageFilter
from scipy.ndimage import gaussian_filter

from faces import DEFAULT_POLICY as POLICY
from faces import actions, decode, engine, flatness, geometry, presentation, reasons, screens
from faces.actions import ActionSeen
from faces.antispoof import Scored, Verdict
from tests.faces import actors
from tests.faces.test_geometry import MIRRORED

MIDDLE = actors._EYES_AT
SPAN = actors._EYE_DISTANCE
HEIGHT, WIDTH = actors.HEIGHT, actors.WIDTH

people = st.sampled_from(actors.PEOPLE)
yaws = st.one_of(st.floats(15, 40), st.floats(-40, -15))


# ---- The attacks, made of the two people


def sheet(person, yaw=0.0, distance=4.0, radius=None, level=False, room=110.0):
    """A photograph on a sheet of paper turned before a camera: flat, or bent about an upright (or a level) axis.

    Lengths are eye distances; the sheet is 6 x 7. A camera that is `distance` away sees true perspective.
    """
    picture = actors.scene(person)[0]
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    ray = np.stack([columns - MIDDLE[0], rows - MIDDLE[1], np.full(rows.shape, SPAN * distance)], axis=-1)
    a = np.radians(yaw)
    turn = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    camera, ray = np.array([0, -0.5, -distance]) @ turn, (ray / (SPAN * distance)) @ turn
    if radius is None:
        at = camera + (-camera[2] / ray[..., 2])[..., None] * ray
        across, down, hit = at[..., 0], at[..., 1], np.ones(rows.shape, dtype=bool)
    else:
        side = 1 if level else 0
        two = ray[..., side] ** 2 + ray[..., 2] ** 2
        one = camera[side] * ray[..., side] + (camera[2] - radius) * ray[..., 2]
        root = one**2 - two * (camera[side] ** 2 + (camera[2] - radius) ** 2 - radius**2)
        hit = root > 0
        at = camera + ((-one - np.sqrt(np.maximum(root, 0))) / two)[..., None] * ray
        along = radius * np.arctan2(at[..., side], radius - at[..., 2])
        across, down = (at[..., 0], along) if level else (along, at[..., 1])
    hit &= (np.abs(across) < 3) & (np.abs(down) < 3.5)
    where = np.stack([(down + 0.5) * SPAN + MIDDLE[1], across * SPAN + MIDDLE[0]])
    return np.where(hit[..., None], actors._sample(picture, where), room)


def on_a_screen(picture, pitch, angle=2.0, lens=0.45):
    """The picture on a screen of red, green and blue stripes, filmed with `pitch` pixels of the camera to one of the screen."""
    height, width = picture.shape[:2]
    fine = 3
    rows, columns = np.mgrid[0 : int(height * pitch) * fine, 0 : int(width * pitch) * fine] / fine
    x, y = columns - width * pitch / 2, rows - height * pitch / 2
    a = np.radians(angle)
    u = (x * np.cos(a) + y * np.sin(a)) / pitch + width / 2
    v = (y * np.cos(a) - x * np.sin(a)) / pitch + height / 2
    column, row = np.clip(u.astype(int), 0, width - 1), np.clip(v.astype(int), 0, height - 1)
    layers = []
    for colour in range(3):
        lit = (u % 1 >= colour / 3) & (u % 1 < (colour + 0.75) / 3) & (v % 1 < 0.9)
        light = gaussian_filter(picture[row, column, colour] * lit * 4.5, lens * fine)
        layers.append(light.reshape(light.shape[0] // fine, fine, -1, fine).mean(axis=(1, 3)))
    return np.clip(np.stack(layers, axis=-1), 0, 255)


def in_dots(picture, pitch=2.6):
    """A print: dots in a grid at 30 degrees, larger where it is darker."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] * 2 * np.pi / pitch
    a = np.radians(30)
    dots = np.cos(columns * np.cos(a) + rows * np.sin(a)) * np.cos(rows * np.cos(a) - columns * np.sin(a))
    return np.clip(picture + gaussian_filter(dots, 0.5)[..., None] * 60, 0, 255)


def framed(picture, outside, left=100, right=540, lower=400):
    """The picture ends: to the left, to the right and below."""
    cut = np.asarray(picture, dtype=float).copy()
    cut[:, :left] = outside
    cut[:, right:] = outside
    cut[lower:] = outside
    return cut


def washed_out(picture):
    return 110 + picture * 0.25


def shot(picture, quality=90, grain=1.5):
    """What a phone would send of it, and the face that is found in it."""
    noise = np.random.default_rng(5).normal(0, grain, picture.shape[:2])[..., None]
    image = decode(actors.jpeg(picture + noise, quality))
    return engine.find(image, -0.2)[0]


@pytest.fixture(scope="module")
def frontal():
    return {person: shot(actors.scene(person)[0]) for person in actors.PEOPLE}


def optics(picture, **how):
    return screens.figures([shot(picture, **how)], POLICY)


# ---- Geometry: landmarks


def head(person, yaw=0.0, pitch=0.0):
    return actors._turned(actors.scene(person)[1], yaw, pitch)


def even(person):
    """A face that is the same on both sides, so that the line from bridge to chin is straight."""
    points = geometry.upright(actors.scene(person)[1])
    return (points + (points * (-1, 1))[MIRRORED]) / 2


def bent(points, yaw, radius, level):
    side = 1 if level else 0
    bow = points.copy()
    bow[:, side] = radius * np.sin(points[:, side] / radius)
    depth = radius * (np.cos(points[:, side] / radius) - 1)
    a = np.radians(yaw)
    return np.column_stack([bow[:, 0] * np.cos(a) + depth * np.sin(a), bow[:, 1]])


@given(people, st.floats(-65, 65), st.floats(-50, 50), st.floats(-180, 180), st.floats(1.8, 30), st.floats(0.1, 10))
@settings(deadline=None)
def test_a_photograph_is_a_plane_however_it_is_turned_tilted_and_held_near(person, yaw, pitch, roll, distance, size):
    points = geometry.upright(actors.scene(person)[1])
    a, b, c = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    x, y, z = about_z @ about_x @ about_y @ np.column_stack([points, np.zeros(68)]).T
    seen = np.column_stack([x, y]) / (z + 2 + distance)[:, None] * size * 100
    assert flatness.planarity(points, seen, 20) < 1e-6


@given(people, yaws)
@settings(deadline=None)
def test_a_head_that_turns_is_no_plane_and_its_nose_stands_out(person, yaw):
    assert flatness.planarity(head(person), head(person, yaw), yaw) > 2 * POLICY.planarity
    assert flatness.relief(head(person), head(person, yaw), yaw) > 1.5 * POLICY.relief


@given(people, yaws, st.floats(1.2, 6), st.booleans())
@settings(deadline=None)
def test_a_bent_photograph_has_no_nose_about_either_axis(person, yaw, radius, level):
    points = even(person)
    assert flatness.relief(bent(points, 0, radius, level), bent(points, yaw, radius, level), yaw) < POLICY.relief


@given(people, yaws)
@settings(deadline=None)
def test_a_nose_that_comes_out_on_the_wrong_side_is_none(person, yaw):
    assert flatness.relief(head(person), head(person, yaw), -yaw) < 0


@given(people, yaws, st.floats(-180, 180), st.floats(0.05, 20), st.floats(-5000, 5000))
@settings(deadline=None)
def test_place_size_and_roll_of_the_picture_and_a_mirror_change_nothing(person, yaw, angle, size, shift):
    before, after = head(person), head(person, yaw)
    a = np.radians(angle)
    moved = size * after @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + shift
    mirror = [(points * (-1, 1))[MIRRORED] for points in (before, after)]
    for measure in (flatness.planarity, flatness.relief):
        straight = measure(before, after, yaw)
        assert measure(before, moved, yaw) == pytest.approx(straight, abs=1e-4)
        assert measure(*mirror, -yaw) == pytest.approx(straight, abs=1e-4)


# ---- Geometry: pixels


@pytest.mark.parametrize("yaw", [-40, -25, 25, 40])
@pytest.mark.parametrize("person", actors.PEOPLE)
def test_a_flat_photograph_turned_in_the_hand_stays_one_picture(frontal, person, yaw):
    assert flatness.alike(frontal[person], shot(sheet(person, yaw))) > POLICY.alike


@pytest.mark.parametrize("yaw", [-36, -28, 28, 36])
@pytest.mark.parametrize("person", actors.PEOPLE)
def test_a_head_that_turns_does_not_stay_one_picture(frontal, person, yaw):
    turned = decode(actors.posed(person, yaw))
    assert flatness.alike(frontal[person], engine.find(turned, -0.2)[0]) < POLICY.alike - 0.02


def test_a_photograph_that_is_turned_until_it_reads_as_a_turn_goes_to_a_person():
    neutral = [shot(sheet("astronaut", yaw, distance=2.2)) for yaw in (0, 1)]
    turned = [shot(sheet("astronaut", yaw, distance=2.2)) for yaw in (30, 32, 34)]
    base = actions.baseline(neutral)
    seen = actions.judge("turn_left", 3, turned, base, POLICY)
    assert seen.seen
    found = presentation.judge(neutral, [("turn_left", turned)], [seen], base, POLICY)
    assert found.reasons == (reasons.FLAT_FACE,)
    unseen = ActionSeen("turn_left", False, {})
    assert presentation.judge(neutral, [("turn_left", turned)], [unseen], base, POLICY).reasons == ()


# ---- Optics


@pytest.mark.parametrize("pitch", [0.9, 1.2, 1.5])
@pytest.mark.parametrize("person", actors.PEOPLE)
def test_a_screen_beats_with_the_camera(person, pitch):
    screen = on_a_screen(actors.scene(person)[0], pitch)
    assert optics(screen, quality=85)["moire"] > POLICY.moire


@pytest.mark.parametrize("person", actors.PEOPLE)
def test_a_print_shows_its_dots(person):
    assert optics(in_dots(actors.scene(person)[0]))["moire"] > POLICY.moire


@pytest.mark.parametrize("quality", [30, 60, 95])
@pytest.mark.parametrize("share", [1.0, 0.83, 0.62])
@pytest.mark.parametrize("person", actors.PEOPLE)
def test_neither_noise_nor_the_blocks_of_a_jpeg_nor_a_smaller_copy_look_like_a_screen(person, quality, share):
    noise = np.random.default_rng(1).normal(0, 6, (HEIGHT, WIDTH, 1))
    stored = PIL.Image.open(io.BytesIO(actors.jpeg(actors.scene(person)[0] + noise, quality)))
    smaller = stored.resize((round(WIDTH * share), round(HEIGHT * share)), PIL.Image.Resampling.BICUBIC)
    assert optics(np.asarray(smaller, dtype=float))["moire"] < POLICY.moire / 2


def test_a_face_too_small_for_its_spectrum_has_none(frontal):
    points = frontal["astronaut"].points
    image = frontal["astronaut"].image.large
    assert screens.moire(image, points * 0.3) is None
    assert screens.moire(image[:60], points) is None


@pytest.mark.parametrize("outside", [130, 235])
@pytest.mark.parametrize("person", actors.PEOPLE)
def test_a_picture_that_ends_across_the_chest_and_beside_the_face_has_a_border(person, outside):
    assert optics(framed(actors.scene(person)[0], outside))["border"] > POLICY.border


@pytest.mark.parametrize("person", actors.PEOPLE)
def test_a_door_behind_the_body_and_a_copy_filled_up_with_black_are_no_border(frontal, person):
    picture = actors.scene(person)[0]
    door = picture.copy()
    # Beside the face only: lower down the shoulders hide it
    door[:300, :200] = door[:300, 440:] = 30
    assert optics(picture)["border"] < POLICY.border - 0.15
    assert optics(door)["border"] < POLICY.border - 0.15
    filled = decode(actors.jpeg(framed(picture, 0), quality=95))
    assert screens.border(filled, frontal[person].points) < POLICY.border


@pytest.mark.parametrize("person", actors.PEOPLE)
def test_tones_are_washed_out_where_the_rest_of_the_picture_is_not(person):
    pale = washed_out(actors.scene(person)[0])
    screen, haze = optics(framed(pale, 12)), optics(pale)
    assert screen["tones"] < POLICY.tones
    assert screen["lifted"] > POLICY.lifted
    assert haze["tones"] < POLICY.tones
    assert haze["lifted"] < POLICY.lifted


@pytest.mark.parametrize("person", actors.PEOPLE)
def test_a_lamp_in_the_glass_is_glare_and_the_shine_of_skin_or_of_spectacles_is_not(frontal, person):
    chip = np.minimum(frontal[person].chip, 200)

    def lit(y, soft):
        mask = PIL.Image.new("L", (150, 150))
        ImageDraw.Draw(mask).ellipse((50, y, 80, y + 14), fill=255)
        light = np.asarray(mask.filter(ImageFilter.GaussianBlur(soft)), dtype=float)[..., None] / 255
        return np.clip(chip + light * 400, 0, 255).astype(np.uint8)

    assert screens.glare(lit(90, 0)) > POLICY.glare
    assert screens.glare(lit(90, 8)) < POLICY.glare
    assert screens.glare(lit(45, 0)) < POLICY.glare
    assert screens.glare(chip) == 0


# ---- The rule

FLAT = [{}, {"planarity": 0.0}, {"relief": 0.0}, {"relief": -1.0}, {"alike": 1.0}]
TEXTURE = [{}, {"moire": 1000.0}]
BORDER = [{}, {"border": 1.0}]
POOR = [{}, {"detail": 0.0}, {"tones": 0.0, "lifted": 1.0}, {"glare": 1.0}, {"detail": 0.0, "glare": 1.0}]
MODEL = [None, *Verdict]


@pytest.mark.parametrize("model", MODEL)
def test_two_different_physics_fail_one_alone_asks_for_a_person_and_a_poor_picture_never_counts(model):
    scored = Scored(model, {}) if model else None
    for flat, texture, border, poor in itertools.product(FLAT, TEXTURE, BORDER, POOR):
        found = presentation.decide(flat | texture | border | poor, scored, POLICY)
        physics = bool(flat) + bool(texture or model is Verdict.FAKE) + bool(border)
        assert (reasons.PRESENTATION_ATTACK in found) == (physics >= 2)
        assert (reasons.FLAT_FACE in found) == bool(flat)
        looks = bool(texture or border or poor) or model in (Verdict.FAKE, Verdict.DOUBTFUL)
        assert (reasons.SCREEN_SUSPECTED in found) == looks
        assert (reasons.ANTISPOOF_UNAVAILABLE in found) == (model is Verdict.UNKNOWN)


def test_tones_that_are_narrow_or_lifted_alone_are_no_cue():
    assert presentation.decide({"tones": 0.0, "lifted": 0.0}, None, POLICY) == ()
    assert presentation.decide({"tones": 1.0, "lifted": 1.0}, None, POLICY) == ()


# ---- Whole attempts


def judged(frames, change=lambda picture: picture, quality=90):
    """The presentation cues of an acted attempt, each picture changed on its way; None where no face is found ahead."""
    shots = {}
    for action, data in frames:
        image = decode(actors.jpeg(change(actors.pixels(data).astype(float)), quality))
        shots.setdefault(action, []).extend(engine.find(image, -0.2)[:1])
    neutral = shots.pop("neutral")
    if not neutral:
        return None
    base = actions.baseline(neutral)
    seen = [actions.judge(action, len(each), each, base, POLICY) for action, each in shots.items()]
    return presentation.judge(neutral, list(shots.items()), seen, base, POLICY)


@pytest.mark.parametrize("asked", [("turn_left", "nod"), ("turn_right", "open_mouth"), ("blink",)], ids="-".join)
@pytest.mark.parametrize("person", actors.PEOPLE)
def test_a_living_person_has_no_cue(person, asked):
    found = judged(actors.attempt(person, asked, n=3))
    assert found.reasons == ()
    assert ("alike" in found.figures) == asked[0].startswith("turn_")


def dim_room_old_phone(light, grain, soft, haze):
    def change(picture):
        blurred = np.asarray(
            PIL.Image.fromarray(picture.astype(np.uint8)).filter(ImageFilter.GaussianBlur(soft)), dtype=float
        )
        noise = np.random.default_rng(7).normal(0, grain, picture.shape)
        lamp = np.exp(-((np.mgrid[0:HEIGHT, 0:WIDTH] - [[[185]], [[285]]]) ** 2).sum(axis=0) / 60)[..., None] * 400
        return np.clip((blurred * (1 - haze) + 90 * haze) * light + noise + lamp * light, 0, 255)

    return change


@pytest.mark.parametrize("haze", [0.0, 0.45])
@pytest.mark.parametrize("light, grain, soft", [(0.5, 9, 0.0), (0.4, 5, 1.5), (0.7, 12, 2.5), (1.2, 3, 3.5)])
@pytest.mark.parametrize("person", actors.PEOPLE)
def test_a_living_person_in_a_dim_room_with_an_old_phone_is_never_failed(person, light, grain, soft, haze):
    change = dim_room_old_phone(light, grain, soft, haze)
    found = judged(actors.attempt(person, ("turn_left", "turn_right"), n=3), change, quality=30)
    assert found is None or reasons.PRESENTATION_ATTACK not in found.reasons


def test_a_film_played_on_a_sharp_screen_within_its_frame_fails():
    def filmed(picture):
        return framed(on_a_screen(picture, 1.2), 130, left=130, right=640, lower=490)

    found = judged(actors.attempt("grace_hopper", ("turn_left",), n=2), filmed)
    assert found.reasons == (reasons.PRESENTATION_ATTACK, reasons.SCREEN_SUSPECTED)


def test_what_is_found_is_numbers_and_never_a_picture(frontal):
    found = judged(actors.attempt("astronaut", ("turn_left",), n=2))
    assert all(type(value) is float for value in found.figures.values())
    assert len(json.dumps(found.figures)) < 400
    shown = repr(frontal["astronaut"]) + repr(found)
    assert len(shown) < 1500
    for secret in ("array", "dtype", "uint8"):
        assert secret not in shown
