"""What it costs to know a film again among many: the search by words against a scan of every fingerprint, in one run.

    python -m bench.fingerprints [FINGERPRINTS]

Fills a database of its own (an embedded server under a temporary folder) with made-up fingerprints, 200,000 unless told
otherwise: half of them unrelated, half variations of a few hundred pictures as of one office's wall, which share words far
more often than chance. Then it looks up one attempt of 13 frames. Times are medians, in milliseconds.
"""

from __future__ import annotations

import hashlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bson import ObjectId
from bson.binary import Binary

from faces import STRAIGHT, fingerprint, undone
from models import clock, database, frame_fingerprints
from models.database import collection
from models.embedded import EmbeddedMongo
from models.frame_fingerprints import Picture
from tests.faces import actors
from tests.story import settings_with

SCENES = 400
ALTERED_BITS = 60
FRAMES = 13

chance = random.Random(1)


def median(work: Callable[[], Any], times: int = 15) -> float:
    """Milliseconds, after one run that does not count."""
    work()
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        spent.append((time.perf_counter() - started) * 1000)
    return statistics.median(spent)


def row(name: str, milliseconds: float, against: float | None = None) -> None:
    ratio = f"{against / milliseconds:8.1f} x" if against else ""
    print(f"  {name:<58}{milliseconds:9.2f} ms{ratio}")


def fill(count: int) -> None:
    scenes = [chance.getrandbits(256) for _ in range(SCENES)]
    instant = clock.now()

    def made(number: int) -> dict[str, Any]:
        bits = chance.getrandbits(256)
        if number % 2:
            bits = scenes[number % SCENES] ^ sum(1 << place for place in chance.sample(range(256), ALTERED_BITS))
        look = bits.to_bytes(32)
        return {
            "session_id": ObjectId(),
            "retiree_id": ObjectId(),
            "number": 0,
            "digest": hashlib.sha256(look).hexdigest(),
            "at": instant,
            "forget_at": instant + clock.days(180),
            "fingerprint": Binary(look),
            "words": frame_fingerprints._words(look),
        }

    for start in range(0, count, 5_000):
        rows = [made(number) for number in range(start, min(start + 5_000, count))]
        collection("frame_fingerprints").insert_many(rows, ordered=False)


def an_attempt(straight: int) -> tuple[dict[str, Any], list[Picture]]:
    """A session that waits, and its frames: each a variation of a scene that is stored many times."""
    attempt = {"_id": ObjectId(), "retiree_id": ObjectId(), "division": "430102001001", "open": True}
    collection("certification_sessions").insert_one(dict(attempt))
    sample = collection("frame_fingerprints").aggregate([{"$sample": {"size": FRAMES}}])
    stored = [bytes(held["fingerprint"]) for held in sample]
    pictures = []
    for number, look in enumerate(stored):
        bits = int.from_bytes(look) ^ sum(1 << place for place in chance.sample(range(256), 40))
        looks = (bits.to_bytes(32), *(chance.randbytes(32) for _ in range(109)))
        pictures.append(Picture(number, "neutral", hashlib.sha256(looks[0]).hexdigest(), looks, straight))
    return attempt, pictures


def scan(pictures: list[Picture]) -> int:
    """The baseline: read every fingerprint and compare it with the straight looks of every frame."""
    looks = [int.from_bytes(look) for picture in pictures for look in picture.looks[: picture.straight]]
    found = 0
    for held in collection("frame_fingerprints").find({}, {"_id": 0, "fingerprint": 1}):
        fingerprint_held = int.from_bytes(held["fingerprint"])
        found += any((look ^ fingerprint_held).bit_count() <= frame_fingerprints.ALIKE for look in looks)
    return found


def main(count: int) -> None:
    data = actors.frames("astronaut", "neutral", 1)[0]
    print("One frame, 640 x 480")
    once = median(lambda: fingerprint(data))
    row("fingerprint", once)
    row("all that is undone (110)", median(lambda: undone(data)))
    with tempfile.TemporaryDirectory(prefix="yinling-bench-") as folder:
        values = {"DATA_DIR": Path(folder), "MONGODB_URI": "", "MONGODB_DATABASE": "yinling_bench"}
        with settings_with(**values), EmbeddedMongo(Path(folder)):
            among(count)
            database.disconnect()


def among(count: int) -> None:
    database.prepare(frame_fingerprints.INDEXES)
    fill(count)
    attempt, pictures = an_attempt(STRAIGHT)
    before: dict[str, Any] = {"session_id": {"$ne": attempt["_id"]}}
    candidates = sum(map(len, frame_fingerprints._others(attempt, pictures, before).values()))
    size = collection("frame_fingerprints").database.command("collStats", "frame_fingerprints")
    print(f"An attempt of {FRAMES} frames among {count:,} fingerprints: {candidates:,} candidates to compare")
    against = median(lambda: scan(pictures), 1)
    row("scan of every fingerprint", against)
    row("search by words", median(lambda: frame_fingerprints._others(attempt, pictures, before)), against)
    row("note, search and compare", median(lambda: frame_fingerprints.seen_before(attempt, pictures)), against)
    print(f"  data {size['size'] / 1e6:.0f} MB, index of words {size['indexSizes']['by_word'] / 1e6:.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
