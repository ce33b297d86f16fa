"""Batches: what they refuse, what they call, and how many messages they need."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.rank_programs import outcomes
from helpers.ranks import CountingComm, run_ranks
from helpers.same import same_run
from helpers.user_code import Bowl, Rule

import kavg
from kavg.engine.batch import plan_batches, run_batch
from kavg.engine.batch.planning import choose_points
from kavg.engine.options import RunOptions
from kavg.errors import CollectiveError
from kavg.outer import Averaging, BlockMomentum, SlowMo

PROBLEM = kavg.Problem(kavg.objectives.Quadratic((1.0, 2.0, 3.0)), kavg.oracles.Gaussian(1.0), 0.5)


def method(gamma=0.05, rule=None, P=4, K=2):
    return kavg.Algorithm(P, K, gamma, rule or BlockMomentum(0.5), f"{gamma} {rule}")


def both(problem, algorithms, **options):
    options = {"rounds": 4, "replicas": 2} | options
    together = kavg.simulate_batch(problem, algorithms, **options)
    return together, [kavg.simulate(problem, each, **options) for each in algorithms]


def test_a_batch_needs_an_algorithm():
    with pytest.raises(kavg.KavgError, match="at least one algorithm, got none"):
        kavg.simulate_batch(PROBLEM, [], rounds=1)


def test_rounds_are_one_number_or_one_each():
    with pytest.raises(kavg.KavgError, match="each of the 2 algorithms, got 3"):
        kavg.simulate_batch(PROBLEM, [method(), method()], rounds=[1, 2, 3])
    runs = kavg.simulate_batch(PROBLEM, [method(), method(0.1)], rounds=[3, 5])
    assert [run.done for run in runs] == [3, 5]


def test_what_is_no_algorithm_is_refused_by_its_place():
    with pytest.raises(kavg.KavgError, match=r"algorithms\[1\]"):
        kavg.simulate_batch(PROBLEM, [method(), Averaging()], rounds=1)


@pytest.mark.parametrize("algorithms", [None, method(), iter([method()])])
def test_what_is_no_list_of_algorithms_is_refused(algorithms):
    with pytest.raises(kavg.KavgError, match=r"algorithms must be a list of Algorithm\("):
        kavg.simulate_batch(PROBLEM, algorithms, rounds=1)


@pytest.mark.parametrize("every", [0, -1, None, "2", 1.5])
def test_what_is_no_number_of_rounds_between_records_is_refused(every):
    with pytest.raises(kavg.KavgError, match="every must be a whole number of at least 1, got"):
        kavg.simulate_batch(PROBLEM, [method()], rounds=1, every=every)


def test_points_of_equal_shape_run_together_in_the_order_of_their_steps():
    several = [method(0.3), method(0.1), method(0.2), method(0.1, K=3), method(0.1, P=2)]
    batches = plan_batches(PROBLEM, several, 5, RunOptions())
    assert [batch.indices for batch in batches] == [(1, 2, 0), (3,), (4,)]
    assert [len(b.indices) for b in plan_batches(PROBLEM, several, 5, RunOptions(), most=2)] == [
        2, 1, 1, 1,
    ]  # fmt: skip


def test_the_records_of_a_batch_fit_in_memory():
    several = [method(0.1 / i) for i in range(1, 41)]
    options = RunOptions(replicas=10)
    assert len(plan_batches(PROBLEM, several, 1000, options)) == 1
    batches = plan_batches(PROBLEM, several, 1_000_000, options)
    assert {len(batch.indices) for batch in batches} == {1}
    assert len(plan_batches(PROBLEM, several, 1_000_000, options, every=1000)) == 1


def test_small_points_fill_tiles_and_large_ones_share_draws():
    assert choose_points(P=8, R=8, d=10) == 204
    assert choose_points(P=8, R=50, d=100) == 16
    assert choose_points(P=64, R=64, d=10**6) == 1


def test_a_start_that_is_not_finite_is_refused_as_alone():
    problem = kavg.Problem(PROBLEM.objective, PROBLEM.oracle, start=1e300)
    for call in (lambda: kavg.simulate_batch(problem, [method(), method(0.1)], rounds=1),
                 lambda: kavg.simulate(problem, method(), rounds=1)):  # fmt: skip
        with pytest.raises(kavg.KavgError, match="F is not finite at the start; start nearer to 0"):
            call()


def test_rules_of_all_kinds_share_a_batch():
    """One with memory of its own units, one without memory, a user's, and two numbers of a kind."""
    rules = [SlowMo(0.5, 0.5), Averaging(), Rule(0.3), SlowMo(0.5, 0.7), Rule(0.4), SlowMo(0.2)]
    together, expected = both(
        PROBLEM, [method(0.05 * (i + 1), rule) for i, rule in enumerate(rules)]
    )
    assert all(map(same_run, together, expected))
    assert [run.v.shape for run in together] == [run.v.shape for run in expected]


