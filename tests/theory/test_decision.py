"""Verdicts: each outcome, the numbers behind it, and a level that is kept over the whole table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import pytest
from helpers.verdicts import BOWL, K_AVG, M_AVG, NOISE, THEOREM, check_one
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, t

from kavg import Algorithm, Problem, objectives, oracles, outer, simulate, starts
from kavg.analysis.applicability import make_setting
from kavg.analysis.bounds import BoundValue, Setting
from kavg.analysis.bounds.theorem_1 import Theorem1
from kavg.analysis.bounds.theorem_1s import Theorem1S
from kavg.analysis.comparison import (
    Comparison,
    Measurement,
    compare_with_bound,
    compare_with_bounds,
)
from kavg.analysis.decision import check_bounds, decide_verdicts
from kavg.analysis.estimate import mean_interval
from kavg.analysis.fieller import ratio_interval
from kavg.analysis.holm import adjust_p_values
from kavg.analysis.sequential import decide_sequentially, level_of_look
from kavg.analysis.verdict import Outcome
from kavg.base import Constant
from kavg.errors import KavgError


@dataclass(frozen=True)
class Claims:
    """An objective that claims other constants than it has."""

    inner: object
    L: Constant
    f_star: Constant = field(default_factory=lambda: Constant(0.0, "exact"))

    def __getattr__(self, name):
        return getattr(self.inner, name)


# Holm's rule and the levels of looks


def test_holm_by_hand():
    np.testing.assert_allclose(adjust_p_values([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(adjust_p_values([0.5, 0.4]), [0.8, 0.8])
    assert adjust_p_values([]).size == 0
    for wrong in ([-0.1], [1.1], [np.nan], [[0.1]]):
        with pytest.raises(KavgError, match="from 0 to 1"):
            adjust_p_values(wrong)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_holm_is_the_closure_of_bonferroni(p):
    # Adjusted p of i: the largest, over all sets of hypotheses with i in them, of |S| min_S p.
    places = range(len(p))
    sets = [s for size in range(1, len(p) + 1) for s in combinations(places, size)]
    wanted = [min(1, max(len(s) * min(p[j] for j in s) for s in sets if i in s)) for i in places]
    np.testing.assert_allclose(adjust_p_values(p), wanted, rtol=1e-12)


def test_the_levels_of_all_looks_add_up():
    alphas = [level_of_look(0.05, k) for k in range(1, 2000)]
    assert sum(alphas) < 0.05
    assert sum(alphas) == pytest.approx(0.05, abs=2e-5)
    assert alphas[0] == pytest.approx(0.0304, abs=1e-4)


# The ratio


def test_the_interval_of_a_ratio_to_a_number_is_that_of_the_mean():
    a = np.random.default_rng(1).exponential(size=9) * 1e-200
    found, mean = ratio_interval(a, np.full(9, 4e-200)), mean_interval(a / 1e-200)
    np.testing.assert_allclose(
        [found.mean, found.low, found.high], np.array([mean.mean, mean.low, mean.high]) / 4
    )


@given(st.integers(0, 2**32), st.integers(3, 30))
def test_the_interval_of_a_ratio_ends_where_the_test_turns(seed, R):
    draws = np.random.default_rng(seed)
    b = 10 + draws.normal(size=R)
    a = 0.3 * b + draws.normal(size=R)
    found = ratio_interval(a, b, level=0.9)
    for limit in (found.low, found.high):
        difference = a - limit * b
        T = difference.mean() / (difference.std(ddof=1) / np.sqrt(R))
        assert abs(T) == pytest.approx(t.ppf(0.95, R - 1), rel=1e-6)
    assert found.low < found.mean < found.high


def test_a_ratio_to_nothing_certain_has_no_interval():
    assert np.isnan(ratio_interval([1.0], [2.0]).low)
    assert ratio_interval([1.0], [2.0]).mean == 0.5
    assert np.isnan(ratio_interval([1.0, 2.0, 3.0], [-1.0, 0.1, 1.0]).low)
    with pytest.raises(KavgError, match="same replicas"):
        ratio_interval([1.0, 2.0], [1.0])


# What is measured


def test_the_start_counts_and_the_last_iterate_does_not():
    problem = Problem(BOWL, NOISE, 3.0)
    run = simulate(problem, K_AVG, rounds=5, replicas=3, seed=1)
    found = compare_with_bound(problem, K_AVG, run, 5, Theorem1())
    np.testing.assert_array_equal(found.measurement.measured, run.grad_norm2[:5].mean(axis=0))
    setting = make_setting(BOWL, NOISE.constants(BOWL), K_AVG, 5, Delta=9.0)
    np.testing.assert_allclose(found.measurement.allowed, Theorem1().value(setting).total)
    gap = compare_with_bound(problem, K_AVG, run, 5, THEOREM["polyak_lojasiewicz"])
    np.testing.assert_array_equal(gap.measurement.measured, run.F[5])


def test_a_random_start_is_paired_with_its_own_gap():
    # Without noise, at gamma = 1/L, K = 1: each replica attains the bound its own start gives it.
    problem = Problem(BOWL, oracles.Noiseless(), starts.Normal(scale=2.0))
    method = Algorithm(P=2, K=1, gamma=1.0, outer=outer.Averaging())
    run = simulate(problem, method, rounds=4, replicas=30, seed=1)
    found = compare_with_bound(problem, method, run, 4, Theorem1())
    np.testing.assert_allclose(found.measurement.measured, found.measurement.allowed, rtol=1e-12)
    assert found.setting.Delta == pytest.approx(run.F[0].mean())
    assert decide_verdicts([found])[0].outcome is Outcome.HOLDS
    # With noise the gaps of the starts, which vary a lot, do not blur the verdict.
    noisy = replace(problem, oracle=oracles.Gaussian(sigma2=0.1))
    run = simulate(noisy, method, rounds=4, replicas=30, seed=1)
    verdict = decide_verdicts([compare_with_bound(noisy, method, run, 4, Theorem1())])[0]
    assert verdict.ratio.high - verdict.ratio.low < 0.02
    assert verdict.measured.high / verdict.measured.low > 1.3


# Outcomes


def test_a_bound_that_holds_has_a_ratio_below_1():
    verdict = check_one(Problem(BOWL, NOISE, 3.0), K_AVG)
    assert str(verdict) == "HOLDS"
    assert verdict.ratio.high < 1
    assert verdict.p < 0.05
    assert verdict.value.total == pytest.approx(float(verdict.measured.mean / verdict.ratio.mean))


def test_equality_without_noise_holds_and_a_hair_above_does_not():
    method = Algorithm(P=2, K=1, gamma=1.0, outer=outer.Averaging())
    problem = Problem(BOWL, oracles.Noiseless(), 3.0)
    verdict = check_one(problem, method, replicas=1)
    assert (verdict.outcome, verdict.reason) == (Outcome.HOLDS, "no noise: compared exactly")
    assert verdict.ratio.mean == pytest.approx(1.0, rel=1e-12)
    low = replace(problem, objective=Claims(BOWL, BOWL.L, Constant(1e-7, "exact")))
    assert check_one(low, method, replicas=1).outcome is Outcome.VIOLATED


def wave(L):
    return Claims(objectives.TriangularWave(dim=3), Constant(L, "exact"))


@pytest.mark.parametrize("oracle", [oracles.Noiseless(), oracles.Gaussian(sigma2=0.01)])
def test_a_wrong_L_is_violated_on_the_triangular_wave(oracle):
    # The true L is 1.  At gamma = 2 every step jumps over the minimum to the other side.
    method = Algorithm(P=2, K=1, gamma=2.0, outer=outer.Averaging())
    problem = Problem(wave(0.5), oracle, 0.6)
    assert check_one(problem, method, rounds=20).outcome is Outcome.VIOLATED
    right = replace(problem, objective=wave(1.0))
    assert check_one(right, method, rounds=20).outcome is Outcome.NOT_APPLICABLE
    assert check_one(right, replace(method, gamma=0.5), rounds=20).outcome is Outcome.HOLDS


def test_an_estimated_constant_is_named_in_every_verdict_that_rests_on_it():
    guessed = Claims(BOWL, Constant(1.0, "estimated"))
    method = replace(K_AVG, gamma=0.1)
    for name in ("theorem_1", "theorem_1s", "polyak_lojasiewicz"):
        verdict = check_one(Problem(guessed, NOISE, 3.0), method, name)
        assert verdict.estimated == ("L",)
        assert str(verdict).endswith(", with estimated L")
    assert check_one(Problem(BOWL, NOISE, 3.0), method).estimated == ()
    low = Claims(objectives.TriangularWave(dim=3), Constant(0.5, "estimated"))
    bad = check_one(Problem(low, oracles.Noiseless(), 0.6), replace(method, K=1, gamma=2.0))
    assert str(bad) == "VIOLATED, with estimated L"


def test_a_single_replica_is_inconclusive_unless_there_is_no_noise():
    problem = Problem(BOWL, NOISE, 3.0)
    alone = check_one(problem, K_AVG, replicas=1)
    assert (alone.outcome, alone.reason) == (
        Outcome.INCONCLUSIVE,
        "one replica has no confidence interval",
    )
    assert np.isnan(alone.ratio.low)
    calm = replace(problem, oracle=oracles.Noiseless())
    assert check_one(calm, K_AVG, replicas=1).outcome is Outcome.HOLDS


def test_replicas_that_are_all_alike_prove_nothing_where_there_is_noise():
    coins = Problem(objectives.Quadratic(spectrum=(1.0,)), oracles.Rademacher(sigma2=1.0), 0.0)
    method = Algorithm(P=1, K=1, gamma=0.5, outer=outer.Averaging())
    verdict = check_one(coins, method, rounds=2, replicas=6)  # |w_2| is the same for both sides
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "identical" in verdict.reason


def test_a_run_too_short_for_its_step_is_vacuous():
    problem = Problem(BOWL, NOISE, 3.0)
    short = replace(K_AVG, gamma=0.001)
    verdict = check_one(problem, short)
    assert verdict.outcome is Outcome.VACUOUS
    assert verdict.reason.startswith("its optimization part 225 > 2 L Delta = 18")
    assert verdict.p < 0.05  # it holds as well, and says nothing
    assert check_one(problem, short, rounds=501).outcome is Outcome.HOLDS
    # From the minimum there is no start to forget: what is left is the noise, and that counts.
    assert check_one(replace(problem, start=0.0), K_AVG).outcome is Outcome.HOLDS
    slow = check_one(problem, replace(M_AVG, gamma=0.001), "polyak_lojasiewicz_momentum")
    assert (slow.outcome, "> Delta = 9" in slow.reason) == (Outcome.VACUOUS, True)


def test_a_violated_bound_is_violated_even_where_it_says_nothing():
    found = fabricated(2 + np.array([0, 0.01, -0.01, 0.02, 0]), allowed=1.0)
    setting = Setting(P=1, K=1, B=1, N=1, gamma=0.1, mu=0.0, L=1.0, Delta=0.1, sigma2=1.0)
    empty = replace(found, setting=setting, value=BoundValue(0.9, 0.1, 0.0))
    assert decide_verdicts([empty])[0].outcome is Outcome.VIOLATED
    low = fabricated(empty.measurement.measured - 1.9, allowed=1.0).measurement
    assert decide_verdicts([replace(empty, measurement=low)])[0].outcome is Outcome.VACUOUS


def test_divergence_is_a_violation():
    # The claim L = 1e-3 lets gamma = 10 pass; in truth every step multiplies w by -9.
    problem = Problem(Claims(BOWL, Constant(1e-3, "exact")), NOISE, 3.0)
    method = Algorithm(P=2, K=1, gamma=10.0, outer=outer.Averaging())
    run = simulate(problem, method, rounds=400, replicas=4, seed=1)
    verdict = check_bounds(problem, [method], [run], rounds=400, bounds=[Theorem1()])[0]
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.reason == f"diverged at round {run.diverged_at}: the mean is infinite"
    assert verdict.measured.mean == np.inf
    # The theorem's mean ends with w_N: a divergence in round N itself is not part of it.
    until = run.diverged_at
    (last,) = compare_with_bounds(problem, [method], [run], until, [Theorem1()])
    assert np.isfinite(last.measurement.measured).all()
    assert last.measurement.measured.max() > 1e200
    (late,) = decide_verdicts([last])
    assert (late.outcome, late.reason) == (Outcome.VIOLATED, None)


# The level of the table


def fabricated(measured, allowed):
    """A comparison with these replicas, of a bound with this value."""
    value = BoundValue(allowed, 0.0, 0.0)
    measurement = Measurement(measured, np.full(len(measured), allowed))
    return Comparison("K-AVG", Theorem1S(), value=value, measurement=measurement)


def sides(verdicts):
    return any(v.outcome in (Outcome.HOLDS, Outcome.VIOLATED) for v in verdicts)


REPETITIONS = 1000
MOST = binom.ppf(0.999, REPETITIONS, 0.05)
"""False alarms that a level of 5 % exceeds with probability 1/1000."""


def test_false_alarms_of_a_whole_table_stay_under_its_level():
    # Every bound is attained, so HOLDS and VIOLATED are both wrong; rows share half their noise.
    draws = np.random.default_rng(1)
    alarms = 0
    for _ in range(REPETITIONS):
        common = draws.normal(size=12)
        rows = 1 + 0.1 * (draws.normal(size=(4, 12)) + common)
        alarms += sides(decide_verdicts([fabricated(row, 1.0) for row in rows], level=0.05))
    assert 20 <= alarms <= MOST


def alarms_over_looks(alpha):
    draws = np.random.default_rng(2)
    alarms = 0
    for _ in range(REPETITIONS):
        rows = 1 + 0.1 * draws.normal(size=(2, 64))

        def look(R, level, rows=rows):
            return decide_verdicts([fabricated(row[:R], 1.0) for row in rows], alpha(level))

        alarms += sides(decide_sequentially(look, replicas=4, budget=64, level=0.05).verdicts)
    return alarms


def test_false_alarms_stay_under_the_level_however_often_one_looks():
    assert 15 <= alarms_over_looks(lambda level: level) <= MOST


def test_looking_often_at_the_full_level_would_be_found_out():
    assert alarms_over_looks(lambda level: 0.05) > MOST


def test_the_table_is_one_family():
    # p = 0.03 on one side decides a table of its own pair (2 p = 0.06: no), not one of two pairs.
    def at(p, R=10):
        x = np.random.default_rng(3).normal(size=R)
        x = (x - x.mean()) / (x.std(ddof=1) / np.sqrt(R))
        return fabricated(1 + 0.01 * (x + t.ppf(p, R - 1)), 1.0)

    assert decide_verdicts([at(0.024)])[0].outcome is Outcome.HOLDS
    assert decide_verdicts([at(0.026)])[0].outcome is Outcome.INCONCLUSIVE
    assert decide_verdicts([at(0.024)])[0].p == pytest.approx(0.048)
    assert decide_verdicts([at(0.976)])[0].outcome is Outcome.VIOLATED
    pair = decide_verdicts([at(0.02), at(0.5)])
    assert [v.outcome for v in pair] == [Outcome.INCONCLUSIVE] * 2
    assert pair[0].p == pytest.approx(0.08)
    # Holm, not Bonferroni: once the first is decided, the second needs less.
    assert [v.outcome for v in decide_verdicts([at(0.01), at(0.015)])] == [Outcome.HOLDS] * 2
    # What needs no test costs the others nothing.
    sure = replace(fabricated(np.linspace(0, 0.5, 10), 1.0), exact=True)
    both = decide_verdicts([sure, at(0.024)])
    assert [v.outcome for v in both] == [Outcome.HOLDS] * 2
    assert np.isnan(both[0].p)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, np.nan])
def test_a_level_is_between_0_and_1(level):
    with pytest.raises(KavgError, match="level must be a number above 0 and below 1"):
        decide_verdicts([], level)


# Looks


def test_replicas_are_added_until_all_is_decided():
    problem = Problem(BOWL, NOISE, 3.0)
    seen = []

    def look(R, alpha):
        run = simulate(problem, K_AVG, rounds=40, replicas=R, seed=1)
        seen.append((R, alpha))
        return check_bounds(problem, [K_AVG], [run], rounds=40, level=alpha, bounds=[Theorem1()])

    found = decide_sequentially(look, replicas=1, budget=64)
    assert [R for R, _ in seen] == [1, 2, 4][: found.looks]
    assert [alpha for _, alpha in seen] == [
        level_of_look(0.05, k) for k in range(1, found.looks + 1)
    ]
    assert found.verdicts[0].outcome is Outcome.HOLDS
    assert found.replicas == seen[-1][0]
    assert found.looks > 1


def test_the_budget_ends_the_looks_and_a_decided_side_stays():
    draws = 1 + 0.1 * np.random.default_rng(4).normal(size=100)
    sure = np.concatenate([draws[:4] - 9, draws[4:] + 9])  # below at first, then above

    def look(R, alpha):
        return decide_verdicts([fabricated(draws[:R], 1.0), fabricated(sure[:R], 1.0)], alpha)

    found = decide_sequentially(look, replicas=4, budget=50)
    assert (found.looks, found.replicas) == (5, 50)
    assert [v.outcome for v in found.verdicts] == [Outcome.INCONCLUSIVE, Outcome.HOLDS]
    assert found.verdicts[1].reason == "decided at an earlier look"
    assert found.verdicts[1].measured.replicas == 50
    with pytest.raises(KavgError, match="budget must be at least"):
        decide_sequentially(look, replicas=4, budget=3)
