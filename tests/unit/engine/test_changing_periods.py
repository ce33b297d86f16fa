"""Runs whose K changes: exact blocks, degenerate cases, and continuation from every round."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from helpers.methods import METHODS
from helpers.ranks import run_ranks
from helpers.same import same_bits
from helpers.spy import SpyOracle

import kavg
from kavg.errors import KavgError
from kavg.periods import (
    DispersionControl,
    PiecewisePeriod,
    QuadraticSynchronization,
    WarmUpPeriod,
)
from kavg.storage.trajectories import write_trajectories
from kavg.validation import find_mismatch

SLOPE = kavg.Problem(kavg.objectives.Linear(dim=1), kavg.oracles.Noiseless(), start=0.0)
NOISY = kavg.Problem(kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), start=2.0)
FALLING = kavg.schedules.Piecewise((0.1, 0.05), (2,))
CONTROL = DispersionControl(spread=0.02)
CHANGING = [name for name, method in METHODS.items() if callable(method.K)]
every_changing = pytest.mark.parametrize("name", CHANGING)


def method(K, gamma=0.05, **parts):
    return kavg.Algorithm(P=5, K=K, gamma=gamma, outer=kavg.outer.BlockMomentum(0.5), **parts)


def run(algorithm, rounds=6, problem=NOISY, **options):
    return kavg.simulate(problem, algorithm, rounds=rounds, **({"replicas": 2} | options))


def test_there_are_methods_of_every_kind():
    kinds = {type(METHODS[name].K) for name in CHANGING}
    assert kinds >= set(kavg.periods.KINDS.values())


def test_the_hand_path_has_every_block():
    """F' = 1, gamma = 1, mean only: each round moves by its K."""
    pieces = PiecewisePeriod((1, 4, 2), (2, 4))
    for P in (1, 3):
        plain = kavg.Algorithm(P, pieces, 1.0, kavg.outer.Averaging())
        rounds = islice(kavg.meta_iterations(SLOPE, plain), 6)
        assert [(now.w.item(), now.K) for now in rounds] == [
            (0.0, 0), (-1.0, 1), (-2.0, 1), (-6.0, 4), (-10.0, 4), (-12.0, 2),
        ]  # fmt: skip


@every_changing
def test_every_block_has_exactly_its_steps(name):
    spy, algorithm = SpyOracle(NOISY.oracle), METHODS[name]
    rounds = kavg.meta_iterations(replace(NOISY, oracle=spy), algorithm, seed=5)
    next(rounds)
    done = 0
    for n in range(1, 7):
        spy.steps.clear()
        K = next(rounds).K
        # Learner 0 takes the steps of the first round twice, as its pilot.
        for j in range(algorithm.P):
            assert spy.steps[j][-K:] == list(range(done, done + K)), (n, j)
            assert set(spy.steps[j]) == set(range(done, done + K)), (n, j)
        done += K


@every_changing
def test_a_run_records_its_periods_and_steps(name):
    whole = run(METHODS[name], seed=5)
    rounds = list(islice(kavg.meta_iterations(NOISY, METHODS[name], replicas=2, seed=5), 7))
    Ks = [now.K for now in rounds[1:]]
    assert whole.Ks.tolist() == [Ks[0], *Ks]
    assert whole.steps.tolist() == np.cumsum([0, *Ks]).tolist()
    assert (whole.K, whole.done_steps) == (Ks[-1], sum(Ks))
    assert whole.gradients.tolist() == (whole.steps * METHODS[name].P).tolist()
    rare = run(METHODS[name], seed=5, every=4)
    assert rare.rounds.tolist() == [0, 4, 6]
    assert rare.steps.tolist() == whole.steps[[0, 4, 6]].tolist()
    assert rare.Ks.tolist() == [Ks[0], Ks[3], Ks[5]]


