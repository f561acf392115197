"""What the pixels around the eyes say, where the landmarks alone are too coarse: are they covered, how much dark is in them.

All measures are shares of the brightness of the cheeks below, so that light and skin cancel out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faces.arrays import Grey, Pixels, Points
from faces.geometry import LEFT_EYE, RIGHT_EYE, eye_distance

_LUMINANCE = np.array([0.299, 0.587, 0.114])
_SHADE = 0.7


def luminance(pixels: Pixels) -> Grey:
    """Rec. 601 luma, 0..255."""
    return np.asarray(pixels @ _LUMINANCE)


def iris(large: Pixels, points: Points) -> float:
    """How much dark there is between the lids: about 0.1 in open eyes, less by a third and more when the lids cover the iris.

    dlib's landmarks keep narrow eyes open when they shut; the iris does disappear.
    """
    skin = _skin(large, points)
    span = eye_distance(points)
    dark = [
        float(np.clip(_SHADE - eye / skin, 0, 1).mean())
        for eye in (_patch(large, centre, 0.2 * span, 0.1 * span) for centre in _centres(points))
        if eye.size
    ]
    return float(np.mean(dark)) if dark else 0.0


def cover(large: Pixels, points: Points) -> tuple[float, float]:
    """Brightness of the eyes, and the contrast within them, of the eye that shows more. 1 and 1 where they lie outside."""
    skin = _skin(large, points)
    span = eye_distance(points)
    eyes = [eye for eye in (_patch(large, centre, 0.3 * span, 0.14 * span) for centre in _centres(points)) if eye.size]
    if not eyes:
        return 1.0, 1.0
    brightness = max(float(np.median(eye)) for eye in eyes) / skin
    detail = max(float(np.percentile(eye, 95) - np.percentile(eye, 5)) for eye in eyes) / skin
    return brightness, detail


def _centres(points: Points) -> list[Points]:
    return [points[eye].mean(axis=0) for eye in (RIGHT_EYE, LEFT_EYE)]


def _skin(large: Pixels, points: Points) -> float:
    span = eye_distance(points)
    down = np.array([0.0, 0.6 * span])
    cheeks = np.concatenate([_patch(large, at + down, 0.14 * span, 0.12 * span).ravel() for at in _centres(points)])
    return max(float(np.median(cheeks)), 1.0) if cheeks.size else 128.0


def _patch(large: Pixels, centre: NDArray[np.float64], half_width: float, half_height: float) -> Grey:
    """Luminance of a rectangle, as far as it lies inside the picture; it may be empty."""
    half = np.array([half_width, half_height])
    left, top = np.maximum(np.round(centre - half).astype(int), 0)
    right, bottom = np.maximum(np.round(centre + half).astype(int) + 1, 0)
    return luminance(large[top:bottom, left:right])
