"""Laws of comparisons at an equal budget, for any recorded rounds, costs and values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kavg import objectives, oracles, outer
from kavg.analysis.methods.comparison import ComparisonPlan, MethodGroup, compare_methods
from kavg.analysis.methods.method import Method
from kavg.budgets import BUDGET_AXES, Budget, Clock, measure_progress
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem
from kavg.trajectory import Trajectory

PROBLEM = Problem(objectives.Quadratic((1.0,)), oracles.Noiseless(), start=1.0)
CLOCK = Clock(step=0.1, communication=0.7)
ONE, LATE = st.just(1), st.integers(1, 9)
values = st.floats(0.5, 2.0).map(lambda x: round(x, 3))


@st.composite
def methods(draw, label="M", seed=0, first=ONE):
    """A method with a few recorded rounds of three replicas; ``first`` is that after the start."""
    P, K = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    steps = [draw(first), *draw(st.lists(st.integers(1, 9), max_size=5))]
    rounds = np.concatenate([[0], np.cumsum(steps)])
    F = np.array(draw(st.lists(st.tuples(values, values, values), min_size=len(rounds),
                               max_size=len(rounds))))  # fmt: skip
    w = np.zeros((3, 1))
    run = Trajectory(label, P, K, 1, rounds, {"F": F}, w, w, np.zeros(len(rounds)))
    algorithm = Algorithm(P=P, K=K, gamma=0.1, outer=outer.Averaging(), name=label)
    return Method(label, run, PROBLEM, algorithm, {"seed": seed})


def compare(members, **plan):
    return compare_methods([MethodGroup(tuple(members), {})], ComparisonPlan("F", **plan))[0]


@given(methods("A", first=LATE), methods("B", first=LATE), st.sampled_from(BUDGET_AXES))
def test_each_method_is_read_at_its_last_recorded_round_within_the_budget(a, b, axis):
    try:
        found = compare([a, b], axis=axis, clock=CLOCK)
    except KavgError as error:
        assume("no recorded round but its start" not in str(error))
        raise
    budget = Budget(axis, found.budget.amount, CLOCK)
    ends = [measure_progress(each.run, axis, CLOCK)[-1] for each in (a, b)]
    assert budget.amount == min(ends)
    for each in found.readings:
        run = each.method.run
        within = budget.whole_rounds(run.P, run.K, run.B)
        later = run.rounds[(run.rounds > each.round) & (run.rounds <= within)]
        assert 0 < each.round <= within
        assert not later.size
        assert np.array_equal(each.samples, run.F[run.rounds == each.round][0])


@given(methods("A"), methods("B"), methods("C"))
def test_the_baseline_only_turns_a_contrast_round_and_a_third_method_only_widens_it(a, b, c):
    amount = {"axis": "communications", "amount": 1.0}
    (one,) = compare([a, b], **amount).contrasts
    (other,) = compare([b, a], **amount).contrasts
    assert (one.difference.low, one.difference.high) == pytest.approx(
        (-other.difference.high, -other.difference.low), rel=1e-9, abs=1e-12
    )
    assert float(one.ratio.mean) == pytest.approx(1 / float(other.ratio.mean))
    wider = compare([a, b, c], **amount).contrasts[0]
    assert wider.difference.mean == one.difference.mean
    assert (
        wider.difference.low <= one.difference.low <= one.difference.high <= wider.difference.high
    )


@given(methods("A"), methods("B", seed=1), methods("B", seed=0))
def test_pairing_changes_intervals_and_no_mean(a, apart, together):
    same = {"axis": "communications", "amount": 1.0}
    paired = Method("B", apart.run, PROBLEM, apart.algorithm, together.noise)
    (one,), (other,) = (compare([a, each], **same).contrasts for each in (apart, paired))
    assert (one.is_paired, other.is_paired) == (False, True)
    assert float(one.difference.mean) == pytest.approx(float(other.difference.mean), abs=1e-12)
    assert float(one.ratio.mean) == pytest.approx(float(other.ratio.mean))
