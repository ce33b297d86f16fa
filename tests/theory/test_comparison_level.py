"""The contrasts of a comparison hold together as often as it says; readings one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from kavg import objectives, oracles, outer
from kavg.analysis.methods.comparison import ComparisonPlan, MethodGroup, compare_methods
from kavg.analysis.methods.method import Method
from kavg.problem import Algorithm, Problem
from kavg.trajectory import Trajectory

DRAWS, R, LEVEL = 600, 12, 0.2
MEANS = (1.0, 1.1, 0.8, 1.3)
PROBLEM = Problem(objectives.Quadratic((1.0,)), oracles.Noiseless(), start=1.0)


def make_method(place, values, seed):
    """A method of one recorded round with these values ``(R,)`` of F."""
    F = np.stack([np.ones(len(values)), values])
    w = np.zeros((len(values), 1))
    run = Trajectory(f"{place}", 1, 1, 1, np.arange(2), {"F": F}, w, w, np.zeros(2))
    algorithm = Algorithm(P=1, K=1, gamma=0.1, outer=outer.Averaging(), name=run.name)
    return Method(run.name, run, PROBLEM, algorithm, {"seed": seed})


def is_missed(estimate, truth):
    return not estimate.low <= truth <= estimate.high


@pytest.mark.parametrize("shares_noise", [True, False])
def test_all_contrasts_hold_together(shares_noise):
    generator = np.random.Generator(np.random.Philox(7))
    missed, pointwise = 0, 0
    for _ in range(DRAWS):
        own = generator.normal(0, 0.1, (len(MEANS), R))
        noise = own + (generator.normal(0, 0.2, R) if shares_noise else 0.0)
        methods = tuple(
            make_method(i, mean + noise[i], 0 if shares_noise else i)
            for i, mean in enumerate(MEANS)
        )
        (found,) = compare_methods([MethodGroup(methods, {})], ComparisonPlan("F", level=LEVEL))
        assert {each.is_paired for each in found.contrasts} == {shares_noise}
        missed += any(
            is_missed(each.difference, mean - MEANS[0]) or is_missed(each.ratio, mean / MEANS[0])
            for each, mean in zip(found.contrasts, MEANS[1:], strict=True)
        )
        pointwise += is_missed(found.readings[0].estimate, MEANS[0])
    # Each of the limits is passed by chance once in 10,000 tests.
    assert missed <= binom.ppf(1 - 1e-4, DRAWS, LEVEL)
    assert binom.ppf(1e-4, DRAWS, LEVEL) <= pointwise <= binom.ppf(1 - 1e-4, DRAWS, LEVEL)
    # Nor are they wider than they need be: they miss at least as often as one of the six may.
    assert missed >= binom.ppf(1e-4, DRAWS, LEVEL / 6)
