"""A passive anti-spoofing model that an operator supplies: one picture in, how likely it is a living face out.

None comes with the project: an office chooses one whose licence fits, and measures it on its own people first.
`FACE_ANTISPOOF_ONNX` names the model, one ONNX file; `<that name>.json` beside it says how it wants its pictures:

    {"colour": "BGR", "scale": 1.0, "mean": [0, 0, 0], "std": [1, 1, 1], "crop": 2.7,
     "output": "logits", "live": 1, "review_below": 0.5, "fake_below": 0.05}

- colour: order of the channels, "RGB" or "BGR".
- scale, mean, std: what each value 0..255 becomes, (value x scale - mean) / std, by channel in that order.
- crop: how many times the box of the face is enlarged, 1 to 5; cut at the picture's rim by making it smaller, then moving it.
- output: "logits" (softmax follows; the sigmoid for a single one) or "probabilities".
- live: index of the living class.
- review_below: below this probability a person looks.
- fake_below: below this it counts as the texture of a picture (see `faces.presentation`); leave it out where the model has
  not been measured on your own people. Alone it never fails anybody.

The values above suit Silent-Face's MiniFASNet (80 x 80, BGR, 0..255), but for the two limits, which are to be measured. The
size is read from the model: one float32 input of one picture or any number, 3 x height x width or height x width x 3, and a
first output with a row of classes for each.
"""

from __future__ import annotations

import enum
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import PIL.Image
from numpy.typing import NDArray

from faces.arrays import Pixels, Points
from settings import settings

log = logging.getLogger(__name__)


class Verdict(enum.StrEnum):
    """What the model says; unknown where it could not be run."""

    LIVE = "live"
    DOUBTFUL = "doubtful"
    FAKE = "fake"
    UNKNOWN = "unknown"


class ModelRefused(RuntimeError):
    """The model or its description is not what the contract of this module asks for."""


@dataclass(frozen=True)
class Scored:
    """What became of some frames. The figure's name holds the name and the SHA-256 of the model."""

    verdict: Verdict
    figures: dict[str, float]


@dataclass(frozen=True)
class Description:
    """The file beside the model, checked."""

    colour: str
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop: float
    output: str
    live: int
    review_below: float
    fake_below: float = 0.0

    def __post_init__(self) -> None:
        wrong = [
            name
            for name, right in {
                "colour": self.colour in ("RGB", "BGR"),
                "scale": self.scale > 0,
                "mean": len(self.mean) == 3,
                "std": len(self.std) == 3 and min(self.std) > 0,
                "crop": 1 <= self.crop <= 5,
                "output": self.output in ("logits", "probabilities"),
                "live": self.live >= 0,
                "review_below": 0 < self.review_below <= 1,
                "fake_below": 0 <= self.fake_below <= self.review_below,
            }.items()
            if not right
        ]
        if wrong:
            raise ValueError(f"out of range: {', '.join(wrong)}")


@dataclass(frozen=True)
class Model:
    """A loaded model; it may be run from several threads at once."""

    identity: str
    description: Description
    height: int
    width: int
    channels_first: bool
    session: Any = field(repr=False)

    def probabilities(self, faces: Sequence[tuple[Pixels, Points]]) -> NDArray[np.float64]:
        """How likely each face (a picture and the landmarks in it) is a living one, 0 to 1.

        Raises:
            ModelRefused: the model answers something else than a row of numbers for each.
        """
        name = self.session.get_inputs()[0].name
        # One by one: many exported models take one picture only.
        answers = [self.session.run(None, {name: self._input(*face)})[0] for face in faces]
        rows = np.asarray([np.ravel(answer) for answer in answers], dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] <= self.description.live or not np.isfinite(rows).all():
            raise ModelRefused("the model does not answer with a row of classes")
        if self.description.output == "logits":
            # Of a single logit the sigmoid: the softmax against a class of 0
            rows = rows if rows.shape[1] > 1 else np.column_stack([rows, np.zeros(len(rows))])
            rows = np.exp(rows - rows.max(axis=1, keepdims=True))
            rows /= rows.sum(axis=1, keepdims=True)
        return np.clip(rows[:, self.description.live], 0.0, 1.0)

    def _input(self, large: Pixels, points: Points) -> NDArray[np.float32]:
        wants = self.description
        cut = PIL.Image.fromarray(large).resize(
            (self.width, self.height), PIL.Image.Resampling.BILINEAR, box=around(large, points, wants.crop)
        )
        values = np.asarray(cut, dtype=np.float32)
        if wants.colour == "BGR":
            values = values[..., ::-1]
        values = (values * wants.scale - np.array(wants.mean)) / np.array(wants.std)
        if self.channels_first:
            values = values.transpose(2, 0, 1)
        return np.ascontiguousarray(values[None], dtype=np.float32)


