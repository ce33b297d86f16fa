"""Hier-AVG: values by hand, what it equals, and what it refuses."""

from itertools import islice

import numpy as np
import pytest
from helpers.own_shifts import bowl_of, slope_of
from helpers.ranks import CountingComm, run_ranks
from helpers.same import same_bits

import kavg
from kavg import Algorithm, aggregations, optimizers, outer, periods
from kavg.errors import KavgError

AVERAGING = outer.Averaging()
NOISY = kavg.Problem(
    kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), (2.0, -1.0, 0.5)
)


def method(P=4, K=2, gamma=0.5, K1=1, groups=2, **parts):
    return Algorithm(
        P, K, gamma, AVERAGING, aggregation=aggregations.GroupedLearners(K1, groups), **parts
    )


def run(one, problem=NOISY, **options):
    return kavg.simulate(problem, one, **{"rounds": 3, "replicas": 2, "seed": 5} | options)


def last_round(one, problem, rounds=1):
    return list(islice(kavg.meta_iterations(problem, one), rounds + 1))[-1]


def test_two_groups_by_hand():
    """b = (0, 2, 4, 2) from 0: steps to (0, -1, -2, -1), groups at -1/2 and -3/2, then one more."""
    done = last_round(method(), bowl_of((0.0, 2.0, 4.0, 2.0)))
    assert done.w.item() == -1.5
    assert done.dispersion.item() == 0.8125  # of (-1/4, -5/4, -11/4, -7/4)
    # K-AVG has the same mean on a bowl, and (0, -3/2, -3, -3/2) about it.
    flat = Algorithm(4, 2, 0.5, AVERAGING)
    assert last_round(flat, bowl_of((0.0, 2.0, 4.0, 2.0))).dispersion.item() == 1.125


def test_unequal_groups_count_by_their_learners():
    """b = (0, 2, 4, 6) in groups of 1 and 3: ends (0, -2, -3, -4), whose mean is not -3/2."""
    assert last_round(method(groups=(1, 3)), bowl_of((0.0, 2.0, 4.0, 6.0))).w.item() == -2.25


def test_the_state_of_an_optimizer_at_the_average_of_a_group():
    """Gradients are (0, 4) and beta = 1/2: m is (0, 4) after a step, and the group is at -2."""
    ends = {}
    for state in ("reset", "kept", "averaged"):
        ball = optimizers.HeavyBall(0.5, at_average=state)
        done = last_round(method(P=2, gamma=1.0, groups=1, optimizer=ball), slope_of((0.0, 4.0)))
        ends[state] = done.w.item(), done.dispersion.item()
    # The second m is (0, 4), (0, 6) or, from 2 for both, (1, 5).
    assert ends == {"reset": (-4.0, 4.0), "kept": (-5.0, 9.0), "averaged": (-5.0, 4.0)}


@pytest.mark.parametrize("state", ["kept", "averaged"])
def test_states_of_a_group_differ_from_those_of_another(state):
    """Gradients are (0, 0, 4, 4): m of the second group alone is 4 after the first block."""
    one = method(gamma=1.0, groups=2, optimizer=optimizers.HeavyBall(0.5, at_average=state))
    problem = slope_of((0.0, 0.0, 4.0, 4.0))
    # Steps of 4, then 6: learners at 0, 0, -10, -10.
    assert last_round(one, problem).w.item() == -5.0
    # Kept: m = 6, so 7 and 7.5.  Averaged: m = 3 of all, so 1.5 + .75, and 5.5 + 6.75.
    further = {"kept": -5.0 - 14.5 / 2, "averaged": -5.0 - (2.25 + 12.25) / 2}
    assert last_round(one, problem, rounds=2).w.item() == further[state]


