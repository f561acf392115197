"""From a face to the vector that describes it: the views that the network is shown, and their mean.

One crop of a photograph says less than several: chips cut closer and wider, mirrored, and moved about by a few pixels are
described one by one, and the mean is brought to unit length. Three views do most of it and serve the frames of an attempt,
where several frames are averaged as well; the photograph that somebody is compared with for years gets all twenty.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import dlib
import numpy as np
from numpy.typing import NDArray

from faces import network, own_model
from faces.arrays import Pixels, Points, Vector
from faces.geometry import LEFT_EYE, NOSE_TIP, RIGHT_EYE, eye_distance
from faces.own_model import ModelRefused, OwnModel, is_number
from settings import settings

CHIP = 150
PADDING = 0.25
_BATCH = 24
# Where networks of 112 pixels expect the eyes, the tip of the nose and the corners of the mouth (Deng et al. 2019)
_FIVE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))


@dataclass(frozen=True)
class View:
    """One way to cut out a face: room around it, turned by degrees, larger, moved by eye distances, mirrored."""

    padding: float = PADDING
    mirrored: bool = False
    angle: float = 0.0
    scale: float = 1.0
    right: float = 0.0
    down: float = 0.0


def _views() -> tuple[View, ...]:
    plain = [View(PADDING), View(PADDING, True), View(0.35, True), View(0.35), View(0.15), View(0.15, True)]
    chance = np.random.default_rng(20)
    moved = [
        View(
            padding=float(chance.uniform(0.15, 0.35)),
            mirrored=bool(number % 2),
            angle=float(chance.normal(0, 3)),
            scale=float(1 + chance.normal(0, 0.03)),
            right=float(chance.normal(0, 0.03)),
            down=float(chance.normal(0, 0.03)),
        )
        for number in range(14)
    ]
    return (*plain, *moved)


VIEWS = _views()
"""Twenty views, the most telling first: whoever wants fewer takes them from the front. The same ones every time."""


class Located(Protocol):
    """A face in a picture, as far as an encoder needs to know it."""

    @property
    def large(self) -> Pixels: ...

    @property
    def points(self) -> Points: ...

    @property
    def chip(self) -> Pixels: ...


class Encoder(Protocol):
    """From faces to vectors. Vectors compare only within one `model` and one `normalisation`."""

    @property
    def model(self) -> str: ...

    @property
    def normalisation(self) -> str: ...

    def describe(self, faces: Sequence[Located], views: int) -> NDArray[np.float32]:
        """One row of unit length for each face, the mean over the first `views` of `VIEWS`."""


def chip(large: Pixels, points: Points, padding: float = PADDING, side: int = CHIP) -> Pixels:
    """The face upright, `side` x `side` RGB, aligned by 68 landmarks as dlib does it."""
    marks = [dlib.point(round(x), round(y)) for x, y in points]
    shape = dlib.full_object_detection(dlib.rectangle(0, 0, 1, 1), marks)
    return np.asarray(dlib.get_face_chip(large, shape, side, padding), dtype=np.uint8)


def five_point_chip(large: Pixels, points: Points) -> Pixels:
    """The face upright, 112 x 112 RGB, eyes, nose and mouth brought nearest to where such networks expect them.

    Nearest as measured in the chip (Umeyama 1991), as in their training; dlib alone would measure in the picture.
    """
    marks = [points[RIGHT_EYE].mean(axis=0), points[LEFT_EYE].mean(axis=0), *points[[NOSE_TIP, 48, 54]]]
    # A turn with a size is a complex number
    found, wanted = (np.array(five) @ (1, 1j) for five in (marks, _FIVE))
    turn, shift = np.linalg.lstsq(np.column_stack([found, np.ones(5)]), wanted, rcond=None)[0]
    ends = [dlib.dpoints([dlib.dpoint(at.real, at.imag) for at in five]) for five in (found * turn + shift, found)]
    where = dlib.chip_details(*ends, dlib.chip_dims(112, 112))
    return np.asarray(dlib.extract_image_chip(large, where), dtype=np.uint8)


def cuts(face: Located, views: Sequence[View]) -> list[Pixels]:
    """What the views show. A mirrored view that follows its own plain one is turned over, not cut again."""
    shown: list[Pixels] = []
    last: View | None = None
    for view in views:
        plain = replace(view, mirrored=False)
        if last != plain:
            cut = _cut(face, plain)
        shown.append(np.ascontiguousarray(cut[:, ::-1]) if view.mirrored else cut)
        last = plain
    return shown


def _cut(face: Located, view: View) -> Pixels:
    if view == VIEWS[0]:
        return face.chip
    points = face.points
    if view.angle or view.scale != 1.0 or view.right or view.down:
        angle = np.radians(view.angle)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * view.scale
        middle = points.mean(axis=0)
        points = (points - middle) @ turn + middle + np.array([view.right, view.down]) * eye_distance(points)
    return chip(face.large, points, view.padding)


class DlibEncoder:
    """dlib's residual network (King 2017), run as the graph that `faces.network` made of it."""

    normalisation = "68pt-150px-views-unit"

    def __init__(self) -> None:
        path, _ = network.build_model()
        self._session = network.session(path)
        self.model = network.identify(network.network_file())

    def describe(self, faces: Sequence[Located], views: int) -> NDArray[np.float32]:
        chips = [cut for face in faces for cut in cuts(face, VIEWS[:views])]
        return _means(chips, len(faces), lambda batch: network.run(self._session, np.stack(batch)))


