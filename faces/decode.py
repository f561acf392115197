"""From the bytes of an upload to pixels: what is accepted, and in which size the rest of the package sees it.

A file that is refused leaves as `ImageRefused` with a named reason and nothing of its content.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil

import numpy as np
import PIL.Image
from PIL import ImageFile

from faces import reasons
from faces.arrays import Pixels
from faces.policy import DEFAULT_POLICY, Policy

FORMATS = ("JPEG", "PNG", "WEBP")

_ORIENTATION = 0x0112
_TURN = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_270,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_90,
}
_BOMBS = (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning)
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
)


class ImageRefused(Exception):
    """The upload is not a picture that we take. `reason` is a key of `REASONS`; the message holds nothing else."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Image:
    """A picture the right way up, RGB uint8, height x width x 3.

    `small` is where faces are looked for, `large` is where they are read: a face of 90 pixels in the small copy still has
    180 in the large one. Where the upload is small both are the same array. Nothing of the file's metadata is kept.
    """

    large: Pixels = field(repr=False)
    find_side: int

    @cached_property
    def small(self) -> Pixels:
        """Made when it is first asked for: a film is mostly searched where the last face was."""
        if max(self.large.shape[:2]) <= self.find_side:
            return self.large
        picture = PIL.Image.fromarray(self.large)
        picture.thumbnail((self.find_side, self.find_side), PIL.Image.Resampling.BILINEAR, reducing_gap=1.0)
        return np.asarray(picture, dtype=np.uint8)

    @property
    def scale(self) -> float:
        """Pixels of the large copy to one of the small copy, 1 or more."""
        return max(1.0, max(self.large.shape[:2]) / self.find_side)


def decode(data: bytes, policy: Policy = DEFAULT_POLICY) -> Image:
    """Read a JPEG, PNG or WebP; the first picture of an animated one.

    Raises:
        ImageRefused: `image_too_large`, `not_an_image`, `too_many_pixels` or `image_broken`.
    """
    if len(data) > policy.max_bytes:
        raise ImageRefused(reasons.IMAGE_TOO_LARGE)
    # face_recognition's import switches truncated files on for the whole process: half a face, grey below.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        picture = PIL.Image.open(io.BytesIO(data), formats=FORMATS)
    except _BOMBS:
        raise ImageRefused(reasons.TOO_MANY_PIXELS) from None
    except _DAMAGE:
        raise ImageRefused(reasons.NOT_AN_IMAGE) from None
    with picture:
        # Pillow's own limit is a process-wide variable that anybody may have set to None.
        if picture.width * picture.height > policy.max_pixels:
            raise ImageRefused(reasons.TOO_MANY_PIXELS)
        try:
            return _read(picture, policy)
        except _BOMBS:
            raise ImageRefused(reasons.TOO_MANY_PIXELS) from None
        except _DAMAGE:
            raise ImageRefused(reasons.IMAGE_BROKEN) from None


def _read(picture: PIL.Image.Image, policy: Policy) -> Image:
    longest = max(picture.size)
    if longest >= 2 * policy.read_side:
        # A JPEG can be decoded at a half, a quarter or an eighth for a fraction of the work.
        share = policy.read_side / longest
        picture.draft("RGB", (ceil(picture.width * share), ceil(picture.height * share)))
    picture.load()
    orientation = _orientation(picture)
    # By whole numbers, so that every pixel is the plain mean of a square: the fastest reduction there is
    colour = _colour(picture)
    if (factor := max(colour.size) // policy.read_side) > 1:
        colour = colour.reduce(factor)
    if orientation in _TURN:
        colour = colour.transpose(_TURN[orientation])
    return Image(np.asarray(colour, dtype=np.uint8), policy.find_side)


def _orientation(picture: PIL.Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except _DAMAGE:
        return 1


def _colour(picture: PIL.Image.Image) -> PIL.Image.Image:
    """RGB on white: 16 bits to 8 (Pillow would clip), transparency laid on white, palette and CMYK converted."""
    if picture.mode.startswith("I") or picture.mode == "F":
        wide = np.asarray(picture, dtype=np.float64)
        return PIL.Image.fromarray((np.clip(wide, 0, 65535) / 257).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        ground = PIL.Image.new("RGBA", clear.size, "white")
        return PIL.Image.alpha_composite(ground, clear).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")
