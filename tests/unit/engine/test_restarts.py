"""Restarts of the outer memory: zero again at the beginning of rounds restart + 1, ..."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from helpers.ranks import run_ranks
from helpers.same import same_bits, same_run

import kavg
from kavg.engine.batch import plan_batches
from kavg.engine.options import RunOptions
from kavg.errors import KavgError

SLOPE = kavg.Problem(kavg.objectives.Linear(dim=1), kavg.oracles.Noiseless(), start=0.0)
NOISY = kavg.Problem(kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), start=2.0)
M_AVG = kavg.Algorithm(P=3, K=3, gamma=0.1, outer=kavg.outer.BlockMomentum(0.5))
WITH_MEMORY = [
    kavg.outer.BlockMomentum(0.5),
    kavg.outer.NesterovMomentum(0.5),
    kavg.outer.NesterovLookAhead(0.5, alpha=0.7),
    kavg.outer.QuasiHyperbolic(0.5, nu=0.5),
    kavg.outer.SlowMo(0.5),
    kavg.outer.FedAdam(alpha=0.1),
]


def run(method, **options):
    return kavg.simulate(NOISY, method, **({"rounds": 7, "replicas": 2, "seed": 3} | options))


def test_rounds_by_hand():
    """d = -3 a round: v = -3, -4.5, then -3, -4.5 again."""
    method = replace(M_AVG, gamma=1.0, restart=2)
    rounds = list(islice(kavg.meta_iterations(SLOPE, method), 6))
    assert [now.w.item() for now in rounds] == [0.0, -3.0, -7.5, -10.5, -15.0, -18.0]
    # A round leaves its memory; the next one forgets it.
    assert [now.v.item() for now in rounds] == [0.0, -3.0, -4.5, -3.0, -4.5, -3.0]


def test_the_rounds_that_begin_anew():
    method = replace(M_AVG, restart=3)
    assert [n for n in range(1, 11) if method.is_restart(n)] == [1, 4, 7, 10]
    assert not any(M_AVG.is_restart(n) for n in range(1, 11))


def test_a_restart_in_every_round_is_averaging_bit_for_bit():
    averaging = run(replace(M_AVG, outer=kavg.outer.Averaging(0.7)))
    for rule in (kavg.outer.BlockMomentum(0.9, 0.7), kavg.outer.NesterovMomentum(0.9, 0.7)):
        forgetful = run(replace(M_AVG, outer=rule, restart=1))
        assert np.array_equal(forgetful.w, averaging.w)
        assert np.array_equal(forgetful.F, averaging.F)


@pytest.mark.parametrize("rule", WITH_MEMORY)
@pytest.mark.parametrize("restart", [7, 8, 1000])
def test_a_restart_after_the_last_round_changes_no_bit(rule, restart):
    method = replace(M_AVG, outer=rule)
    assert same_bits(run(method), run(replace(method, restart=restart)))
    assert not same_bits(run(method), run(replace(method, restart=6)))


@pytest.mark.parametrize("rule", WITH_MEMORY)
@pytest.mark.parametrize("done", range(7))
def test_a_run_is_continued_on_both_sides_of_a_restart(rule, done):
    method = replace(M_AVG, outer=rule, restart=3)
    short = run(method, rounds=done) if done else None
    if short is not None:
        assert same_run(run(method), run(method, extends=short))


def test_points_of_a_batch_restart_as_they_do_alone():
    points = [replace(M_AVG, outer=rule, restart=r) for rule in WITH_MEMORY for r in (None, 2, 3)]
    options = {"rounds": 7, "replicas": 2, "seed": 3}
    together = kavg.simulate_batch(NOISY, points, **options)
    for method, one in zip(points, together, strict=True):
        assert same_run(one, run(method)), method
    # Points of one restart share arrays, but for the rule with two arrays of memory.
    batches = plan_batches(NOISY, points, 7, RunOptions(replicas=2))
    assert sorted(len(batch.indices) for batch in batches) == [1, 1, 1, 5, 5, 5]


def test_a_rule_without_memory_has_nothing_to_restart():
    with pytest.raises(KavgError, match=r"restart sets the memory .* Averaging has none; leave"):
        kavg.Algorithm(P=2, K=2, gamma=0.1, outer=kavg.outer.Averaging(), restart=5)
    with pytest.raises(KavgError, match="restart must be a whole number of at least 1, got"):
        replace(M_AVG, restart=0)


def test_a_run_of_another_restart_is_told():
    short = run(replace(M_AVG, restart=3), rounds=5)
    with pytest.raises(KavgError, match=r"rule was block_momentum\(mu=0.5, restart=3.0\), not"):
        run(replace(M_AVG, restart=2), extends=short)
    with pytest.raises(KavgError, match=r"restart=3.0\), not block_momentum\(mu=0.5\)"):
        run(M_AVG, extends=short)


def test_ranks_with_another_restart_are_told():
    def on_rank(comm):
        with pytest.raises(KavgError, match=r"differ in\n  restart: "):
            run(replace(M_AVG, restart=2 + comm.Get_rank()), comm=comm)
        return True

    assert run_ranks(2, on_rank) == [True, True]
