"""What a screen or a print looks like under a lens: its pattern, its border, its washed-out tones, its glare."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from faces import geometry
from faces.arrays import Grey, Pixels, Points, mean_around
from faces.decode import Image
from faces.engine import Face
from faces.eyes import luminance
from faces.policy import Policy
from faces.quality import fine_detail

_INNER = slice(35, 115)
_SLOPES = np.linspace(-0.2, 0.2, 11)
_FILLED = 3.0


def moire(large: Pixels, points: Points) -> float | None:
    """How far the highest peak of the fine spectrum stands above its surroundings, as a ratio of power.

    A screen's grid or a print's dots beat with the sensor's: a sharp peak. Skin, wrinkles and noise fall off smoothly. A
    square of 128 (64 for a small face) pixels at the nose, as fine as the upload gives; None for a face that is smaller.
    The axes are left out, because the blocks of a JPEG leave their peaks there.
    """
    span = geometry.eye_distance(points)
    side = 128 if span >= 64 else 64
    corner = np.round(points[geometry.NOSE_TIP] - side / 2).astype(int)
    column, row = np.clip(corner, 0, np.maximum(np.array(large.shape[1::-1]) - side, 0))
    patch = luminance(large[row : row + side, column : column + side])
    if span < 32 or patch.shape != (side, side):
        return None
    patch = patch - mean_around(patch, 4)
    patch = patch / np.sqrt(mean_around(patch**2, 6) + 4)
    window = np.hanning(side + 2)[1:-1]
    power = np.abs(np.fft.fftshift(np.fft.rfft2(patch * window[:, None] * window), axes=0)) ** 2
    peak = mean_around(power, 1)
    around = (mean_around(power, 5) * 121 - peak * 9) / 112
    rows, columns = np.arange(side)[:, None] - side // 2, np.arange(side // 2 + 1)
    radius = np.hypot(rows, columns) / side
    off_axes = (np.abs(rows) > 3) & (columns > 3)
    counted = (radius > 0.08) & (radius < 0.49) & off_axes
    floor = 0.1 * float(np.median(power[counted])) + 1e-9
    return float(np.max(peak[counted] / (around[counted] + floor)))


def border(image: Image, points: Points) -> float:
    """How straight and unbroken a picture ends around the face: 0 to 1, the share of its weakest needed edge that is there.

    Needed are the lower edge, four eye distances wide below the chin and across the body, and one beside the face that runs
    from above the eyes down to it. Doors, windows and cupboards have straight edges too, but a body stands before them: none of
    theirs crosses a chest. A table before the person, with a door post that runs down to it, does look like this. A screen or
    print that fills the camera's view shows no edge, nor does a dark one around dark clothes.
    """
    stride = max(1, round(geometry.eye_distance(points) / image.scale / 18))
    grey = luminance(np.asarray(PIL.Image.fromarray(image.small).reduce(stride)))
    height, width = grey.shape
    points = points / image.scale / stride
    span = geometry.eye_distance(points)
    x, y = points[36:48].mean(axis=0)
    face = grey[max(0, round(y - span)) : round(y + span), max(0, round(x - span)) : round(x + span)]
    contrast = max(4.0, 0.1 * float(np.median(face))) if face.size else 4.0
    below = np.arange(round(points[:17, 1].max() + 0.2 * span), height)
    level = _lines(_edges(grey, contrast), below, x - 2 * span, x + 2 * span, x)
    if max(level, default=0.0) < 0.5:
        return 0.0
    # The highest good edge: the one at which the picture ends, not the desk below it
    place = int(np.argmax(level >= 0.95 * level.max()))
    beside = np.array([column for column in range(width) if abs(column - x) > 1.2 * span], dtype=int)
    upright = _lines(_edges(grey.T, contrast), beside, y - 0.5 * span, below[place] - 1, below[place])
    return float(min(level[place], max(upright, default=0.0)))


def washed(image: Image, chip: Pixels) -> tuple[float, float]:
    """The range of tones in the inner face (1st to 99th percentile), and how far its black lies above that of the whole
    picture, both as shares of the face's median brightness.

    A screen or a print cannot show the black of a pupil: 0.33 to 0.54 and 0.56 to 0.74 in a film of a screen. Haze on the
    lens and dim light lift the black of the whole picture too, which is why both are asked for.
    """
    inner = luminance(chip[_INNER, _INNER])
    middle = max(float(np.median(inner)), 1.0)
    dark, light = (float(np.percentile(inner, share)) for share in (1, 99))
    black = float(np.percentile(luminance(image.small[::4, ::4]), 1))
    return (light - dark) / middle, (dark - black) / middle


def glare(chip: Pixels) -> float:
    """Share of the face below the eyes that is burnt out, flat-topped and with a hard edge: a lamp mirrored in glass or gloss.

    The shine of skin fades out over a finger's breadth and does not count, nor does what glasses throw back.
    """
    lit = chip[70:125, 25:125].min(axis=2).astype(np.float64)
    burnt = (lit >= 245).astype(np.float64)
    if not burnt.any():
        return 0.0
    rim = (mean_around(burnt, 3) > 1e-9) & (mean_around(burnt, 2) < 1e-9)
    hard = rim.any() and float(np.median(lit[rim])) < 190
    return float(burnt.mean()) if hard else 0.0


def figures(neutral: Sequence[Face], policy: Policy) -> dict[str, float]:
    measured: dict[str, list[float]] = {}
    for face in neutral[: policy.neutral_described]:
        tones, lifted = washed(face.image, face.chip)
        found = {
            "detail": fine_detail(luminance(face.chip[_INNER, _INNER])),
            "tones": tones,
            "lifted": lifted,
            "glare": glare(face.chip),
            "border": border(face.image, face.points),
            "moire": moire(face.image.large, face.points),
        }
        for name, value in found.items():
            if value is not None:
                measured.setdefault(name, []).append(value)
    return {name: median(values) for name, values in measured.items()}


def _edges(grey: Grey, contrast: float) -> NDArray[np.bool_]:
    """Where the brightness steps up or down between the rows above and below: what lies on either side of a rim varies.

    Not beside pure black: that is what software fills a picture up with, a camera sees something in every frame.
    """
    step = np.zeros_like(grey)
    step[1:-1] = np.where(np.minimum(grey[2:], grey[:-2]) > _FILLED, grey[2:] - grey[:-2], 0)
    return np.abs(step) > contrast


def _lines(edges: NDArray[np.bool_], rows: NDArray[np.int_], start: float, end: float, pivot: float) -> Grey:
    """For each of the rows: the largest share, between two columns, of a nearly level line through it at `pivot` on an edge."""
    height, width = edges.shape
    columns = np.arange(max(0, round(start)), min(width, round(end) + 1))
    if not len(rows) or not len(columns):
        return np.zeros(0)
    best = np.zeros(len(rows))
    for slope in _SLOPES:
        places = rows[:, None] + np.round(slope * (columns - pivot)).astype(int)
        inside = (places >= 0) & (places < height)
        best = np.maximum(best, np.mean(edges[np.clip(places, 0, height - 1), columns] & inside, axis=1))
    return best
