"""Exact moments of groups, of subsets of the learners, and of learners with their own steps."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from statistics import NormalDist

import numpy as np
import pytest
from helpers.exact import assert_close
from helpers.own_shifts import bowl_of

from kavg import Algorithm, KavgError, Problem, simulate
from kavg.aggregations import GroupedLearners, OwnSteps, SampledLearners, Stragglers
from kavg.analysis.exact.heterogeneous import fixed_point, optimum
from kavg.analysis.exact.methods.fixed_points import own_steps_fixed_point, sampled_fixed_point
from kavg.analysis.exact.stationary_values import stationary_values
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.objectives import Linear, Quadratic
from kavg.oracles import Gaussian, Noiseless, Rademacher, Shifted, StateDependent
from kavg.outer import Averaging, BlockMomentum, NesterovMomentum, SlowMo
from kavg.periods import PiecewisePeriod
from kavg.schedules import InverseSqrt
from kavg.starts import Normal

LEVEL = 1e-3
R, N = 2000, 8
BOWL = Quadratic((0.2, 1.0, 2.5), rotation_seed=3)
WEIGHTS = (1.0, 4.0, 2.0, 1.0, 0.5)
DIFFERING = Shifted(3.0, Gaussian(1.0), seed=4)


def method(law, P=5, K=4, gamma=0.2, outer=None, **parts):
    return Algorithm(P, K, gamma, outer or Averaging(), aggregation=law, **parts)


CASES = {
    "Hier-AVG": (Gaussian(2.0), 1.0, method(GroupedLearners(2, (2, 3)))),
    "Hier-AVG, block momentum, restarts": (
        Rademacher(2.0), Normal(0.5),
        method(GroupedLearners(1, (1, 4)), outer=BlockMomentum(0.5), restart=3),
    ),
    "Hier-AVG, period": (
        Gaussian(2.0), 1.0, method(GroupedLearners(2, 5), K=PiecewisePeriod((2, 6), (3,)))
    ),
    "sampled": (Gaussian(2.0, B=2), Normal(0.5, 2.0), method(SampledLearners(2))),
    "sampled, one, SlowMo, schedule": (
        Gaussian(1.0), 1.0,
        method(SampledLearners(1), outer=SlowMo(0.4, 0.9), gamma=InverseSqrt(0.3, rounds=2)),
    ),
    "sampled, shifted": (DIFFERING, 1.0, method(SampledLearners(2), outer=BlockMomentum(0.4))),
    "sampled, unbiased": (Gaussian(1.0), 2.0, method(SampledLearners(2, WEIGHTS))),
    "sampled, normalised": (
        Gaussian(1.0), 2.0,
        method(SampledLearners(2, WEIGHTS, "normalised"), outer=NesterovMomentum(0.4)),
    ),
    "own steps": (Gaussian(2.0), 1.0, method(OwnSteps((1, 4, 2, 4, 1)))),
    "own steps, FedNova": (
        Rademacher(2.0), 1.0, method(OwnSteps((1, 4, 2, 4, 1), "fednova"), outer=BlockMomentum(0.5))
    ),
    "stragglers": (DIFFERING, 1.0, method(Stragglers(2, K_slow=1))),
    "stragglers, FedNova": (
        DIFFERING, Normal(0.5),
        method(Stragglers(3, 1, "fednova"), outer=BlockMomentum(0.4), restart=4),
    ),
}  # fmt: skip


DRAWN = {
    "sampled, unbiased": ("F", "grad_norm2", "dispersion"),
    "sampled, normalised": ("dispersion",),
}
"""What depends on who takes part, even where all learners are alike."""


def deviation(run, exact):
    """The largest distance of a mean over replicas from its exact value, in standard errors."""
    worst, count = 0.0, 0
    for name, values in exact.series.items():
        found, size = run.series[name].mean(axis=1), run.series[name].std(axis=1)
        room = size / np.sqrt(run.replicas) + 1e-12 * (1 + np.abs(values))
        worst, count = max(worst, float((np.abs(found - values) / room).max())), count + len(found)
    return worst, NormalDist().inv_cdf(1 - LEVEL / (2 * count))


@pytest.mark.parametrize("name", CASES)
def test_runs_agree_with_the_moments(name):
    oracle, start, one = CASES[name]
    problem = Problem(BOWL, oracle, start)
    run = simulate(problem, one, rounds=N, replicas=R, seed=1)
    worst, limit = deviation(run, exact_trajectory(problem, one, N))
    assert worst < limit
    # And would not with the moments of another step size.
    other = Algorithm(
        one.P, one.K, lambda n: 1.25 * one.step_size(n), one.outer,
        aggregation=one.aggregation, restart=one.restart,
    )  # fmt: skip
    worst, limit = deviation(run, exact_trajectory(problem, other, N))
    assert worst > 2 * limit


@pytest.mark.parametrize("name", CASES)
def test_a_linear_function_and_no_noise_are_exact(name):
    """Where nothing that matters is drawn: not the weights of those who take part."""
    _, _, one = CASES[name]
    problem = Problem(Linear(2, slope=1.5), Noiseless(), 1.0)
    run, exact = simulate(problem, one, rounds=N), exact_trajectory(problem, one, N)
    for quantity, values in exact.series.items():
        if quantity not in DRAWN.get(name, ()):
            assert_close(run.series[quantity][:, 0], values)


EQUAL = {
    "one block": method(GroupedLearners(4, (2, 3))),
    "groups of one": method(GroupedLearners(1, 5)),
    "all take part": method(SampledLearners(5)),
    "all, with equal weights": method(SampledLearners(5, (2.0,) * 5, "normalised")),
    "equal steps": method(OwnSteps((4,) * 5, "fednova")),
    "nobody slower": method(Stragglers(2, K_slow=4)),
}


@pytest.mark.parametrize("name", EQUAL)
def test_moments_of_methods_that_are_equal(name):
    problem = Problem(BOWL, Gaussian(2.0), Normal(0.5))
    plain = exact_trajectory(problem, Algorithm(5, 4, 0.2, Averaging()), N)
    other = exact_trajectory(problem, EQUAL[name], N)
    for quantity in plain.series:
        assert_close(plain.series[quantity], other.series[quantity], 1e-12)
    assert_close(plain.variance, other.variance, 1e-12)


@pytest.mark.parametrize(
    ("oracle", "law", "words"),
    [
        (DIFFERING, GroupedLearners(2, (2, 3)), "groups need learners that do not differ"),
        (DIFFERING, OwnSteps((1, 4, 2, 4, 1)), "their own steps need learners that do not differ"),
        (DIFFERING, SampledLearners(2, WEIGHTS), "with weights need learners that do not differ"),
        (StateDependent(1.0, 1.0), SampledLearners(2), "noise that is the same everywhere"),
        (StateDependent(1.0, 1.0), Stragglers(2, 1), "noise that is the same everywhere"),
    ],
)
def test_what_has_no_exact_moments_is_refused(oracle, law, words):
    with pytest.raises(KavgError, match=words):
        exact_trajectory(Problem(BOWL, oracle, 1.0), method(law), N)


def test_too_many_subsets_are_refused():
    law = SampledLearners(20, (1.0, 2.0) * 20, "normalised")
    with pytest.raises(KavgError, match="all subsets of m learners would hold 137846528820"):
        exact_trajectory(Problem(BOWL, Gaussian(1.0), 1.0), method(law, P=40), N)


STILL = [name for name in CASES if "schedule" not in name and "period" not in name]


@pytest.mark.parametrize("name", STILL)
def test_moments_approach_the_stationary_values(name):
    oracle, _, one = CASES[name]
    one, problem = replace(one, restart=None), Problem(BOWL, oracle, 3.0)
    late = exact_trajectory(problem, one, rounds=1500, every=1500)
    for quantity, value in stationary_values(problem, one).items():
        assert value == pytest.approx(late.series[quantity][-1], rel=1e-9)
        assert value > 0


def test_weights_that_vary_too_much_have_no_stationary_law():
    law = SampledLearners(1, (1.0, 1.0, 1.0, 1.0, 200.0))
    with pytest.raises(KavgError, match="no stationary law: weights of those who take part vary"):
        stationary_values(Problem(BOWL, Gaussian(1.0), 1.0), method(law, gamma=0.4))


# --- bias, on f_j = w^2/2 + b_j w: the learners' optima are c_j = -b_j

B = (1.0, -2.0, 4.0, 3.0)
SKEWED = (1.0, 2.0, 3.0, 6.0)


@pytest.mark.parametrize("scaling", ["unbiased", "normalised"])
def test_weights_over_participants_are_biased_by_what_theory_says(scaling):
    """The mean of w over replicas, against its exact fixed point; level 1e-6 (4.9 sigmas)."""
    law = SampledLearners(2, SKEWED, scaling)
    run = simulate(bowl_of(B), method(law, P=4, K=1, gamma=0.5), rounds=40, replicas=R, seed=2)
    w = run.w[:, 0]
    exact = sampled_fixed_point(law, [-b for b in B])
    assert abs(w.mean() - exact) < 4.9 * w.std() / np.sqrt(R)
    wanted = -np.dot(SKEWED, B) / 12
    pairs = [np.array(pair) for pair in combinations(range(4), 2)]
    p, b = np.array(SKEWED), np.array(B)
    ratio = -np.mean([(p[pair] @ b[pair]) / p[pair].sum() for pair in pairs])
    assert exact == pytest.approx(wanted if scaling == "unbiased" else ratio, rel=1e-14)
    assert abs(ratio - wanted) > 10 * w.std() / np.sqrt(R)


@pytest.mark.parametrize("weights", ["plain", "fednova"])
def test_own_steps_are_biased_by_what_theory_says(weights):
    c, Ks = [-b for b in B], (1, 2, 4, 8)
    for gamma in (0.4, 0.1, 1e-9):
        exact = own_steps_fixed_point(1.0, c, gamma, Ks, weights)
        if gamma > 0.01:
            one = method(OwnSteps(Ks, weights), P=4, K=8, gamma=gamma)
            assert simulate(bowl_of(B), one, rounds=400).w.item() == pytest.approx(exact, rel=1e-11)
    best, steps = optimum([1.0] * 4, c), np.dot(Ks, c) / sum(Ks)
    assert exact == pytest.approx(best if weights == "fednova" else steps, rel=1e-7)
    assert abs(steps - best) > 0.5


def test_equal_learners_and_equal_steps_have_the_fixed_point_of_theory():
    h, c = [0.5, 1.0, 2.0], [1.0, -1.0, 3.0]
    found = own_steps_fixed_point(h, c, 0.3, (4, 4, 4))
    assert found == pytest.approx(fixed_point(h, c, 0.3, 4), rel=1e-14)
