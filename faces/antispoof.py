"""A passive anti-spoofing model that an operator supplies: one picture in, how likely it is a living face out.

None comes with the project: an office chooses one whose licence fits, and measures it on its own people first.
`FACE_ANTISPOOF_ONNX` names the model; the file beside it (see `faces.own_model`) says how it wants its pictures:

    {"colour": "BGR", "scale": 1.0, "mean": [0, 0, 0], "std": [1, 1, 1], "crop": 2.7,
     "output": "logits", "live": 1, "review_below": 0.5, "fake_below": 0.05}

- crop: how many times the box of the face is enlarged, 1 to 5; cut at the picture's rim by making it smaller, then moving it.
- output: "logits" (softmax follows; the sigmoid for a single one) or "probabilities".
- live: index of the living class.
- review_below: below this probability a person looks.
- fake_below: below this it counts as the texture of a picture (see `faces.presentation`); leave it out where the model has
  not been measured on your own people. Alone it never fails anybody.

The values above suit Silent-Face's MiniFASNet (80 x 80, BGR, 0..255), but for the two limits, which are to be measured. The
first output is a row of classes.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from faces import own_model
from faces.arrays import Pixels, Points
from faces.own_model import ModelRefused, OwnModel, is_number
from settings import settings

log = logging.getLogger(__name__)


class Verdict(enum.StrEnum):
    """What the model says; unknown where it could not be run."""

    LIVE = "live"
    DOUBTFUL = "doubtful"
    FAKE = "fake"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Scored:
    """What became of some frames. The figure's name holds the name and the SHA-256 of the model."""

    verdict: Verdict
    figures: dict[str, float]


@dataclass(frozen=True)
class Description(own_model.Description):
    """The file beside the model."""

    crop: float
    output: str
    live: int
    review_below: float
    fake_below: float = 0.0

    def fits(self) -> dict[str, bool]:
        review = is_number(self.review_below) and 0 < self.review_below <= 1
        return {
            **super().fits(),
            "crop": is_number(self.crop) and 1 <= self.crop <= 5,
            "output": self.output in ("logits", "probabilities"),
            "live": type(self.live) is int and self.live >= 0,
            "review_below": review,
            "fake_below": is_number(self.fake_below) and 0 <= self.fake_below <= (self.review_below if review else 1),
        }


class Model(OwnModel[Description]):
    """A loaded model; it may be run from several threads at once.

    Raises:
        ModelRefused: it or its description does not fit.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, Description)
        if self.length <= self.description.live:
            raise ModelRefused(
                f"{path.name}: the output must be a row of classes with a number {self.description.live}"
            )

    def probabilities(self, faces: Sequence[tuple[Pixels, Points]]) -> NDArray[np.float64]:
        """How likely each face (a picture and the landmarks in it) is a living one, 0 to 1.

        Raises:
            ModelRefused: the model answers something else than a row of numbers for each.
        """
        rows = self.run([self._cut(*face) for face in faces]).astype(np.float64)
        if self.description.output == "logits":
            # Of a single logit the sigmoid: the softmax against a class of 0
            rows = rows if rows.shape[1] > 1 else np.column_stack([rows, np.zeros(len(rows))])
            rows = np.exp(rows - rows.max(axis=1, keepdims=True))
            rows /= rows.sum(axis=1, keepdims=True)
        return np.clip(rows[:, self.description.live], 0.0, 1.0)

    def _cut(self, large: Pixels, points: Points) -> Pixels:
        size, box = (self.width, self.height), around(large, points, self.description.crop)
        return np.asarray(PIL.Image.fromarray(large).resize(size, PIL.Image.Resampling.BILINEAR, box=box))


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
    # Without dots: a figure's name is a path to whoever stores it
    figures = {f"antispoof:{model.identity.replace('.', '_')}": live}
    if live < model.description.fake_below:
        return Scored(Verdict.FAKE, figures)
    return Scored(Verdict.DOUBTFUL if live < model.description.review_below else Verdict.LIVE, figures)


@lru_cache(maxsize=1)
def _loaded(path: str) -> Model:
    return Model(Path(path))
