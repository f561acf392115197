"""The two arrays that travel through the package."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""Height x width x 3, RGB, 0..255."""

Points = NDArray[np.float64]
"""68 x 2 landmarks in the order of iBUG 300-W, x to the right and y down, in pixels of the large copy."""

Vector = NDArray[np.float32]
"""128 numbers that describe a face."""

Grey = NDArray[np.floating[Any]]
"""Height x width, luminance, 0..255."""


def mean_around(values: Grey, reach: int) -> Grey:
    """Mean over a square of 2 x reach + 1, the rim repeated."""
    side = 2 * reach + 1
    total = np.pad(values, (reach + 1, reach), mode="edge").cumsum(axis=0).cumsum(axis=1)
    summed = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    return np.asarray(summed / side**2)
