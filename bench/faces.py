"""What checking a face costs, against the naive call of face_recognition on the same photographs, in one run.

    python -m bench.faces [--attempts N] [FOLDER ...]

Without a folder the attempt of 12 frames is acted out of photographs in the public domain. A FOLDER holds one real attempt
(`0-neutral/`, `1-turn_left/`, `2-turn_right/` and so on, the person's own left and right). Times are medians on one core.
`--attempts` is how many are checked one after the other before the memory of the process is read (1,000).
"""

from __future__ import annotations

import argparse
import importlib
import io
import multiprocessing
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import PIL.Image
from onnx import TensorProto, helper

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from commands.faces import read_attempt
from faces import LabelledFrame, check, decode, encoder, engine, enrol, network, quality, warm_up
from faces.policy import DEFAULT_POLICY as POLICY
from tests.faces import actors

LARGE = (1382, 1868)
PHONE = (3000, 4055)
MEGAFLOP = 550.0
"""Of one view through the network: two for each of 275 million products (`faces/graph.py`)."""

Attempt = tuple[list[LabelledFrame], list[str], bytes]


def median(work: Callable[[], Any], times: int = 9) -> float:
    """Milliseconds, after one run that does not count."""
    work()
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        spent.append((time.perf_counter() - started) * 1000)
    return statistics.median(spent)


def row(name: str, milliseconds: float, against: float | None = None, note: str = "") -> None:
    ratio = f"{against / milliseconds:8.1f} x" if against else " " * 10
    print(f"  {name:<58}{milliseconds:9.1f} ms{ratio}  {note}".rstrip())


def enlarged(size: tuple[int, int]) -> bytes:
    portrait = PIL.Image.open(io.BytesIO(actors.photo("grace_hopper")))
    file = io.BytesIO()
    portrait.resize(size, PIL.Image.Resampling.LANCZOS).save(file, "JPEG", quality=90)
    return file.getvalue()


def naive(data: bytes) -> list[Any]:
    """As everyone writes it."""
    library = face_recognition()
    found: list[Any] = library.face_encodings(library.load_image_file(io.BytesIO(data)))
    return found


@cache
def face_recognition() -> Any:
    """Imported late: it loads four networks at once, which the processes whose memory is measured must not have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("face_recognition")


def acted() -> Attempt:
    actions = ["turn_left", "open_mouth"]
    frames = [LabelledFrame(action, data) for action, data in actors.attempt("grace_hopper", actions, n=4)]
    return frames, actions, actors.photo("grace_hopper")


def recorded(folder: Path) -> Attempt:
    frames, actions = read_attempt(folder)
    return frames, actions, frames[0].data


def thinned(attempt: Attempt, each: int = 4) -> Attempt:
    """At most so many frames of neutral and of every action, evenly taken."""
    frames, actions, reference = attempt
    kept = []
    for label in ["neutral", *actions]:
        block = [frame for frame in frames if frame.action == label]
        kept += [block[round(at)] for at in np.linspace(0, len(block) - 1, min(each, len(block)))]
    return kept, actions, reference


def photographs() -> None:
    data = enlarged(LARGE)
    print(f"One photograph, {LARGE[0]} x {LARGE[1]}, {len(data) // 1024} kB")
    baseline = median(lambda: naive(data), 5)
    row("naive face_recognition.face_encodings", baseline)
    row(f"faces.enrol ({POLICY.views} views)", median(lambda: enrol(data)), baseline)
    thorough = f"faces.enrol, thorough ({POLICY.enrol_views} views, once for each person)"
    row(thorough, median(lambda: enrol(data, thorough=True)), baseline)
    print("  of which")
    steps(data)
    data = enlarged(PHONE)
    print(f"One photograph of 12 megapixels, {len(data) // 1024} kB")
    row("faces.enrol", median(lambda: enrol(data)))
    row("of which decoding", median(lambda: decode(data)))


def steps(data: bytes) -> None:
    """Each step, and how far it is from what this core can do."""
    image = decode(data)
    face = engine.find(image, POLICY.detector_score)[0]
    tools = engine._tools()
    whole = median(lambda: PIL.Image.open(io.BytesIO(data)).load())
    row("decode", median(lambda: decode(data)), note=f"libjpeg alone, full size: {whole:.1f} ms")
    row(f"the copy of {POLICY.find_side} pixels", median(lambda: copied(data)) - median(lambda: decode(data)))
    pixels = image.small.shape[0] * image.small.shape[1]
    found = median(lambda: tools.detector.run(image.small, 0, 0.0))
    row("detect (HOG)", found, note=f"{found * 1e6 / pixels:.0f} ns a pixel")
    row("again where the last face was", median(lambda: engine.find_near(image, face, 0.0)), note="with its landmarks")
    row("landmarks, two readings", median(lambda: engine._landmarks(image.large, box_of(face))))
    shown = encoder.VIEWS[: POLICY.views]
    row(f"{POLICY.views} views cut out", median(lambda: encoder.cuts(face, shown)))
    row("quality", median(lambda: quality.measure(image, face)))
    session = network.session(network.graph_file())
    views = np.stack(encoder.cuts(face, shown))
    spent = median(lambda: network.run(session, views))
    reached, possible = MEGAFLOP * len(views) / spent, peak()
    note = f"{reached:.0f} GFLOP/s; a product of matrices {possible:.0f} ({reached / possible:.0%})"
    row(f"network, {len(views)} views", spent, note=note)


def copied(data: bytes) -> Any:
    return decode(data).small


def box_of(face: engine.Face) -> Any:
    (x, y), half = face.centre, face.pixels / 2
    return engine.dlib.rectangle(round(x - half), round(y - half), round(x + half), round(y + half))


def peak(side: int = 1024) -> float:
    """GFLOP/s of one large product of matrices in onnxruntime: the most this core gives to anybody."""
    shape = [side, side]
    made = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("a", "b")],
        [helper.make_tensor_value_info("c", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    session = network.session(model.SerializeToString())
    full = np.ones(shape, dtype=np.float32)
    return 2 * side**3 / median(lambda: session.run(None, {"a": full, "b": full})) / 1e6


def attempts(name: str, attempt: Attempt) -> None:
    frames, actions, reference = attempt
    templates = enrolled(reference)
    result = check(frames, actions, templates)
    print(
        f"An attempt ({name}): {len(frames)} frames, {', '.join(actions)}: {result.verdict} {' '.join(result.reasons)}"
    )
    once = median(lambda: check(frames, actions, templates), 7)
    every = median(lambda: [naive(frame.data) for frame in frames], 1)
    row("naive: face_encodings on every frame", every)
    row("check", once, every)


def enrolled(reference: bytes) -> Any:
    template = enrol(reference).template
    return [template] if template else []


def in_parallel(attempt: Attempt, times: int = 12) -> None:
    """Two processes on two cores, as the worker has them, against one on one core."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        print("Two checks at once: this machine has one core")
        return
    one = together(attempt, cores[:1], times)
    two = together(attempt, cores[:2], times)
    print(f"Two checks at once: {one:.2f} a second on one core, {two:.2f} on two: {two / one:.2f} x")


