"""Ranks that are given different runs from Python, and what is no communicator."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.rank_programs import Bowl, Heavy, norm, outcomes, refused, simulate, take
from helpers.ranks import CountingComm, ThreadComm

import kavg
from kavg.errors import CollectiveError
from kavg.objectives import Cosine, LogisticRegression, Quadratic
from kavg.oracles import Gaussian, MiniBatch, Noiseless, Rademacher
from kavg.outer import Averaging, BlockMomentum
from kavg.schedules import InverseSqrt


def with_(**fields):
    return lambda rank: kavg.Algorithm(
        **{"P": 4, "K": 2, "gamma": 0.05, "outer": Averaging()}
        | {name: values[rank] for name, values in fields.items()}
    )


X = np.arange(12.0).reshape(6, 2)
Y = np.array([0, 1, 0, 1, 1, 0])


class Slow:
    """A user's schedule."""

    def __init__(self, first):
        self.first = first

    def __call__(self, n):
        return self.first / (n + 9)


def problems(*parts):
    return lambda rank: kavg.Problem(*parts[rank])


DIFFERENT_METHODS = {
    "P": with_(P=(4, 5)),
    "K": with_(K=(2, 3)),
    "gamma": with_(gamma=(0.05, 0.06)),
    "gamma ": with_(gamma=(InverseSqrt(0.1), InverseSqrt(0.1, rounds=2))),
    "gamma  ": with_(gamma=(Slow(1.0), Slow(1.1))),
    "gamma   ": with_(gamma=(lambda n: 0.1 / n, lambda n: 0.1 / n if n < 4 else 0.01)),
    "outer": with_(outer=(BlockMomentum(0.5), BlockMomentum(0.6))),
    "outer ": with_(outer=(Heavy(0.5), Heavy(0.6))),
}
DIFFERENT_PROBLEMS = {
    "start": problems((Cosine(3), Noiseless(), 2.0), (Cosine(3), Noiseless(), (2.0, 2.0, 2.5))),
    "objective": problems((Cosine(3, A=0.1), Noiseless()), (Cosine(3, A=0.2), Noiseless())),
    "objective ": problems((Quadratic((1.0,)), Noiseless()), (Quadratic((2.0,)), Noiseless())),
    "objective  ": problems(
        (LogisticRegression(kavg.Data(X, Y)), MiniBatch(2)),
        (LogisticRegression(kavg.Data(X + np.eye(6, 2), Y)), MiniBatch(2)),
    ),
    "F near the start": problems((Bowl(1.0), Noiseless()), (Bowl(1.001), Noiseless())),
    "oracle": problems((Cosine(3), Gaussian(1.0)), (Cosine(3), Gaussian(1.1))),
    "oracle ": problems((Cosine(3), Gaussian(1.0)), (Cosine(3), Rademacher(1.0))),
}  # fmt: skip
DIFFERENT_OPTIONS = {
    "seed": (0, 1),
    "replicas": (2, 3),
    "mean": ("exact", "allreduce"),
    "dtype": ("float64", "float32"),
}


@pytest.mark.parametrize("call", [simulate, take])
@pytest.mark.parametrize("name", DIFFERENT_METHODS)
def test_ranks_with_different_methods_are_refused(call, name):
    make = DIFFERENT_METHODS[name]
    words = refused(2, lambda comm: call(comm, method=make(comm.Get_rank())))
    assert f"\n  {name.strip()}: " in words
    assert " on rank 0; " in words
    assert " on rank 1\n" in words


@pytest.mark.parametrize("call", [simulate, take])
@pytest.mark.parametrize("name", DIFFERENT_PROBLEMS)
def test_ranks_with_different_problems_are_refused(call, name):
    make = DIFFERENT_PROBLEMS[name]
    words = refused(2, lambda comm: call(comm, problem=make(comm.Get_rank())))
    assert f"\n  {name.strip()}: " in words


@pytest.mark.parametrize("call", [simulate, take])
@pytest.mark.parametrize("name", DIFFERENT_OPTIONS)
def test_ranks_with_different_options_are_refused(call, name):
    values = DIFFERENT_OPTIONS[name]
    words = refused(2, lambda comm: call(comm, **{name: values[comm.Get_rank()]}))
    assert f"\n  {name}: " in words


class OfRank(Bowl):
    """A bowl whose value and gradient are rounded in another way on each rank."""

    def __init__(self, rank, curvature=1.0):
        super().__init__(1.0)
        self.rounding, self.curvature = rank * 1e-16, curvature

    def value(self, x):
        return self.curvature * super().value(x) + self.rounding

    def grad(self, x, out):
        np.multiply(super().grad(x, out), self.curvature, out=out)
        out += self.rounding


@pytest.mark.parametrize("start", [1.0, 1.0 + 1e-12, 3.0])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rounding_of_a_gradient_that_vanishes_is_no_difference_of_ranks(start, dtype):
    def program(comm, curvature=1.0):
        problem = kavg.Problem(OfRank(comm.Get_rank(), curvature), Gaussian(1.0), start)
        return simulate(comm, problem, dtype=dtype)

    assert {type(run) for run in outcomes(2, program)} == {kavg.Trajectory}
    words = refused(2, lambda comm: program(comm, 1.0 + comm.Get_rank()))
    assert "||grad F||^2 near the start: " in words


class InOrder(Gaussian):
    """Noise that is drawn in the order of calls, as far as ranks know."""

    addressed = False