@dataclass(frozen=True)
class Description(own_model.Description):
    """The file beside an operator's network: all may be left out."""

    colour: str = "RGB"
    scale: float = 1.0
    mean: tuple[float, ...] = (127.5, 127.5, 127.5)
    std: tuple[float, ...] = (127.5, 127.5, 127.5)
    padding: float | None = None

    def fits(self) -> dict[str, bool]:
        padding = self.padding is None or (is_number(self.padding) and self.padding >= 0)
        return {**super().fits(), "padding": padding}


class OnnxEncoder(OwnModel[Description]):
    """An operator's own network (`FACE_ENCODER_ONNX`), 112 or 150 pixels square; the output may have any length.

    What its training assumed stands in the file beside it (see `faces.own_model`). All of it may be left out: RGB, brought to
    -1..1. One key more, `padding`, is the room around the face as dlib cuts it, 0.25 without it for 150 pixels; for 112 the
    face is brought to the usual five-point template instead.

    Raises:
        ModelRefused: it does not fit; found out at the start, not with the first person.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, Description)
        if (self.height, self.width) not in ((112, 112), (CHIP, CHIP)):
            raise ModelRefused(
                f"{path.name}: takes pictures of 112 x 112 or 150 x 150, not {self.height} x {self.width}"
            )
        if self.length < 2:
            raise ModelRefused(f"{path.name}: the output must be a row of two numbers or more")
        self.model = self.identity
        told = self.description.padding
        self._padding = PADDING if told is None and self.width == CHIP else told

    @property
    def normalisation(self) -> str:
        wants = self.description
        cut = "5pt" if self._padding is None else f"68pt-{float(self._padding)}"
        # As floats: who writes 0 for 0.0 has changed nothing
        values = "-".join(
            ",".join(str(float(value)) for value in part) for part in ((wants.scale,), wants.mean, wants.std)
        )
        return f"{cut}-{self.width}px-{wants.colour}-{values}-mirrored-unit"

    def describe(self, faces: Sequence[Located], views: int) -> NDArray[np.float32]:
        both = [way for cut in map(self._cut, faces) for way in (cut, cut[:, ::-1])]
        return _means(both, len(faces), self.run)

    def _cut(self, face: Located) -> Pixels:
        if self._padding is None:
            return five_point_chip(face.large, face.points)
        return chip(face.large, face.points, self._padding, self.width)


def encoder() -> Encoder:
    """The network in force, opened once for the process; it may be shared between threads."""
    global _encoder
    with _opening:
        if _encoder is None:
            own = settings.FACE_ENCODER_ONNX
            _encoder = OnnxEncoder(Path(own)) if own else DlibEncoder()
        return _encoder


_encoder: Encoder | None = None
_opening = threading.Lock()


def unit(vector: NDArray[Any]) -> Vector:
    """Brought to length 1 along the last axis."""
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    return np.asarray(vector / np.maximum(length, 1e-9), dtype=np.float32)


def _means(chips: list[Pixels], faces: int, run: Callable[[list[Pixels]], NDArray[np.float32]]) -> NDArray[np.float32]:
    if not faces:
        return np.empty((0, 0), dtype=np.float32)
    rows = np.concatenate([run(chips[at : at + _BATCH]) for at in range(0, len(chips), _BATCH)])
    return unit(rows.reshape(faces, -1, rows.shape[1]).mean(axis=1))