def test_a_subclass_that_steps_otherwise_is_not_stacked():
    class Doubled(BlockMomentum):
        def step(self, w, v, displacement, gamma):
            assert isinstance(self.mu, float)
            super().step(w, v, 2 * displacement, float(gamma))

    together, expected = both(PROBLEM, [method(0.02, Doubled(mu)) for mu in (0.1, 0.5)])
    assert all(map(same_run, together, expected))


def test_an_oracle_with_a_plan_of_its_own_does_not_use_that_of_its_base_for_copies():
    class Larger(kavg.oracles.Gaussian):
        def plan(self, objective, **sizes):
            return kavg.oracles.Gaussian(9.0).plan(objective, **sizes)

    for oracle in (Larger(1.0), kavg.oracles.Shifted(1.0, Larger(1.0))):
        problem = kavg.Problem(PROBLEM.objective, oracle, 0.5)
        together, expected = both(problem, [method(), method(0.1)])
        assert all(map(same_run, together, expected))


def test_an_objective_whose_rows_round_together_runs_alone():
    """Its last bits depend on how many rows there are, which a run alone warns of."""

    class Coupled(Bowl):
        def value(self, x):
            return super().value(x) * (1 + 1e-15 * x.size)

    problem = kavg.Problem(Coupled(), kavg.oracles.Gaussian(1.0), 0.5)
    with pytest.warns(UserWarning, match="depend on"):
        together, expected = both(problem, [method(), method(0.1)])
    assert all(map(same_run, together, expected))


def test_every_round_is_shown_and_requests_are_passed_on():
    (batch,) = plan_batches(PROBLEM, [method(), method(1e60)], 6, RunOptions())
    shown = []
    runs = run_batch(batch, on_round=lambda n, requested: shown.append((n, requested)),
                     request=lambda: 3)  # fmt: skip
    assert shown == [(n, 3) for n in range(1, 7)]
    assert [run.diverged_at is None for run in runs] == [True, False]


def test_an_exception_of_on_round_ends_the_batch():
    (batch,) = plan_batches(PROBLEM, [method(), method(0.1)], 6, RunOptions())

    def stop(n, requested):
        if n == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_batch(batch, on_round=stop)


def test_points_without_a_common_oracle_are_shown_one_after_another():
    problem = kavg.Problem(Bowl(), Sequential(), 2.0)
    batches = plan_batches(problem, [method(), method(0.1)], 2, RunOptions())
    assert [len(batch.indices) for batch in batches] == [1, 1]
    shown = []
    run_batch(batches[0], on_round=lambda n, requested: shown.append(n), request=lambda: 1)
    assert shown == [1, 2]


class Sequential:
    """An oracle that draws in the order of its calls."""

    addressed = False

    def constants(self, objective):
        return kavg.oracles.Noiseless().constants(objective)

    def plan(self, objective, **sizes):
        return kavg.oracles.Noiseless().plan(objective, **sizes)


