"""Law 8 for whole runs: cut anywhere, go on from a checkpoint on any ranks, and nothing changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.ranks import run_ranks
from helpers.same import same_bits
from helpers.strategies import algorithms, outer_rules, problems
from hypothesis import given
from hypothesis import strategies as st

import kavg
from kavg.engine import snapshots as kept
from kavg.errors import KavgError
from kavg.storage import digest
from kavg.storage.checkpoints import Checkpoint, decode_checkpoint, encode_checkpoint

SIZES = st.integers(1, 6)
ROUNDS = 9
CUTS = st.lists(st.integers(1, ROUNDS), max_size=3, unique=True).map(sorted)


@pytest.fixture(autouse=True, scope="module")
def few_states():
    """Runs of these lengths keep some of their states and drop others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "MOST", 3)
        yield


class Cut(Exception):
    """The run is stopped here."""


class CutAfter:
    """A callback that takes the run of n rounds out of a longer one."""

    def __init__(self, n):
        self.n, self.taken = n, None

    def request(self):
        return 0

    def on_round(self, run):
        if run.last.n == self.n:
            self.taken = run.to_trajectory()
            raise Cut


def run(problem, algorithm, rounds=ROUNDS, **settings):
    return kavg.simulate(problem, algorithm, rounds=rounds, **{"replicas": 2, "seed": 5} | settings)


def through_a_file(trajectory):
    first, rest = encode_checkpoint(Checkpoint("", "", [trajectory], []))
    (back,) = decode_checkpoint(first + bytes(rest)).runs
    return back


def cut_after(n, problem, algorithm, size, **settings):
    """What a checkpoint after round n holds; the whole run if it ends before."""

    def on_rank(comm):
        cut = CutAfter(n)
        try:
            return run(problem, algorithm, comm=comm, callback=cut, **settings)
        except Cut:
            return cut.taken

    ranks = run_ranks(size, on_rank)
    assert all(same_bits(ranks[0], other) for other in ranks)
    return through_a_file(ranks[0])


def assert_same_run(one, other):
    assert same_bits(one, other)
    assert digest(one) == digest(other)
    assert (one.diverged_at, one.done) == (other.diverged_at, other.done)
    assert np.array_equal(one.gammas, other.gammas, equal_nan=True)
    assert np.array_equal(one.exponents, other.exponents)
    assert [bits_of(state) for state in one.states] == [bits_of(state) for state in other.states]


def bits_of(state):
    return state.n, state.w.tobytes(), state.v.tobytes(), state.exponents.tobytes()


def wild_algorithms():
    """Step sizes that diverge at once, later, or not."""
    gamma = st.floats(0, 60).map(lambda power: 10.0**power)
    return st.builds(
        kavg.Algorithm, P=st.integers(1, 5), K=st.integers(1, 2), gamma=gamma, outer=outer_rules()
    )


METHODS = st.one_of(algorithms(), wild_algorithms())


@given(problems(), METHODS, st.integers(1, 4), CUTS, st.lists(SIZES, min_size=4, max_size=4))
def test_cut_and_resumed_a_run_is_the_uninterrupted_one(problem, algorithm, every, cuts, sizes):
    whole = run(problem, algorithm, every=every)
    so_far = None
    for n, size in zip([*cuts, ROUNDS + 1], sizes, strict=False):
        so_far = cut_after(n, problem, algorithm, size, every=every, extends=so_far)
    assert_same_run(so_far, whole)


@given(problems(), METHODS, st.integers(1, 4), CUTS, SIZES)
def test_extended_a_run_is_the_one_that_was_that_long_from_the_start(
    problem, algorithm, every, lengths, size
):
    before = None
    for rounds in [*lengths, ROUNDS]:
        whole = run(problem, algorithm, rounds, every=every)
        extended = run_ranks(
            size,
            lambda comm, N=rounds, b=before: run(
                problem, algorithm, N, every=every, extends=b, comm=comm
            ),
        )
        before = through_a_file(extended[0])
        assert_same_run(before, whole)


@given(problems(), METHODS, st.integers(1, 4))
def test_a_run_at_round_n_is_the_run_of_n_rounds(problem, algorithm, every):
    class Compare:
        def request(self):
            return 0

        def on_round(self, growing):
            shorter = run(problem, algorithm, growing.last.n, every=every)
            if shorter.diverged_at is None:
                assert_same_run(growing.to_trajectory(), shorter)

    run(problem, algorithm, 4, every=every, callback=Compare())


@given(problems(), algorithms(), st.integers(1, ROUNDS - 1), st.integers(1, 3))
def test_with_a_plain_mean_in_one_process(problem, algorithm, n, every):
    settings = {"mean": "allreduce", "every": every}
    whole = run(problem, algorithm, **settings)
    so_far = cut_after(n, problem, algorithm, 1, **settings)
    assert_same_run(run(problem, algorithm, extends=so_far, **settings), whole)


def seen_only_at_the_end():
    """F is infinite after round 3, which goes on being finite in w until round 4."""
    problem = kavg.Problem(kavg.objectives.Quadratic((1e20,)), kavg.oracles.Noiseless(), 1.0)
    return problem, kavg.Algorithm(2, 1, 1e29, kavg.outer.Averaging())


