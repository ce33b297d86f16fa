"""The hot loop: what it allocates, how it is tiled, and what single precision changes."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from helpers.strategies import problems
from hypothesis import given
from hypothesis import strategies as st

import kavg
from kavg.engine.local.local_steps import TILE_COORDINATES, LocalSteps, choose_tile
from kavg.engine.local.round_method import RoundSteps
from kavg.objectives.data import Synthetic

WELL = kavg.objectives.DoubleWell(dim=1000)
CLASSES = Synthetic("classification", examples=512, features=20)
ORACLES = {
    "gaussian": (WELL, kavg.oracles.Gaussian(1.0)),
    "rademacher": (WELL, kavg.oracles.Rademacher(1.0)),
    "sphere": (WELL, kavg.oracles.Sphere(1.0)),
    "student_t": (WELL, kavg.oracles.StudentT(1.0)),
    "state_dependent": (WELL, kavg.oracles.StateDependent(1.0, 0.5)),
    "shifted": (WELL, kavg.oracles.Shifted(1.0, kavg.oracles.Gaussian(1.0))),
    "scaled": (WELL, kavg.oracles.Scaled(0.5, 1.0, kavg.oracles.Gaussian(1.0))),
    "unlike_functions": (WELL, kavg.oracles.UnlikeFunctions(kavg.objectives.Linear(1000))),
    "valley": (kavg.objectives.CurvedValley(dim=1000), kavg.oracles.Gaussian(1.0)),
    "layers": (kavg.objectives.DeepLinear((1.0,) * 8), kavg.oracles.LabelNoise(1.0)),
    "design": (kavg.objectives.Quadratic((0.01,) * 500), kavg.oracles.RandomDesign(1.0)),
    "logistic": (
        kavg.objectives.LogisticRegression(CLASSES, alpha=0.1),
        kavg.oracles.MiniBatch(B=16),
    ),
    "robust, distinct": (
        kavg.objectives.RobustRegression(CLASSES),
        kavg.oracles.MiniBatch(B=16, sampling="without_replacement"),
    ),
    "network, reshuffled": (
        kavg.objectives.Network(CLASSES, hidden=20),
        kavg.oracles.MiniBatch(B=2, sampling="reshuffle", partition=kavg.oracles.Partition()),
    ),
}


def planned(name, dtype="float64", R=2, tile=256, K=16):
    objective, oracle = ORACLES[name]
    method = kavg.Algorithm(tile, K, 0.01, kavg.outer.Averaging())
    problem = kavg.Problem(objective, oracle)
    own = range(tile)
    return LocalSteps(problem, method, own=own, seed=1, R=R, tile=tile, dtype=dtype)


BUFFERS = 2 * 8 * 8192
"""What NumPy itself may take for operands of two precisions or shapes, whatever their size."""


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ORACLES)
def test_a_step_allocates_nothing(name, dtype):
    local = planned(name, dtype)
    steps = RoundSteps(n=1, first=0, K=16, gamma=0.01)
    local.displacement(range(256), np.full(local.first.shape, 0.3), steps)
    tracemalloc.start()
    for step in (16, 17):  # the two steps of a pair
        local.gradient(local.x, step, local.g)
        np.multiply(local.g, 0.01, out=local.g)
        np.subtract(local.x, local.g, out=local.x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < BUFFERS + 2 * local.g[..., 0].nbytes * (8 if "reshuffled" in name else 4)


@given(st.integers(1, 10**7), st.integers(1, 1000), st.integers(1, 10**6))
def test_tiles_fit_the_cache_and_are_of_about_one_size(learners, R, d):
    tile = choose_tile(R, d, learners)
    assert 1 <= tile <= learners
    assert tile == 1 or tile * R * d <= TILE_COORDINATES
    tiles = -(-learners // tile)
    assert tiles * tile - learners < max(tiles, tile)
    if tile * 2 * R * d <= TILE_COORDINATES:
        assert tile * 2 > learners


@given(problems(), st.integers(1, 5), st.integers(1, 4))
def test_single_precision_is_the_same_run_to_single_precision(problem, P, K):
    method = kavg.Algorithm(P, K, 0.02, kavg.outer.BlockMomentum(0.5))
    runs = [
        kavg.simulate(problem, method, rounds=2, replicas=2, seed=3, dtype=dtype)
        for dtype in ("float64", "float32")
    ]
    double, single = (run.w for run in runs)
    scale = max(1.0, float(np.abs(double).max()))
    np.testing.assert_allclose(single, double, atol=3e-5 * scale)
    assert single.dtype == np.float64
    if not isinstance(problem.oracle, kavg.oracles.Noiseless):
        assert not np.array_equal(single, double)


def test_means_are_finer_than_single_precision():
    problem = kavg.Problem(kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(1.0), start=1.0)
    method = kavg.Algorithm(3, 2, 0.1, kavg.outer.BlockMomentum(0.5))
    w = kavg.simulate(problem, method, rounds=2, dtype="float32").w
    assert not np.array_equal(w, w.astype(np.float32))


def test_memory_does_not_depend_on_the_number_of_learners():
    problem = kavg.Problem(WELL, kavg.oracles.Gaussian(1.0), start=1.0)
    peaks = []
    for P in (128, 512, 2048):
        method = kavg.Algorithm(P, 1, 0.01, kavg.outer.BlockMomentum(0.5))
        tracemalloc.start()
        kavg.simulate(problem, method, rounds=2)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # A learner's whole row would be 8000 bytes; its key and increment are 16.
    assert peaks[2] - peaks[0] < 2000 * 200
    assert peaks[2] < 1.3 * peaks[0]


def test_an_unknown_dtype_is_refused():
    with pytest.raises(kavg.KavgError, match="dtype must be one of float64, float32, got"):
        kavg.simulate(kavg.Problem(WELL, kavg.oracles.Gaussian(1.0)),
                      kavg.Algorithm(1, 1, 0.1, kavg.outer.Averaging()),
                      rounds=1, dtype="float16")  # fmt: skip
