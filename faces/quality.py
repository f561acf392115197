"""Whether a picture of a face is good enough, measured on the face and not on the room around it.

Each failure has its own name, because each has its own remedy: light, distance, a steady hand, no sunglasses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image

from faces import reasons
from faces.arrays import Grey
from faces.decode import Image
from faces.engine import Face, find, find_closely
from faces.eyes import cover, luminance
from faces.policy import Policy

_INNER = slice(35, 115)
_DETAIL_SIDE = 40


@dataclass(frozen=True)
class Quality:
    """What is wrong with one picture, the most telling first; nothing is good. `face` is the largest one found."""

    face: Face | None
    reasons: tuple[str, ...]
    figures: dict[str, float]

    @property
    def good(self) -> bool:
        return not self.reasons


def inspect(image: Image, policy: Policy, *, strict: bool = False) -> Quality:
    """Look for the face of a neutral frame or a reference photo (`strict`) and judge the picture of it."""
    found = find(image, policy.detector_score)
    if not found and image.scale > 1:
        found = find_closely(image, policy.detector_score)
    if not found:
        return Quality(None, (_no_face(image, policy),), {"faces": 0})
    face = found[0]
    figures = measure(image, face) | {"faces": float(len(found))}
    return Quality(face, tuple(_faults(found, figures, policy, strict=strict)), figures)


def measure(image: Image, face: Face) -> dict[str, float]:
    """The figures of one face: sizes in pixels, luminance 0..255, angles in degrees, the rest ratios."""
    inner = luminance(face.chip[_INNER, _INNER])
    brightness, contrast = cover(image.large, face.points)
    return {
        "width": face.width,
        "pixels": face.pixels,
        "luminance": float(np.median(inner)),
        "burnt": float(np.mean(inner >= 250)),
        "tones": float(np.percentile(inner, 99) - np.percentile(inner, 1)),
        "detail": fine_detail(inner),
        "eyes_brightness": brightness,
        "eyes_detail": contrast,
        "yaw": face.pose.yaw,
        "pitch": face.pose.pitch,
        "roll": face.pose.roll,
        "mouth": face.mouth,
        "eyes": face.eyes,
        "iris": face.iris,
    }


def fine_detail(inner: Grey) -> float:
    """Standard deviation of the Laplacian on the inner face, reduced to 40 x 40.

    So small that the noise of a sensor and the blocks of a JPEG are averaged away, which on the full chip hide a blur.
    """
    reduced = PIL.Image.fromarray(inner.astype(np.uint8)).resize((_DETAIL_SIDE, _DETAIL_SIDE), PIL.Image.Resampling.BOX)
    x = np.asarray(reduced, dtype=np.float64)
    return float(np.std(4 * x[1:-1, 1:-1] - x[:-2, 1:-1] - x[2:, 1:-1] - x[1:-1, :-2] - x[1:-1, 2:]))


def _faults(found: Sequence[Face], figures: dict[str, float], policy: Policy, *, strict: bool) -> list[str]:
    face = found[0]
    yaw, pitch, roll = (
        (policy.enrol_yaw, policy.enrol_pitch, policy.enrol_roll)
        if strict
        else (policy.away_yaw, policy.away_pitch, policy.away_roll)
    )
    checks = {
        reasons.SEVERAL_FACES: any(_in_the_crowd(other, face, policy) for other in found[1:]),
        reasons.FACE_TOO_SMALL: face.width < policy.min_face_width or face.pixels < policy.min_face_pixels,
        reasons.TOO_DARK: figures["luminance"] < policy.dark,
        reasons.TOO_BRIGHT: figures["luminance"] > policy.bright or figures["burnt"] > policy.burnt_share,
        reasons.BLURRED: figures["detail"] < policy.sharp,
        reasons.TURNED_AWAY: abs(face.pose.yaw) > yaw or abs(face.pose.pitch) > pitch or abs(face.pose.roll) > roll,
        reasons.EYES_COVERED: figures["eyes_brightness"] < policy.eyes_dark_share
        or figures["eyes_detail"] < policy.eyes_detail,
    }
    faults = [reason for reason, holds in checks.items() if holds]
    # Light explains a loss of detail, in the face and in the eyes; the person can only change the light.
    if reasons.TOO_DARK in faults or reasons.TOO_BRIGHT in faults:
        faults = [fault for fault in faults if fault not in (reasons.BLURRED, reasons.EYES_COVERED)]
    if reasons.BLURRED in faults:
        faults = [fault for fault in faults if fault != reasons.EYES_COVERED]
    return faults


def _in_the_crowd(other: Face, face: Face, policy: Policy) -> bool:
    return other.width >= policy.crowd_share * face.width and other.score >= policy.crowd_score


def _no_face(image: Image, policy: Policy) -> str:
    """In the dark no face is found either, and the advice must be to light a lamp."""
    middle = float(np.median(luminance(image.small)))
    if middle < policy.dark / 3:
        return reasons.TOO_DARK
    if middle > 250:
        return reasons.TOO_BRIGHT
    return reasons.NO_FACE
