"""Which network describes a face, where its file lies, and the graph that is made of it once.

dlib's file (the one of face-recognition-models, or `FACE_RECOGNITION_MODEL`) is rewritten as an ONNX graph under
`DATA_DIR/models`, because onnxruntime runs the same numbers some fifteen times faster than dlib. The graph is checked
against dlib's own descriptors before anybody uses it; nothing of the weights is part of the project. `FACE_ENCODER_ONNX`
puts another network in its place.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import dlib
import numpy as np
import onnxruntime
import PIL.Image
from numpy.typing import NDArray

from faces.arrays import Pixels
from faces.dlib_file import UnknownModel
from settings import settings

FORM = 1
"""Raised whenever `faces.graph` writes something else, so that an old file is not taken for a new one."""
TOLERANCE = 1e-5
"""Largest difference of one component from dlib's own descriptor; 4e-7 was seen, and a wrong layer gives 0.1 and more."""


def model_id() -> str:
    """Name of the network's file and the beginning of its SHA-256, as it is stored with every template."""
    return identify(Path(settings.FACE_ENCODER_ONNX) if settings.FACE_ENCODER_ONNX else network_file())


def network_file() -> Path:
    """The file in dlib's format."""
    if settings.FACE_RECOGNITION_MODEL:
        return Path(settings.FACE_RECOGNITION_MODEL)
    return bundled() / "dlib_face_recognition_resnet_model_v1.dat"


def landmark_file() -> Path:
    return bundled() / "shape_predictor_68_face_landmarks.dat"


def graph_file() -> Path:
    """Where the graph of the network in force lies, or will lie."""
    return settings.DATA_DIR / "models" / f"{identify(network_file())}-{FORM}.onnx"


def build_model(*, again: bool = False) -> tuple[Path, float | None]:
    """Write the graph unless it is there; returns its path and the largest difference from dlib, None if nothing was done.

    Several processes may ask at once: one builds, the others wait for it.

    Raises:
        UnknownModel: the file is no network of this architecture, or its graph does not give dlib's descriptors.
    """
    target = graph_file()
    if target.exists() and not again:
        return target, None
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "building").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists() and not again:
            return target, None
        # Only here: it brings the package onnx into the memory of the process, which no other worker needs.
        from faces import graph

        source = network_file()
        data = graph.build(source).SerializeToString()
        difference = compare(data, source)
        if not difference <= TOLERANCE:
            raise UnknownModel(f"the graph of {source.name} differs from dlib by {difference:.1e}")
        unfinished = target.with_suffix(".part")
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(target)
    return target, difference


def compare(data: bytes, source: Path) -> float:
    """Largest difference of a component between the graph's and dlib's descriptors of eight made-up chips.

    Raises:
        UnknownModel: dlib itself cannot read the file.
    """
    ready = session(data)
    side = ready.get_inputs()[0].shape[1]
    chance = np.random.default_rng(1)
    coarse = [chance.integers(0, 256, (size, size, 3), dtype=np.uint8) for size in (2, 3, 5, 8, 13, 30, 75, 150)]
    chips = [
        np.asarray(PIL.Image.fromarray(chip).resize((side, side), PIL.Image.Resampling.BICUBIC)) for chip in coarse
    ]
    try:
        reference = dlib.face_recognition_model_v1(str(source))
    except RuntimeError as error:
        raise UnknownModel(f"{source.name} is damaged: dlib cannot read it") from error
    theirs = np.array(reference.compute_face_descriptor(chips))
    return float(np.abs(run(ready, np.stack(chips)) - theirs).max())


def session(model: bytes | Path) -> onnxruntime.InferenceSession:
    """A graph ready to run on one thread; it may be shared between threads.

    One thread, because the worker runs as many processes as it has cores.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    given = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])


def run(ready: onnxruntime.InferenceSession, inputs: NDArray[Any] | Pixels) -> NDArray[np.float32]:
    """The first output for the only input."""
    (found, *_) = ready.run(None, {ready.get_inputs()[0].name: inputs})
    return np.asarray(found, dtype=np.float32)


@lru_cache(maxsize=8)
def identify(path: Path) -> str:
    """`name@sha256`, the digest's first twelve digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return f"{path.stem}@{digest.hexdigest()[:12]}"


@lru_cache(maxsize=1)
def bundled() -> Path:
    """The folder of face-recognition-models."""
    with warnings.catch_warnings():
        # It imports pkg_resources, which announces its own end on every start.
        warnings.simplefilter("ignore")
        import face_recognition_models
    return Path(face_recognition_models.__file__).parent / "models"
