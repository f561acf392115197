"""One face against another: templates, distances, and what a distance means.

Never a bare yes or no. Thresholds belong to a network and a normalisation; a template made by others is not compared at all.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from faces.arrays import Vector
from faces.policy import Policy

_MAGIC = b"YLF1"
_LENGTH = 128


class Decision(StrEnum):
    """sure: the same person. different: another one. doubtful: a person decides."""

    SURE = "sure"
    DOUBTFUL = "doubtful"
    DIFFERENT = "different"


@dataclass(frozen=True, eq=False)
class Template:
    """How the network describes one person: 128 numbers, and which network and normalisation made them.

    It identifies a person, so it never appears in a `repr`, and is to be stored encrypted.
    """

    vector: Vector = field(repr=False)
    model: str
    normalisation: str

    def __post_init__(self) -> None:
        vector = np.array(self.vector, dtype=np.float32)
        if vector.shape != (_LENGTH,) or not np.isfinite(vector).all():
            raise ValueError("a template has 128 finite numbers")
        vector.flags.writeable = False
        object.__setattr__(self, "vector", vector)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Template):
            return NotImplemented
        return self.compatible(other) and bool(np.array_equal(self.vector, other.vector))

    def __hash__(self) -> int:
        return hash((self.vector.tobytes(), self.model, self.normalisation))

    def compatible(self, other: Template) -> bool:
        """Whether the two may be compared."""
        return (self.model, self.normalisation) == (other.model, other.normalisation)

    def to_bytes(self) -> bytes:
        """Four letters, the two names with their lengths, 128 little-endian float32."""
        names = [name.encode() for name in (self.model, self.normalisation)]
        head = b"".join(struct.pack("<H", len(name)) + name for name in names)
        return _MAGIC + head + self.vector.astype("<f4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Template:
        """The template that `to_bytes` wrote.

        Raises:
            ValueError: these bytes are something else.
        """
        try:
            if data[:4] != _MAGIC:
                raise ValueError
            model, rest = _name(data[4:])
            normalisation, rest = _name(rest)
            if len(rest) != 4 * _LENGTH:
                raise ValueError
            return cls(np.frombuffer(rest, dtype="<f4").astype(np.float32), model, normalisation)
        except (ValueError, struct.error):
            # Without the cause: it could quote the bytes.
            raise ValueError("not a template") from None


@dataclass(frozen=True)
class Match:
    """Euclidean distance to the nearest comparable template, and what it means."""

    distance: float
    decision: Decision


def match(probe: Template, templates: Sequence[Template], policy: Policy) -> Match | None:
    """The probe against a person's templates; None where none of them may be compared."""
    comparable = [template for template in templates if template.compatible(probe)]
    if not comparable:
        return None
    nearest = min(distance(probe.vector, template.vector) for template in comparable)
    return Match(nearest, decide(nearest, probe.model, probe.normalisation, policy))


def decide(nearest: float, model: str, normalisation: str, policy: Policy) -> Decision:
    """What a distance means. Without thresholds measured for this network nothing is sure, and nobody is refused by it."""
    thresholds = policy.match_thresholds(model, normalisation)
    if thresholds is None:
        return Decision.DOUBTFUL
    if nearest <= thresholds.sure:
        return Decision.SURE
    return Decision.DIFFERENT if nearest > thresholds.different else Decision.DOUBTFUL


def distance(one: Vector, other: Vector) -> float:
    """Euclidean, 0 for the same vector."""
    return float(np.linalg.norm(one.astype(np.float64) - other.astype(np.float64)))


def _name(data: bytes) -> tuple[str, bytes]:
    (length,) = struct.unpack_from("<H", data)
    return data[2 : 2 + length].decode(), data[2 + length :]
