"""A network of the operator's own: one ONNX file, and beside it `<its name>.json`, which says how it wants its pictures.

    {"colour": "BGR", "scale": 1.0, "mean": [0, 0, 0], "std": [1, 1, 1]}

- colour: order of the channels, "RGB" or "BGR".
- scale, mean, std: what each value 0..255 becomes, (value x scale - mean) / std; mean and std by channel in that order.

What else stands there, and what may be left out, is said where the network is used: `faces.encoder`, `faces.antispoof`. The
size is read from the network: one float32 input of one picture or any number, 3 x height x width or height x width x 3, and
a first output with a row of numbers for each.

Both are read, and the network is run once, at the start: what is broken or does not fit is refused there, by name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from faces import network
from faces.arrays import Pixels

_MOST = float(np.finfo(np.float32).max)


class ModelRefused(ValueError):
    """The network or its description is not what this module asks for; says which file, and why."""


@dataclass(frozen=True)
class Description:
    """The file beside a network. A field with a default may be left out there."""

    colour: str
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def fits(self) -> dict[str, bool]:
        """Which fields hold what they may; JSON may hold anything."""
        return {
            "colour": self.colour in ("RGB", "BGR"),
            "scale": is_number(self.scale) and self.scale > 0,
            "mean": _three(self.mean),
            "std": _three(self.std) and min(self.std) > 0,
        }


Described = TypeVar("Described", bound=Description)


class OwnModel(Generic[Described]):
    """A loaded network; it may be run from several threads at once.

    `identity` is its name and the beginning of its SHA-256, `height` and `width` are the size of the pictures that it takes,
    `length` is how many numbers it answers with.

    Raises:
        ModelRefused: a file is missing, broken or does not fit, or the network cannot be run.
    """

    def __init__(self, path: Path, form: type[Described]) -> None:
        self.description = _described(path, form)
        try:
            self._session = network.session(path)
        except Exception as error:  # onnxruntime raises a class of its own for each way in which a file is broken
            raise ModelRefused(
                f"{path.name}: not a model that onnxruntime can load ({type(error).__name__})"
            ) from error
        inputs = self._session.get_inputs()
        shape = inputs[0].shape if len(inputs) == 1 and inputs[0].type == "tensor(float)" else []
        sizes = [size for size in shape[1:] if isinstance(size, int) and size > 0]
        one_or_any = len(shape) == 4 and (shape[0] == 1 or not isinstance(shape[0], int))
        if not one_or_any or len(sizes) != 3 or 3 not in (sizes[0], sizes[2]):
            raise ModelRefused(
                f"{path.name}: needs one float32 input of 3 x height x width with fixed sizes, for one picture or any number"
            )
        self._channels_first = sizes[0] == 3
        self.height, self.width = sizes[1:] if self._channels_first else sizes[:2]
        self.identity = network.identify(path)
        grey = np.full((self.height, self.width, 3), 127, dtype=np.uint8)
        try:
            self.length = self.run([grey] * 2).shape[1]
        except Exception as error:
            raise ModelRefused(f"{path.name}: cannot be run ({error})") from error

    def run(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        """A row of `length` numbers for each picture of `height` x `width`; there is one picture at least.

        Raises:
            ModelRefused: the network answers with something else.
        """
        # One by one: many exported networks take one picture only, and one thread gains nothing from more.
        rows = np.stack([network.run(self._session, self._input(picture)).ravel() for picture in pictures])
        if not rows.size or not np.isfinite(rows).all():
            raise ModelRefused("the first output is not a row of numbers")
        return rows

    def _input(self, picture: Pixels) -> NDArray[np.float32]:
        wants = self.description
        values = (picture[..., ::-1] if wants.colour == "BGR" else picture).astype(np.float32)
        values = (values * wants.scale - np.array(wants.mean)) / np.array(wants.std)
        if self._channels_first:
            values = values.transpose(2, 0, 1)
        return np.ascontiguousarray(values[None], dtype=np.float32)


def is_number(value: object) -> bool:
    """Whether it is a number that a network can take; Python also reads true, NaN and Infinity in JSON."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_MOST <= value <= _MOST


def _three(values: object) -> bool:
    return isinstance(values, tuple) and len(values) == 3 and all(map(is_number, values))


def _described(model: Path, form: type[Described]) -> Described:
    beside = model.with_name(model.name + ".json")
    try:
        told = json.loads(beside.read_bytes()) if beside.exists() else {}
    except (OSError, ValueError) as error:
        raise ModelRefused(f"{beside.name}: cannot be read as JSON ({type(error).__name__})") from error
    known = {field.name: field.default is MISSING for field in fields(form)}
    if not isinstance(told, dict) or not set(told) <= set(known):
        other = ", ".join(sorted(set(told) - set(known))) if isinstance(told, dict) else "this"
        raise ModelRefused(f"{beside.name}: only {', '.join(known)} may stand here, not {other}")
    missing = [name for name, needed in known.items() if needed and name not in told]
    if missing:
        raise ModelRefused(f"{beside.name}: {', '.join(missing)} must stand here")
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    description = form(**values)
    wrong = [name for name, fitting in description.fits().items() if not fitting]
    if wrong:
        raise ModelRefused(f"{beside.name}: out of range: {', '.join(wrong)}")
    return description