def test_dispersion_control_follows_what_is_measured():
    for P in (1, 5):
        whole = run(replace(method(CONTROL), P=P), rounds=8, seed=3)
        K = 1
        for now, D in zip(whole.Ks[1:].tolist(), whole.dispersion[1:, 0].tolist(), strict=True):
            assert now == K
            K = 2 * K if 4 * D < 0.02 else max(K // 2, 1) if D > 0.02 else K
        assert whole.next_K == K
        assert len({*whole.Ks.tolist()}) > 1


SAME = {
    "one piece": (method(PiecewisePeriod((3,), ())), method(3)),
    "equal pieces": (method(PiecewisePeriod((3, 3), (2,))), method(3)),
    "a warm-up to 1": (method(WarmUpPeriod(4, then=1)), method(1)),
    "a warm-up is piecewise": (
        method(WarmUpPeriod(2, then=4)),
        method(PiecewisePeriod((1, 4), (2,))),
    ),
    "QSR at a constant step": (method(QuadraticSynchronization(alpha=0.1)), method(4)),
    "QSR with equal limits": (
        method(QuadraticSynchronization(alpha=9.0, least=3, most=3), gamma=FALLING),
        method(3, gamma=FALLING),
    ),
    "QSR by hand": (
        method(QuadraticSynchronization(alpha=0.1), gamma=FALLING),
        method(PiecewisePeriod((1, 4), (2,)), gamma=FALLING),
    ),
    "control that cannot move": (method(DispersionControl(1e9, first=3, most=3)), method(3)),
    "control of one step": (method(DispersionControl(1e-9)), method(1)),
    "a function": (
        method(lambda n, gamma: 1 if n <= 2 else 4),
        method(PiecewisePeriod((1, 4), (2,))),
    ),
}


@pytest.mark.parametrize("case", SAME)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_degenerate_periods_are_other_methods_bit_for_bit(case, dtype):
    one, other = SAME[case]
    assert same_bits(run(one, dtype=dtype), run(other, dtype=dtype))


# Continuation.


@every_changing
@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("done", range(1, 6))
def test_a_run_is_continued_from_every_round(name, every, done, tmp_path):
    whole = run(METHODS[name], every=every)
    write_trajectories(tmp_path / "trajectory.npz", [run(METHODS[name], done, every=every)])
    (short,) = kavg.load_trajectories(tmp_path)
    assert find_mismatch(NOISY, METHODS[name], short) is None
    for again in (
        run(METHODS[name], every=every, extends=short),
        *run_ranks(3, lambda comm: run(METHODS[name], every=every, extends=short, comm=comm)),
    ):
        assert same_bits(whole, again)
        facts = ("K", "next_K", "done_steps", "done")
        assert all(getattr(whole, fact) == getattr(again, fact) for fact in facts)
        assert np.array_equal(whole.Ks, again.Ks)


def test_a_run_that_diverged_between_records_is_continued():
    """The last finite w has no finite gradient, so that its round has no row."""
    bowl = kavg.objectives.Quadratic((1e150,))
    steep = kavg.Problem(bowl, kavg.oracles.Noiseless(), start=1.0)
    wild = replace(method(DispersionControl(1e9, first=3)), gamma=11e-150, P=2)
    whole = kavg.simulate(steep, wild, rounds=50, every=50)
    assert whole.diverged_at is not None
    assert whole.rounds.tolist() == [0]
    again = kavg.simulate(steep, wild, rounds=60, every=50, extends=whole)
    assert (again.diverged_at, again.done_steps) == (whole.diverged_at, whole.done_steps)


OTHERS = {
    "another piece": (PiecewisePeriod((1, 4), (2,)), PiecewisePeriod((1, 4), (3,)), "K in round 3"),
    "another K": (PiecewisePeriod((2, 4), (2,)), PiecewisePeriod((1, 4), (2,)), "K in round 1"),
    "a number": (PiecewisePeriod((1, 4), (2,)), 4, "K in round 1 was 1, not 4"),
    "no number": (4, PiecewisePeriod((1, 4), (2,)), "K in round 1 was 4, not 1"),
    "control of a number": (4, DispersionControl(1.0, first=4), "the K of its next round is m"),
    "another first": (CONTROL, DispersionControl(0.02, first=2), "K in round 1 was 1, not 2"),
    "another spread": (CONTROL, DispersionControl(1e-9), "K in round 2 was 2, not 1"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_a_run_of_another_period_is_refused(case):
    was, is_now, message = OTHERS[case]
    short = run(method(was))
    with pytest.raises(KavgError, match=f"cannot be extended: .*{message}"):
        run(method(is_now), rounds=8, extends=short)


def test_steps_between_records_tell_periods_apart():
    short = run(method(PiecewisePeriod((1, 4, 2), (2, 3))), every=6)
    other = method(PiecewisePeriod((1, 2), (2,)))
    with pytest.raises(KavgError, match="local steps up to round 6 were 12, not 10"):
        run(other, rounds=8, every=6, extends=short)


# What is refused of a user's period.


class Counting:
    """A period that counts its calls, as a function of the round must not."""

    def __init__(self):
        self.calls = 0

    def __call__(self, n, gamma):
        self.calls += 1
        return self.calls


class Drifting:
    """A rule with feedback that remembers what it was asked."""

    def __init__(self):
        self.calls = 0

    def __call__(self, n, gamma):
        return 1

    def adapt(self, K, dispersion, gamma):
        self.calls += 1
        return self.calls


WRONG = {
    "nothing": (lambda n, gamma: 0, "K must be a whole number of at least 1 in every round, got 0"),
    "a fraction": (lambda n, gamma: 2.5, "got 2.5 for round 1"),
    "state": (Counting(), "K must be a function of round and step size alone, got 1, then 2"),
    "state in feedback": (Drifting(), "function of K, dispersion and step size alone, got 1, then"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_period_is_refused_before_the_first_round(case):
    K, message = WRONG[case]
    with pytest.raises(KavgError, match=message):
        run(method(K))


def test_a_period_that_fails_later_names_its_round():
    with pytest.raises(KavgError, match="got 0 for round 4"):
        run(method(lambda n, gamma: 4 - n))


def test_feedback_that_fails_on_one_rank_ends_all():
    class Failing:
        def __init__(self, rank):
            self.rank = rank

        def __call__(self, n, gamma):
            return 2

        def adapt(self, K, dispersion, gamma):
            if dispersion[0] > 0 and self.rank == 1:
                raise RuntimeError("planted")
            return 2

    def one(comm):
        with pytest.raises((RuntimeError, KavgError)) as caught:
            run(method(Failing(comm.Get_rank())), comm=comm)
        return type(caught.value).__name__

    assert run_ranks(3, one)[1] == "RuntimeError"


# States.


def states(algorithm, rounds=4):
    return [now.state for now in islice(kavg.meta_iterations(NOISY, algorithm), rounds + 1)]


@pytest.mark.parametrize("change", [{"steps": None}, {"K": None}, {"K": 0}, {"steps": 3}])
def test_a_state_without_what_an_adaptive_K_needs_is_refused(change):
    state = replace(states(method(CONTROL))[4], **change)
    with pytest.raises(KavgError, match=r"state must have steps from n = 4 on and K of at least 1"):
        kavg.meta_iterations(NOISY, method(CONTROL), state=state)


def test_a_plain_state_at_the_start_is_enough():
    w, v = np.full((1, 3), 2.0), np.zeros((1, 3))
    rounds = kavg.meta_iterations(NOISY, method(CONTROL), state=kavg.State(0, w, v))
    fresh = list(islice(kavg.meta_iterations(NOISY, method(CONTROL)), 3))
    assert np.array_equal([now.w for now in islice(rounds, 2)], [now.w for now in fresh[1:]])


def test_the_K_of_another_method_is_not_taken_from_a_state():
    state = states(method(CONTROL))[4]
    assert state.K is not None
    other = method(PiecewisePeriod((2, 4), (6,)))
    rounds = kavg.meta_iterations(NOISY, other, state=replace(state, K=7))
    assert [now.K for now in islice(rounds, 3)] == [2, 2, 4]
