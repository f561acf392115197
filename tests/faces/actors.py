"""Two people who act before the camera: real photographs, warped as a head and a face would move.

scikit-image's `astronaut` (Eileen Collins, NASA) and matplotlib's `grace_hopper` (US Navy) are in the public domain and
arrive with those packages. The landmarks of the photograph are given the depth of a head, turned in space, and the picture
is bent to follow them; the mouth is drawn open, the lids are drawn down.

    photo("astronaut")                               one JPEG, for enrolling
    frames("astronaut", "turn_left", n=4)            JPEGs of 640 x 480: "neutral" or one of the five actions
    attempt("astronaut", ["nod", "blink"])           (label, JPEG) in order, as an upload carries them
    still("astronaut", ["nod"])                      the same from a photograph held in the hand: nothing moves in the face
    film("astronaut", ["turn_left"], "film.mjpeg")   for Chromium's --use-file-for-fake-video-capture
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
import PIL.Image
from matplotlib import cbook
from PIL import ImageDraw, ImageFilter
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import map_coordinates, zoom
from skimage import data as pictures

from faces import engine
from faces.decode import decode

PEOPLE = ("astronaut", "grace_hopper")
ACTIONS = ("turn_left", "turn_right", "open_mouth", "blink", "nod")
WIDTH, HEIGHT = 640, 480

_EYES_AT = np.array([320.0, 195.0])
_EYE_DISTANCE = 84.0
_GRID = 8
_SEEDS_OF_A_TAKE = 50

# How far an action has come in each of four frames; other lengths are read off the same curve
_COURSE = (0.6, 0.95, 1.0, 0.9)
_TURNS = {"turn_left": (36.0, 0.0), "turn_right": (-36.0, 0.0), "nod": (0.0, -20.0)}


def photo(person: str = "astronaut") -> bytes:
    """The whole photograph as it is, about 512 x 550."""
    return jpeg(_photograph(person))


def frames(person: str, action: str, n: int = 4, seed: int = 0) -> list[bytes]:
    """`n` frames of one action, or of "neutral". The same seed gives the same bytes; no two frames are alike.

    Seeds 0 to 49 are one take; those from 50, from 100 and so on are others, in which the person sits somewhat differently.
    """
    return [_frame(person, action, share, seed * 1000 + number) for number, share in enumerate(_shares(action, n))]


def attempt(person: str, actions: list[str] | tuple[str, ...], n: int = 4, seed: int = 0) -> list[tuple[str, bytes]]:
    """A whole attempt: neutral first, then each action, labelled."""
    return [
        (action, data)
        for place, action in enumerate(["neutral", *actions])
        for data in frames(person, action, n, seed + place)
    ]


def still(person: str, actions: list[str] | tuple[str, ...], n: int = 4, seed: int = 0) -> list[tuple[str, bytes]]:
    """The same labels over a photograph that is only moved about and tilted in front of the camera."""
    canvas, _ = scene(person)
    labels = [action for action in ["neutral", *actions] for _ in range(n)]
    return [(label, _shoot(canvas, seed * 1000 + number, shake=6.0)) for number, label in enumerate(labels)]


def film(
    person: str, actions: list[str] | tuple[str, ...], path: str | Path, fps: int = 10, seconds: float = 2.0
) -> Path:
    """Write neutral and then each action, `seconds` long each, as concatenated JPEGs of 640 x 480."""
    count = max(round(fps * seconds), 2)
    target = Path(path)
    with target.open("wb") as file:
        for place, action in enumerate(["neutral", *actions]):
            for data in frames(person, action, count, seed=place):
                file.write(data)
    return target


@lru_cache(maxsize=2)
def scene(person: str) -> tuple[np.ndarray, np.ndarray]:
    """The photograph brought before a phone: 640 x 480, the eyes where an oval would have them, and its 68 landmarks."""
    image = decode(photo(person))
    points = engine.find(image, 0.0)[0].points
    right, left = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    zoomed = _EYE_DISTANCE / np.linalg.norm(left - right)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    middle = (left + right) / 2
    at = np.stack([(rows - _EYES_AT[1]) / zoomed + middle[1], (columns - _EYES_AT[0]) / zoomed + middle[0]])
    canvas = _sample(image.large, at, order=3)
    return canvas, (points - middle) * zoomed + _EYES_AT


def posed(person: str, yaw: float = 0.0, pitch: float = 0.0) -> bytes:
    """One frame with the head turned by degrees: yaw to the person's left, pitch up."""
    canvas, points = scene(person)
    return _shoot(_rotated(canvas, points, yaw, pitch), seed=5)