def test_a_round_has_one_allreduce_however_many_points_there_are():
    several = [method(0.01 * (i + 1)) for i in range(6)]
    comm = CountingComm(kavg.SerialComm())
    kavg.simulate_batch(PROBLEM, several, rounds=5, comm=comm)
    assert comm.calls == {"Allreduce": 5}

    def on_rank(comm):
        counting = CountingComm(comm)
        kavg.simulate_batch(PROBLEM, several, rounds=5, comm=counting)
        return counting.calls

    for calls in run_ranks(2, on_rank):
        # Ranks meet four times: before and after a batch is checked, built and planned.
        assert calls["Allreduce"] == 5 + 4
        assert calls["Allgather"] == 3


def test_a_point_that_diverges_ends_on_all_ranks():
    several = [method(), method(1e60)]

    def on_rank(comm):
        counting = CountingComm(comm)
        runs = kavg.simulate_batch(PROBLEM, several, rounds=9, replicas=2, comm=counting)
        return runs, counting.calls["Allgather"]

    expected = kavg.simulate_batch(PROBLEM, several, rounds=9, replicas=2)
    assert expected[1].diverged_at is not None
    for runs, _ in run_ranks(3, on_rank):
        assert all(map(same_run, runs, expected))


def test_ranks_that_were_given_other_points_are_told():
    def on_rank(comm):
        second = method(0.1 if comm.Get_rank() else 0.2)
        return kavg.simulate_batch(PROBLEM, [method(), second], rounds=2, comm=comm)

    found = outcomes(2, on_rank)
    assert {type(error) for error in found} == {CollectiveError}
    assert "algorithms[1]" in str(found[0])


def test_ranks_that_disagree_on_a_divergence_stop_together():
    class Other(kavg.objectives.DoubleWell):
        pass

    def on_rank(comm):
        problem = kavg.Problem(Broken(comm.Get_rank()), kavg.oracles.Gaussian(1.0), 0.5)
        return kavg.simulate_batch(problem, [method(), method(0.1)], rounds=6, comm=comm)

    assert Other is not None
    found = outcomes(2, on_rank)
    assert {type(error) for error in found} == {CollectiveError}, found
    assert "same points diverged" in str(found[0])


class Broken(Bowl):
    """F is infinite below 2.8 on rank 1 alone, as where the machines of ranks differ."""

    def __init__(self, rank):
        self.rank = rank

    def value(self, x):
        F = super().value(x)
        return np.where((F < 0.2) & (self.rank == 1), np.inf, F)


def test_a_failure_on_one_rank_ends_all():
    class Fails(Bowl):
        def __init__(self, rank):
            self.rank, self.calls = rank, 0

        def value(self, x):
            self.calls += 1
            if self.rank and x.shape[0] == 4 and self.calls > 8:
                raise RuntimeError("planted")
            return super().value(x)

    def on_rank(comm):
        problem = kavg.Problem(Fails(comm.Get_rank()), kavg.oracles.Gaussian(1.0), 0.5)
        return kavg.simulate_batch(
            problem, [method(), method(0.1)], rounds=9, replicas=2, comm=comm
        )

    found = outcomes(2, on_rank)
    assert isinstance(found[0], CollectiveError)
    assert "planted" in str(found[0])
    assert isinstance(found[1], RuntimeError)


def test_a_rule_that_returns_its_result_in_a_later_round_is_refused():
    class Returns(Rule):
        is_armed = False

        def step(self, w, v, displacement, gamma):
            super().step(w, v, displacement, gamma)
            return w + 1 if Returns.is_armed else None

    points = [method(0.1, rule) for rule in (Averaging(), Returns(0.1), Returns(0.2))]
    (batch,) = plan_batches(PROBLEM, points, 5, RunOptions())

    def arm(n, requested):
        Returns.is_armed = n == 2

    with pytest.raises(kavg.KavgError, match="write to w and v in place"):
        run_batch(batch, on_round=arm)


def test_the_last_round_is_measured_whatever_is_due():
    """There w is finite and F is not."""
    problem = kavg.Problem(kavg.objectives.Quadratic((1e10,)), kavg.oracles.Gaussian(1.0), 0.5)
    points = [method(gamma, Averaging(), K=1) for gamma in (1e-12, 2e140)]
    together, expected = both(problem, points, rounds=1, every=3)
    assert expected[1].not_finite == "F"
    assert all(map(same_run, together, expected))
