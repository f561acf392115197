"""A fingerprint of one frame: 256 bits that stay the same where a film is encoded again, and differ where it is filmed again.

The whole frame, grey, 64 x 64; the 16 x 16 lowest cosine frequencies without the constant ones; one bit for each, whether it
lies above their median. This is the construction of PDQ (Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ
Image-Hashing Algorithm", 2019) without its own scaling filter. The whole frame and not the face: where the head is in the
picture, and the room behind it, is what differs between two films of one person. Of a face cut out and set upright, living
frames came nearer to each other than one frame to itself encoded again (docs/faces.md).

Two fingerprints are compared by the number of bits that differ (0..256, unrelated pictures about 128).
"""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL import ImageFile, ImageOps

from faces.decode import FORMATS
from faces.policy import DEFAULT_POLICY

BYTES = 32
STRAIGHT = 6
"""How many of the fingerprints of `undone` come first that need neither a corner nor a tilt."""

_Grey = npt.NDArray[np.float64]

_SIDE = 64
_KEPT = 16
# What a picture that was cropped lacks at each border, as a share of its side, and degrees by which it was turned
_CROPS = (0.0125, 0.025)
_TILTS = (-3, -2, -1, 1, 2, 3)
_FEATURELESS = 6.0
"""Standard deviation of the grey levels (0..255) below which nothing is to be seen: all covered lenses are alike."""

_FREQUENCIES = np.arange(1, _KEPT + 1)
# A mirror turns the sign of every odd frequency across
_MIRROR = np.where(_FREQUENCIES % 2, -1.0, 1.0)
# Low frequencies are alike in all portraits: dealt out in turn, so that each of the sixteen words holds some of every kind
_DEALT = np.argsort(np.add.outer(_FREQUENCIES, _FREQUENCIES).ravel(), kind="stable").reshape(16, 16).T.ravel()


def fingerprint(data: bytes) -> bytes | None:
    """32 bytes for an upload, sixteen words of 16 bits; None where it is no picture, is broken, or shows nothing."""
    seen = _grey(data)
    return None if seen is None else _bits(_straight() @ seen[0] @ _straight().T)[0].tobytes()


def undone(data: bytes) -> tuple[bytes, ...]:
    """The fingerprint of an upload, and those of the pictures that it may have been made of.

    A mirror, a crop of 1.25 or 2.5 % at any border, a tilt of up to 3 degrees are undone; what a crop has cut off is filled up
    by its border. The first is `fingerprint(data)`; the first six undo a mirror and an even crop only. () where that is None.
    """
    seen = _grey(data)
    if seen is None:
        return ()
    grey, aspect = seen
    lines = _lines()
    count = len(lines)
    stacked = lines.reshape(-1, _SIDE)
    pairs = (stacked @ grey @ stacked.T).reshape(count, _KEPT, count, _KEPT).transpose(0, 2, 1, 3)
    even = np.stack([pairs[place, place] for place in range(len(_CROPS) + 1)])
    uneven = np.stack([pairs[row, column] for row, column in _uneven()])
    tilted = np.stack([_straight() @ _tilted(grey, degrees, aspect) @ _straight().T for degrees in _TILTS])
    return tuple(
        row.tobytes()
        for kind in (even, np.concatenate([uneven, tilted]))
        for row in _bits(np.concatenate([kind, kind * _MIRROR]))
    )


def _grey(data: bytes) -> tuple[_Grey, float] | None:
    """The picture as 64 x 64 grey levels and its width over its height, upright; None where nothing can be seen."""
    # face_recognition's import switches truncated files on for the whole process
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with PIL.Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > DEFAULT_POLICY.max_pixels:
                return None
            # at half of this a JPEG that was rescaled moved 12 bits: the decoder's shortcut changed with its size
            picture.draft("L", (4 * _SIDE, 4 * _SIDE))
            upright = ImageOps.exif_transpose(picture).convert("L")
        aspect = round(upright.width / upright.height, 2)
        grey = np.asarray(upright.resize((_SIDE, _SIDE), PIL.Image.Resampling.BILINEAR), dtype=np.float64)
    except Exception:  # whatever a hostile file makes a decoder raise, it has no fingerprint
        return None
    return (grey, aspect) if grey.std() >= _FEATURELESS and aspect else None


def _bits(spectra: _Grey) -> npt.NDArray[np.uint8]:
    """Spectra (n x 16 x 16) to rows of 32 bytes."""
    flat = spectra.reshape(-1, _KEPT * _KEPT)
    middle = np.partition(flat, (127, 128), axis=1)[:, 127:129].mean(axis=1, keepdims=True)
    return np.packbits((flat > middle)[:, _DEALT], axis=1)


def _line(start: float, end: float) -> _Grey:
    """Cosine transform (16 x 64) of the stretch start..end of a line of 64 pixels that reaches from 0 to 1."""
    at = np.clip((start + (np.arange(_SIDE) + 0.5) / _SIDE * (end - start)) * _SIDE - 0.5, 0, _SIDE - 1)
    left = np.minimum(at.astype(int), _SIDE - 2)
    sampled = np.zeros((_SIDE, _SIDE))
    sampled[np.arange(_SIDE), left] = 1 - (at - left)
    sampled[np.arange(_SIDE), left + 1] = at - left
    cosines: _Grey = np.cos(np.pi / _SIDE * np.outer(_FREQUENCIES, np.arange(_SIDE) + 0.5))
    return cosines @ sampled


@lru_cache(maxsize=1)
def _lines() -> _Grey:
    """One line for each crop that is undone: none, even ones, then those at one end."""
    ends = [(-2 * crop, 1.0) for crop in _CROPS] + [(0.0, 1 + 2 * crop) for crop in _CROPS]
    return np.stack([_line(0, 1), *(_line(-crop, 1 + crop) for crop in _CROPS), *(_line(*end) for end in ends)])


def _straight() -> _Grey:
    straight: _Grey = _lines()[0]
    return straight


def _uneven() -> list[tuple[int, int]]:
    count, even = len(_lines()), len(_CROPS) + 1
    return [(row, column) for row in range(count) for column in range(count) if row != column or row >= even]


def _tilted(grey: _Grey, degrees: int, aspect: float) -> _Grey:
    rows, columns, down, across = _turn(degrees, aspect)
    upper = grey[rows, columns] * (1 - across) + grey[rows, columns + 1] * across
    lower = grey[rows + 1, columns] * (1 - across) + grey[rows + 1, columns + 1] * across
    tilted: _Grey = upper * (1 - down) + lower * down
    return tilted


@lru_cache(maxsize=16 * len(_TILTS))
def _turn(degrees: int, aspect: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], _Grey, _Grey]:
    """Where each pixel of a picture turned by degrees comes from; its 64 x 64 pixels are not square."""
    angle = np.radians(degrees)
    middle = (_SIDE - 1) / 2
    y, x = np.mgrid[0:_SIDE, 0:_SIDE] - middle
    column = np.clip(x * np.cos(angle) - y * np.sin(angle) / aspect + middle, 0, _SIDE - 1)
    row = np.clip(x * np.sin(angle) * aspect + y * np.cos(angle) + middle, 0, _SIDE - 1)
    top, left = np.minimum(row.astype(int), _SIDE - 2), np.minimum(column.astype(int), _SIDE - 2)
    return top, left, row - top, column - left
