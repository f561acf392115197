"""A film for Chromium's camera that a test can change while it runs.

Chromium maps the file of `--use-file-for-fake-video-capture` into memory and plays it in a loop. All its frames are padded
to one size here, so that other frames can be written over them in place: the camera sees the person do what the page asks
for at that moment, however slow the machine is.
"""

from __future__ import annotations

import functools
from pathlib import Path

from tests.faces import actors

SLOTS = 60  # two seconds at Chromium's 30 frames a second
POSES = 20  # different pictures among them
SLOT_BYTES = 160_000
LONGEST_COMMENT = 65_535


class Film:
    """Somebody in front of the camera."""

    def __init__(self, path: Path, person: str) -> None:
        self.path, self.person, self._showing = path, person, ""
        path.touch()
        self.show("neutral")

    def show(self, action: str) -> None:
        """Do this from now on, over and over."""
        if action == self._showing:
            return
        with self.path.open("r+b") as file:
            file.write(_reel(self.person, action))
        self._showing = action


@functools.cache
def _reel(person: str, action: str) -> bytes:
    poses = actors.frames(person, action, POSES)
    return b"".join(_padded(poses[slot * POSES // SLOTS]) for slot in range(SLOTS))


def _padded(jpeg: bytes) -> bytes:
    """The same picture in exactly SLOT_BYTES, by comment segments behind its first marker."""
    missing = SLOT_BYTES - len(jpeg)
    assert missing >= 4, f"a frame of {len(jpeg)} bytes does not fit"
    comments = b""
    while missing:
        # two bytes of marker and two of length belong to every comment; never leave a rest that is too short for one
        size = min(missing, LONGEST_COMMENT + 2)
        if 0 < missing - size < 4:
            size -= 4
        comments += b"\xff\xfe" + (size - 2).to_bytes(2, "big") + b" " * (size - 4)
        missing -= size
    return jpeg[:2] + comments + jpeg[2:]
