"""Rounds of K-step averaging, one after another.

``meta_iterations`` is a generator of rounds; ``simulate`` drains it into a ``Trajectory``.  Serial
and MPI are one path: ranks only divide the learners among themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Literal, get_args

import numpy as np

from kavg.base import Algorithm, Communicator, Measure, Precision, Problem
from kavg.comm import SerialComm, block
from kavg.errors import KavgError, at_least_one, check_seed
from kavg.growing import Growing, Supervisor
from kavg.local import LocalSteps, default_tile
from kavg.means import MEANS, Mean
from kavg.record import Recorder
from kavg.rounds import Round
from kavg.starts import first_iterate
from kavg.threads import one_blas_thread
from kavg.trajectory import State, Trajectory

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
        w = first_iterate(problem, seed, replicas)
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


def simulate(
    problem: Problem,
    algorithm: Algorithm,
    *,
    rounds: int,
    replicas: int = 1,
    seed: int = 0,
    comm: Communicator | None = None,
    mean: MeanName = "exact",
    dtype: Precision = "float64",
    tile: int | None = None,
    every: int = 1,
    record: Mapping[str, Measure] | None = None,
    on_round: Callable[[Round], None] | None = None,
    extends: Trajectory | None = None,
    supervisor: Supervisor | None = None,
) -> Trajectory:
    """Run ``rounds`` rounds and keep what was measured at every ``every``-th of them.

    Recorded are ``F``, ``grad_norm2``, ``dispersion``, the objective's own measures and those of
    ``record``, functions of ``(n, w (R, d))`` that return ``(R,)``.  The start and the last round
    are always recorded.  A value that is not finite ends the run: ``diverged_at`` names the round.
    A run that ``extends`` a shorter one of the same settings equals, to the last bit, one that
    was that long from the start.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer
    >>> problem = Problem(objectives.Cosine(dim=3), oracles.Gaussian(sigma2=1.0), start=2.0)
    >>> method = Algorithm(P=4, K=8, gamma=0.05, outer=outer.BlockMomentum(mu=0.5))
    >>> simulate(problem, method, rounds=10, replicas=5, seed=1).grad_norm2.shape
    (11, 5)
    >>> short = simulate(problem, method, rounds=4)
    >>> simulate(problem, method, rounds=10, extends=short).rounds[-1]
    np.int64(10)
    """
    at_least_one("rounds", rounds, "use rounds=1 for a single averaging")
    at_least_one("every", every, "use every=1 to record each round")
    run = Growing(problem, algorithm, Recorder(problem, record or {}), rounds, every)
    if extends is not None:
        run.take_up(extends, replicas, exact=mean == "exact")
    iterations = meta_iterations(
        problem,
        algorithm,
        replicas=replicas,
        seed=seed,
        comm=comm,
        mean=mean,
        dtype=dtype,
        tile=tile,
        state=run.last.state if run.last else None,
        asks=supervisor.asks if supervisor else None,
    )
    if run.last is None:
        run.begin(next(iterations))
    with one_blas_thread():
        for now in islice(iterations, run.left):
            if not run.add(now):
                break
            if on_round:
                on_round(now)
            if supervisor:
                supervisor.told(run)
    return run.trajectory()
