"""Budgets of work: what a round costs, and which recorded round is the last within one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.budgets import BUDGET_AXES, Budget, Clock, measure_progress, round_cost
from kavg.errors import KavgError
from kavg.trajectory import Trajectory

counts = st.integers(1, 10_000)
costs = st.floats(1e-6, 1e6)


def recorded(rounds, P=4, K=8, B=2):
    """A run of one replica that has recorded these rounds."""
    z = np.zeros((len(rounds), 1))
    return Trajectory("", P, K, B, np.array(rounds), {"F": z}, z[:1], z[:1], z[:, 0])


@given(st.sampled_from(BUDGET_AXES), counts, counts, counts, st.integers(0, 10_000), costs, costs)
def test_a_budget_of_n_rounds_holds_n_rounds(axis, P, K, B, n, step, communication):
    clock = Clock(step, communication)
    cost = round_cost(axis, P, K, B, clock)
    if n:
        assert Budget(axis, n * cost, clock).whole_rounds(P, K, B) == n
    assert Budget(axis, (n + 0.5) * cost, clock).whole_rounds(P, K, B) == n


@given(st.sampled_from(BUDGET_AXES), st.floats(1e-3, 1e9), counts, counts, counts)
def test_the_rounds_of_a_budget_cost_no_more_and_one_more_does(axis, amount, P, K, B):
    n, cost = Budget(axis, amount).whole_rounds(P, K, B), round_cost(axis, P, K, B)
    assert n * cost <= amount * (1 + 1e-12)
    assert (n + 1) * cost > amount


def test_costs_by_hand():
    clock = Clock(step=0.5, communication=3.0)
    assert [round_cost(axis, 4, 8, 2, clock) for axis in BUDGET_AXES] == [64.0, 1.0, 7.0]
    run = recorded([0, 5, 10])
    assert measure_progress(run, "gradients").tolist() == [0.0, 320.0, 640.0]
    assert measure_progress(run, "communications").tolist() == [0.0, 5.0, 10.0]
    assert measure_progress(run, "time", clock).tolist() == [0.0, 35.0, 70.0]


@pytest.mark.parametrize(
    ("amount", "place"), [(63, 0), (319, 0), (320, 1), (639, 1), (640, 2), (1e300, 2)]
)
def test_the_last_recorded_round_within_a_budget_is_found(amount, place):
    assert Budget("gradients", amount).find_recorded(recorded([0, 5, 10])) == place


def test_tenths_are_no_reason_to_lose_a_round():
    assert Budget("time", 0.3, Clock(step=0.1)).whole_rounds(P=1, K=1, B=1) == 3


def test_what_is_no_budget_is_refused():
    with pytest.raises(KavgError, match="axis must be one of gradients, communications, time"):
        Budget("rounds", 3.0)
    with pytest.raises(KavgError, match="amount must be"):
        Budget("gradients", 0.0)
    with pytest.raises(KavgError, match="communication must be"):
        Clock(communication=-1.0)
    with pytest.raises(KavgError, match="a budget must be one of gradients, communications, time"):
        round_cost("rounds", 1, 1, 1)