def pixels(data: bytes) -> np.ndarray:
    """RGB of a JPEG, for tests that spoil it."""
    return np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB"))


def jpeg(image: np.ndarray, quality: int = 90) -> bytes:
    """The bytes of an RGB array."""
    file = io.BytesIO()
    PIL.Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return file.getvalue()


def _shares(action: str, n: int) -> list[float]:
    if action == "neutral":
        return [0.0] * n
    return list(np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(_COURSE)), _COURSE)) if n > 1 else [1.0]


def _photograph(person: str) -> np.ndarray:
    if person == "astronaut":
        return pictures.astronaut()
    if person == "grace_hopper":
        with cbook.get_sample_data("grace_hopper.jpg") as file:
            return np.asarray(PIL.Image.open(file).convert("RGB"))
    raise ValueError(f"nobody here is called {person}")


@lru_cache(maxsize=512)
def _frame(person: str, action: str, share: float, seed: int) -> bytes:
    canvas, points = scene(person)
    rng = np.random.default_rng(seed)
    if action in _TURNS:
        yaw, pitch = _TURNS[action]
        return _shoot(_rotated(canvas, points, yaw * share, pitch * share), seed)
    if action == "open_mouth":
        moved = _mouth_open(points, share)
        return _shoot(_dark_inside(_bent(canvas, points, moved), moved[60:68]), seed)
    if action == "blink":
        shut = min(1.0, share / 0.8)
        return _shoot(_lids(_bent(canvas, points, _eyes_shut(points, shut)), points, shut), seed)
    if action == "neutral":
        # Nobody holds quite still
        return _shoot(_rotated(canvas, points, rng.normal(0, 0.6), rng.normal(0, 0.6)), seed)
    raise ValueError(f"nobody can {action}")


def _shoot(picture: np.ndarray, seed: int, shake: float = 1.5) -> bytes:
    """One exposure: a hand that trembles, light that flickers, a sensor that is not quite clean."""
    rng = np.random.default_rng(seed + 1)
    across, down = rng.normal(0, shake, 2)
    scale = 1 + rng.normal(0, 0.004)
    tilt = np.radians(rng.normal(0, 0.6))
    if take := seed // (_SEEDS_OF_A_TAKE * 1000):
        # Nobody sits down twice in the same place
        turn = take * 2.4
        across, down = across + 40 * np.cos(turn), down + 30 * np.sin(turn)
        scale += 0.07 * np.sin(take * 1.3)
        tilt += np.radians(3 * np.cos(take * 1.7))
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    x, y = columns - WIDTH / 2 - across, rows - HEIGHT / 2 - down
    at = np.stack(
        [
            (y * np.cos(tilt) - x * np.sin(tilt)) / scale + HEIGHT / 2,
            (x * np.cos(tilt) + y * np.sin(tilt)) / scale + WIDTH / 2,
        ]
    )
    shot = _sample(picture, at) * (1 + rng.normal(0, 0.01))
    return jpeg(shot + rng.normal(0, 1.5, shot.shape[:2])[..., None])


