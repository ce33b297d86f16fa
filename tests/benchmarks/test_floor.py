"""The floor: every number of a round is in every pass that it needs, as often and no more."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.benchmarks.contestants.floor import CHUNK, WORDS, floor
from experiments.benchmarks.contestants.passes import Floor, Pass, describe_shares
from experiments.benchmarks.normals import random_bits
from experiments.benchmarks.workloads import double_well, logistic, ripples, workloads

sizes = st.integers(1, 50)


def counted(passes, rounds):
    """How many numbers a floor of these passes handles in goes of so many rounds, by name."""
    handled = Counter()

    def counting(each):
        return replace(each, once=lambda: handled.update({each.name: each.numbers}))

    run = Floor([counting(each) for each in passes])
    for each in rounds:
        run(each)
    return handled


@given(sizes, sizes, st.lists(sizes, min_size=1, max_size=9))
def test_passes_handle_every_number_and_owe_less_than_a_pass(numbers, per_round, rounds):
    needed = sum(rounds) * per_round
    handled = counted([Pass("a", print, numbers, per_round)], rounds)["a"]
    assert needed - numbers < handled <= needed


def test_passes_run_in_order_and_each_as_often_as_it_must():
    ran = []
    passes = [
        Pass("words", lambda: ran.append("words"), numbers=8, per_round=4),
        Pass("step", lambda: ran.append("step"), numbers=2, per_round=4),
    ]
    run = Floor(passes)
    run(1)
    assert ran == ["step"] * 2
    run(3)
    assert ran[2:] == ["words"] * 2 + ["step"] * 6


def test_shares_are_of_the_time_of_a_round():
    cost = {"words": 6.0, "step": 1.0}

    def clock(repeat, times):
        ran = []
        repeat(times)
        ran, log[:] = log[:], []
        return sum(cost[name] for name in ran)

    log = []
    passes = [
        Pass("words", lambda: log.append("words"), numbers=8, per_round=4),
        Pass("step", lambda: log.append("step"), numbers=4, per_round=4),
        Pass("step", lambda: log.append("step"), numbers=2, per_round=4),
    ]
    assert Floor(passes).shares(0.0, clock) == {"words": 0.5, "step": 0.5}
    assert describe_shares(Floor(passes), 0.0, clock) == "the floor: words 50 %, step 50 %"


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (5, 3, 1, 7), (3, 2, 2, 20_000), (7, 2, 900, 9)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("workload", [double_well, ripples])
def test_an_elementwise_floor_takes_each_coordinate_of_each_step_once(sizes, dtype, workload):
    P, K, R, d = sizes
    each = replace(workload("any", P=P, K=K, R=R, d=d), dtype=dtype)
    passes = floor(each).passes
    often = Counter(one.name for one in passes)
    assert often == {
        "words": 1, "conversion": 1, "noise added": 1, "gradient": 1, "step": 2,
        "start": 1, "sum": 1,
    }  # fmt: skip
    for one in passes:
        once_a_round = one.name in ("start", "sum")
        assert one.per_round == P * R * d * (1 if once_a_round else K)
        assert one.numbers <= (4 * WORDS if one.name == "words" else CHUNK)
    floor(each)(3)


def test_a_floor_of_batches_takes_each_row_of_each_step_once():
    each = logistic("any", P=3, K=5, R=2, d=4, B=6, examples=40)
    rows, passes = 3 * 5 * 2, floor(each).passes
    needed = {"words": rows * 6, "indices": rows * 6, "step": rows * 4, "start": 24, "sum": 24}
    for one in passes:
        assert one.per_round == needed.get(one.name, rows)
    floor(each)(2)


def test_repeated_passes_never_leave_the_range_of_usual_numbers():
    """Subnormals, infinities and NaN would take another time."""
    for each in floor(double_well("any", P=2, K=2, R=1, d=50)).passes:
        keywords = getattr(each.once, "keywords", {})
        for _ in range(300):
            each.once()
        for array in keywords.values():
            if isinstance(array, np.ndarray) and array.dtype.kind == "f":
                assert np.all((array == 0) | (np.abs(array) > 1e-9)), each.name
                assert np.all(np.abs(array) < 1e9), each.name


def test_every_group_has_a_floor():
    pytest.importorskip("sklearn")
    for group in ("logistic", "digits"):
        for each in workloads(group):
            floor(each)(1)
    random_bits(2**15)(2)
