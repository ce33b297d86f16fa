"""Displacements are stored in rounds that pass over them again, and steps are taken once."""

from __future__ import annotations

import pytest
from helpers.same import same_run
from helpers.user_code import Bowl

import kavg
from kavg.engine.local.displacement_store import LARGEST_STORE, DisplacementStore
from kavg.engine.options import RunOptions
from kavg.engine.rounds import iterate_rounds

P, K, TILE = 5, 2, 2
PASS = 3 * K
"""Gradients of a pass over all tiles."""


class Counting(Bowl):
    def __init__(self):
        self.tiles = 0

    def grad(self, x, out):
        self.tiles += x.ndim == 3 and x.shape[:2] != (1, 1)
        return super().grad(x, out)


def gradients(oracle, gamma=0.1, mean="exact", rounds=6):
    """The calls of the gradient in each round of a run whose learners take three tiles."""
    objective, found = Counting(), []
    problem = kavg.Problem(objective, oracle, 2.0)
    method = kavg.Algorithm(P, K, gamma, kavg.outer.Averaging())
    done = iterate_rounds(problem, method, RunOptions(3, 1, mean, tile=TILE))
    next(done)
    for _ in range(rounds):
        before = objective.tiles
        next(done)
        found.append(objective.tiles - before)
    return found


def test_learners_without_noise_take_their_steps_once_after_the_first_round():
    assert gradients(kavg.oracles.Noiseless()) == [K + 2 * PASS, *[PASS] * 5]


def test_a_plain_mean_overwrites_tiles_so_its_first_pass_is_not_stored():
    assert gradients(kavg.oracles.Noiseless(), mean="allreduce") == [K + 2 * PASS, *[2 * PASS] * 5]


def test_a_run_with_noise_stores_nothing():
    assert gradients(kavg.oracles.Gaussian(100.0))[1:] == [PASS] * 5


def test_a_run_that_grows_averages_what_it_stored():
    """Displacements grow a hundredfold a round, so that every round needs wider grids."""
    assert gradients(kavg.oracles.Gaussian(1e6), gamma=11.0)[1:] == [2 * PASS, *[PASS] * 4]


@pytest.mark.parametrize("mean", ["exact", "allreduce"])
@pytest.mark.parametrize("gamma", [0.1, 11.0])
def test_no_bit_depends_on_the_store(mean, gamma):
    problem = kavg.Problem(Bowl(), kavg.oracles.Gaussian(1e-12), 2.0)
    method = kavg.Algorithm(P, K, gamma, kavg.outer.Averaging())
    one, *others = (
        kavg.simulate(problem, method, rounds=6, replicas=3, mean=mean, tile=tile)
        for tile in (P, 1, 2, 3)
    )
    assert all(same_run(one, other) for other in others)


def test_a_store_that_would_be_too_large_is_not_made():
    store = DisplacementStore(range(2), LARGEST_STORE // 2, 1, is_kept=True)
    assert not store.open(1, again=True)
    assert store.room is None
