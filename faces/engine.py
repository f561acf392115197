"""The seam to dlib: finding faces, their 68 landmarks, the aligned chip, and the network that describes it.

dlib's objects hold scratch memory and are not safe to share, so every thread makes its own on first use (about 0.7 s and
150 MB). `Encoder` is all that the rest of the package knows of the network, so another one can take its place.
"""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import dlib
import numpy as np
from numpy.typing import NDArray

from faces import eyes, geometry
from faces.arrays import Pixels, Points, Vector
from faces.decode import Image
from faces.geometry import Pose
from settings import settings

CHIP = 150
PADDING = 0.25
_SMALLEST = 40


class Encoder(Protocol):
    """From chips (150 x 150 RGB) to vectors. Vectors compare only within one `model` and one `normalisation`."""

    @property
    def model(self) -> str: ...

    @property
    def normalisation(self) -> str: ...

    def encode(self, chips: Sequence[Pixels]) -> NDArray[np.float32]:
        """One row of 128 for each chip."""


@dataclass(frozen=True)
class Face:
    """One face in a picture. `width` is that of its box in the small copy, `pixels` in the large one."""

    score: float
    width: float
    pixels: float
    points: Points = field(repr=False)
    chip: Pixels = field(repr=False)
    pose: Pose
    mouth: float
    eyes: float
    iris: float


def find(image: Image, score: float) -> list[Face]:
    """The faces of a picture, the most prominent first."""
    return _found(image.small, image.large, image.scale, score)


def find_closely(image: Image, score: float) -> list[Face]:
    """The same in the large copy, four times the work: for telling a small face from none."""
    return [replace(face, width=face.pixels / image.scale) for face in _found(image.large, image.large, 1.0, score)]


def _found(where: Pixels, large: Pixels, scale: float, score: float) -> list[Face]:
    if min(where.shape[:2]) < _SMALLEST:
        return []
    boxes, scores, _ = _tools().detector.run(where, 0, score)
    faces = [_read(large, box, scale, sure) for box, sure in zip(boxes, scores, strict=True)]
    return sorted(faces, key=_prominence, reverse=True)


def _prominence(face: Face) -> float:
    """Size decides, but a fold of cloth that the detector half believes in does not come before a face."""
    return face.width * (min(face.score, 0.5) + 0.3)


def _read(large: Pixels, found: Any, scale: float, score: float) -> Face:
    box = dlib.rectangle(*(round(edge * scale) for edge in (found.left(), found.top(), found.right(), found.bottom())))
    points = _landmarks(large, box)
    shape = dlib.full_object_detection(box, [dlib.point(round(x), round(y)) for x, y in points])
    return Face(
        score=score,
        width=float(found.width()),
        pixels=float(box.width()),
        points=points,
        chip=np.asarray(dlib.get_face_chip(large, shape, CHIP, PADDING), dtype=np.uint8),
        pose=geometry.pose(points),
        mouth=geometry.mouth_open(points),
        eyes=geometry.eyes_open(points),
        iris=eyes.iris(large, points),
    )


def _landmarks(large: Pixels, box: Any) -> Points:
    """The mean of three readings, from the box as found, a little larger and a little smaller.

    The regressor starts from the box and sticks to the rims of glasses; the box comes in coarse steps. One reading alone jumps
    by up to 10 degrees of yaw between two frames of the same pose.
    """
    margin = round(box.width() * 0.07)
    boxes = (box, dlib.grow_rect(box, margin), dlib.shrink_rect(box, margin))
    shapes = [_tools().predictor(large, each) for each in boxes]
    readings = [[(point.x, point.y) for point in shape.parts()] for shape in shapes]
    return np.asarray(np.mean(readings, axis=0), dtype=np.float64)


class DlibEncoder:
    """dlib's residual network (King 2017) on the chip and on its mirror image, the two averaged."""

    normalisation = f"68pt-{CHIP}px-{PADDING}-mirrored"

    @property
    def model(self) -> str:
        return model_id()

    def encode(self, chips: Sequence[Pixels]) -> NDArray[np.float32]:
        if not chips:
            return np.empty((0, 128), dtype=np.float32)
        both = [view for chip in chips for view in (chip, np.ascontiguousarray(chip[:, ::-1]))]
        found = np.array(_tools().network.compute_face_descriptor(both), dtype=np.float32)
        return np.asarray(found.reshape(-1, 2, 128).mean(axis=1), dtype=np.float32)


ENCODER: Encoder = DlibEncoder()


def average(vectors: NDArray[np.float32]) -> Vector:
    """One description from several pictures of the same face. Not brought to unit length: the network's is not either."""
    return np.asarray(vectors.mean(axis=0), dtype=np.float32)


def model_id() -> str:
    """Name of the network's file and the beginning of its SHA-256, as it is stored with every template."""
    return _identify(_network_file())


def warm_up() -> None:
    """Load everything for this thread and run it once, so that the first person does not wait for it."""
    tools = _tools()
    grey = np.full((CHIP, CHIP, 3), 127, dtype=np.uint8)
    tools.detector.run(grey, 0, 0.0)
    tools.predictor(grey, dlib.rectangle(10, 10, 140, 140))
    ENCODER.encode([grey])
    model_id()


class _Tools:
    def __init__(self) -> None:
        self.detector: Any = dlib.get_frontal_face_detector()
        self.predictor: Any = dlib.shape_predictor(str(_landmark_file()))
        self.network: Any = dlib.face_recognition_model_v1(str(_network_file()))


_local = threading.local()


def _tools() -> _Tools:
    tools = getattr(_local, "tools", None)
    if not isinstance(tools, _Tools):
        tools = _local.tools = _Tools()
    return tools


@lru_cache(maxsize=1)
def _bundled() -> Path:
    with warnings.catch_warnings():
        # It imports pkg_resources, which announces its own end on every start.
        warnings.simplefilter("ignore")
        import face_recognition_models
    return Path(face_recognition_models.__file__).parent / "models"


def _landmark_file() -> Path:
    return _bundled() / "shape_predictor_68_face_landmarks.dat"


def _network_file() -> Path:
    if settings.FACE_RECOGNITION_MODEL:
        return Path(settings.FACE_RECOGNITION_MODEL)
    return _bundled() / "dlib_face_recognition_resnet_model_v1.dat"


@lru_cache(maxsize=4)
def _identify(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return f"{path.stem}@{digest.hexdigest()[:12]}"
