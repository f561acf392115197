"""One face against another: sure, doubtful, different, and only what may be compared."""

import contextlib
import math
import struct
import zlib
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faces import DEFAULT_POLICY, Template, enrol, model_id
from faces.encoder import DlibEncoder
from faces.match import decide, match
from faces.policy import MatchThresholds
from tests.faces import actors

MODEL, NORMALISATION = DEFAULT_POLICY.match[0].model, DEFAULT_POLICY.match[0].normalisation
numbers = st.floats(-2, 2, width=32)


def template(apart=0.0, model=MODEL, normalisation=NORMALISATION, length=128):
    """A face at a distance from `template()`, of unit length."""
    angle = 2 * math.asin(apart / 2)
    vector = np.zeros(length, np.float32)
    vector[:2] = math.cos(angle), math.sin(angle)
    return Template(vector, model, normalisation)


@pytest.mark.parametrize("thresholds", DEFAULT_POLICY.match, ids=["plain", "normalised"])
def test_up_to_the_one_limit_sure_beyond_the_other_different_and_a_person_decides_between(thresholds):
    sure, different = thresholds.sure, thresholds.different
    assert sure < different
    at = {
        sure - 1: "sure",
        sure: "sure",
        sure + 0.001: "doubtful",
        different: "doubtful",
        different + 0.001: "different",
    }
    assert {distance: str(decide(distance, thresholds)) for distance in at} == at


def test_the_mean_of_several_templates_counts():
    """Two at 0.2 to either side of the probe: their mean is the probe itself."""
    assert match(template(), [template(0.2), template(-0.2)], DEFAULT_POLICY).distance == pytest.approx(0, abs=1e-6)
    found = match(template(0.1), [template(0.3), template(0.3), template(-0.3)], DEFAULT_POLICY)
    mean = np.mean([template(apart).vector for apart in (0.3, 0.3, -0.3)], axis=0)
    expected = np.linalg.norm(mean / np.linalg.norm(mean) - template(0.1).vector)
    assert found.distance == pytest.approx(expected, abs=1e-6)
    # the nearest alone would be sure
    assert match(template(), [template(0.1)], DEFAULT_POLICY).decision == "sure"
    assert match(template(), [template(0.1), template(1.4)], DEFAULT_POLICY).decision == "different"


@given(st.floats(0, 1.9), st.floats(0.1, 50), st.floats(0.1, 50))
def test_the_distance_is_between_directions_whatever_the_lengths(apart, one, other):
    stretched = [
        Template(template(at).vector * times, MODEL, NORMALISATION) for at, times in ((0, one), (apart, other))
    ]
    assert match(stretched[0], stretched[1:], DEFAULT_POLICY).distance == pytest.approx(apart, abs=1e-4)


@pytest.mark.parametrize(
    "change", [{"model": "another@1"}, {"normalisation": "another"}, {"model": "a@1", "length": 512}]
)
def test_a_template_of_another_network_is_never_compared(change):
    assert match(template(), [], DEFAULT_POLICY) is None
    assert match(template(), [template(**change)], DEFAULT_POLICY) is None
    found = match(template(), [template(**change), template(0.3)], DEFAULT_POLICY)
    assert found == match(template(), [template(0.3)], DEFAULT_POLICY)
    assert found.distance == pytest.approx(0.3, abs=1e-6)


@pytest.mark.parametrize("distance", [0, 0.3, 1.9])
def test_a_network_without_measured_thresholds_is_never_sure_and_refuses_nobody(distance):
    unmeasured = {"model": "unmeasured@1", "length": 7}
    found = match(template(**unmeasured), [template(distance, **unmeasured)], DEFAULT_POLICY)
    assert (found.decision, found.thresholds) == ("doubtful", None)
    assert found.distance == pytest.approx(distance, abs=1e-5)


def test_a_match_names_the_thresholds_that_decided_and_who_measured_them():
    found = match(template(), [template(0.1)], DEFAULT_POLICY)
    assert found.thresholds == DEFAULT_POLICY.match_thresholds(MODEL, NORMALISATION)
    assert (found.evaluation, found.normalised) == (DEFAULT_POLICY.version, None)


