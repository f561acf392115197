"""What is kept of a face: the numbers by which a network describes it, and which network that was."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

import numpy as np

from faces.arrays import Vector

_MAGIC = b"YLF2"


@dataclass(frozen=True, eq=False)
class Template:
    """How a network describes one person: its numbers (128 of dlib's), and which network and normalisation made them.

    It identifies a person, so it never appears in a `repr`, and is to be stored encrypted.
    """

    vector: Vector = field(repr=False)
    model: str
    normalisation: str

    def __post_init__(self) -> None:
        vector = np.array(self.vector, dtype=np.float32)
        if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
            raise ValueError("a template is one row of finite numbers")
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
        """Four letters, the two names with their lengths, the numbers as little-endian float32, a CRC-32 of all that."""
        names = [name.encode() for name in (self.model, self.normalisation)]
        head = b"".join(struct.pack("<H", len(name)) + name for name in names)
        body = _MAGIC + head + self.vector.astype("<f4").tobytes()
        return body + struct.pack("<I", zlib.crc32(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> Template:
        """The template that `to_bytes` wrote.

        Raises:
            ValueError: these bytes are something else.
        """
        try:
            body, (check,) = data[:-4], struct.unpack("<I", data[-4:])
            if body[:4] != _MAGIC or zlib.crc32(body) != check:
                raise ValueError
            model, rest = _name(body[4:])
            normalisation, rest = _name(rest)
            return cls(np.frombuffer(rest, dtype="<f4").astype(np.float32), model, normalisation)
        except (ValueError, struct.error):
            # Without the cause: it could quote the bytes.
            raise ValueError("not a template") from None


def _name(data: bytes) -> tuple[str, bytes]:
    (length,) = struct.unpack_from("<H", data)
    return data[2 : 2 + length].decode(), data[2 + length :]
