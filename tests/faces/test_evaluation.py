"""Error rates: those of known distributions, those of made-up populations, and what a cohort brings on them."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from faces import DEFAULT_POLICY, Cohort, Policy, Template, evaluation
from faces.cohort import SUFFIX
from faces.encoder import unit
from faces.evaluation import Pair, accepting, calibrate, equal_error_rate, false_rejects_at, rates, score
from faces.policy import MatchThresholds
from tests.faces.population import LENGTH, MODEL, NORMALISATION, Population, even, mixed

LEAST = {"least_people": 200, "least_pairs": 50}


def policy(sure: float = -3.0, different: float = -0.5) -> Policy:
    """Thresholds for the made-up network: plain ones of little account, normalised ones as given."""
    plain = MatchThresholds(MODEL, NORMALISATION, 0.3, 1.2)
    return Policy(match=(plain, MatchThresholds(MODEL, NORMALISATION + SUFFIX, sure, different)))


def templates_of(vectors: np.ndarray) -> dict[str, Template]:
    return {f"{number}/1.jpg": Template(vector, MODEL, NORMALISATION) for number, vector in enumerate(vectors)}


def person_of(name: str) -> str:
    return name.partition("/")[0]


# ---- Rates of known distributions


@pytest.mark.parametrize("apart", [1.0, 2.0, 3.0])
def test_two_bell_curves_give_the_error_rates_of_the_textbook(apart):
    chance = np.random.default_rng(3)
    genuine, impostor = chance.normal(0, 1, 200_000), chance.normal(apart, 1, 200_000)
    bell = NormalDist()
    assert equal_error_rate(genuine, impostor) == pytest.approx(bell.cdf(-apart / 2), abs=0.003)
    at = apart + bell.inv_cdf(0.001)
    assert accepting(impostor, 0.001) == pytest.approx(at, abs=0.06)
    assert false_rejects_at(genuine, impostor, 0.001) == pytest.approx(1 - bell.cdf(at), abs=0.01)


def test_people_who_are_never_alike_are_told_apart_without_error_and_without_pairs_nothing_is_known():
    assert equal_error_rate(np.array([0.1, 0.2]), np.array([0.8, 0.9])) == 0
    assert equal_error_rate(np.array([0.9]), np.array([0.1])) == 1
    assert equal_error_rate(np.empty(0), np.array([0.1])) is None


@pytest.mark.parametrize("strangers, allowed", [(1000, 1), (1999, 1), (2000, 2), (999, 0)])
def test_one_stranger_in_a_thousand_is_never_more_than_that(strangers, allowed):
    impostor = np.linspace(0.1, 1, strangers)
    assert int((impostor <= accepting(impostor, 1 / 1000)).sum()) == allowed


def test_strangers_who_are_equally_alike_are_all_kept_out_where_they_are_too_many():
    impostor = np.array([0.2] * 5 + [0.9] * 995)
    assert not (impostor <= accepting(impostor, 1 / 1000)).any()


def test_the_rates_count_pairs_at_a_threshold_and_what_the_policy_says_of_them():
    towards = [np.eye(LENGTH)[0]]
    for distance in (0.2, 0.5, 1.3):
        cosine = 1 - distance**2 / 2
        towards.append(np.eye(LENGTH)[0] * cosine + np.eye(LENGTH)[1] * np.sqrt(1 - cosine**2))
    templates = templates_of(np.array(towards, np.float32))
    pairs = [Pair("0/1.jpg", f"{number}/1.jpg", same=number < 3) for number in (1, 2, 3)]
    pairs.append(Pair("0/1.jpg", "9/1.jpg", same=False))
    found = rates(score(pairs, templates, person_of, policy()), (0.1, 0.4, 1.4))
    assert (found.pairs, found.genuine, found.impostor, found.unusable) == (4, 2, 1, 1)
    assert found.thresholds == ((0.1, 0.0, 1.0), (0.4, 0.0, 0.5), (1.4, 1.0, 0.0))
    assert found.policy == {
        "genuine": {"pass": 0.5, "review": 0.5, "fail": 0.0},
        "impostor": {"pass": 0.0, "review": 0.0, "fail": 1.0},
    }


def test_a_list_is_normalised_by_everybody_in_it_but_the_two_of_the_pair():
    people = even(60)
    vectors = people.seen()
    pairs = [Pair("0/1.jpg", "1/1.jpg", same=False), Pair("2/1.jpg", "2/1.jpg", same=True)]
    names = tuple(str(number) for number in range(60))
    everybody = Cohort(vectors, names, MODEL, NORMALISATION, "all")
    got = score(pairs, templates_of(vectors), person_of, policy(), everybody)
    for row, left_out in zip(got, (("0", "1"), ("2",)), strict=True):
        kept = everybody.without(left_out)
        assert len(kept.people) == 60 - len(left_out)
        one, other = (vectors[int(person_of(name))] for name in (row.pair.one, row.pair.other))
        assert row.distance == pytest.approx(kept.normalise(unit(one), unit(other)))


# ---- Calibration


def test_the_error_rates_of_a_population_are_those_that_ten_times_as_many_fresh_people_give():
    population, fresh = even(noise=1.1), even(4000, seed=2, noise=1.1)
    faces = population.cohort()
    found = calibrate(faces, faces, population.genuine(), policy(), **LEAST)
    one, other = fresh.seen(), fresh.seen()
    genuine, impostor = (np.linalg.norm(one - np.roll(other, by, axis=0), axis=1) for by in (0, 1))
    more = np.concatenate(
        [impostor, *(np.linalg.norm(one - np.roll(other, by, axis=0), axis=1) for by in range(2, 40))]
    )
    assert found.plain.eer == pytest.approx(equal_error_rate(genuine, more), abs=0.01)
    assert found.plain.frr == pytest.approx(false_rejects_at(genuine, more, 1 / 1000), abs=0.06)
    assert (found.people, found.genuine, found.impostor) == (400, 400, 400 * 399 / 2)


def test_all_pairs_at_once_give_the_numbers_that_an_attempt_would_get():
    population = mixed(60)
    faces = population.cohort()
    genuine = population.genuine()
    pairs = [Pair(f"{i}/1.jpg", f"{j}/1.jpg", same=False) for i in range(60) for j in range(i)]
    one_by_one = score(pairs, templates_of(faces.vectors), person_of, policy(), faces)
    strangers = np.array([row.distance for row in one_by_one])
    same = np.array([faces.without([person]).normalise(unit(one), unit(other)) for person, one, other in genuine])
    assert np.sort(evaluation._strangers(faces, faces)[1]) == pytest.approx(np.sort(strangers), abs=1e-3)
    assert evaluation._same(genuine, faces)[1] == pytest.approx(same, abs=1e-3)
    found = calibrate(faces, faces, genuine, policy(sure=100, different=100), least_people=60, least_pairs=1)
    assert found.sure == pytest.approx(accepting(strangers, 1 / 2000), abs=1e-3)
    assert found.normalised.eer == pytest.approx(equal_error_rate(same, strangers), abs=1e-3)


def test_where_some_people_resemble_each_other_a_cohort_of_their_like_helps():
    population = mixed()
    faces = population.cohort()
    found = calibrate(faces, faces, population.genuine(), policy(), **LEAST)
    assert (found.used, found.why_not) == (True, None)
    assert found.plain.frr > 0.4
    assert found.normalised.frr < 0.02
    assert found.as_dict()["thresholds"] == {"sure": found.sure, "different": found.different}


def test_of_strangers_who_were_not_measured_at_most_one_in_a_thousand_passes():
    population = mixed()
    faces = population.cohort()
    found = calibrate(faces, faces, population.genuine(), policy(sure=100, different=100), **LEAST)
    strangers = evaluation._strangers(mixed(600, seed=8).cohort("new"), faces)[1]
    assert len(strangers) == 600 * 599 / 2
    assert (strangers <= found.sure).mean() <= 1 / 1000
    assert found.normalised.far == pytest.approx(1 / 2000, abs=1e-4)


def test_a_cohort_of_another_population_does_not_help():
    population = mixed()
    elsewhere = Population.of(400, 0.3, noise=1.0, seed=99, somewhere=3).cohort("elsewhere")
    found = calibrate(population.cohort(), elsewhere, population.genuine(), policy(), **LEAST)
    assert (found.used, found.why_not) == (False, "does_not_help")
    assert found.normalised.frr > found.plain.frr


def test_where_nobody_is_ever_mistaken_there_is_nothing_to_help():
    population = even(noise=0.2)
    faces = population.cohort()
    found = calibrate(faces, faces, population.genuine(), policy(), **LEAST)
    assert (found.plain.frr, found.why_not) == (0, "does_not_help")


def test_the_stricter_of_both_is_sure_and_the_laxer_of_both_is_different():
    population = mixed()
    faces, genuine = population.cohort(), population.genuine()

    def limits(sure: float, different: float) -> tuple[float, float]:
        found = calibrate(faces, faces, genuine, policy(sure, different), **LEAST)
        return found.sure, found.different

    sure, _ = limits(100, 100)
    _, different = limits(-100, -100)
    assert different == evaluation._refusing(evaluation._same(genuine, faces)[1], 1 / 200)
    assert limits(sure - 1, 100) == (sure - 1, 100)
    assert limits(sure + 1, 100) == (sure, 100)
    assert limits(-100, different - 1) == (-100, different)
    assert limits(-100, different + 1) == (-100, different + 1)
    assert limits(100, 100)[0] <= limits(100, 100)[1]


def test_one_right_person_in_two_hundred_may_be_refused_by_the_match_and_no_more():
    genuine = np.arange(1000.0)
    assert int((genuine > evaluation._refusing(genuine, 1 / 200)).sum()) == 5
    assert evaluation._refusing(genuine[:199], 1 / 200) == 198


@pytest.mark.parametrize(
    "people, pairs, thresholds, why_not",
    [
        (199, 199, policy(), "too_few_people"),
        (200, 49, policy(), "too_few_pairs"),
        (200, 0, policy(), "too_few_pairs"),
        (200, 50, Policy(match=policy().match[:1]), "not_measured"),
        (200, 50, policy(), None),
    ],
)
def test_a_cohort_is_used_from_200_people_and_50_pairs_on_and_only_with_thresholds_to_begin_with(
    people, pairs, thresholds, why_not
):
    population = mixed(people)
    faces = population.cohort()
    found = calibrate(faces, faces, population.genuine(slice(pairs)), thresholds, **LEAST)
    assert found.why_not == why_not
    assert found.used is (why_not is None)
    assert (found.people, found.genuine) == (people, pairs)


def test_a_cohort_that_is_too_small_for_its_nearest_is_never_used_whatever_the_rule_says():
    population = mixed(41)
    faces = population.cohort()
    found = calibrate(faces, faces, population.genuine(), policy(), least_people=1, least_pairs=1)
    assert found.why_not == "too_few_people"
    nobody = Cohort(np.empty((0, 0), np.float32), (), MODEL, NORMALISATION, "nobody")
    assert calibrate(nobody, nobody, [], DEFAULT_POLICY, **LEAST).as_dict()["thresholds"] is None
