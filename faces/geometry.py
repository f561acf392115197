"""What 68 landmarks say: where the head points, how far the mouth and the eyes are open, whether anything moved.

Every measure is free of place, size and roll: the landmarks are first brought upright by the line of the eyes and
divided by the distance between them (`upright`). Left and right are the person's own, frames are not mirrored, so the
person's left is to the right of the picture.

Landmarks: 36-41 right eye, 42-47 left eye, 27-35 nose (30 its tip), 48-67 mouth, 0-16 jaw (iBUG 300-W, Sagonas et al. 2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faces.arrays import Points

RIGHT_EYE = slice(36, 42)
LEFT_EYE = slice(42, 48)
NOSE_TIP = 30

# Where the landmarks that move least with the expression sit on an adult head: centimetres, x to the person's left,
# y up, z towards the camera. Rounded anthropometric averages; the person's own neutral frames take out the difference.
_RIGID = np.array([36, 39, 42, 45, 27, 28, 29, 30, 31, 33, 35, 48, 54])
_HEAD = np.array(
    [
        [-4.5, 3.2, -2.4], [-1.6, 3.1, -1.6], [1.6, 3.1, -1.6], [4.5, 3.2, -2.4],
        [0.0, 3.2, -0.4], [0.0, 2.1, 0.3], [0.0, 1.0, 1.0], [0.0, 0.0, 1.7],
        [-1.6, -0.8, 0.0], [0.0, -1.1, 0.6], [1.6, -0.8, 0.0],
        [-2.6, -3.3, -1.1], [2.6, -3.3, -1.1],
    ]
)  # fmt: skip
_HEAD_CENTRED = _HEAD - _HEAD.mean(axis=0)
_SOLVE = np.linalg.pinv(_HEAD_CENTRED)


@dataclass(frozen=True)
class Pose:
    """Degrees. yaw: the person's own left is positive; pitch: up is positive; roll: clockwise in the picture is positive."""

    yaw: float
    pitch: float
    roll: float


def eye_distance(points: Points) -> float:
    """Pixels between the centres of the eyes."""
    return float(np.linalg.norm(points[LEFT_EYE].mean(axis=0) - points[RIGHT_EYE].mean(axis=0)))


def roll(points: Points) -> float:
    """Degrees by which the line of the eyes is turned, clockwise positive."""
    across = points[LEFT_EYE].mean(axis=0) - points[RIGHT_EYE].mean(axis=0)
    return float(np.degrees(np.arctan2(across[1], across[0])))


def upright(points: Points) -> Points:
    """The landmarks with the eyes level, one eye distance apart, their middle at 0, y still down."""
    right, left = points[RIGHT_EYE].mean(axis=0), points[LEFT_EYE].mean(axis=0)
    across = left - right
    length = max(float(np.linalg.norm(across)), 1e-9)
    cosine, sine = across / length
    turned = (points - (left + right) / 2) @ np.array([[cosine, -sine], [sine, cosine]])
    return np.asarray(turned / length, dtype=np.float64)


def pose(points: Points) -> Pose:
    """Where the head points, by scaled orthography (POS, DeMenthon and Davis 1995) over the landmarks that move least."""
    seen = upright(points)[_RIGID] * (1.0, -1.0)
    affine = (_SOLVE @ (seen - seen.mean(axis=0))).T
    left, _, right = np.linalg.svd(affine, full_matrices=False)
    first, second = left @ right
    ahead = np.cross(first, second)
    forward = (first[2], second[2], ahead[2])
    return Pose(
        yaw=float(np.degrees(np.arctan2(forward[0], max(forward[2], 1e-9)))),
        pitch=float(np.degrees(np.arcsin(np.clip(forward[1], -1, 1)))),
        roll=roll(points),
    )


def mouth_open(points: Points) -> float:
    """Height of the gap between the lips over its width; 0 closed, about 0.3 talking, 0.6 and more wide open."""
    gap = np.linalg.norm(points[[61, 62, 63]] - points[[67, 66, 65]], axis=1).mean()
    return float(gap / max(float(np.linalg.norm(points[60] - points[64])), 1e-9))


def eyes_open(points: Points) -> float:
    """Eye aspect ratio (Soukupova and Cech 2016) of the eye that is open wider; about 0.2 to 0.35 open, below 0.15 closed."""
    return max(_eye_open(points[RIGHT_EYE]), _eye_open(points[LEFT_EYE]))


def _eye_open(eye: Points) -> float:
    height = np.linalg.norm(eye[1] - eye[5]) + np.linalg.norm(eye[2] - eye[4])
    return float(height / 2 / max(float(np.linalg.norm(eye[0] - eye[3])), 1e-9))


def movement(before: Points, after: Points) -> float:
    """How much the shape changed, in eye distances (root mean square), whatever a plane in space could have done to it.

    The best affine map is taken out first, so that a photograph that is shifted, turned in the hand or tilted has not
    moved: only a head or a face that works has.
    """
    return _affine_residual(upright(before), upright(after))


def _affine_residual(before: Points, after: Points) -> float:
    design = np.column_stack([before, np.ones(len(before))])
    fitted, *_ = np.linalg.lstsq(design, after, rcond=None)
    return float(np.sqrt(np.mean(np.sum((design @ fitted - after) ** 2, axis=1))))