def test_ranks_with_different_tiles_are_refused_only_where_draws_follow_from_the_calls():
    tiles = (1, 2)
    runs = outcomes(2, lambda comm: simulate(comm, tile=tiles[comm.Get_rank()]))
    assert np.array_equal(runs[0].w, runs[1].w)
    problem = kavg.Problem(Cosine(3), InOrder(1.0), start=2.0)
    words = refused(2, lambda comm: simulate(comm, problem, tile=tiles[comm.Get_rank()]))
    assert "\n  tile: 1 on rank 0; 2 on rank 1" in words


def test_ranks_that_simulate_differently_are_refused():
    short, other = simulate(None, rounds=2), simulate(None, rounds=2, seed=0, replicas=2, every=1)
    moved = kavg.Trajectory(**{**other.__dict__, "w": other.w + 1e-9})
    different = {
        "rounds": (4, 5), "every": (1, 2), "extends": (short, moved),
        "record": ({"a": norm}, {"b": norm}),
    }  # fmt: skip
    for name, values in different.items():
        options = [{name: value} for value in values]
        words = refused(2, lambda comm, each=options: simulate(comm, **each[comm.Get_rank()]))
        assert f"\n  {name}: " in words
    state = take(None, rounds=2)[-1].state
    later = kavg.State(state.n + 1, state.w, state.v, state.exponents)
    words = refused(2, lambda comm: take(comm, state=(state, later)[comm.Get_rank()]))
    assert "\n  state: " in words


def test_a_rank_of_its_own_is_named_among_many():
    words = refused(5, lambda comm: simulate(comm, seed=int(comm.Get_rank() == 3)))
    assert words == (
        "ranks must be given the same run, but they differ in\n"
        "  seed: 0 on ranks 0, 1, 2, 4; 1 on rank 3\n"
        "  call it with the same arguments on every rank of comm"
    )
    words = refused(8, lambda comm: simulate(comm, seed=comm.Get_rank()))
    assert "  seed: 0 on rank 0; 1 on rank 1; 2 on rank 2; 3 on rank 3; ...\n" in words


def test_what_belongs_to_a_rank_alone_may_differ(tmp_path):
    """Files, communicators, measures, readers, tiles and workspace of a user's objects."""

    class Logs(Bowl):
        def __init__(self, rank, comm):
            super().__init__(1.0)
            self.comm, self.rank, self.workspace = comm, rank, np.full(2, float(rank))

    def program(comm):
        rank = comm.Get_rank()
        shown = []
        with (tmp_path / f"log{rank}").open("w") as file:
            return simulate(
                comm,
                kavg.Problem(Logs(rank, comm), Gaussian(1.0)),
                kavg.Algorithm(
                    4, 2, lambda n: (file, 0.1 / n)[1], Averaging(), name=f"rank {rank}"
                ),
                tile=rank + 1,
                record={"largest": lambda n, w: (file.write(str(n)), norm(n, w))[1]}
                if rank
                else None,
                on_round=shown.append if rank == 0 else None,
            )

    first, second = outcomes(2, program)
    assert np.array_equal(first.w, second.w)
    assert set(second.series) - set(first.series) == {"largest"}


@pytest.mark.parametrize("size", [1, 2, 3])
def test_numbers_of_any_type_are_the_same_run(size):
    def program(comm):
        kind = (int, np.int64, np.int32)[comm.Get_rank()]
        method = kavg.Algorithm(
            kind(4), kind(2), (0.5, np.float64(0.5), 0.5)[comm.Get_rank()], Averaging()
        )
        return simulate(comm, method=method, seed=kind(3))

    assert len({run.w.tobytes() for run in outcomes(size, program)}) == 1


def test_one_rank_is_told_of_its_own_wrong_option_and_the_others_of_that_rank():
    options = ({}, {"replicas": 0}, {})
    found = outcomes(3, lambda comm: simulate(comm, **options[comm.Get_rank()]))
    assert str(found[1]).startswith("replicas must be a whole number of at least 1")
    assert type(found[0]) is type(found[2]) is CollectiveError
    assert "rank 1 failed before the first round: KavgError: replicas must be" in str(found[0])


@pytest.mark.parametrize("call", [simulate, take])
def test_all_ranks_are_told_of_a_mistake_that_all_make(call):
    found = outcomes(2, lambda comm: call(comm, replicas=0))
    assert {type(error) for error in found} == {kavg.KavgError}


# --- communicators


class NoComm(ThreadComm):
    """As mpi4py's COMM_NULL, and a communicator that was freed."""

    def Get_size(self):
        raise RuntimeError("MPI_ERR_COMM: invalid communicator")


class Inter(ThreadComm):
    def Is_inter(self):
        return True


@pytest.mark.parametrize("call", [simulate, take])
@pytest.mark.parametrize(
    ("comm", "words"),
    [
        (NoComm(0, [None], None, []), "comm is no communicator of this rank .*COMM_NULL"),
        (Inter(0, [None], None, []), "comm is an intercommunicator; use comm.Merge"),
        (ThreadComm, "comm is no communicator of this rank"),
        (0, "comm must have the calls of mpi4py's Comm .* got 0; pass"),
        (False, "got False"),
        ("world", "got 'world'"),
        (np, "got <module 'numpy'"),
    ],
)
def test_what_is_no_communicator_is_refused(call, comm, words):
    with pytest.raises(kavg.KavgError, match=words):
        call(comm)


def test_a_single_rank_compares_nothing():
    counting = CountingComm(kavg.SerialComm())
    simulate(counting)
    assert counting.calls == {"Allreduce": 4}