@pytest.mark.parametrize("other", [("another@1", NORMALISATION), (MODEL, "another"), (MODEL, NORMALISATION + "+")])
def test_thresholds_belong_to_one_network_and_one_normalisation(other):
    assert DEFAULT_POLICY.match_thresholds(*other) is None


def test_the_policy_has_thresholds_for_the_network_that_runs():
    assert model_id() == MODEL == DlibEncoder().model
    assert DlibEncoder.normalisation == NORMALISATION


def test_the_policy_is_frozen_down_to_its_thresholds():
    with pytest.raises(FrozenInstanceError):
        DEFAULT_POLICY.sharp = 0
    with pytest.raises(FrozenInstanceError):
        DEFAULT_POLICY.match[0].sure = 1
    assert isinstance(hash(DEFAULT_POLICY), int)
    assert all(isinstance(field.default, (int, float, str, tuple)) for field in fields(DEFAULT_POLICY))
    assert replace(DEFAULT_POLICY, sharp=1).sharp == 1


def test_sure_above_different_is_no_policy():
    with pytest.raises(ValueError):
        MatchThresholds("m", "n", sure=0.6, different=0.5)


@given(st.lists(numbers, min_size=1, max_size=600), st.text(max_size=60), st.text(max_size=60))
@settings(deadline=None)
def test_a_template_comes_back_from_its_bytes_as_it_went(vector, model, normalisation):
    made = Template(np.array(vector, np.float32), model, normalisation)
    assert Template.from_bytes(made.to_bytes()) == made


@given(st.binary(max_size=700), st.booleans())
def test_other_bytes_are_no_template(data, headed):
    with pytest.raises(ValueError, match="not a template"):
        Template.from_bytes((b"YLF2" if headed else b"") + data)


def sealed(body: bytes) -> bytes:
    """With the check sum that makes it whole."""
    return body + struct.pack("<I", zlib.crc32(body))


@given(st.binary(max_size=80))
def test_neither_are_bytes_with_the_right_check_sum(data):
    """Whatever comes of it, nothing but a template or its refusal."""
    with contextlib.suppress(ValueError):
        assert np.isfinite(Template.from_bytes(sealed(b"YLF2" + data)).vector).all()


def test_a_template_of_the_older_form_is_none():
    """128 numbers that were not of unit length, matched by other thresholds."""
    older = b"YLF1" + b"".join(struct.pack("<H", len(name)) + name for name in (b"m", b"n")) + bytes(512)
    with pytest.raises(ValueError, match="not a template"):
        Template.from_bytes(sealed(older))
    assert Template.from_bytes(sealed(b"YLF2" + older[4:])).vector.shape == (128,)


@pytest.mark.parametrize("place", [0, 5, 60, -1])
def test_one_wrong_bit_is_noticed(place):
    data = bytearray(template(0.3).to_bytes())
    data[place] ^= 1
    with pytest.raises(ValueError, match="not a template") as refused:
        Template.from_bytes(bytes(data))
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("vector", [[], np.full(128, np.nan), [1, np.inf], np.zeros((2, 64)), 1.0])
def test_a_template_is_one_row_of_finite_numbers(vector):
    with pytest.raises(ValueError, match="one row of finite numbers"):
        Template(vector, MODEL, NORMALISATION)


def test_a_template_cannot_be_changed_and_keeps_no_tie_to_what_made_it():
    vector = np.ones(128, np.float32)
    made = Template(vector, MODEL, NORMALISATION)
    vector[0] = 9
    assert made.vector[0] == 1
    with pytest.raises(ValueError):
        made.vector[0] = 9


def test_two_photographs_of_one_person_match_and_two_people_do_not(templates):
    again = enrol(actors.posed("astronaut", yaw=8)).template
    assert match(again, [templates["astronaut"]], DEFAULT_POLICY).decision == "sure"
    assert match(again, [templates["grace_hopper"]], DEFAULT_POLICY).decision == "different"


def test_a_template_does_not_show_its_numbers(templates):
    shown = repr(templates["astronaut"]) + str(templates["astronaut"])
    assert "vector" not in shown
    assert "array" not in shown
