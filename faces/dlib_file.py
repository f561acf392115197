"""The weights inside dlib's `dlib_face_recognition_resnet_model_v1.dat`, or another file of the same architecture.

dlib's own serialisation (King, dlib/serialize.h): an integer is one byte, whose low four bits give the number of bytes of
magnitude that follow (little-endian) and whose top bit is the sign; a string is its length as such an integer, then its
bytes; a tensor is the integer 2, four integers (samples, channels, rows, columns), then float32 little-endian. Layers stand
in the order from the input to the loss, each after its name. Only three kinds hold weights: `con_4`, `affine_`, `fc_2`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CONVOLUTION = "con_4"
AFFINE = "affine_"
DENSE = "fc_2"

_TENSOR = 2
_NAMES = re.compile(
    b"|".join(b"\x01" + bytes([len(name)]) + name.encode() for name in (CONVOLUTION, AFFINE, DENSE)), re.DOTALL
)


class UnknownModel(ValueError):
    """The file is not a face network of the architecture that dlib's `face_recognition_model_v1` reads."""


@dataclass(frozen=True)
class Layer:
    """One layer with weights: its kind, and its numbers as they stand in the file, flat."""

    kind: str
    weights: NDArray[np.float32]


def layers(path: Path) -> list[Layer]:
    """The layers that hold weights, from the input to the output.

    Raises:
        UnknownModel: the bytes are something else.
    """
    data = path.read_bytes()
    found: list[Layer] = []
    at = 0
    while name := _NAMES.search(data, at):
        kind = name.group()[2:].decode()
        try:
            place = name.end()
            if kind == DENSE:
                _, place = _integer(data, place)
                _, place = _integer(data, place)
            weights, at = _tensor(data, place)
        except (IndexError, ValueError) as error:
            raise UnknownModel(f"{path.name} ends, or stops being a dlib network, after {len(found)} layers") from error
        found.append(Layer(kind, weights))
    return found


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """(value, where it ends)."""
    head = data[at]
    end = at + 1 + (head & 0x0F)
    if not 1 <= head & 0x0F <= 8 or end > len(data):
        raise ValueError("no integer")
    value = int.from_bytes(data[at + 1 : end], "little")
    return -value if head & 0x80 else value, end


def _tensor(data: bytes, at: int) -> tuple[NDArray[np.float32], int]:
    version, at = _integer(data, at)
    if version != _TENSOR:
        raise ValueError("no tensor")
    count = 1
    for _ in range(4):
        size, at = _integer(data, at)
        count *= size
    end = at + 4 * count
    if count <= 0 or end > len(data):
        raise ValueError("no tensor")
    return np.frombuffer(data, dtype="<f4", count=count, offset=at), end
