"""Exact moments against responses to impulses: no noise is drawn, so they agree to rounding.

A linear method's iterate is linear in the gradients' noise.  So its variance is that of one number
of noise times the sum of squared responses to each number alone, and the same holds for how far
learners are apart.  A run has one impulse a replica.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from helpers.exact import assert_close
from helpers.methods import FALLING, METHODS, method

from kavg import (
    KavgError,
    Problem,
    aggregations,
    measures,
    objectives,
    optimizers,
    oracles,
    outer,
    periods,
    simulate,
)
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.base import NoiseConstants, WeighsLearners, unknown_constant

ROUNDS, SIGMA2, ROOM = 6, 1.5, 1e-12
BOWL, START = objectives.Quadratic((0.5, 2.0)), 2.0
AVERAGES = (measures.UniformMean(), measures.ExponentialMean(0.7), measures.SuffixMean(after=2))
ALIGNMENT = (measures.Alignment(), measures.Distance())
LATER = periods.PiecewisePeriod((1, 3), (2,))


@dataclass(frozen=True, eq=False)
class Impulses:
    """An oracle that adds 1 to one number of one gradient, in each replica to another one."""

    places: tuple[tuple[int, int, int], ...]
    """Step, learner and coordinate of each replica's."""

    def constants(self, objective):
        unknown = unknown_constant("impulses")
        return NoiseConstants(unknown, unknown, unknown)

    def plan(self, objective, *, R, **sizes):
        return PlannedImpulses(objective, self.places[:R])


class PlannedImpulses:
    def __init__(self, objective, places):
        self.objective, self.places = objective, places

    def select(self, learners):
        self.learners = learners

    def __call__(self, x, step, out):
        self.objective.grad(x, out)
        for r, (when, j, coordinate) in enumerate(self.places):
            if when == step and j in self.learners:
                out[j - self.learners.start, r, coordinate] += 1.0


def series_by_impulses(algorithm, record):
    """The series of the means of a run, from a path without noise and one response a number."""
    steps = range(algorithm.sum_local_steps(ROUNDS))
    places = [(t, j, i) for t in steps for j in range(algorithm.P) for i in range(BOWL.dim)]
    quiet = simulate(
        Problem(BOWL, oracles.Noiseless(), START), algorithm, rounds=ROUNDS, record=record
    )
    answers = simulate(
        Problem(BOWL, Impulses(tuple(places)), 0.0), algorithm,
        rounds=ROUNDS, replicas=len(places), record=record,
    )  # fmt: skip
    one = SIGMA2 / BOWL.dim
    return {
        name: values[:, 0] + one * answers.series[name].sum(axis=1)
        for name, values in quiet.series.items()
    }


def exact_series(algorithm, record=()):
    problem = Problem(BOWL, oracles.Gaussian(SIGMA2), START)
    return exact_trajectory(problem, algorithm, ROUNDS, measures=record).series


def has_moments(algorithm):
    try:
        exact_series(algorithm)
    except KavgError:
        return False
    # Who takes part, or how old a point is, must not be drawn: it is no noise of gradients.
    law = algorithm.aggregation
    if isinstance(law, aggregations.StaleGradients):
        return law.law == "constant"
    return not isinstance(law, WeighsLearners) or isinstance(law, aggregations.OwnSteps)


def combined(optimizer, rule, **parts):
    return method(rule, **{"P": 3, "optimizer": optimizer, "K": LATER, "gamma": FALLING} | parts)


COMBINED = {
    "all that is linear, kept": combined(
        optimizers.HeavyBall(0.9, "kept", weight_decay=0.3), outer.NesterovMomentum(0.4, 0.7)
    ),
    "all that is linear, averaged": combined(
        optimizers.NesterovSteps(0.9, "averaged", weight_decay=0.3), outer.SlowMo(0.4, 1.3)
    ),
    "all that is linear, reset": combined(
        optimizers.NesterovSteps(0.5, "reset", weight_decay=0.3),
        outer.QuasiHyperbolic(0.9, 0.5, 1.3),
    ),
    "restarts, kept": combined(
        optimizers.HeavyBall(0.5, "kept"), outer.NesterovLookAhead(0.9, 0.7), restart=2
    ),
    "restarts of SlowMo": combined(optimizers.SGD(), outer.SlowMo(0.9), restart=3),
    "mini-batch SGD, restarts": combined(
        optimizers.Accumulation(), outer.BlockMomentum(0.9), restart=2
    ),
    "decay": combined(optimizers.SGD(weight_decay=0.3), outer.BlockMomentum(0.4)),
    "asynchronous, one age": method(aggregation=aggregations.StaleGradients("constant", 2)),
    "a centre with momentum": method(
        outer.BlockMomentum(0.4), aggregation=aggregations.ElasticAveraging(0.3)
    ),
}
LINEAR = {
    name: each for name, each in (METHODS | COMBINED).items() if has_moments(replace(each, name=""))
}


def test_there_are_methods_of_each_recursion():
    assert set(COMBINED) <= set(LINEAR)
    assert len(LINEAR) > 30


@pytest.mark.parametrize("name", LINEAR)
def test_moments_are_those_of_responses_to_impulses(name):
    algorithm = LINEAR[name]
    found = series_by_impulses(algorithm, None)
    for quantity, values in exact_series(algorithm).items():
        assert_close(values, found[quantity], ROOM * max(1.0, np.abs(values).max()))


@pytest.mark.parametrize("rule", ["averaging", "mu", "look-ahead", "restarts"])
def test_means_of_measures_are_those_of_responses_to_impulses(rule):
    rules = {
        "averaging": outer.Averaging(0.7),
        "mu": outer.NesterovMomentum(0.6, 0.7),
        "look-ahead": outer.NesterovLookAhead(0.6, 0.7),
        "restarts": outer.SlowMo(0.6),
    }
    algorithm = combined(optimizers.SGD(), rules[rule], restart=3 if rule == "restarts" else None)
    record = [*AVERAGES, *ALIGNMENT]
    found, exact = series_by_impulses(algorithm, record), exact_series(algorithm, record)
    assert {"F_uniform", "F_ema", "F_suffix", "lag_product", "distance2"} <= set(exact)
    for quantity, values in exact.items():
        assert_close(values, found[quantity], ROOM)


def test_another_decay_of_the_memory_is_told():
    one, other = (combined(optimizers.SGD(), outer.BlockMomentum(mu)) for mu in (0.4, 0.4 + 1e-9))
    far = np.abs(exact_series(one)["F"] - series_by_impulses(other, None)["F"]).max()
    assert far > 100 * ROOM
