"""How alike two faces are, against how alike each is to strangers anyway; and who decides where the two measures differ."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from faces import DEFAULT_POLICY, Cohort, Template
from faces.cohort import LEAST, NEAREST, SUFFIX
from faces.encoder import unit
from faces.evaluation import Pair, score
from faces.match import Decision, decide, match, reconcile
from faces.policy import MatchThresholds

PLAIN, NORMALISED = DEFAULT_POLICY.match
MODEL, NORMALISATION = PLAIN.model, PLAIN.normalisation
ORDER = [Decision.SURE, Decision.DOUBTFUL, Decision.DIFFERENT]
decisions = st.sampled_from(ORDER)
seeds = st.integers(0, 2**32 - 1)


def template(vector, model=MODEL, normalisation=NORMALISATION):
    return Template(vector, model, normalisation)


def strangers(count=60, seed=0, length=128, around=None, **names):
    """`count` people with one face each, anywhere or around a centre."""
    vectors = np.random.default_rng(seed).normal(size=(count, length))
    if around is not None:
        vectors = vectors / math.sqrt(length) + around
    return [(f"stranger {number}", template(vector, **names)) for number, vector in enumerate(vectors)]


def two(seed=1, apart=0.5, length=128):
    """Two faces of unit length, the second as far from the first as asked."""
    one, aside = np.linalg.qr(np.random.default_rng(seed).normal(size=(length, 2)))[0].T
    angle = 2 * math.asin(apart / 2)
    return one.astype(np.float32), (one * math.cos(angle) + aside * math.sin(angle)).astype(np.float32)


def by_hand(one, other, people):
    """AS-norm as the papers write it, without arrays; a quarter of each variance is that of a typical stranger."""

    def alike(a, b):
        return sum(float(x) * float(y) for x, y in zip(a, b, strict=True))

    def mean_and_variance(face, strangers):
        nearest = sorted((alike(face, stranger) for stranger in strangers), reverse=True)[:20]
        mean = sum(nearest) / 20
        return mean, sum((value - mean) ** 2 for value in nearest) / 20

    rows = [list(map(float, row)) for row in people]
    typical = statistics.median(mean_and_variance(row, rows[:at] + rows[at + 1 :])[1] for at, row in enumerate(rows))
    likeness = alike(one, other)
    (m1, v1), (m2, v2) = mean_and_variance(one, rows), mean_and_variance(other, rows)
    d1, d2 = (math.sqrt(0.75 * variance + 0.25 * typical) for variance in (v1, v2))
    return -((likeness - m1) / d1 + (likeness - m2) / d2) / 2


@given(seeds, st.integers(LEAST, 70), st.floats(0.05, 1.9))
@hypothesis(deadline=None, max_examples=20)
def test_the_normalised_distance_is_the_formula_worked_out_by_hand(seed, count, apart):
    one, other = two(seed, apart, 8)
    cohort = Cohort.of(strangers(count, seed, 8), "eight numbers")
    assert cohort.normalise(one, other) == pytest.approx(by_hand(one, other, cohort.vectors), rel=1e-3, abs=1e-3)


@given(seeds, st.floats(0.05, 1.9))
@hypothesis(deadline=None)
def test_it_does_not_matter_which_face_comes_first(seed, apart):
    one, other = two(seed, apart)
    cohort = Cohort.of(strangers(), "sixty")
    assert cohort.normalise(one, other) == pytest.approx(cohort.normalise(other, one), abs=1e-4)


def test_who_resembles_everybody_has_to_resemble_more():
    """The same likeness counts for less between faces that a crowd of others resembles as much."""
    one, other = two(apart=0.5)
    alone = Cohort.of(strangers(), "anybody")
    crowded = Cohort.of(strangers(around=(one + other) * 2), "their doubles")
    assert alone.normalise(one, other) < 0 < crowded.normalise(one, other)


def test_the_people_of_a_pair_are_left_out_with_all_their_faces():
    one, other = two(apart=0.3)
    others = strangers()
    own = [("me", template(one)), ("me", template(unit(one * 2 + other))), ("you", template(other))]
    everybody = Cohort.of([*own[:1], *others[:30], *own[1:], *others[30:]], "all")
    left = everybody.without(("me", "you"))
    assert left.people == tuple(name for name, _ in others)
    assert left.normalise(one, other) == replace(Cohort.of(others, "others"), typical=left.typical).normalise(
        one, other
    )
    assert left.normalise(one, other) != everybody.normalise(one, other)
    assert (left.name, left.model, left.scoring) == (everybody.name, everybody.model, everybody.scoring)
    assert everybody.without(("nobody",)).people == everybody.people


def test_an_evaluation_compares_nobody_with_themselves():
    one, other = two(apart=0.3)
    faces = {"me/1": template(one), "you/1": template(other)}
    members = [("me", faces["me/1"]), ("you", faces["you/1"]), *strangers()]
    pair = Pair("me/1", "you/1", False)
    everybody = Cohort.of(members, "all")
    others = replace(Cohort.of(strangers(), "others"), typical=everybody.typical)
    (with_them,) = score([pair], faces, lambda name: name[:-2], cohort=everybody)
    (without,) = score([pair], faces, lambda name: name[:-2], cohort=others)
    assert with_them == without
    assert with_them.normalised


def test_fewer_than_forty_strangers_say_nothing_and_the_plain_thresholds_decide():
    assert (NEAREST, LEAST) == (20, 40)
    one, other = two(apart=PLAIN.sure - 0.01)
    enough = Cohort.of(strangers(40), "forty")
    few = enough.without(("stranger 7",))
    assert enough.normalise(one, other) is not None
    assert few.normalise(one, other) is None
    found = match(template(one), [template(other)], DEFAULT_POLICY, few)
    assert found == match(template(one), [template(other)], DEFAULT_POLICY)
    assert (found.decision, found.normalised, found.thresholds, found.evaluation) == (
        "sure",
        None,
        PLAIN,
        DEFAULT_POLICY.version,
    )


@pytest.mark.parametrize("names", [{"model": "another@1"}, {"normalisation": "another"}])
def test_a_cohort_of_another_network_is_not_asked(names):
    one, other = two()
    cohort = Cohort.of(strangers(**names), "of another network")
    plain = match(template(one), [template(other)], DEFAULT_POLICY)
    assert match(template(one), [template(other)], DEFAULT_POLICY, cohort) == plain


def test_a_normalisation_that_nobody_measured_thresholds_for_leaves_the_plain_ones():
    one, other = two()
    unmeasured = replace(DEFAULT_POLICY, match=(PLAIN,))
    cohort = Cohort.of(strangers(), "unmeasured")
    assert match(template(one), [template(other)], unmeasured, cohort).thresholds == PLAIN


def test_with_a_cohort_the_normalised_distance_decides_by_the_thresholds_of_the_policy():
    one, other = two(apart=0.3)
    found = match(template(one), [template(other)], DEFAULT_POLICY, Cohort.of(strangers(), "sixty"))
    assert found.distance == pytest.approx(0.3, abs=1e-5)
    assert found.normalised == pytest.approx(by_hand(one, other, Cohort.of(strangers(), "sixty").vectors), rel=1e-3)
    assert (found.thresholds, found.evaluation) == (NORMALISED, DEFAULT_POLICY.version)
    assert found.decision == decide(found.normalised, NORMALISED)


def test_thresholds_measured_with_a_cohort_go_before_those_of_the_policy_and_are_named():
    one, other = two(apart=0.3)
    cohort = Cohort.of(strangers(), "measured in november")
    at = cohort.normalise(one, other)
    decided = []
    for sure, different in ((at, at + 1), (at - 1, at), (at - 2, at - 1)):
        own = MatchThresholds(MODEL, NORMALISATION + SUFFIX, sure, different)
        found = match(template(one), [template(other)], DEFAULT_POLICY, replace(cohort, thresholds=own))
        assert (found.thresholds, found.evaluation) == (own, "measured in november")
        decided.append(found.decision)
    # a plain distance of 0.30 is doubtful, so it contradicts none of them
    assert decided == ["sure", "doubtful", "different"]


@pytest.mark.parametrize("names", [("another@1", NORMALISATION + SUFFIX), (MODEL, NORMALISATION), (MODEL, "another")])
def test_thresholds_of_something_else_do_not_go_with_a_cohort(names):
    with pytest.raises(ValueError, match="measured with another network"):
        Cohort.of(strangers(), "mixed up", MatchThresholds(*names, -5, 0))


def test_a_cohort_is_of_one_network_and_names_everybody():
    with pytest.raises(ValueError, match="members"):
        Cohort.of([], "nobody")
    with pytest.raises(ValueError, match="one network"):
        Cohort.of([*strangers(2), *strangers(1, model="another@1")], "two networks")
    with pytest.raises(ValueError, match="names a person"):
        replace(Cohort.of(strangers(3), "three"), people=("only", "two"))


def test_copies_of_one_photograph_are_strangers_of_no_use_and_break_nothing():
    one, other = two()
    same = [(f"copy {number}", template(one)) for number in range(60)]
    mine = [("me", template(one))] * 60
    for cohort in (Cohort.of(same, "copies"), Cohort.of(mine, "one person")):
        assert math.isfinite(cohort.normalise(one, other))
        assert match(template(one), [template(other)], DEFAULT_POLICY, cohort).decision in ORDER


# ---- What follows


@pytest.mark.parametrize(
    "plain, normalised, expected",
    [
        ("sure", "sure", "sure"),
        ("sure", "doubtful", "doubtful"),
        ("sure", "different", "doubtful"),
        ("doubtful", "sure", "sure"),
        ("doubtful", "doubtful", "doubtful"),
        ("doubtful", "different", "different"),
        ("different", "sure", "doubtful"),
        ("different", "doubtful", "doubtful"),
        ("different", "different", "different"),
    ],
)
def test_the_normalised_decision_counts_unless_the_plain_one_says_the_opposite(plain, normalised, expected):
    assert reconcile(Decision(plain), Decision(normalised)) == expected


def test_a_sure_look_alike_that_the_plain_distance_calls_another_goes_to_a_person():
    one, other = two(apart=PLAIN.different + 0.05)
    # strangers far from both: next to them the two are twins
    cohort = Cohort.of(strangers(around=-(one + other)), "far away")
    found = match(template(one), [template(other)], DEFAULT_POLICY, cohort)
    assert decide(found.distance, PLAIN) == "different"
    assert decide(found.normalised, NORMALISED) == "sure"
    assert found.decision == "doubtful"


@given(decisions, st.lists(decisions, min_size=2, max_size=2))
def test_a_graver_finding_of_either_kind_never_makes_the_decision_surer(fixed, pair):
    low, high = sorted(pair, key=ORDER.index)
    for reconciled in (
        [reconcile(fixed, each) for each in (low, high)],
        [reconcile(each, fixed) for each in (low, high)],
    ):
        assert [ORDER.index(each) for each in reconciled] == sorted(ORDER.index(each) for each in reconciled)


@pytest.mark.parametrize("thresholds", [PLAIN, NORMALISED, MatchThresholds("m", "n", -1, -1)])
@given(distances=st.lists(st.floats(-20, 20), min_size=2, max_size=2))
def test_a_larger_distance_never_gives_a_surer_decision(thresholds, distances):
    near, far = (ORDER.index(decide(each, thresholds)) for each in sorted(distances))
    assert near <= far


@given(st.lists(st.floats(0, 2), min_size=2, max_size=2), seeds)
@hypothesis(deadline=None, max_examples=50)
def test_neither_does_it_over_the_whole_way_from_one_face_to_another(distances, seed):
    """Plain by any way; normalised where the strangers lie as far from every face on the way."""
    aside = np.zeros((60, 130))
    aside[:, 2:] = np.random.default_rng(seed).normal(size=(60, 128))
    cohort = Cohort.of([(f"stranger {n}", template(vector)) for n, vector in enumerate(aside + 1e-3)], "aside")
    for normalised in (None, cohort):
        found = []
        for apart in sorted(distances):
            angle = 2 * math.asin(min(apart / 2, 1.0))
            probe = np.zeros(130, np.float32)
            probe[:3] = math.cos(angle), math.sin(angle), 0.5
            enrolled = np.zeros(130, np.float32)
            enrolled[[0, 2]] = 1, 0.5
            found.append(match(template(probe), [template(enrolled)], DEFAULT_POLICY, normalised))
        assert found[0].distance <= found[1].distance + 1e-6
        assert ORDER.index(found[0].decision) <= ORDER.index(found[1].decision)
