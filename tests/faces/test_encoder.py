"""From a face to its vector: the views, their mean, and an operator's own network in dlib's place."""

from __future__ import annotations

import json
import threading

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from faces import DEFAULT_POLICY, Cohort, LabelledFrame, Template, check, decode, encoder, engine, enrol, look, network
from faces.encoder import VIEWS, DlibEncoder, OnnxEncoder, View, unit
from faces.match import match
from faces.own_model import ModelRefused
from tests.faces import actors
from tests.story import settings_with


def a_face(person: str, data: bytes | None = None) -> engine.Face:
    return engine.find(decode(data or actors.photo(person)), 0.0)[0]


@pytest.fixture(scope="module")
def people():
    return [a_face(person) for person in actors.PEOPLE]


@pytest.fixture(scope="module")
def dlibs():
    return DlibEncoder()


# ---- The views


def test_the_views_are_twenty_the_first_is_plain_and_the_first_six_are_mirrored_pairs_of_three_cuts():
    assert len(VIEWS) == DEFAULT_POLICY.enrol_views == 20
    assert len(set(VIEWS)) == 20
    assert VIEWS[0] == View()
    pairs = {(padding, mirrored) for padding in (0.25, 0.15, 0.35) for mirrored in (False, True)}
    assert {(view.padding, view.mirrored) for view in VIEWS[:6]} == pairs
    assert sum(view.mirrored for view in VIEWS) == 10


def test_the_moved_views_are_the_same_ones_every_time_and_move_little():
    assert encoder._views() == VIEWS
    for view in VIEWS[6:]:
        assert 0.15 <= view.padding <= 0.35
        assert abs(view.angle) < 12
        assert abs(view.scale - 1) < 0.12
        assert max(abs(view.right), abs(view.down)) < 0.12


def test_a_view_shows_what_it_says(people):
    face = people[0]
    (plain,) = encoder.cuts(face, [View()])
    assert np.array_equal(plain, face.chip)
    assert np.array_equal(encoder.cuts(face, [View(mirrored=True)])[0], plain[:, ::-1])
    closer, wider = encoder.cuts(face, [View(padding=0.15), View(padding=0.35)])
    assert not np.array_equal(closer, wider)
    # Points moved to the right cut the picture further to the right: what was there moves to the left
    (moved,) = encoder.cuts(face, [View(right=0.1)])
    step = round(0.1 * 150 * 0.36)
    apart = np.abs(moved[:, :-step].astype(int) - plain[:, step:])
    assert apart.mean() < np.abs(moved.astype(int) - plain).mean() / 2


@pytest.mark.parametrize("order", [VIEWS, VIEWS[::-1], VIEWS[1::2], [VIEWS[1], VIEWS[0], VIEWS[3], VIEWS[1]]])
def test_cutting_many_views_is_cutting_each(people, order):
    together = encoder.cuts(people[0], order)
    for cut, view in zip(together, order, strict=True):
        assert np.array_equal(cut, encoder.cuts(people[0], [view])[0])


# ---- dlib's network


def test_a_face_becomes_a_row_of_unit_length(dlibs, people):
    rows = dlibs.describe(people, 6)
    assert rows.shape == (2, 128)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1], abs=1e-6)
    assert len(dlibs.describe([], 6)) == 0