@pytest.mark.parametrize(("every", "short", "long"), [(1, 3, 3), (3, 3, 3), (5, 3, 4), (4, 3, 4)])
def test_a_value_that_was_only_seen_as_the_last_does_not_end_a_longer_run(every, short, long):
    problem, algorithm = seen_only_at_the_end()
    before = run(problem, algorithm, 3, every=every)
    whole = run(problem, algorithm, 9, every=every)
    assert (before.diverged_at, whole.diverged_at) == (short, long)
    assert_same_run(run(problem, algorithm, 9, every=every, extends=before), whole)


def test_the_last_row_is_dropped_where_a_longer_run_has_none():
    problem = kavg.Problem(kavg.objectives.Cosine(dim=2), kavg.oracles.Gaussian(1.0), 2.0)
    algorithm = kavg.Algorithm(3, 2, 0.1, kavg.outer.BlockMomentum(0.5))
    before = run(problem, algorithm, 5, every=3)
    after = run(problem, algorithm, 8, every=3, extends=before)
    assert (before.rounds.tolist(), after.rounds.tolist()) == ([0, 3, 5], [0, 3, 6, 8])
    assert before.rounds.tolist() == [0, 3, 5]  # what was given stays as it is
    assert (np.diff(after.seconds) > 0).all()


def test_one_collective_a_round_also_with_requests():
    from helpers.ranks import CountingComm

    problem = kavg.Problem(kavg.objectives.Linear(dim=2), kavg.oracles.Rademacher(sigma2=1.0))
    algorithm = kavg.Algorithm(5, 2, 0.1, kavg.outer.Averaging())

    def requested(comm):
        counting, rank, before = CountingComm(comm), comm.Get_rank(), int(comm.Get_size() > 1)
        rounds = kavg.meta_iterations(
            problem,
            algorithm,
            comm=counting,
            request=lambda: rank if counting.calls["Allreduce"] > before else 9,
        )
        found = [next(rounds).requested for _ in range(3)]
        return found, counting.calls

    for size in (1, 2, 4):
        ranks = sum(range(size))
        for found, calls in run_ranks(size, requested):
            assert found == [0, 9 * size, ranks]
            # Several ranks agree, and meet, before the first round.
            before = int(size > 1)
            assert (calls["Allreduce"], calls["Allgather"]) == (2 + before, before)


@pytest.mark.parametrize("mean", ["exact", "allreduce"])
def test_a_request_arrives_also_when_a_round_is_run_again_or_not_finite(mean):
    steps = kavg.schedules.Piecewise((0.001, 1.0, 1e200), (2, 3))
    problem = kavg.Problem(kavg.objectives.Linear(dim=2), kavg.oracles.Noiseless())
    algorithm = kavg.Algorithm(3, 2, steps, kavg.outer.Averaging())
    numbers = iter(range(1, 99))
    rounds = kavg.meta_iterations(problem, algorithm, mean=mean, request=lambda: next(numbers))
    requested = [next(rounds).requested for _ in range(5)]
    # The exact mean runs round 3 twice: its grid was laid for steps of 0.001.
    assert requested == ([0, 1, 2, 4, 5] if mean == "exact" else [0, 1, 2, 3, 4])


class Misfits:
    """A run, and what no longer belongs to it."""

    problem = kavg.Problem(kavg.objectives.Cosine(dim=2), kavg.oracles.Gaussian(1.0), 2.0)
    algorithm = kavg.Algorithm(3, 2, 0.1, kavg.outer.BlockMomentum(0.5), name="M-AVG")
    changes = (
        ("P, K, B", {"algorithm": kavg.Algorithm(4, 2, 0.1, algorithm.outer)}),
        ("P, K, B", {"algorithm": kavg.Algorithm(3, 1, 0.1, algorithm.outer)}),
        ("gamma", {"algorithm": kavg.Algorithm(3, 2, 0.2, algorithm.outer)}),
        ("its v", {"algorithm": kavg.Algorithm(3, 2, 0.1, kavg.outer.Averaging())}),
        ("its w", {"replicas": 3}),
        ("every=2", {"every": 2}),
        ("must have recorded", {"record": {"norm": lambda n, w: np.vecdot(w, w)}}),
        ("has done 4 rounds", {"rounds": 3}),
    )


@pytest.mark.parametrize(("words", "change"), Misfits.changes)
def test_a_run_of_other_settings_is_not_extended(words, change):
    before = run(Misfits.problem, Misfits.algorithm, 4)
    settings = {"algorithm": Misfits.algorithm, "rounds": 6} | change
    with pytest.raises(KavgError, match=rf"cannot be extended: .*{words}"):
        run(Misfits.problem, **settings, extends=before)


def test_a_run_of_another_arithmetic_is_not_extended():
    before = run(Misfits.problem, Misfits.algorithm, 4)
    with pytest.raises(KavgError, match=r"run of 'M-AVG' cannot be extended: it has arithmetic 1"):
        run(Misfits.problem, Misfits.algorithm, 6, extends=replace(before, arithmetic=1))


def test_a_plain_mean_leaves_no_grids_for_an_exact_one_to_find_missing():
    before = run(Misfits.problem, Misfits.algorithm, 4)
    without = kavg.Trajectory(
        **{**before.__dict__, "exponents": np.empty(0, np.int64), "states": ()}
    )
    with pytest.raises(KavgError, match=r"run of 'M-AVG' cannot be extended: the exponents"):
        run(Misfits.problem, Misfits.algorithm, 6, extends=without)
    run(Misfits.problem, Misfits.algorithm, 6, extends=without, mean="allreduce")