def _rotated(canvas: np.ndarray, points: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """The picture with the head turned: the landmarks, and forehead and cheeks between them."""
    x, y = (grid.ravel() for grid in np.meshgrid(np.linspace(-1.0, 1.0, 7), np.linspace(-1.0, 1.9, 9)))
    on_head = (x / 1.1) ** 2 + ((y - 0.5) / 1.6) ** 2 < 1
    nose = (np.abs(x) < 0.4) & (y > -0.2) & (y < 1.0)
    between = np.column_stack([x, y])[on_head & ~nose] * _EYE_DISTANCE + _EYES_AT
    head = np.vstack([points, between])
    return _bent(canvas, head, _turned(head, yaw, pitch))


def _depth(points: np.ndarray) -> np.ndarray:
    """How far each point stands out of the plane of the ears, in pixels: half an ellipsoid, and the nose on it."""
    x, y = ((points - _EYES_AT) / _EYE_DISTANCE).T
    depth = 0.9 * np.sqrt(np.clip(1 - (x / 1.2) ** 2 - ((y - 0.5) / 1.7) ** 2, 0, None))
    depth[27:36] += (0.04, 0.14, 0.26, 0.38, 0.12, 0.22, 0.26, 0.22, 0.12)
    return depth * _EYE_DISTANCE


def _turned(points: np.ndarray, yaw: float = 0.0, pitch: float = 0.0) -> np.ndarray:
    """The landmarks after the head turned by degrees: yaw to the person's left, pitch up."""
    centre = _EYES_AT + np.array([0, 0.45 * _EYE_DISTANCE])
    x, y = (points - centre).T
    z = _depth(points)
    a, b = np.radians(yaw), np.radians(pitch)
    x, z = x * np.cos(a) + z * np.sin(a), z * np.cos(a) - x * np.sin(a)
    y = y * np.cos(b) - z * np.sin(b)
    return np.column_stack([x, y]) + centre


def _mouth_open(points: np.ndarray, share: float) -> np.ndarray:
    moved = points.copy()
    drop = 0.5 * _EYE_DISTANCE * share
    moved[[55, 56, 57, 58, 59, 65, 66, 67], 1] += drop
    moved[[48, 54, 60, 64], 1] += drop * 0.3
    moved[[5, 6, 7, 8, 9, 10, 11], 1] += drop * np.array([0.4, 0.7, 0.9, 0.9, 0.9, 0.7, 0.4])
    moved[[60, 64], 0] += np.array([0.03, -0.03]) * _EYE_DISTANCE * share
    return moved


def _eyes_shut(points: np.ndarray, share: float) -> np.ndarray:
    moved = points.copy()
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        moved[upper] += (points[lower] - points[upper]) * 0.85 * share
    return moved


def _bent(canvas: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The picture bent so that each landmark goes from `before` to `after`, while the room around the head stays."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = (
        _EYES_AT
        + (0, 0.5 * _EYE_DISTANCE)
        + np.column_stack([np.cos(angle) * 2.3, np.sin(angle) * 2.6]) * _EYE_DISTANCE
    )
    corners = np.array([(0, 0), (WIDTH, 0), (0, HEIGHT), (WIDTH, HEIGHT)], dtype=float)
    fixed = np.vstack([ring, corners])
    held = np.vstack([after, fixed])
    back = np.vstack([before - after, np.zeros_like(fixed)])
    bend = RBFInterpolator(held, back, kernel="linear", smoothing=0.5)
    rows, columns = np.mgrid[0 : HEIGHT + _GRID : _GRID, 0 : WIDTH + _GRID : _GRID]
    coarse = bend(np.column_stack([columns.ravel(), rows.ravel()]).astype(float)).reshape(*rows.shape, 2)
    fine = np.stack([_finer(coarse[..., 1]), _finer(coarse[..., 0])])
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    return _sample(canvas, fine + np.stack([rows, columns]))


def _finer(coarse: np.ndarray) -> np.ndarray:
    size = ((coarse.shape[0] - 1) * _GRID + 1, (coarse.shape[1] - 1) * _GRID + 1)
    return zoom(coarse, (size[0] / coarse.shape[0], size[1] / coarse.shape[1]), order=1, grid_mode=False)[
        :HEIGHT, :WIDTH
    ]


def _dark_inside(picture: np.ndarray, lips: np.ndarray) -> np.ndarray:
    mask = PIL.Image.new("L", (WIDTH, HEIGHT))
    ImageDraw.Draw(mask).polygon([tuple(point) for point in lips], fill=255)
    share = np.asarray(mask.filter(ImageFilter.GaussianBlur(1.5)), dtype=float)[..., None] / 255
    return picture * (1 - share) + np.array([45.0, 18.0, 18.0]) * share


def _lids(picture: np.ndarray, points: np.ndarray, share: float) -> np.ndarray:
    """Skin over the eye, and the dark line of the lashes below it."""
    for eye in (points[36:42], points[42:48]):
        middle = eye.mean(axis=0)
        grown = middle + (eye - middle) * (1.15, 1.3)
        # From the cheek: above the eye Grace Hopper's glasses are in the way
        row, column = int(middle[1] + 0.6 * _EYE_DISTANCE), int(middle[0])
        skin = 0.9 * np.median(picture[row - 5 : row + 6, column - 6 : column + 7].reshape(-1, 3), axis=0)
        lid = PIL.Image.new("L", (WIDTH, HEIGHT))
        ImageDraw.Draw(lid).polygon([tuple(point) for point in grown], fill=round(255 * share))
        lashes = PIL.Image.new("L", (WIDTH, HEIGHT))
        ImageDraw.Draw(lashes).line([tuple(eye[at]) for at in (0, 5, 4, 3)], fill=round(200 * share), width=2)
        for mask, colour in ((lid, skin), (lashes, skin * 0.4)):
            cover = np.asarray(mask.filter(ImageFilter.GaussianBlur(1.2)), dtype=float)[..., None] / 255
            picture = picture * (1 - cover) + colour * cover
    return picture


def _sample(picture: np.ndarray, at: np.ndarray, order: int = 1) -> np.ndarray:
    layers = [map_coordinates(picture[..., layer].astype(float), at, order=order, mode="nearest") for layer in range(3)]
    return np.clip(np.stack(layers, axis=-1), 0, 255)