def test_the_row_is_the_mean_of_the_views_at_unit_length(dlibs, people):
    chips = np.stack(encoder.cuts(people[0], VIEWS[:6]))
    mean = network.run(network.session(network.build_model()[0]), chips).mean(axis=0)
    assert dlibs.describe(people[:1], 6)[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


@pytest.mark.parametrize("views", [1, 2, 6, 20])
def test_neither_order_nor_company_changes_a_description(dlibs, people, views):
    one, other = people
    together = dlibs.describe([one, other, one], views)
    assert np.abs(together - dlibs.describe([other, one, other], views)[[1, 0, 1]]).max() < 1e-5
    alone = np.concatenate([dlibs.describe([face], views) for face in (one, other, one)])
    assert np.abs(together - alone).max() < 1e-5


def test_a_face_in_the_mirror_is_nearly_the_same_face(templates):
    mirrored = enrol(actors.jpeg(actors.pixels(actors.photo())[:, ::-1])).template
    gap = float(np.linalg.norm(mirrored.vector - templates["astronaut"].vector))
    strangers = float(np.linalg.norm(templates["grace_hopper"].vector - templates["astronaut"].vector))
    assert gap < 0.12 < DEFAULT_POLICY.match[0].sure
    assert strangers > DEFAULT_POLICY.match[0].different


def test_more_views_are_another_description_of_the_same_person(dlibs, people):
    few, many = (dlibs.describe(people[:1], views)[0] for views in (6, 20))
    assert 0 < np.linalg.norm(few - many) < 0.15


def test_thorough_is_twenty_views_and_can_be_compared_with_six():
    quick, thorough = enrol(actors.photo()).template, enrol(actors.photo(), thorough=True).template
    assert thorough != quick
    assert thorough.compatible(quick)
    face = look(actors.photo(), strict=True).face
    assert np.abs(thorough.vector - DlibEncoder().describe([face], 20)[0]).max() < 1e-5


def test_the_network_is_opened_once_and_four_threads_at_once_get_what_one_gets(people):
    alone = encoder.encoder().describe(people, 6)
    found: list[tuple[encoder.Encoder, np.ndarray]] = []
    start = threading.Barrier(4)

    def work():
        start.wait()
        mine = encoder.encoder()
        found.extend((mine, mine.describe(people, 6)) for _ in range(3))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    for mine, rows in found:
        assert mine is encoder.encoder()
        assert np.array_equal(rows, alone)


def test_nothing_that_holds_a_face_shows_it(templates, people):
    cohort = Cohort.of([("somebody", templates["astronaut"])], "of one")
    frame = LabelledFrame("neutral", actors.photo())
    result = check([frame], [], [templates["astronaut"]])
    image = decode(actors.photo())
    things = [*people, image, cohort, frame, result, result.match, enrol(actors.photo()), look(actors.photo())]
    shown = " ".join(f"{thing!r} {thing}" for thing in (*things, DlibEncoder(), *templates.values()))
    for secret in ("array", "dtype", "[[", "xff", "JFIF", "somebody"):
        assert secret not in shown


# ---- An operator's own


def a_network(folder, side=112, *, first=True, length=3, batch="N", kind=TensorProto.FLOAT, extra=(), told=None):
    """A network that describes a picture by its mean red, green and blue, spread over `length` numbers."""
    spread = np.random.default_rng(3).normal(size=(3, length)).astype(np.float32)
    spread[:, : min(length, 3)] = np.eye(3, dtype=np.float32)[:, :length]
    shape = [batch, 3, side, side] if first else [batch, side, side, 3]
    steps = [
        helper.make_node("Cast", ["picture"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["values"], ["colours"], axes=[2, 3] if first else [1, 2], keepdims=0),
        helper.make_node("MatMul", ["colours", "spread"], ["described"]),
    ]
    graph = helper.make_graph(
        steps,
        "colours",
        [helper.make_tensor_value_info("picture", kind, shape), *extra],
        [helper.make_tensor_value_info("described", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(spread, "spread")],
    )
    path = folder / "mine.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    if told is not None:
        (folder / "mine.onnx.json").write_text(told if isinstance(told, str) else json.dumps(told))
    return path


def colours(face, padding=0.25):
    return encoder.chip(face.large, face.points, padding).reshape(-1, 3).mean(axis=0)


def test_a_network_of_150_pixels_sees_the_faces_as_dlib_cuts_them(tmp_path, people):
    rows = OnnxEncoder(a_network(tmp_path, 150)).describe(people, 6)
    for row, face in zip(rows, people, strict=True):
        assert row == pytest.approx(unit((colours(face) - 127.5) / 127.5), abs=1e-4)


def test_what_stands_beside_the_network_is_done(tmp_path, people):
    told = {"colour": "BGR", "scale": 1 / 255, "mean": [0, 0.1, 0.2], "std": [1, 2, 4], "padding": 0.4}
    rows = OnnxEncoder(a_network(tmp_path, 150, told=told)).describe(people, 6)
    for row, face in zip(rows, people, strict=True):
        blue_first = colours(face, 0.4)[::-1] / 255
        assert row == pytest.approx(unit((blue_first - [0, 0.1, 0.2]) / [1, 2, 4]), abs=1e-4)


@pytest.mark.parametrize("side", [112, 150])
def test_channels_first_or_last_and_one_picture_or_any_number_give_the_same(tmp_path, people, side):
    wanted = OnnxEncoder(a_network(tmp_path, side)).describe(people, 6)
    for how in ({"first": False}, {"batch": 1}, {"first": False, "batch": 1}):
        assert OnnxEncoder(a_network(tmp_path, side, **how)).describe(people, 6) == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("action", ["neutral", "turn_left", "open_mouth"])
@pytest.mark.parametrize("person", actors.PEOPLE)
def test_a_network_of_112_pixels_gets_eyes_nose_and_mouth_nearest_to_where_it_expects_them(person, action):
    """Five spots of paint, and where the best turn, size and shift of the face takes them."""
    points = a_face(person, actors.frames(person, action, 1)[0]).points
    marks = np.array([points[36:42].mean(axis=0), points[42:48].mean(axis=0), *points[[30, 48, 54]]])
    wanted = np.array(
        [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
    )
    # a similarity is a product and a sum of complex numbers
    found, target = (five @ (1, 1j) for five in (marks, wanted))
    turn, shift = np.linalg.lstsq(np.column_stack([found, np.ones(5)]), target, rcond=None)[0]
    for mark, at in zip(marks, found * turn + shift, strict=True):
        rows, columns = np.mgrid[0 : actors.HEIGHT, 0 : actors.WIDTH]
        spot = np.exp(-((columns - mark[0]) ** 2 + (rows - mark[1]) ** 2) / 50) * 255
        cut = encoder.five_point_chip(np.repeat(spot[..., None], 3, axis=-1).astype(np.uint8), points)
        assert cut.shape == (112, 112, 3)
        weight = cut[..., 0].astype(float)
        rows, columns = np.mgrid[0:112, 0:112]
        middle = np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()
        assert middle == pytest.approx([at.real, at.imag], abs=1)
    assert np.abs(found * turn + shift - target).max() < 12


@pytest.mark.parametrize("length", [2, 7, 512])
def test_templates_of_another_network_have_its_length_and_are_never_compared_with_dlibs(
    tmp_path, templates, people, length
):
    mine = OnnxEncoder(a_network(tmp_path, length=length))
    one, other = (Template(row, mine.model, mine.normalisation) for row in mine.describe(people, 6))
    with settings_with(FACE_ENCODER_ONNX=str(tmp_path / "mine.onnx")):
        assert mine.model == network.model_id()
    assert mine.model != templates["astronaut"].model
    assert one.vector.shape == (length,)
    assert Template.from_bytes(one.to_bytes()) == one
    assert one.model.startswith("mine@")
    assert match(one, [templates["astronaut"]], DEFAULT_POLICY) is None
    # Nobody measured thresholds for it, so a person decides
    assert match(one, [templates["astronaut"], other], DEFAULT_POLICY).decision == "doubtful"


def test_every_setting_beside_the_network_makes_templates_that_are_not_compared_with_others(tmp_path):
    tellings = [{}, {"colour": "BGR"}, {"scale": 2}, {"mean": [0, 0, 0]}, {"std": [1, 1, 1]}, {"padding": 0.3}]
    names = [
        OnnxEncoder(a_network(tmp_path, side, told=told)).normalisation for side in (112, 150) for told in tellings
    ]
    assert len(set(names)) == len(names)


def test_to_write_the_usual_values_down_changes_nothing(tmp_path):
    usual = OnnxEncoder(a_network(tmp_path, 150)).normalisation
    told = {"colour": "RGB", "scale": 1, "mean": [127.5] * 3, "std": [127.5] * 3, "padding": 0.25}
    assert OnnxEncoder(a_network(tmp_path, 150, told=told)).normalisation == usual
    assert OnnxEncoder(a_network(tmp_path, 150, told={"padding": None})).normalisation == usual


@pytest.mark.parametrize(
    "how, wrong",
    [
        ({"side": 100}, "112 x 112 or 150 x 150"),
        ({"kind": TensorProto.UINT8}, "float32"),
        ({"extra": [helper.make_tensor_value_info("more", TensorProto.FLOAT, [1])]}, "one float32 input"),
        ({"batch": 8}, "one picture or any number"),
        ({"length": 1}, "two numbers or more"),
        ({"told": {"order": "BGR"}}, "only colour, scale, mean, std, padding may stand here, not order"),
        ({"told": []}, "only colour"),
        ({"told": {"colour": "GBR"}}, "out of range: colour"),
        ({"told": {"scale": "much", "padding": -1}}, "out of range: scale, padding"),
        ({"told": {"mean": 0}}, "out of range: mean"),
        ({"told": "{"}, "cannot be read as JSON"),
    ],
)
def test_a_network_that_does_not_fit_is_refused_at_the_start_by_name_and_by_what_is_wrong(tmp_path, how, wrong):
    path = a_network(tmp_path, **how)
    with pytest.raises(ModelRefused, match=wrong) as refused:
        OnnxEncoder(path)
    assert "mine.onnx" in str(refused.value)


@pytest.mark.parametrize("data", [None, b"", b"private words", actors.photo()], ids=["gone", "empty", "words", "photo"])
def test_a_file_that_is_no_network_is_refused_by_name_and_is_not_quoted(tmp_path, data, capfd):
    path = tmp_path / "mine.onnx"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ModelRefused, match=r"mine\.onnx: not a model that onnxruntime can load") as refused:
        OnnxEncoder(path)
    assert "private" not in repr(refused.value) + "".join(capfd.readouterr())


def test_a_network_whose_numbers_are_no_numbers_is_refused_at_the_start(tmp_path):
    with pytest.raises(ModelRefused, match=r"mine\.onnx: cannot be run \(the first output is not a row of numbers\)"):
        OnnxEncoder(a_network(tmp_path, told={"std": [1e-38] * 3}))
