"""Finding faces, their 68 landmarks and what can be read off them: the seam to dlib.

dlib's objects hold scratch memory and are not safe to share, so every thread makes its own on first use.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import dlib
import numpy as np
import PIL.Image

from faces import antispoof, eyes, geometry, network
from faces.arrays import Pixels, Points
from faces.decode import Image
from faces.encoder import CHIP, chip, encoder
from faces.geometry import Pose

_SMALLEST = 40
_REACH = 1.15
"""How far from the middle of the last face the next one is looked for, in widths of its box."""
_NEAR_WIDTH = 104
"""Pixels that the last face is brought to for that: the detector's window is 80."""


@dataclass(frozen=True)
class Face:
    """One face in a picture. `width` is that of its box in the small copy, `pixels` in the large one."""

    score: float
    width: float
    pixels: float
    centre: tuple[float, float]
    """Of its box, in the large copy."""
    points: Points = field(repr=False)
    chip: Pixels = field(repr=False)
    image: Image = field(repr=False)
    pose: Pose
    mouth: float
    eyes: float
    iris: float

    @property
    def large(self) -> Pixels:
        """The picture that landmarks and chip were read from."""
        return self.image.large


def find(image: Image, score: float) -> list[Face]:
    """The faces of a picture, the most prominent first."""
    return _found(image, _Part(image.small, image.scale), score)


def find_closely(image: Image, score: float) -> list[Face]:
    """The same in the large copy, four times the work: for telling a small face from none."""
    return _found(image, _Part(image.large, 1.0), score)


def find_near(image: Image, last: Face, score: float) -> list[Face]:
    """The face of the next picture of a film, looked for where the last one was; a quarter of the work of `find`.

    Empty where it has gone too far, turned too much, or come much closer: then `find` has to look everywhere.
    """
    reach = _REACH * last.pixels
    height, width = image.large.shape[:2]
    left, top = (max(int(middle - reach), 0) for middle in last.centre)
    right, bottom = (min(int(middle + reach), most) for middle, most in zip(last.centre, (width, height), strict=True))
    ratio = max(last.pixels / _NEAR_WIDTH, 1.0)
    size = round((right - left) / ratio), round((bottom - top) / ratio)
    if min(size) < _SMALLEST:
        return []
    whole = PIL.Image.fromarray(image.large[top:bottom, left:right])
    part = np.asarray(whole.resize(size, PIL.Image.Resampling.BILINEAR, reducing_gap=1.0))
    return _found(image, _Part(part, ratio, left, top), score)


@dataclass(frozen=True)
class _Part:
    """Where to look: a copy of a part of the large picture, `scale` pixels of it to one of the copy."""

    pixels: Pixels
    scale: float
    left: int = 0
    top: int = 0


def _found(image: Image, part: _Part, score: float) -> list[Face]:
    if min(part.pixels.shape[:2]) < _SMALLEST:
        return []
    boxes, scores, _ = _tools().detector.run(part.pixels, 0, score)
    faces = [_read(image, part, box, sure) for box, sure in zip(boxes, scores, strict=True)]
    return sorted(faces, key=_prominence, reverse=True)


def _prominence(face: Face) -> float:
    """Size decides, but a fold of cloth that the detector half believes in does not come before a face."""
    return face.width * (min(face.score, 0.5) + 0.3)


def _read(image: Image, part: _Part, found: Any, score: float) -> Face:
    edges = (found.left(), found.top(), found.right(), found.bottom())
    corner = (part.left, part.top, part.left, part.top)
    box = dlib.rectangle(*(round(edge * part.scale) + start for edge, start in zip(edges, corner, strict=True)))
    points = _landmarks(image.large, box)
    return Face(
        score=score,
        width=box.width() / image.scale,
        pixels=float(box.width()),
        centre=((box.left() + box.right()) / 2, (box.top() + box.bottom()) / 2),
        points=points,
        chip=chip(image.large, points),
        image=image,
        pose=geometry.pose(points),
        mouth=geometry.mouth_open(points),
        eyes=geometry.eyes_open(points),
        iris=eyes.iris(image.large, points),
    )


def _landmarks(large: Pixels, box: Any) -> Points:
    """The mean of two readings, from a box a little larger than the one found and from one a little smaller.

    The regressor starts from the box and sticks to the rims of glasses; the box comes in coarse steps. One reading alone jumps
    by up to 10 degrees of yaw between two frames of the same pose; a third changes nothing more.
    """
    margin = round(box.width() * 0.05)
    boxes = (dlib.grow_rect(box, margin), dlib.shrink_rect(box, margin))
    shapes = [_tools().predictor(large, each) for each in boxes]
    readings = [[(point.x, point.y) for point in shape.parts()] for shape in shapes]
    return np.asarray(np.mean(readings, axis=0), dtype=np.float64)


def warm_up() -> None:
    """Load everything for this thread and run it once, so that the first person does not wait for it."""
    tools = _tools()
    grey = np.full((CHIP, CHIP, 3), 127, dtype=np.uint8)
    tools.detector.run(grey, 0, 0.0)
    tools.predictor(grey, dlib.rectangle(10, 10, 140, 140))
    encoder()
    antispoof.configured()


class _Tools:
    def __init__(self) -> None:
        self.detector: Any = dlib.get_frontal_face_detector()
        self.predictor: Any = dlib.shape_predictor(str(network.landmark_file()))


_local = threading.local()


def _tools() -> _Tools:
    tools = getattr(_local, "tools", None)
    if not isinstance(tools, _Tools):
        tools = _local.tools = _Tools()
    return tools
