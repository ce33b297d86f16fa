"""Copies that share their draws have the bits of a plan for one, for every kind of oracle."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.same import same_run

import kavg
from kavg.engine.batch import plan_batches
from kavg.engine.batch.execution import can_share_arrays
from kavg.engine.batch.shared_draws import SharedDraws, can_share_draws, widen_tile
from kavg.engine.options import RunOptions
from kavg.oracles import (
    Gaussian,
    LabelNoise,
    MiniBatch,
    Partition,
    RandomDesign,
    Scaled,
    Shifted,
    StateDependent,
    UnlikeFunctions,
)
from kavg.oracles.block_draws import steps_ahead

DATA = kavg.Synthetic("classification", examples=24, features=3)
BOWL = kavg.objectives.SineBowl(dim=3)
LOGISTIC = kavg.objectives.LogisticRegression(DATA, alpha=0.1)
ORACLES = [
    *((kavg.oracles.KINDS[kind](1.0), BOWL) for kind in ("gaussian", "rademacher", "sphere")),
    (Gaussian(1.0, normals="box_muller"), BOWL),
    (kavg.oracles.StudentT(1.0, nu=5.0), BOWL),
    (kavg.oracles.Noiseless(), BOWL),
    (StateDependent(1.0, 0.5), BOWL),
    (Shifted(1.0), BOWL),
    (Shifted(1.0, Gaussian(0.5)), BOWL),
    (Scaled(0.5, 1.0, Gaussian(0.5)), BOWL),
    (UnlikeFunctions(kavg.objectives.Cosine(dim=3), Gaussian(0.5)), BOWL),
    (UnlikeFunctions(kavg.objectives.Cosine(dim=3)), BOWL),
    (RandomDesign(0.5, B=2), kavg.objectives.Quadratic((0.5, 1.0, 2.0))),
    (LabelNoise(0.5), kavg.objectives.DeepLinear((2.0, 0.5))),
    (MiniBatch(2), LOGISTIC),
    (MiniBatch(2, "without_replacement", Partition(0.5)), LOGISTIC),
    (MiniBatch(2, "reshuffle"), LOGISTIC),
]
P, R, COPIES = 6, 2, 3
every_oracle = pytest.mark.parametrize(("oracle", "objective"), ORACLES)


def test_no_kind_is_left_out():
    assert {type(oracle) for oracle, _ in ORACLES} == set(kavg.oracles.KINDS.values())


@every_oracle
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_each_copy_has_the_gradients_of_a_plan_for_one(oracle, objective, dtype):
    sizes = {"seed": 3, "P": P, "tile": 2, "dtype": dtype}
    one = oracle.plan(objective, R=R, **sizes)
    several = oracle.plan_copies(objective, R=R, copies=COPIES, **sizes)
    x = np.random.default_rng(1).normal(size=(2, COPIES * R, objective.dim)).astype(dtype)
    for learners in (range(2), range(4, 6)):
        one.select(learners)
        several.select(learners)
        for step in (0, 1, 13):
            found = np.full_like(x, np.nan)
            several(x, step, found)
            for rows in (slice(c * R, (c + 1) * R) for c in range(COPIES)):
                expected = np.full_like(x[:, rows], np.nan)
                one(x[:, rows].copy(), step, expected)
                assert np.array_equal(found[:, rows], expected)


@every_oracle
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_points_of_every_kind_run_together(oracle, objective, dtype):
    """Else the laws of batches would compare runs alone with runs alone."""
    problem = kavg.Problem(objective, oracle, 0.5)
    points = [kavg.Algorithm(P, 2, 0.1, kavg.outer.BlockMomentum(mu)) for mu in (0.1, 0.2)]
    (batch,) = plan_batches(problem, points, 3, RunOptions(R, dtype=dtype))
    assert can_share_draws(oracle)
    assert can_share_arrays(batch)


def test_a_small_tile_draws_no_further_ahead_than_it_steps():
    for K in (1, 2, 3, 8, 64):
        for numbers in (7, 640, 5000, 40_000):
            ahead = steps_ahead(widen_tile(1, K, numbers) * numbers)
            assert ahead <= K
            assert 4 * ahead > min(K, steps_ahead(numbers))


def test_a_plan_of_copies_that_draws_otherwise_is_not_used():
    class Other(Gaussian):
        def plan(self, objective, **sizes):
            return super().plan(objective, **sizes)

        def plan_copies(self, objective, *, seed, **sizes):
            return super().plan_copies(objective, seed=seed + 1, **sizes)

    problem = kavg.Problem(BOWL, Other(1.0), 0.5)
    points = [kavg.Algorithm(P, 2, 0.1, kavg.outer.BlockMomentum(mu)) for mu in (0.1, 0.2)]
    runs = kavg.simulate_batch(problem, points, rounds=3)
    alone = [kavg.simulate(problem, point, rounds=3) for point in points]
    assert can_share_draws(problem.oracle)
    assert all(map(same_run, runs, alone))


def test_the_oracle_of_a_batch_has_the_constants_of_its_own():
    oracle = Gaussian(2.0)
    shared = SharedDraws(oracle, COPIES, K=1)
    assert shared.constants(BOWL) == oracle.constants(BOWL)
