"""The network: dlib's file read, written as a graph, held against dlib, and built once however many ask for it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import dlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from faces import DEFAULT_POLICY, build_model, decode, dlib_file, encoder, engine, model_id, network
from faces.dlib_file import UnknownModel
from settings import settings
from tests.faces import actors
from tests.house import wait_until
from tests.story import settings_with

ROOT = Path(__file__).parents[2]
BUILD = "from faces import build_model; print(*build_model(), sep='|')"

kinds = st.sampled_from([dlib_file.CONVOLUTION, dlib_file.AFFINE, dlib_file.DENSE])
floats = st.lists(st.floats(width=32), min_size=1, max_size=12)


# ---- dlib's way of writing, by dlib itself where it lets us


def integer(value: int) -> bytes:
    """As dlib writes it: the left edge of a rectangle, which comes first."""
    (written,) = dlib.rectangle(value, 0, 0, 0).__getstate__()
    return written[: 1 + (written[0] & 0x0F)]


def layer(kind: str, numbers: list[float]) -> bytes:
    sizes = integer(7) + integer(len(numbers)) if kind == dlib_file.DENSE else b""
    shape = b"".join(integer(size) for size in (2, 1, len(numbers), 1, 1))
    return integer(len(kind)) + kind.encode() + sizes + shape + np.array(numbers, "<f4").tobytes()


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("network") / "a network.dat"


def read(file: Path) -> str:
    """How many layers were found, or how the refusal begins."""
    try:
        return f"{len(dlib_file.layers(file))} layers"
    except UnknownModel as refused:
        return str(refused).partition(",")[0]


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.binary(max_size=9), st.binary(max_size=9))
def test_an_integer_is_read_as_dlib_wrote_it_with_its_sign_and_where_it_ends(value, before, after):
    written = integer(value)
    assert dlib_file._integer(before + written + after, len(before)) == (value, len(before) + len(written))


@given(
    layers=st.lists(st.tuples(kinds, floats), max_size=5),
    between=st.binary(max_size=20).filter(lambda b: b"_" not in b),
)
@hypothesis(deadline=None)
def test_layers_with_weights_come_in_order_with_their_numbers_and_what_lies_between_is_passed_over(
    file, layers, between
):
    file.write_bytes(between + b"".join(layer(*each) + between for each in layers))
    found = dlib_file.layers(file)
    assert [each.kind for each in found] == [kind for kind, _ in layers]
    for each, (_, numbers) in zip(found, layers, strict=True):
        assert np.array_equal(each.weights, np.array(numbers, np.float32), equal_nan=True)


@given(st.lists(st.tuples(kinds, floats), min_size=1, max_size=3), st.floats(0, 1, exclude_max=True))
@hypothesis(deadline=None)
def test_a_file_cut_off_anywhere_has_fewer_layers_or_is_refused_by_name(file, layers, share):
    whole = b"".join(layer(*each) for each in layers)
    file.write_bytes(whole[: int(len(whole) * share)])
    assert read(file) in [f"{fewer} layers" for fewer in range(len(layers))] + ["a network.dat ends"]


@given(kinds, st.binary(max_size=60))
@hypothesis(deadline=None)
def test_any_bytes_after_a_name_are_numbers_or_are_refused_by_name(file, kind, rubbish):
    file.write_bytes(integer(len(kind)) + kind.encode() + rubbish)
    assert read(file) in ("1 layers", "a network.dat ends")


def test_a_tensor_that_claims_more_numbers_than_the_file_holds_is_refused_before_memory_is_asked_for(file):
    head = integer(5) + b"con_4" + b"".join(integer(size) for size in (2, 2**40, 2**40, 1, 1))
    file.write_bytes(head + bytes(400))
    with pytest.raises(UnknownModel):
        dlib_file.layers(file)


# ---- What is no such network


def original() -> bytes:
    return (network.bundled() / "dlib_face_recognition_resnet_model_v1.dat").read_bytes()


def without_a_number(data: bytes) -> bytes:
    """One weight of the last layer is no number."""
    head = layer(dlib_file.DENSE, [0.0])[:6]
    at = data.rindex(head) + len(head) + len(integer(128) + integer(256) + b"".join(map(integer, (2, 256, 128, 1, 1))))
    return data[:at] + np.full(1, np.nan, "<f4").tobytes() + data[at + 4 :]


OTHERS = {
    "nothing": (lambda: b"", "found the end"),
    "words": (lambda: b"private words", "found the end"),
    "a photograph": (actors.photo, "found the end"),
    "landmarks": (lambda: (network.bundled() / "shape_predictor_5_face_landmarks.dat").read_bytes(), "found the end"),
    "a network for detecting": (lambda: (network.bundled() / "mmod_human_face_detector.dat").read_bytes(), "expected"),
    "half of it": (lambda: original()[: len(original()) // 2], "ends, or stops being a dlib network, after"),
    "a layer too few": (lambda: original().replace(b"\x01\x05con_4", b"\x01\x05con_9", 1), "expected con_4 of 4736"),
    "a layer too many": (lambda: original() + layer("con_4", [1.0]), "more layers"),
    "the last byte missing": (lambda: original()[:-1], "dlib cannot read it"),
    "a weight that is no number": (lambda: without_a_number(original()), "differs from dlib by nan"),
}


@pytest.mark.parametrize("data, wrong", OTHERS.values(), ids=OTHERS)
def test_another_file_is_refused_by_name_and_by_what_is_wrong_and_leaves_nothing_behind(tmp_path, data, wrong):
    given = tmp_path / "given.dat"
    given.write_bytes(data())
    with settings_with(FACE_RECOGNITION_MODEL=str(given), DATA_DIR=tmp_path):
        with pytest.raises(UnknownModel, match=wrong) as refused:
            build_model()
        assert "given.dat" in str(refused.value)
        assert len(str(refused.value)) < 120
        assert [path.name for path in (tmp_path / "models").iterdir()] == ["building"]


# ---- The graph against dlib


@pytest.fixture(scope="module")
def chips():
    """Real faces in many ways: two people who turn, speak and blink, cut closer and wider, mirrored."""
    cut = []
    for person in actors.PEOPLE:
        for action in ("neutral", *actors.ACTIONS):
            (face, *_) = engine.find(decode(actors.frames(person, action, 1)[0]), -0.2)
            cut += encoder.cuts(face, encoder.VIEWS[len(cut) % 5 :: 7])
    return np.stack(cut)


def test_the_graph_gives_the_descriptors_of_dlib_on_real_faces(chips):
    path, _ = build_model()
    ours = network.run(network.session(path), chips)
    theirs = dlib.face_recognition_model_v1(str(network.network_file())).compute_face_descriptor(list(chips))
    assert ours.shape == (len(chips), 128)
    assert len(chips) > 20
    assert np.abs(ours - np.array(theirs)).max() < network.TOLERANCE
    # and those differ from face to face by far more
    assert np.ptp(ours, axis=0).max() > 0.1


def test_one_at_a_time_and_all_at_once_are_the_same(chips):
    session = network.session(build_model()[0])
    together = network.run(session, chips[:5])
    assert np.abs(np.concatenate([network.run(session, chip[None]) for chip in chips[:5]]) - together).max() < 1e-5


# ---- Building


@pytest.fixture
def empty(tmp_path):
    """A house without a graph."""
    with settings_with(DATA_DIR=tmp_path):
        yield tmp_path


def builder(data: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"DATA_DIR": str(data)}
    return subprocess.Popen([sys.executable, "-c", BUILD], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_ask_at_once_build_one_file(empty):
    asking = [builder(empty), builder(empty)]
    told = [each.communicate(timeout=120)[0].strip().split("|") for each in asking]
    assert [path for path, _ in told] == [str(network.graph_file())] * 2
    differences = sorted(difference == "None" for _, difference in told)
    assert differences == [False, True]
    assert sorted(path.name for path in (empty / "models").iterdir()) == ["building", network.graph_file().name]


def is_building(data: Path) -> bool:
    """Whether somebody holds the lock."""
    with contextlib.suppress(FileNotFoundError), (data / "models" / "building").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_who_is_killed_while_building_leaves_nothing_that_is_taken_for_the_graph_and_holds_nobody_up(empty):
    killed = builder(empty)
    wait_until(lambda: is_building(empty), "the build has begun")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not network.graph_file().exists()
    # what somebody killed a little later, in the middle of the writing, leaves
    network.graph_file().with_suffix(".part").write_bytes(b"half a graph")
    path, difference = build_model()
    assert difference <= network.TOLERANCE
    assert network.run(network.session(path), np.zeros((1, 150, 150, 3), np.uint8)).shape == (1, 128)
    assert not path.with_suffix(".part").exists()


def test_what_is_there_is_not_built_again_unless_it_is_asked_for(empty):
    path, _ = build_model()
    made = path.stat()
    assert build_model() == (path, None)
    assert path.stat().st_mtime_ns == made.st_mtime_ns
    path.write_bytes(b"spoiled by a disk")
    assert build_model(again=True)[1] <= network.TOLERANCE
    assert path.stat().st_size == made.st_size


def test_a_worker_that_finds_the_graph_built_does_not_load_what_builds_it():
    build_model()
    look = "import sys; from faces.engine import warm_up; warm_up(); print('onnxruntime' in sys.modules, 'onnx' in sys.modules)"
    environment = os.environ | {"DATA_DIR": str(settings.DATA_DIR)}
    told = subprocess.run(
        [sys.executable, "-c", look], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["True", "False"]


# ---- Which network


def test_a_network_under_another_name_has_another_id_a_graph_of_its_own_and_no_thresholds(empty):
    mine = empty / "asian.dat"
    shutil.copy(network.network_file(), mine)
    usual, usual_graph = model_id(), network.graph_file()
    with settings_with(FACE_RECOGNITION_MODEL=str(mine)):
        assert model_id() == "asian@" + usual.partition("@")[2]
        path, difference = build_model()
        assert path == network.graph_file() != usual_graph
        assert difference <= network.TOLERANCE
        assert DEFAULT_POLICY.match_thresholds(model_id(), encoder.DlibEncoder.normalisation) is None
    assert model_id() == usual
    assert DEFAULT_POLICY.match_thresholds(usual, encoder.DlibEncoder.normalisation)


def test_another_network_of_the_same_name_has_another_id(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "net.dat").write_bytes(b"one")
    (tmp_path / "b" / "net.dat").write_bytes(b"other")
    one, other = (network.identify(tmp_path / folder / "net.dat") for folder in "ab")
    assert one.partition("@")[0] == other.partition("@")[0] == "net"
    assert one != other


def test_a_network_that_is_not_there_is_missed_by_its_path(tmp_path):
    with (
        settings_with(FACE_RECOGNITION_MODEL=str(tmp_path / "gone.dat")),
        pytest.raises(FileNotFoundError, match=r"gone\.dat"),
    ):
        build_model()
