"""Flat or a head: how a face changes between looking ahead and turned, as landmarks and as pixels.

A photograph that is turned in the hand moves as a plane does, a head does not: its nose comes out to one side.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from faces import geometry
from faces.actions import Baseline
from faces.arrays import Grey, Points, mean_around
from faces.engine import Face
from faces.policy import Policy

Matrix = NDArray[np.float64]

# Eyes, bridge, tip and base of the nose, and both ends of the jaw before the ears: what no expression moves
_RIGID = np.r_[27:48, 0:3, 14:17]
_WITHOUT_JAW = np.r_[17:68]
# What a nose of ordinary height does, in eye distances per sine of the yaw: medians over 282 pairs of photographs
_HEAD_AGAINST_MIDLINE = 0.24
_HEAD_AGAINST_SIDES = 1.3

_CELL = 1 / 20
_ACROSS = np.arange(-1.0, 1.001, _CELL)
_DOWN = np.arange(-0.35, 1.301, _CELL)
_ROOM = 0.6
_ROUNDS = 12


def plane_between(before: Points, after: Points) -> Matrix:
    """The homography (3 x 3) that takes one set of points nearest to the other: what a camera does to a plane, perspective
    and all. By the normalised direct linear transform (Hartley 1997)."""
    one, other = _normaliser(before), _normaliser(after)
    (x, y), (u, v) = _mapped(one, before).T, _mapped(other, after).T
    unit, none = np.ones_like(x), np.zeros_like(x)
    rows = np.vstack(
        [
            np.column_stack([x, y, unit, none, none, none, -u * x, -u * y, -u]),
            np.column_stack([none, none, none, x, y, unit, -v * x, -v * y, -v]),
        ]
    )
    solved = np.linalg.svd(rows, full_matrices=False)[2][-1].reshape(3, 3)
    return np.asarray(np.linalg.inv(other) @ solved @ one, dtype=np.float64)


def planarity(before: Points, after: Points, yaw: float) -> float:
    """By how much eyes, nose and ends of the jaw miss the best plane between two frames: eye distances (root mean square) per
    sine of the yaw (degrees), so that a weak turn counts as a strong one.

    A plane is 0 however strongly it is turned, tilted or held near. A bent photograph misses it as a head does.
    """
    one, other = geometry.upright(before)[_RIGID], geometry.upright(after)[_RIGID]
    missed = _mapped(plane_between(one, other), one) - other
    return float(np.sqrt(np.mean(np.sum(missed**2, axis=1))) / abs(np.sin(np.radians(yaw))))


def relief(before: Points, after: Points, yaw: float) -> float:
    """How far the tip of the nose came out to the side of the measured yaw (degrees): 1 as on an ordinary head, 0 on a plane.

    The smaller of two, because a bent photograph can have either and not both: the tip against the line from the bridge to the
    lips and the chin, which on a photograph bent about an upright axis stays a line; and the tip between the outlines of
    the cheeks at its own height, which a photograph bent about a level axis carries along. Neither tells a mask from a head.
    """
    sine = float(np.sin(np.radians(yaw)))
    against_midline = (_off_midline(after) - _off_midline(before)) / sine
    against_sides = (_off_middle(after) - _off_middle(before)) / sine
    return min(against_midline / _HEAD_AGAINST_MIDLINE, against_sides / _HEAD_AGAINST_SIDES)


def alike(ahead: Face, turned: Face) -> float:
    """Correlation, -1 to 1, of the two pictures of the face after the best homography between them; 1 for a plane.

    The landmarks alone do not see a flat photograph: dlib draws a head wherever it finds one. The pixels do. Aligned by
    the inverse compositional algorithm (Baker and Matthews 2004) on a patch of 2.0 x 1.65 eye distances whose brightness and
    contrast are evened out locally, so that light and a soft lens cancel out. A bent photograph differs as a head does.
    """
    one, other = (geometry.upright(face.points)[_WITHOUT_JAW] for face in (ahead, turned))
    return _aligned(_evened(ahead), _evened(turned), plane_between(one, other))


def figures(neutral: Sequence[Face], turned: Sequence[Face], base: Baseline, policy: Policy) -> dict[str, float]:
    far = [face for face in turned if abs(face.pose.yaw - base.yaw) >= policy.turn]
    if not far:
        return {}
    # A flat photograph turned further is foreshortened until it is alike nothing
    far = sorted(far, key=lambda face: abs(face.pose.yaw - base.yaw))
    ahead = min(neutral, key=lambda face: abs(face.pose.yaw - base.yaw) + abs(face.pose.pitch - base.pitch))
    turns = [(face.points, face.pose.yaw - base.yaw) for face in far]
    return {
        "planarity": median([planarity(base.points, points, yaw) for points, yaw in turns]),
        "relief": median([relief(base.points, points, yaw) for points, yaw in turns]),
        "alike": median([alike(ahead, face) for face in far[: policy.alike_frames]]),
    }


def _off_midline(points: Points) -> float:
    upright = geometry.upright(points)
    top, low = upright[27], upright[[8, 51, 57]].mean(axis=0)
    along = (low - top) / max(float(np.linalg.norm(low - top)), 1e-9)
    across = upright[geometry.NOSE_TIP] - top
    return float(across[0] * along[1] - across[1] * along[0])


def _off_middle(points: Points) -> float:
    upright = geometry.upright(points)
    tip = upright[geometry.NOSE_TIP]
    sides = [upright[side][np.argsort(upright[side, 1])] for side in (np.r_[0:6], np.r_[11:17])]
    return float(tip[0] - np.mean([np.interp(tip[1], side[:, 1], side[:, 0]) for side in sides]))


def _normaliser(points: Points) -> Matrix:
    centre = points.mean(axis=0)
    size = max(float(np.sqrt(np.mean(np.sum((points - centre) ** 2, axis=1)) / 2)), 1e-9)
    return np.array([[1 / size, 0, -centre[0] / size], [0, 1 / size, -centre[1] / size], [0, 0, 1]])


def _mapped(plane: Matrix, points: Points) -> Points:
    x, y, w = plane @ np.vstack([points.T, np.ones(len(points))])
    return np.column_stack([x, y]) / np.where(np.abs(w) < 1e-9, 1e-9, w)[:, None]


def _evened(face: Face) -> Grey:
    """The face upright, a cell of the grid to a pixel, each pixel against its surroundings."""
    right, left = (face.points[eye].mean(axis=0) for eye in (geometry.RIGHT_EYE, geometry.LEFT_EYE))
    across = left - right
    down = np.array([-across[1], across[0]])
    span = max(float(np.linalg.norm(across)), 1.0)
    middle = (left + right) / 2
    corner = np.maximum(np.floor(middle - 2.6 * span), 0).astype(int)
    end = np.ceil(middle + 2.6 * span).astype(int)
    cut = PIL.Image.fromarray(face.image.large[corner[1] : end[1], corner[0] : end[0]]).convert("L")
    shrink = max(1, int(span * _CELL))
    origin = (middle + (_ACROSS[0] - _ROOM) * across + (_DOWN[0] - _ROOM) * down - corner + 0.5) / shrink
    x, y = across * _CELL / shrink, down * _CELL / shrink
    size = (len(_ACROSS) + 2 * round(_ROOM / _CELL), len(_DOWN) + 2 * round(_ROOM / _CELL))
    patch = cut.reduce(shrink).transform(
        size, PIL.Image.Transform.AFFINE, (x[0], y[0], origin[0], x[1], y[1], origin[1]), PIL.Image.Resampling.BILINEAR
    )
    grey = mean_around(np.asarray(patch, dtype=np.float64), 1)
    mean = mean_around(grey, 4)
    return (grey - mean) / np.sqrt(np.maximum(mean_around(grey**2, 4) - mean**2, 0) + 9)


def _aligned(one: Grey, other: Grey, plane: Matrix) -> float:
    rim = round(_ROOM / _CELL)
    inner = (slice(rim, rim + len(_DOWN)), slice(rim, rim + len(_ACROSS)))
    slope_y, slope_x = (np.gradient(one, _CELL, axis=axis)[inner].ravel() for axis in (0, 1))
    wanted, scale = _standard(one[inner].ravel())
    x, y = (grid.ravel() for grid in np.meshgrid(_ACROSS, _DOWN))
    inwards = slope_x * x + slope_y * y
    steepest = np.column_stack(
        [slope_x * x, slope_x * y, slope_x, slope_y * x, slope_y * y, slope_y, -inwards * x, -inwards * y]
    )
    steepest = (steepest - steepest.mean(axis=0)) / scale
    square = steepest.T @ steepest
    solve = np.linalg.solve(square + np.eye(8) * (1e-6 * np.trace(square) + 1e-9), steepest.T)
    places = np.column_stack([x, y])
    best = -1.0
    for _ in range(_ROUNDS):
        seen, _scale = _standard(_sampled(other, _mapped(plane, places)))
        best = max(best, float(np.mean(seen * wanted)))
        step = np.append(solve @ (seen - wanted), 0.0).reshape(3, 3)
        if not 1e-3 < np.abs(step).max() < 1:
            break
        plane = plane @ np.linalg.inv(np.eye(3) + step)
    return best


def _standard(values: Grey) -> tuple[Grey, float]:
    scale = max(float(values.std()), 1e-6)
    return (values - values.mean()) / scale, scale


def _sampled(patch: Grey, places: Points) -> Grey:
    columns = np.clip((places[:, 0] - _ACROSS[0] + _ROOM) / _CELL, 0, patch.shape[1] - 1.001)
    rows = np.clip((places[:, 1] - _DOWN[0] + _ROOM) / _CELL, 0, patch.shape[0] - 1.001)
    left, top = columns.astype(int), rows.astype(int)
    x, y = columns - left, rows - top
    upper = patch[top, left] * (1 - x) + patch[top, left + 1] * x
    lower = patch[top + 1, left] * (1 - x) + patch[top + 1, left + 1] * x
    return np.asarray(upper * (1 - y) + lower * y)
