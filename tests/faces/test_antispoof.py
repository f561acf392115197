"""The operator's own anti-spoofing model: what fits is run as it asks for, what does not fit is refused by name."""

import json
import logging

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from faces import antispoof, reasons
from faces.antispoof import Model, Verdict
from faces.own_model import ModelRefused
from faces.policy import DEFAULT_POLICY as POLICY
from faces.presentation import decide
from tests.faces import actors
from tests.story import settings_with

WANTS = {
    "colour": "RGB",
    "scale": 1 / 255,
    "mean": [0, 0, 0],
    "std": [1, 1, 1],
    "crop": 2.7,
    "output": "probabilities",
    "live": 0,
    "review_below": 0.5,
}


def a_model(folder, shape=(1, 3, 80, 80), axes=(1, 2, 3), answer="mean", **wants):
    """A model that finds a face as living as its picture is bright, and the description beside it."""
    steps = {
        # The mean of all values, as one probability
        "mean": [helper.make_node("ReduceMean", ["picture"], ["answer"], axes=list(axes), keepdims=0)],
        # One probability for each channel: which of them comes first shows
        "channels": [helper.make_node("ReduceMean", ["picture"], ["answer"], axes=[2, 3], keepdims=0)],
        # Loads and then breaks on whatever is bright
        "broken": [
            helper.make_node("ReduceMean", ["picture"], ["bright"], axes=[0, 1, 2, 3], keepdims=0),
            helper.make_node("Cast", ["bright"], ["place"], to=TensorProto.INT64),
            helper.make_node("Gather", ["two", "place"], ["answer"], axis=0),
        ],
    }[answer]
    two = helper.make_tensor("two", TensorProto.FLOAT, [2], [0.9, 0.9])
    graph = helper.make_graph(
        steps,
        "brightness",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, None)],
        [two] if answer == "broken" else [],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = folder / "bright.v2.onnx"
    onnx.save(model, path)
    (folder / "bright.v2.onnx.json").write_text(json.dumps(WANTS | wants))
    return path


def a_face(grey=None):
    """A picture of one colour, and where its face is."""
    _, points = actors.scene("astronaut")
    return np.full((480, 640, 3), grey or (51, 102, 204), dtype=np.uint8), points


@pytest.mark.parametrize(
    "shape, axes, size",
    [
        ((1, 3, 80, 80), (1, 2, 3), (80, 80)),
        ((None, 3, 128, 96), (1, 2, 3), (128, 96)),
        (("batch", 3, 224, 224), (1, 2, 3), (224, 224)),
        ((1, 224, 224, 3), (1, 2, 3), (224, 224)),
    ],
)
def test_the_size_and_the_order_of_the_axes_are_read_from_the_model(tmp_path, shape, axes, size):
    model = Model(a_model(tmp_path, shape, axes))
    assert (model.height, model.width) == size
    assert model.probabilities([a_face(), a_face((255, 255, 255))]) == pytest.approx([0.4667, 1.0], abs=1e-3)


@pytest.mark.parametrize("colour, live, expected", [("RGB", 0, 0.2), ("BGR", 0, 0.8), ("BGR", 1, 0.4), ("RGB", 2, 0.8)])
def test_colours_come_in_the_order_that_the_description_names(tmp_path, colour, live, expected):
    model = Model(a_model(tmp_path, answer="channels", colour=colour, live=live))
    assert model.probabilities([a_face()]) == pytest.approx([expected], abs=1e-3)


def test_values_are_scaled_then_shifted_then_divided_by_channel(tmp_path):
    path = a_model(tmp_path, answer="channels", scale=1.0, mean=[50, 0, 0], std=[2, 1, 1], live=0)
    assert Model(path).probabilities([a_face()]) == pytest.approx([0.5], abs=1e-3)


def test_logits_become_probabilities(tmp_path):
    several = Model(a_model(tmp_path, answer="channels", output="logits", live=2))
    values = np.exp([0.2, 0.4, 0.8])
    assert several.probabilities([a_face()]) == pytest.approx([values[2] / values.sum()], abs=1e-3)
    single = Model(a_model(tmp_path, output="logits", mean=[0.4667] * 3))
    assert single.probabilities([a_face()]) == pytest.approx([0.5], abs=1e-3)


def test_the_crop_is_the_box_enlarged_and_stays_inside_the_picture():
    large, points = a_face()
    left, top, right, bottom = antispoof.around(large, points, 1.0)
    assert left == pytest.approx(points[:, 0].min())
    assert right == pytest.approx(points[:, 0].max())
    assert top < points[:, 1].min()
    assert bottom == pytest.approx(points[:, 1].max())
    wide = antispoof.around(large, points, 1.5)
    assert wide[2] - wide[0] == pytest.approx(1.5 * (right - left))
    # In a corner it is moved, and where the picture is too small it is made smaller
    corner = antispoof.around(large, points - points.min(axis=0), 1.5)
    assert corner[:2] == (0, 0)
    assert corner[2] - corner[0] == pytest.approx(wide[2] - wide[0])
    most = antispoof.around(large, points, 5)
    assert most[0] >= 0
    assert most[1] == pytest.approx(0)
    assert most[3] == pytest.approx(480)
    assert (most[2] - most[0]) / (most[3] - most[1]) == pytest.approx((right - left) / (bottom - top))


