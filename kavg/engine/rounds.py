"""Rounds of K-step averaging, one after another: local steps, the exact mean, the outer rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, get_args

import numpy as np

from kavg.base import Communicator, Precision
from kavg.engine.blas_threads import one_blas_thread
from kavg.engine.communicator import SerialComm, block
from kavg.engine.local_steps import LocalSteps, default_tile
from kavg.engine.means import MEANS, Mean
from kavg.errors import KavgError, at_least_one, check_seed
from kavg.problem import Algorithm, Problem
from kavg.trajectory import Round, State

MeanName = Literal["exact", "allreduce"]


def meta_iterations(
    problem: Problem,
    algorithm: Algorithm,
    *,
    replicas: int = 1,
    seed: int = 0,
    comm: Communicator | None = None,
    mean: MeanName = "exact",
    dtype: Precision = "float64",
    tile: int | None = None,
    state: State | None = None,
    asks: Callable[[], int] | None = None,
) -> Iterator[Round]:
    """Yield the start (n = 0) and then one round after another, without end.

    Given a ``state``, go on behind it: only the rounds after it are yielded.  Every array yielded
    is a copy that stays as it is.  Under MPI all ranks must ask for the same rounds; a rank that
    wants something of all adds a small number, ``asks()``, to every round, whose ``asked`` is the
    sum over the ranks.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer
    >>> problem = Problem(objectives.Linear(dim=1), oracles.Noiseless(), start=0.0)
    >>> method = Algorithm(P=2, K=3, gamma=1.0, outer=outer.BlockMomentum(mu=0.5))
    >>> rounds = meta_iterations(problem, method)
    >>> [float(next(rounds).w[0, 0]) for _ in range(4)]
    [0.0, -3.0, -7.5, -12.75]
    """
    check_run(replicas, seed, mean, dtype, tile)
    learned = _Learners(problem, algorithm, replicas, seed, comm or SerialComm(), mean, dtype, tile)
    learned.asks = asks or nothing
    if state is None:
        w = problem.first_iterate(seed, replicas)
        state = State(0, w, np.zeros_like(w) if algorithm.outer.memory else np.empty(0))
        yield Round(state, np.zeros(replicas), float("nan"))
    while True:
        done = learned.round(state)
        state = done.state
        yield done


def nothing() -> int:
    """What a rank asks that wants nothing."""
    return 0


def check_run(replicas: int, seed: int, mean: str, dtype: str, tile: int | None) -> None:
    """Refuse what no run can be made of."""
    at_least_one("replicas", replicas, "use replicas=1 for a single run")
    if tile is not None:
        at_least_one("tile", tile, "leave it out for a tile that fits the cache")
    check_seed(seed)
    if mean not in MEANS:
        raise KavgError(f"mean must be one of {', '.join(MEANS)}, got mean={mean!r}")
    if dtype not in get_args(Precision):
        raise KavgError(f"dtype must be one of {', '.join(get_args(Precision))}, got {dtype=!r}")


class _Learners:
    """This rank's learners and everything planned for them."""

    def __init__(
        self,
        problem: Problem,
        algorithm: Algorithm,
        R: int,
        seed: int,
        comm: Communicator,
        mean: MeanName,
        dtype: Precision,
        tile: int | None,
    ) -> None:
        d = problem.objective.dim
        self.algorithm = algorithm
        self.own = block(algorithm.P, comm.Get_size(), comm.Get_rank())
        self.tile = tile or default_tile(R, d, max(1, len(self.own)))
        self.local = LocalSteps(problem, algorithm, seed=seed, R=R, tile=self.tile, dtype=dtype)
        self.mean: Mean = MEANS[mean](comm, algorithm.P, R, d)
        self.start = np.empty((R, d))
        self.asks: Callable[[], int] = nothing

    def round(self, state: State) -> Round:
        """One round: K steps of every learner, the mean, the outer rule."""
        n, outer = state.n + 1, self.algorithm.outer
        w, v, gamma = state.w.copy(), state.v.copy(), self.algorithm.step_size(n)
        self.mean.exponents = state.exponents
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            outer.start(w, v, self.start)
            while not self.average(gamma, n):
                pass
            displacement, square = self.mean.mean, self.mean.square
            dispersion = np.maximum(square - np.vecdot(displacement, displacement), 0.0)
            outer.step(w, v, displacement, gamma)
        return Round(State(n, w, v, self.mean.exponents), dispersion, gamma, self.mean.asked)

    def average(self, gamma: float, n: int) -> bool:
        """Fold in all tiles of this rank; False if the round must be run again."""
        pilot = None
        if self.mean.exponents is None:
            pilot = self.local.displacement(range(1), self.start, gamma, n)
        self.mean.begin(pilot)
        for first in range(self.own.start, self.own.stop, self.tile):
            learners = range(first, min(first + self.tile, self.own.stop))
            self.mean.fold(self.local.displacement(learners, self.start, gamma, n))
        self.mean.asks = self.asks()
        return self.mean.finish()
