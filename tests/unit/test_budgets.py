"""Budgets of work: what a round costs, and which recorded round is the last within one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kavg import Algorithm, Problem, objectives, oracles, outer, periods, simulate
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


# A K that changes.

PIECES = st.lists(st.integers(1, 40), min_size=1, max_size=5)


def changing(Ks):
    """A method whose rounds have these K, and the last of them ever after."""
    boundaries = tuple(range(1, len(Ks)))
    period = periods.PiecewisePeriod(tuple(Ks), boundaries)
    return Algorithm(P=4, K=period, gamma=0.1, outer=outer.Averaging())


def spent(axis, method, n, B, clock):
    steps = method.sum_local_steps(n)
    costs = {"gradients": steps * method.P * B, "communications": n}
    return costs.get(axis, steps * clock.step + n * clock.communication)


@given(st.sampled_from(BUDGET_AXES), st.floats(1.0, 500.0), PIECES, st.integers(1, 9), costs, costs)
def test_the_rounds_of_a_changing_K_fit_and_one_more_does_not(axis, amount, Ks, B, step, share):
    clock, method = Clock(max(step, 0.1), share), changing(Ks)
    n = Budget(axis, amount, clock).count_rounds(method, B)
    room = amount * (1 + 1e-12)
    assert spent(axis, method, n, B, clock) <= room
    assert spent(axis, method, n + 1, B, clock) > amount


@given(st.sampled_from(BUDGET_AXES), PIECES, st.integers(0, 30), st.integers(1, 9), costs, costs)
def test_a_budget_of_n_rounds_of_a_changing_K_holds_n_rounds(axis, Ks, n, B, step, share):
    clock, method = Clock(step, share), changing(Ks)
    if n:
        amount = spent(axis, method, n, B, clock)
        assert Budget(axis, amount, clock).count_rounds(method, B) == n


@given(st.sampled_from(BUDGET_AXES), st.floats(1.0, 5e3), counts, st.integers(1, 9), costs)
def test_a_period_that_is_constant_is_budgeted_as_the_number(axis, amount, K, B, step):
    budget, method = Budget(axis, amount, Clock(step)), changing([K] * 3)
    assume(budget.whole_rounds(4, K, B) < 10_000)
    assert budget.count_rounds(method, B) == budget.whole_rounds(4, K, B)


def test_budgets_of_a_changing_K_by_hand():
    method, clock = changing([1, 4, 2]), Clock(step=0.5, communication=3.0)
    # Local steps after the rounds: 1, 5, 7, 9, ...
    assert Budget("gradients", 40.0).count_rounds(method, B=2) == 2
    assert Budget("gradients", 39.0).count_rounds(method, B=2) == 1
    assert Budget("gradients", 7.0).count_rounds(method, B=2) == 0
    assert Budget("communications", 1e6).count_rounds(method, B=2) == 1_000_000
    assert Budget("time", 12.5, clock).count_rounds(method, B=2) == 3


def test_what_an_adaptive_K_costs_is_known_to_the_run_alone():
    adaptive = replace(changing([1]), K=periods.DispersionControl(1.0))
    with pytest.raises(KavgError, match="gradients of an adaptive K are known to the run alone"):
        Budget("gradients", 100.0).count_rounds(adaptive, B=1)
    assert Budget("communications", 100.0).count_rounds(adaptive, B=1) == 100


def test_more_rounds_of_a_changing_K_than_can_be_counted_are_refused(monkeypatch):
    monkeypatch.setattr("kavg.budgets.budget.MOST_COUNTED", 50)
    assert Budget("gradients", 196.0).count_rounds(changing([1, 1]), B=1) == 49
    with pytest.raises(KavgError, match="more than 50 rounds of a K that changes"):
        Budget("gradients", 1e6).count_rounds(changing([1, 1]), B=1)


def run_of(method, rounds, h=1.0, **options):
    problem = Problem(objectives.Quadratic((h,)), oracles.Noiseless(), start=1.0)
    return simulate(problem, method, rounds=rounds, **options)


@given(PIECES, st.sampled_from(BUDGET_AXES), st.integers(2, 3600).map(lambda n: n / 4))
def test_recorded_rounds_of_a_changing_K_within_a_budget(Ks, axis, amount):
    method = changing(Ks)
    run = run_of(method, rounds=7)
    budget = Budget(axis, amount, Clock(1.0, 2.0))
    costs = [spent(axis, method, n, 1, budget.clock) for n in range(8)]
    assert measure_progress(run, axis, budget.clock).tolist() == costs
    fit = [n for n in range(8) if costs[n] <= amount]
    assert budget.find_recorded(run) == fit[-1]
    # Of communications it is known how many would fit, and of the others that more would.
    last = 8 if amount > costs[-1] else fit[-1]
    if axis == "communications":
        last = min(int(amount), 8)
    assert min(budget.find_last_round(run), 8) == last


def test_a_budget_beyond_a_run_that_diverged_includes_the_divergence():
    wild = replace(changing([1, 3]), gamma=11e-150)
    run = run_of(wild, rounds=99, h=1e150, every=99)
    assert run.diverged_at is not None
    assert run.rounds.tolist()[-1] < run.diverged_at
    assert Budget("gradients", 1e6).find_last_round(run) == run.diverged_at


def test_tenths_are_no_reason_to_lose_a_recorded_round_of_a_changing_K():
    """3 steps of 0.1 cost 0.30000000000000004, and fit in 0.3."""
    run = run_of(changing([1, 1]), rounds=5)
    assert Budget("time", 0.3, Clock(step=0.1)).find_recorded(run) == 3
    assert Budget("time", 0.3, Clock(step=0.1)).count_rounds(changing([1, 1]), B=1) == 3