def around(large: Pixels, points: Points, crop: float) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the face's box enlarged `crop` times, inside the picture.

    The box reaches from chin to hair: landmarks end at the brows, so a quarter of their height is put on top.
    """
    height, width = large.shape[:2]
    left, top = points.min(axis=0)
    right, bottom = points.max(axis=0)
    top -= 0.25 * (bottom - top)
    span = np.maximum(np.array([right - left, bottom - top]), 1.0)
    span = span * min(crop, *(np.array([width, height]) / span))
    middle = np.array([left + right, top + bottom]) / 2
    corner = np.clip(middle - span / 2, 0, np.maximum(np.array([width, height]) - span, 0))
    x, y = corner
    return float(x), float(y), min(float(x + span[0]), float(width)), min(float(y + span[1]), float(height))


def load(path: Path) -> Model:
    """The model and its description.

    Raises:
        ModelRefused: a file is missing or not what the contract asks for; the message says which and why.
    """
    beside = path.with_name(path.name + ".json")
    try:
        given = json.loads(beside.read_text())
        for name in ("mean", "std"):
            given[name] = tuple(given[name])
        description = Description(**given)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelRefused(f"{beside}: {error}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        content = path.read_bytes()
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class of its own for each way in which a file is broken
        raise ModelRefused(f"{path}: not a model that onnxruntime can load ({type(error).__name__})") from error
    inputs = session.get_inputs()
    shape = inputs[0].shape if len(inputs) == 1 and inputs[0].type == "tensor(float)" else []
    sizes = [size for size in shape[1:] if isinstance(size, int) and size > 0]
    one_or_any = len(shape) == 4 and (shape[0] == 1 or not isinstance(shape[0], int))
    if not one_or_any or len(sizes) != 3 or 3 not in (sizes[0], sizes[2]):
        raise ModelRefused(f"{path}: needs one float32 input of 3 x height x width with fixed sizes, not {shape}")
    channels_first = sizes[0] == 3
    height, width = sizes[1:] if channels_first else sizes[:2]
    identity = f"{path.stem.replace('.', '_')}@{hashlib.sha256(content).hexdigest()[:12]}"
    model = Model(identity, description, height, width, channels_first, session)
    try:
        grey = np.full((2 * height, 2 * width, 3), 127, dtype=np.uint8)
        model.probabilities([(grey, np.array([[0.5 * width, 0.5 * height], [1.5 * width, 1.5 * height]]))])
    except Exception as error:
        raise ModelRefused(f"{path}: cannot be run ({error})") from error
    return model


def configured() -> Model | None:
    """The model that the settings name, loaded once a process; None where they name none.

    Raises:
        ModelRefused: it does not fit. The worker calls this at its start, so that nobody's attempt finds out.
    """
    return _loaded(settings.FACE_ANTISPOOF_ONNX) if settings.FACE_ANTISPOOF_ONNX else None


def score(faces: Sequence[tuple[Pixels, Points]]) -> Scored | None:
    """What the configured model says about the faces of an attempt, by their median; None without a model.

    Whatever goes wrong is no fault of the person: unknown, and a line in the log that holds nothing of the pictures.
    """
    try:
        model = configured()
        if model is None or not faces:
            return None
        return judged(model, faces)
    except Exception as error:  # a third party's model may raise anything
        log.error("the anti-spoofing model could not be run: %s", type(error).__name__)
        return Scored(Verdict.UNKNOWN, {})


def judged(model: Model, faces: Sequence[tuple[Pixels, Points]]) -> Scored:
    """The verdict of a model on the median of its probabilities."""
    live = float(np.median(model.probabilities(faces)))
    figures = {f"antispoof:{model.identity}": live}
    if live < model.description.fake_below:
        return Scored(Verdict.FAKE, figures)
    return Scored(Verdict.DOUBTFUL if live < model.description.review_below else Verdict.LIVE, figures)


@lru_cache(maxsize=1)
def _loaded(path: str) -> Model:
    return load(Path(path))