@pytest.mark.parametrize(
    "fake_below, brightness, verdict",
    [(0.1, 200, Verdict.LIVE), (0.1, 90, Verdict.DOUBTFUL), (0.1, 20, Verdict.FAKE), (0.0, 1, Verdict.DOUBTFUL)],
)
def test_the_two_limits_decide_on_the_median_and_without_the_second_nothing_is_fake(
    tmp_path, fake_below, brightness, verdict
):
    model = Model(a_model(tmp_path, fake_below=fake_below))
    outlier = a_face((255, 255, 255))
    scored = antispoof.judged(model, [a_face((brightness,) * 3), outlier, a_face((brightness,) * 3)])
    assert scored.verdict is verdict
    (name,) = scored.figures
    assert name == f"antispoof:{model.identity}".replace(".", "_")
    assert name.startswith("antispoof:bright_v2@")
    assert scored.figures[name] == pytest.approx(brightness / 255, abs=0.01)


def test_the_name_says_which_file_it_is(tmp_path):
    identities = []
    for side in (80, 81):
        (folder := tmp_path / str(side)).mkdir()
        identities.append(Model(a_model(folder, (1, 3, side, 80))).identity)
    assert [identity.rpartition("@")[0] for identity in identities] == ["bright.v2"] * 2
    assert {len(identity) for identity in identities} == {len("bright.v2@") + 12}
    assert identities[0] != identities[1]


@pytest.mark.parametrize(
    "wants, wrong",
    [
        ({"colour": "GREY"}, "colour"),
        ({"std": [1, 1, 0]}, "std"),
        ({"mean": [0, 0]}, "mean"),
        ({"crop": 0.5}, "crop"),
        ({"output": "distance"}, "output"),
        ({"review_below": 2}, "review_below"),
        ({"fake_below": 0.6}, "fake_below"),
        ({"threshold": 1}, "threshold"),
        ({"mean": 5}, "mean"),
        ({"mean": [0, 0, "many"]}, "mean"),
        ({"scale": "much"}, "scale"),
        ({"scale": 0}, "scale"),
        ({"scale": float("inf")}, "scale"),
        ({"scale": 10**400}, "scale"),
        ({"live": True}, "live"),
        ({"live": 0.5}, "live"),
        ({"review_below": None}, "review_below"),
    ],
)
def test_a_description_that_does_not_fit_is_refused_by_what_is_wrong(tmp_path, wants, wrong):
    with pytest.raises(ModelRefused, match=rf"bright\.v2\.onnx\.json: .*\b{wrong}$"):
        Model(a_model(tmp_path, **wants))


@pytest.mark.parametrize("key", sorted(WANTS))
def test_nothing_but_the_limit_of_a_fake_may_be_left_out(tmp_path, key):
    path = a_model(tmp_path)
    path.with_name("bright.v2.onnx.json").write_text(json.dumps({name: WANTS[name] for name in WANTS if name != key}))
    with pytest.raises(ModelRefused, match=rf"bright\.v2\.onnx\.json: {key} must stand here"):
        Model(path)


def test_files_that_are_missing_or_something_else_are_refused_by_name(tmp_path):
    path = a_model(tmp_path)
    path.write_bytes(b"not a model")
    with pytest.raises(ModelRefused, match=r"bright\.v2\.onnx: not a model"):
        Model(path)
    path.unlink()
    with pytest.raises(ModelRefused, match=r"bright\.v2\.onnx: "):
        Model(path)
    beside = path.with_name("bright.v2.onnx.json")
    beside.write_text("[]")
    with pytest.raises(ModelRefused, match=r"bright\.v2\.onnx\.json: only colour, .* not this"):
        Model(path)
    beside.unlink()
    with pytest.raises(ModelRefused, match=r"bright\.v2\.onnx\.json: colour, .* must stand here"):
        Model(path)


@pytest.mark.parametrize("shape", [(1, 1, 80, 80), (1, 3, None, None), (8, 3, 80, 80), (3, 80, 80)])
def test_a_model_of_another_shape_is_refused(tmp_path, shape):
    with pytest.raises(ModelRefused, match="3 x height x width"):
        Model(a_model(tmp_path, shape, axes=(1, 2)))


def test_a_class_that_the_model_does_not_have_is_refused_at_the_start(tmp_path):
    with pytest.raises(ModelRefused, match="row of classes"):
        Model(a_model(tmp_path, live=1))


def test_without_a_model_nothing_is_scored_and_with_one_it_is_loaded_once(tmp_path):
    assert antispoof.score([a_face()]) is None
    with settings_with(FACE_ANTISPOOF_ONNX=str(a_model(tmp_path))):
        assert antispoof.score([a_face((200, 200, 200))]).verdict is Verdict.LIVE
        assert antispoof.score([]) is None
        assert antispoof.configured() is antispoof.configured()


def test_a_model_that_breaks_over_a_picture_sends_the_person_to_a_person_and_logs_no_data(tmp_path, caplog):
    path = a_model(tmp_path, answer="broken", scale=0.01)
    with settings_with(FACE_ANTISPOOF_ONNX=str(path)), caplog.at_level(logging.DEBUG):
        assert antispoof.score([a_face((50, 50, 50))]).verdict is not Verdict.UNKNOWN
        scored = antispoof.score([a_face((255, 255, 255))])
    assert (scored.verdict, scored.figures) == (Verdict.UNKNOWN, {})
    assert decide({}, scored, POLICY) == (reasons.ANTISPOOF_UNAVAILABLE,)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("the anti-spoofing model could not be run: ")
    assert len(line) < 80


def test_a_model_that_is_gone_sends_the_person_to_a_person(tmp_path):
    with settings_with(FACE_ANTISPOOF_ONNX=str(tmp_path / "gone.onnx")):
        assert antispoof.score([a_face()]).verdict is Verdict.UNKNOWN
