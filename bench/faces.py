"""What checking a face costs, against the naive call of face_recognition on the same photograph, in one run.

    python -m bench.faces [FOLDER ...]

Without a folder an attempt is acted out of photographs in the public domain. A folder holds one real attempt:
`0-neutral/`, `1-turn_left/`, `2-turn_right/` and so on, the person's own left and right. Times are medians, one thread.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from faces import LabelledFrame, check, decode, engine, enrol, quality, warm_up
from faces.policy import DEFAULT_POLICY as POLICY
from tests.faces import actors

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import face_recognition

LARGE = (1382, 1619)
PHONE = (3000, 3514)


def median(work: Callable[[], Any], times: int = 7) -> float:
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
    print(f"  {name:<58}{milliseconds:9.1f} ms{ratio}")


def enlarged(size: tuple[int, int]) -> bytes:
    portrait = PIL.Image.open(io.BytesIO(actors.photo("grace_hopper")))
    file = io.BytesIO()
    portrait.resize(size, PIL.Image.Resampling.LANCZOS).save(file, "JPEG", quality=90)
    return file.getvalue()


def naive(data: bytes) -> list[Any]:
    """As everyone writes it."""
    found: list[Any] = face_recognition.face_encodings(face_recognition.load_image_file(io.BytesIO(data)))
    return found


def acted() -> tuple[list[LabelledFrame], list[str], bytes]:
    actions = ["turn_left", "open_mouth"]
    frames = [LabelledFrame(action, data) for action, data in actors.attempt("grace_hopper", actions, n=8)]
    return frames, actions, actors.photo("grace_hopper")


def recorded(folder: Path) -> tuple[list[LabelledFrame], list[str], bytes]:
    frames, actions = [], []
    for part in sorted(path for path in folder.iterdir() if path.is_dir()):
        action = part.name.split("-", 1)[1]
        if action != "neutral":
            actions.append(action)
        frames += [LabelledFrame(action, path.read_bytes()) for path in sorted(part.iterdir())]
    return frames, actions, frames[0].data


def main(folders: list[Path]) -> None:
    warm_up()
    for title, size in (("photograph", LARGE), ("12 megapixel photograph", PHONE)):
        data = enlarged(size)
        print(f"One {title}, {size[0]} x {size[1]}, {len(data) // 1024} kB")
        if size == LARGE:
            baseline = median(lambda data=data: naive(data), 3)
            row("naive face_recognition.face_encodings", baseline)
            row("faces.enrol", median(lambda data=data: enrol(data)), baseline)
            steps(data)
        else:
            row("faces.enrol", median(lambda data=data: enrol(data)))
            row("of which decoding", median(lambda data=data: decode(data)))
    print("One frame of a film, 640 x 480")
    steps(actors.frames("grace_hopper", "neutral", 1)[0])
    for name, (frames, actions, reference) in [("acted", acted())] + [
        (str(folder), recorded(folder)) for folder in folders
    ]:
        whole(name, frames, actions, reference)


def steps(data: bytes) -> None:
    image = decode(data)
    face = engine.find(image, POLICY.detector_score)[0]
    tools = engine._tools()
    row("decode", median(lambda: decode(data)))
    row("detect (HOG, 480)", median(lambda: tools.detector.run(image.small, 0, 0.0)))
    row("detect, landmarks, chip, measures", median(lambda: engine.find(image, POLICY.detector_score)))
    row("quality", median(lambda: quality.measure(image, face)))
    row("descriptor (two crops)", median(lambda: engine.ENCODER.encode([face.chip])))


def whole(name: str, frames: list[LabelledFrame], actions: list[str], reference: bytes) -> None:
    enrolment = enrol(reference)
    templates = [enrolment.template] if enrolment.template else []
    result = check(frames, actions, templates)
    print(
        f"An attempt ({name}): {len(frames)} frames, {', '.join(actions)}: {result.verdict} {' '.join(result.reasons)}"
    )
    once = median(lambda: check(frames, actions, templates), 3)
    row("check", once)
    few = frames[:: max(len(frames) // 4, 1)]
    large = [np.asarray(PIL.Image.open(io.BytesIO(frame.data)).convert("RGB")) for frame in few]
    every = median(lambda: [face_recognition.face_encodings(image) for image in large], 1) / len(few) * len(frames)
    row("naive: face_encodings on every frame", every)
    print(f"  check is {every / once:.1f} times faster than that")


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
