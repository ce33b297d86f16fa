"""How the batches of a stage are spread over ranks, and how their runs travel."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.ranks import run_ranks
from helpers.same import same_run
from helpers.settings import k_avg, settings_text
from hypothesis import given
from hypothesis import strategies as st

from kavg import simulate
from kavg.sweeps import parse_sweep
from kavg.sweeps.execution import exchange
from kavg.sweeps.execution.exchange import decode_runs, encode_runs, gather_runs
from kavg.sweeps.execution.spreading import estimate_seconds, plan_stage, plan_waves


def plan(grid, size, wanted=None, **changes):
    text = settings_text(**{"algorithm": [k_avg()], "sweep": {"grid": grid}} | changes)
    sweep = parse_sweep(text)
    configs = [point.config for point in sweep.points]
    return plan_stage(sweep.points, configs, size, wanted)


@given(st.lists(st.floats(0, 1e6), max_size=20), st.integers(1, 6))
def test_waves_hold_each_batch_once_and_no_more_than_ranks(seconds, size):
    waves = plan_waves(seconds, size)
    assert sorted(i for wave in waves for i in wave) == list(range(len(seconds)))
    assert all(1 <= len(wave) <= size for wave in waves)
    longest = [max(seconds[i] for i in wave) for wave in waves]
    assert longest == sorted(longest, reverse=True)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("wanted", [None, "batches", "learners"])
def test_each_point_is_in_one_batch(size, wanted):
    batches, spreading = plan(
        {"algorithm.*.K": [1, 2, 3], "algorithm.*.gamma": [0.1, 0.2]}, size, wanted
    )
    numbers = [point.number for batch in batches for point in batch.points]
    assert sorted(numbers) == list(range(6))
    assert sorted(i for wave in spreading.waves for i in wave) == list(range(len(batches)))
    for batch in batches:
        for point, algorithm in zip(batch.points, batch.batch.algorithms, strict=True):
            assert point.config.algorithms == (algorithm,)


LARGE = {"objective": {"kind": "cosine", "dim": 1000}, "replicas": 50}


@pytest.mark.parametrize("size", [1, 3])
def test_a_long_batch_is_cut_where_that_costs_little(size):
    grid = {"algorithm.*.gamma": [0.1 / i for i in range(1, 33)]}
    short, _ = plan(grid, 1, "learners", **LARGE, rounds=10)
    cut, spreading = plan(grid, size, "learners", **LARGE, rounds=20_000)
    assert [len(batch.points) for batch in short] == [16, 16]
    # A batch of one point would last a minute, and take the time of all its draws.
    assert {len(batch.points) for batch in cut} == {5, 6}
    assert sorted(point.number for batch in cut for point in batch.points) == list(range(32))
    assert spreading.seconds["learners"] < 1.1 * 2000 * sum(map(estimate_seconds, short))
    for batch in cut:
        assert [p.config.algorithms[0] for p in batch.points] == [*batch.batch.algorithms]


def test_a_batch_of_many_calls_is_not_cut_small():
    batches, _ = plan(
        {"algorithm.*.gamma": [0.1 / i for i in range(1, 65)]},
        1,
        rounds=10**6,
        record={"every": 1000},
    )
    assert sum(len(batch.points) for batch in batches) == 64
    assert min(len(batch.points) for batch in batches) > 20


def test_many_small_points_are_spread_over_batches():
    _, spreading = plan({"algorithm.*.gamma": [0.1 / i for i in range(1, 13)]}, size=3)
    assert spreading.over == "batches"
    assert len(spreading.waves) == 1


def test_one_large_point_is_spread_over_its_learners():
    large = {"objective": {"kind": "cosine", "dim": 10_000}, "algorithm": [k_avg(P=64)]}
    _, spreading = plan({"algorithm.*.K": [8]}, 4, **large)
    assert spreading.over == "learners"
    assert spreading.seconds["learners"] < spreading.seconds["batches"] / 2


def test_learners_are_shared_where_bits_depend_on_it():
    grid = {"algorithm.*.gamma": [0.1, 0.2, 0.3]}
    assert plan(grid, 3, "batches", mean="allreduce")[1].over == "learners"
    assert plan(grid, 1, mean="allreduce")[1].over == "batches"


def make_runs(count):
    config = parse_sweep(settings_text(sweep={"grid": {"algorithm.*.K": [1, 2]}})).points[0].config
    return [
        simulate(config.problem, config.algorithms[0], rounds=3, replicas=2, seed=i)
        for i in range(count)
    ]


def test_runs_that_are_sent_have_the_same_bits():
    runs = make_runs(2)
    for a, b in zip(runs, decode_runs(encode_runs(runs)), strict=True):
        assert same_run(a, b)


@pytest.mark.parametrize("chunk", [7, 1000, 2**24])
def test_every_rank_gets_the_runs_of_all(monkeypatch, chunk):
    monkeypatch.setattr(exchange, "CHUNK", chunk)
    runs = make_runs(3)

    def gather(comm):
        rank = comm.Get_rank()
        return gather_runs(comm, None if rank == 1 else runs[: rank + 1])

    for found in run_ranks(3, gather):
        assert found[1] is None
        for rank in (0, 2):
            assert len(found[rank]) == rank + 1
            for a, b in zip(found[rank], runs, strict=False):
                np.testing.assert_array_equal(a.w, b.w)
