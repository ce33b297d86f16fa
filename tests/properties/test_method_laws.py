"""The laws of docs/design.md for each method of the field, and that a run can be continued."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from helpers.methods import FURTHER_CALLS, METHODS
from helpers.ranks import CountingComm, run_ranks
from helpers.same import same_bits

import kavg
from kavg.storage.trajectories import write_trajectories

each_method = pytest.mark.parametrize("name", METHODS)
PRECISIONS = pytest.mark.parametrize("dtype", ["float64", "float32"])
PROBLEM = kavg.Problem(
    kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), (2.0, -1.0, 0.5)
)


def run(name, **options):
    defaults = {"rounds": 5, "replicas": 2, "seed": 5}
    return kavg.simulate(PROBLEM, METHODS[name], **(defaults | options))


@each_method
@PRECISIONS
@pytest.mark.parametrize("size", [2, 3, 5, 7])
def test_law_1_ranks_never_change_the_bits(name, dtype, size):
    serial = run(name, dtype=dtype)
    for on_rank in run_ranks(size, lambda comm: run(name, dtype=dtype, comm=comm)):
        assert same_bits(serial, on_rank)


KEEPING = [
    name
    for name, one in METHODS.items()
    if one.learner_slots
    and name not in ("gossip by a matrix, heavy ball", "Hier-AVG, heavy ball, kept")
]
"""Whose learners keep arrays of their own, for any number of learners."""


@pytest.mark.parametrize("name", KEEPING)
@pytest.mark.parametrize("P", [1, 2])
@pytest.mark.parametrize("size", [2, 3])
def test_no_more_learners_than_ranks_change_no_bit(name, P, size):
    few = replace(METHODS[name], P=P)
    options = {"replicas": 2, "seed": 5}
    serial = kavg.simulate(PROBLEM, few, rounds=5, **options)

    def go_on(comm):
        # Extended by no round in between, after which every rank has what all keep.
        found = None
        for rounds in (2, 2, 5):
            found = kavg.simulate(PROBLEM, few, rounds=rounds, comm=comm, extends=found, **options)
        return found

    assert all(same_bits(serial, on_rank) for on_rank in run_ranks(size, go_on))


@each_method
@PRECISIONS
@pytest.mark.parametrize("mean", ["exact", "allreduce"])
def test_law_2_tiles_never_change_the_bits(name, dtype, mean):
    runs = [run(name, dtype=dtype, mean=mean, tile=tile) for tile in (1, 2, 5)]
    assert all(same_bits(runs[0], other) for other in runs[1:])


@each_method
@PRECISIONS
def test_law_3_replicas_are_a_prefix(name, dtype):
    short, long = run(name, dtype=dtype), run(name, dtype=dtype, replicas=4)
    assert np.array_equal(short.w, long.w[:2])
    for quantity, values in short.series.items():
        assert np.array_equal(values, long.series[quantity][:, :2]), quantity


@each_method
def test_law_7_a_round_costs_its_collectives(name):
    def count(comm):
        counting = CountingComm(comm)
        rounds = kavg.meta_iterations(PROBLEM, METHODS[name], comm=counting)
        list(islice(rounds, 2))
        counting.calls.clear()
        list(islice(rounds, 3))
        return sum(counting.calls.values())

    assert set(run_ranks(3, count)) == {3 * (1 + FURTHER_CALLS.get(name, 0))}


@each_method
@PRECISIONS
@pytest.mark.parametrize("done", [1, 2, 4])
def test_law_8_a_run_is_continued_on_any_ranks(name, dtype, done):
    whole, short = run(name, dtype=dtype), run(name, dtype=dtype, rounds=done)
    assert same_bits(whole, run(name, dtype=dtype, extends=short))
    short = run_ranks(2, lambda comm: run(name, dtype=dtype, rounds=done, comm=comm))[1]
    for on_rank in run_ranks(3, lambda comm: run(name, dtype=dtype, extends=short, comm=comm)):
        assert same_bits(whole, on_rank)


@each_method
def test_states_of_rounds_continue_a_run(name):
    rounds = list(islice(kavg.meta_iterations(PROBLEM, METHODS[name], replicas=2, seed=5), 6))
    again = kavg.meta_iterations(PROBLEM, METHODS[name], replicas=2, seed=5, state=rounds[3].state)
    assert np.array_equal(rounds[5].w, list(islice(again, 2))[1].w)


@each_method
def test_runs_are_stored_and_read(name, tmp_path):
    done = run(name, rounds=3)
    write_trajectories(tmp_path / "trajectory.npz", [done])
    (read,) = kavg.load_trajectories(tmp_path)
    assert same_bits(done, read)
    assert same_bits(run(name), run(name, extends=read))