def together(attempt: Attempt, cores: list[int], times: int) -> float:
    """Checks a second."""
    context = multiprocessing.get_context("spawn")
    ready, go = context.Barrier(len(cores) + 1), context.Barrier(len(cores) + 1)
    workers = [context.Process(target=check_many, args=(attempt, core, times, ready, go)) for core in cores]
    for worker in workers:
        worker.start()
    ready.wait()
    started = time.perf_counter()
    go.wait()
    for worker in workers:
        worker.join()
    return len(cores) * times / (time.perf_counter() - started)


def check_many(attempt: Attempt, core: int, times: int, ready: Any, go: Any) -> None:
    os.sched_setaffinity(0, {core})
    frames, actions, reference = attempt
    templates = enrolled(reference)
    check(frames, actions, templates)
    ready.wait()
    go.wait()
    for _ in range(times):
        check(frames, actions, templates)


def memory(attempt: Attempt, times: int) -> None:
    """In a process of its own, so that nothing of this benchmark is counted."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    worker = context.Process(target=grow, args=(attempt, times, sender))
    worker.start()
    early, late = receiver.recv()
    worker.join()
    print(
        f"Memory of the process: {early:.0f} MB after 10 attempts, {late:.0f} MB after {times:,} (the most it ever held)"
    )


def grow(attempt: Attempt, times: int, sender: Any) -> None:
    warm_up()
    frames, actions, reference = attempt
    templates = enrolled(reference)
    early = 0.0
    for number in range(times):
        check(frames, actions, templates)
        if number == min(9, times - 1):
            early = held()
    sender.send((early, held()))


def held() -> float:
    """Megabytes, the most this process ever held. Not by getrusage, whose maximum is inherited from whoever started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description="what checking a face costs")
    parser.add_argument("--attempts", type=int, default=1000)
    parser.add_argument("folders", nargs="*", type=Path)
    arguments = parser.parse_args()
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    warm_up()
    photographs()
    shown = [(folder.name, recorded(folder)) for folder in arguments.folders] or [("acted", acted())]
    for name, attempt in shown:
        attempts(name, thinned(attempt))
    os.sched_setaffinity(0, cores)
    in_parallel(thinned(shown[0][1]))
    if arguments.attempts:
        memory(thinned(shown[0][1]), arguments.attempts)


if __name__ == "__main__":
    main()