@pytest.mark.parametrize("mean", ["exact", "allreduce"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("K1", "groups"), [(6, 2), (6, (1, 3)), (2, 4), (1, 4)])
def test_whole_rounds_and_groups_of_one_are_k_step_averaging(K1, groups, dtype, mean):
    plain = Algorithm(4, 6, 0.05, AVERAGING)
    grouped = method(K=6, gamma=0.05, K1=K1, groups=groups)
    assert same_bits(run(plain, dtype=dtype, mean=mean), run(grouped, dtype=dtype, mean=mean))


@pytest.mark.parametrize("state", ["kept", "averaged"])
def test_groups_of_one_leave_the_state_of_an_optimizer_alone(state):
    ball = optimizers.HeavyBall(0.7, at_average=state)
    plain = Algorithm(4, 6, 0.05, AVERAGING, optimizer=ball)
    assert same_bits(run(plain), run(method(K=6, gamma=0.05, K1=2, groups=4, optimizer=ball)))


def test_one_group_is_averaging_every_k1_steps():
    often = run(Algorithm(4, 2, 0.05, AVERAGING), rounds=9).w
    np.testing.assert_allclose(run(method(K=6, gamma=0.05, K1=2, groups=1)).w, often, rtol=1e-12)
    # And neither K-step averaging nor another grouping.
    for other in (Algorithm(4, 6, 0.05, AVERAGING), method(K=6, gamma=0.05, K1=2, groups=2)):
        assert np.abs(run(other).w - often).max() > 1e-6


class Part(CountingComm):
    is_free = False

    def Free(self):
        assert not self.is_free
        self.is_free = True
        self.comm.Free()


class CountingParts(CountingComm):
    """Counts the calls of each part of the ranks as well."""

    def __init__(self, comm):
        super().__init__(comm)
        self.parts = []

    def Split(self, color, key):
        self.parts.append(Part(self.comm.Split(color, key)))
        return self.parts[-1]


def test_a_group_on_several_ranks_costs_one_sum_of_these_a_block():
    """Learners (0 1) (2 3) (4) on ranks; groups (0 1 2) (3 4) share rank 1."""

    def count(comm):
        counting = CountingParts(comm)
        rounds = kavg.meta_iterations(
            NOISY, method(P=5, K=6, gamma=0.05, K1=2, groups=(3, 2)), comm=counting
        )
        list(islice(rounds, 3))
        for part in counting.parts:
            part.calls.clear()
        list(islice(rounds, 4))
        return [dict(part.calls) for part in counting.parts]

    each = {"Allreduce": 4 * 2}
    assert run_ranks(3, count) == [[each, {}], [each, each], [{}, each]]


class Breaks:
    """An oracle that fails on one rank in a local step."""

    def __init__(self, here, at):
        self.here, self.at = here, at

    def constants(self, objective):
        return kavg.oracles.Noiseless().constants(objective)

    def plan(self, objective, **options):
        self.planned = kavg.oracles.Noiseless().plan(objective, **options)
        return self

    def select(self, learners):
        self.planned.select(learners)

    def __call__(self, x, step, out):
        if self.here and step == self.at:
            raise RuntimeError("of a test")
        self.planned(x, step, out)


def test_parts_of_the_ranks_are_freed_at_the_end_of_a_run():
    def count(comm):
        counting = CountingParts(comm)
        run(method(P=5, K=6, gamma=0.05, K1=2, groups=(3, 2)), comm=counting)
        return [part.is_free for part in counting.parts]

    assert run_ranks(3, count) == [[True, True]] * 3


def test_a_rank_that_fails_in_a_block_leaves_none_waiting():
    """In the third block of round 2, on the rank that shares both groups."""
    one = method(P=5, K=6, gamma=0.05, K1=1, groups=(3, 2))

    def rank(comm):
        problem = kavg.Problem(NOISY.objective, Breaks(comm.Get_rank() == 1, at=8), 1.0)
        with pytest.raises((RuntimeError, KavgError)) as caught:
            kavg.simulate(problem, one, rounds=5, comm=comm)
        return type(caught.value).__name__

    assert run_ranks(3, rank) == ["CollectiveError", "RuntimeError", "CollectiveError"]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"K": 5, "K1": 2}, "K1 must divide K, got K1=2 and K=5; use a K1 for which K / K1"),
        ({"groups": 3}, "groups must divide P, got groups=3 for P=4; use a divisor of P"),
        ({"groups": (3, 2)}, r"got sizes \(3, 2\) with sum 5 for P=4; give sizes with sum P"),
        ({"groups": 0}, "groups must be a whole number of at least 1"),
        ({"K1": 0}, "K1 must be a whole number of at least 1, got K1=0; use K1=K"),
    ],
)
def test_contradictions_are_refused(parts, words):
    with pytest.raises(KavgError, match=words):
        method(**parts)


def test_a_period_that_adapts_goes_with_groups_that_average_every_step_alone():
    """Else a run ends as soon as K has been halved often enough."""
    control = periods.DispersionControl(spread=1e-6, first=8)
    with pytest.raises(KavgError, match=r"K1 must divide K in every round, .* got K1=2 and K=Disp"):
        method(K=control, K1=2)
    assert run(method(K=control, K1=1, gamma=0.05)).diverged_at is None


def test_a_period_that_is_no_whole_number_of_blocks_ends_the_run_of_all_ranks():
    one = method(K=periods.PiecewisePeriod((2, 3), (1,)), K1=2)

    def rank(comm):
        with pytest.raises(KavgError, match="K1 must divide K, got K1=2 and K=3"):
            run(one, comm=comm)

    run_ranks(3, rank)


def test_periods_of_whole_blocks_run_on_ranks():
    one = method(K=periods.PiecewisePeriod((2, 4), (1,)), K1=2, gamma=0.05)
    assert all(same_bits(run(one), each) for each in run_ranks(3, lambda comm: run(one, comm=comm)))


def test_a_communicator_that_cannot_be_split_is_refused():
    class Whole:
        """The four calls alone."""

        def __init__(self, comm):
            for name in ("Get_rank", "Get_size", "Allreduce", "Allgather"):
                setattr(self, name, getattr(comm, name))

    def rank(comm):
        # Two ranks hold whole groups, three do not.
        if comm.Get_size() == 2:
            return run(method(gamma=0.05), comm=Whole(comm)).w.shape
        with pytest.raises(KavgError, match="need a communicator with the call Split"):
            run(method(gamma=0.05), comm=Whole(comm))
        return None

    assert run_ranks(2, rank) == [(2, 3)] * 2
    run_ranks(3, rank)
