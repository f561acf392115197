"""Whether the frames of an action show it, against the person's own neutral frames.

A person is compared with themselves: narrow eyes, a mouth that never quite closes and a phone held low are in the neutral
frames as well and cancel out. Left and right are the person's own, frames are not mirrored.

A few bad frames are no failure: a head that is turned far is lost by the detector, which knows frontal faces, and a
movement blurs. So an action is judged by the frames that show most of it, not by all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from faces import geometry
from faces.arrays import Points
from faces.engine import Face
from faces.policy import Policy

NEUTRAL = "neutral"

# Where a dim picture shows hardly any iris, its share would be noise over noise
_FAINT = 0.01

ACTIONS: tuple[str, ...] = ("turn_left", "turn_right", "open_mouth", "blink", "nod")


@dataclass(frozen=True)
class Baseline:
    """How the person looks when nothing is asked of them: the median over the usable neutral frames."""

    points: Points
    yaw: float
    pitch: float
    mouth: float
    eyes: float
    iris: float


@dataclass(frozen=True)
class ActionSeen:
    """One demanded action, whether it was seen, and the figures behind that."""

    action: str
    seen: bool
    figures: dict[str, float]


def baseline(faces: Sequence[Face]) -> Baseline:
    """What the actions are measured against."""
    return Baseline(
        points=np.median([geometry.upright(face.points) for face in faces], axis=0),
        yaw=float(np.median([face.pose.yaw for face in faces])),
        pitch=float(np.median([face.pose.pitch for face in faces])),
        mouth=float(np.median([face.mouth for face in faces])),
        eyes=float(np.median([face.eyes for face in faces])),
        iris=float(np.median([face.iris for face in faces])),
    )


def judge(action: str, frames: int, faces: Sequence[Face], neutral: Baseline, policy: Policy) -> ActionSeen:
    """Whether the action was seen in `faces`, those found in its `frames` frames."""
    seen, figures = _RULES[action](frames, faces, neutral, policy)
    return ActionSeen(action, seen, {"frames": float(frames), "faces": float(len(faces))} | figures)


def peak(action: str, faces: Sequence[Face], neutral: Baseline) -> Face:
    """The face that shows most of the action: the one that must be the same person's."""
    measures = {
        "turn_left": lambda face: face.pose.yaw,
        "turn_right": lambda face: -face.pose.yaw,
        "open_mouth": lambda face: face.mouth,
        "blink": lambda face: -openness(face, neutral),
        "nod": lambda face: abs(face.pose.pitch - neutral.pitch),
    }
    return max(faces, key=measures[action])


def ahead(faces: Sequence[Face], neutral: Baseline) -> Face:
    """The face that is turned least from the neutral ones."""
    return min(faces, key=lambda face: abs(face.pose.yaw - neutral.yaw) + abs(face.pose.pitch - neutral.pitch))


def is_turned(face: Face, neutral: Baseline, policy: Policy) -> bool:
    """Whether a face points so far away from the neutral ones that descriptors grow apart by that alone."""
    return (
        abs(face.pose.yaw - neutral.yaw) > policy.turned or abs(face.pose.pitch - neutral.pitch) > policy.turned_pitch
    )


def openness(face: Face, neutral: Baseline) -> float:
    """How far the eyes are open, as a share of the neutral frames: what the lids' landmarks say times what the iris says.

    Either alone trembles by 15 % on open eyes and falls by 15 to 30 % in a blink of narrow ones; the product tells them apart.
    """
    return face.eyes / max(neutral.eyes, 1e-9) * (face.iris + _FAINT) / (neutral.iris + _FAINT)


def movement(faces: Sequence[Face], neutral: Baseline) -> float:
    """Change of shape against the neutral frames, in eye distances; a still picture has none.

    The upper quartile over the frames: now and then the landmarks of a single one jump.
    """
    changes = [geometry.movement(neutral.points, face.points) for face in faces]
    return float(np.percentile(changes, 75)) if changes else 0.0


Judged = tuple[bool, dict[str, float]]


def _turn(side: int, frames: int, faces: Sequence[Face], neutral: Baseline, policy: Policy) -> Judged:
    turned = [side * (face.pose.yaw - neutral.yaw) for face in faces]
    furthest = max(turned, default=0.0)
    other_way = -min(turned, default=0.0)
    rising = sum(angle >= policy.turn_rising for angle in turned)
    enough = rising >= min(2, max(frames - 1, 1))
    seen = enough and furthest >= policy.turn and furthest > other_way
    return seen, {"furthest": furthest, "rising": float(rising), "other_way": other_way}


def _turn_left(frames: int, faces: Sequence[Face], neutral: Baseline, policy: Policy) -> Judged:
    return _turn(1, frames, faces, neutral, policy)


def _turn_right(frames: int, faces: Sequence[Face], neutral: Baseline, policy: Policy) -> Judged:
    return _turn(-1, frames, faces, neutral, policy)


def _open_mouth(_frames: int, faces: Sequence[Face], neutral: Baseline, policy: Policy) -> Judged:
    steady = [face for face in faces if abs(face.pose.yaw - neutral.yaw) <= policy.steady_yaw]
    widest = max((face.mouth - neutral.mouth for face in steady), default=0.0)
    return widest >= policy.mouth, {"widest": widest, "steady": float(len(steady))}


def _blink(_frames: int, faces: Sequence[Face], neutral: Baseline, policy: Policy) -> Judged:
    steady = [
        face
        for face in faces
        if abs(face.pose.yaw - neutral.yaw) <= policy.steady_yaw
        and abs(face.pose.pitch - neutral.pitch) <= policy.steady_pitch
    ]
    narrowest = min((openness(face, neutral) for face in steady), default=1.0)
    return narrowest <= policy.blink, {"narrowest": narrowest, "steady": float(len(steady))}


def _nod(_frames: int, faces: Sequence[Face], neutral: Baseline, policy: Policy) -> Judged:
    # A mouth that opens wide draws its corners down, which reads as pitch.
    steady = [
        face
        for face in faces
        if abs(face.pose.yaw - neutral.yaw) <= policy.steady_yaw and face.mouth - neutral.mouth < policy.mouth
    ]
    pitches = [face.pose.pitch - neutral.pitch for face in steady]
    down, up = -min(pitches, default=0.0), max(pitches, default=0.0)
    return max(down, up) >= policy.nod, {"down": down, "up": up, "steady": float(len(steady))}


_RULES = {"turn_left": _turn_left, "turn_right": _turn_right, "open_mouth": _open_mouth, "blink": _blink, "nod": _nod}
