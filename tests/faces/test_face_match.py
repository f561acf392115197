"""One face against another: sure, doubtful, different, and only what may be compared."""

from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faces import DEFAULT_POLICY, Template, enrol, model_id
from faces.match import Decision, decide, match
from faces.policy import MatchThresholds
from tests.faces import actors

MODEL, NORMALISATION = DEFAULT_POLICY.match[0].model, DEFAULT_POLICY.match[0].normalisation
ORDER = [Decision.SURE, Decision.DOUBTFUL, Decision.DIFFERENT]
numbers = st.floats(-2, 2, width=32)


def template(shift=0.0, model=MODEL, normalisation=NORMALISATION):
    vector = np.zeros(128, np.float32)
    vector[0] = shift
    return Template(vector, model, normalisation)


@pytest.mark.parametrize(
    "distance, expected",
    [(0, "sure"), (0.38, "sure"), (0.381, "doubtful"), (0.5, "doubtful"), (0.501, "different"), (1.2, "different")],
)
def test_sure_to_038_different_above_050_and_a_person_decides_between(distance, expected):
    assert decide(distance, MODEL, NORMALISATION, DEFAULT_POLICY) == expected


@given(st.floats(0, 3), st.floats(0, 3))
def test_a_larger_distance_never_gives_a_surer_decision(one, other):
    near, far = sorted((one, other))
    decisions = [ORDER.index(decide(d, MODEL, NORMALISATION, DEFAULT_POLICY)) for d in (near, far)]
    assert decisions == sorted(decisions)


def test_the_nearest_of_several_templates_counts():
    found = match(template(0.1), [template(2), template(0.3), template(-1)], DEFAULT_POLICY)
    assert found.distance == pytest.approx(0.2)
    assert found.decision == "sure"


@pytest.mark.parametrize("change", [{"model": "another@1"}, {"normalisation": "another"}])
def test_a_template_of_another_network_is_never_compared(change):
    assert match(template(), [template(**change)], DEFAULT_POLICY) is None
    assert match(template(), [template(**change), template(0.45)], DEFAULT_POLICY).decision == "doubtful"


def test_a_network_without_measured_thresholds_is_never_sure_and_refuses_nobody():
    for distance in (0, 0.3, 5):
        assert decide(distance, "unmeasured@1", NORMALISATION, DEFAULT_POLICY) == "doubtful"


def test_the_policy_has_thresholds_for_the_network_that_runs():
    assert model_id() == MODEL


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


@given(st.lists(numbers, min_size=128, max_size=128), st.text(max_size=60), st.text(max_size=60))
@settings(deadline=None)
def test_a_template_comes_back_from_its_bytes_as_it_went(vector, model, normalisation):
    made = Template(np.array(vector, np.float32), model, normalisation)
    assert Template.from_bytes(made.to_bytes()) == made


@given(st.binary(max_size=700), st.booleans())
def test_other_bytes_are_no_template(data, headed):
    with pytest.raises(ValueError, match="not a template"):
        Template.from_bytes((b"YLF1" if headed else b"") + data)


@pytest.mark.parametrize("vector", [np.zeros(127), np.full(128, np.nan), np.zeros((2, 64))])
def test_a_template_has_128_finite_numbers(vector):
    with pytest.raises(ValueError, match="128"):
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
