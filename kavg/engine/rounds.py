"""Rounds of K-step averaging: local steps, the mean over learners, the outer rule."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import final

import numpy as np

from kavg.arrays import freeze
from kavg.base import Communicator, Floats, Precision
from kavg.engine.blas_threads import limit_blas_to_one_thread
from kavg.engine.communicator import SerialComm, assign_learners
from kavg.engine.contracts import (
    check_user_code,
    compare_with_plan,
    explain_failure,
    own_state,
    refuse_result,
)
from kavg.engine.exact_sums import Exponents
from kavg.engine.local_steps import LocalSteps, choose_tile
from kavg.engine.means import MEANS, Mean
from kavg.engine.options import MeanName, RunOptions
from kavg.problem import Algorithm, Problem
from kavg.trajectory import Round, State

Request = Callable[[], int]
"""A rank's request in a round, such as to stop: a small number, 0 for none; ranks' are summed."""


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
    request: Request | None = None,
) -> Iterator[Round]:
    """Yield the start (n = 0) and then one round after another, without end.

    After a ``state`` of n rounds, rounds n + 1, n + 2, ... are yielded and no start.  Every array
    yielded is read-only, and no later round changes it.  Under MPI all ranks must take the same
    number of rounds; ``request()`` is called on each rank once a round, and the ``requested`` of a
    round is the sum over the ranks.  ``simulate`` measures these rounds.

    Raises ``KavgError`` if an option is out of range (``RunOptions``) or the start does not fit.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer
    >>> problem = Problem(objectives.Linear(dim=1), oracles.Noiseless(), start=0.0)
    >>> method = Algorithm(P=2, K=3, gamma=1.0, outer=outer.BlockMomentum(mu=0.5))
    >>> rounds = meta_iterations(problem, method)
    >>> [float(next(rounds).w[0, 0]) for _ in range(4)]
    [0.0, -3.0, -7.5, -12.75]
    """
    options = RunOptions(replicas, seed, mean, dtype, tile)
    return iterate_rounds(problem, algorithm, options, comm=comm, state=state, request=request)


def iterate_rounds(
    problem: Problem,
    algorithm: Algorithm,
    options: RunOptions,
    *,
    comm: Communicator | None = None,
    state: State | None = None,
    request: Request | None = None,
) -> Iterator[Round]:
    """Yield what ``meta_iterations`` yields, with its options as one value.

    For callers that have ``RunOptions`` already, such as a ``Run``.
    """
    is_new = state is None
    if state is None:
        w = freeze(problem.first_iterate(options.seed, options.replicas))
        v = freeze(np.zeros_like(w) if algorithm.outer.memory else np.empty(0))
        state = State(0, w, v)
    else:
        state = own_state(state, problem, algorithm, options.replicas)
    # Before the workspace of a run is allocated, which is larger than that of the checks.
    drawn, suspicions = check_user_code(problem, algorithm, options, state, is_new=is_new)
    learners = _Learners(problem, algorithm, options, comm or SerialComm(), request)
    learners.check_plan(state, drawn, suspicions)
    if is_new:
        yield Round(state, freeze(np.zeros(options.replicas)), float("nan"))
    while True:
        try:
            now = learners.round(state)
        except Exception as error:
            explain_failure(error, f"round {state.n + 1}, on rank {learners.rank}")
        state = now.state
        yield now


@final
class _Learners:
    """The learners of this rank, with workspace for all rounds."""

    def __init__(
        self,
        problem: Problem,
        algorithm: Algorithm,
        options: RunOptions,
        comm: Communicator,
        request: Request | None,
    ) -> None:
        R, d = options.replicas, problem.objective.dim
        self.problem, self.algorithm, self.request = problem, algorithm, request
        self.rank = comm.Get_rank()
        # Of a user's rule, which may return anything.
        self.step: Callable[[Floats, Floats, Floats, float], object] = algorithm.outer.step
        self.own = assign_learners(algorithm.P, comm.Get_size(), self.rank)
        # At least one, as a rank without learners computes the pilot of the first round as well.
        self.tile = options.tile or choose_tile(R, d, max(1, len(self.own)))
        self.local = LocalSteps(
            problem, algorithm, seed=options.seed, R=R, tile=self.tile, dtype=options.dtype
        )
        self.mean: Mean = MEANS[options.mean](comm, algorithm.P, R, d)
        self.start = np.empty((R, d))

    def check_plan(self, state: State, drawn: Floats, found: list[str]) -> None:
        """Compare a learner's gradient with ``drawn``, and warn of suspicions on rank 0."""
        j = min(self.algorithm.P, 2) - 1
        here = self.local.first_gradient(j, state.w, state.n + 1)
        last = compare_with_plan(self.problem.oracle, here, drawn)
        # What an objective depends on, its gradients do as well.
        for text in found or filter(None, [last]):
            if self.rank == 0:
                warnings.warn(text, stacklevel=3)

    def round(self, state: State) -> Round:
        """Return the round after ``state``: K steps of every learner, the mean, the outer rule."""
        n, outer, mean = state.n + 1, self.algorithm.outer, self.mean
        # Copies, because the outer rule works in place and arrays that were yielded never change.
        w, v, gamma = state.w.copy(), state.v.copy(), self.algorithm.step_size(n)
        # A run that diverges overflows; the recorder finds it, and warnings would only repeat it.
        with limit_blas_to_one_thread(), np.errstate(over="ignore", invalid="ignore"):
            # The state, which is read-only, and not the copies that the rule may write to later.
            outer.start(state.w, state.v, self.start)
            exponents = state.exponents
            if exponents is None:
                # Learner 0 on every rank, so that all choose the same grids without a message.
                pilot = self.local.displacement(range(1), self.start, gamma, n)
                exponents = mean.first_exponents(pilot)
            while not self.average(exponents, gamma, n):
                exponents = mean.exponents
            displacement, square = mean.mean, mean.square
            # As a difference, since the tiles are gone once the mean is known; rounding can make it
            # negative.  Before the outer rule, which may overwrite the mean displacement.
            dispersion = np.maximum(square - np.vecdot(displacement, displacement), 0.0)
            returned = self.step(w, v, displacement, gamma)
        if returned is not None:
            refuse_result(outer, w, v, returned)
        # Readers get these arrays; no later round writes to them.
        w.flags.writeable = v.flags.writeable = dispersion.flags.writeable = False
        return Round(State(n, w, v, mean.exponents), dispersion, gamma, mean.requested)

    def average(self, exponents: Exponents, gamma: float, n: int) -> bool:
        """Average over all learners; False if the round must be run again on wider grids."""
        # Run again, a round has the same noise: draws are addressed, and no generator has a state.
        self.mean.begin(exponents)
        for first in range(self.own.start, self.own.stop, self.tile):
            learners = range(first, min(first + self.tile, self.own.stop))
            self.mean.fold(self.local.displacement(learners, self.start, gamma, n))
        return self.mean.finish(self.request() if self.request else 0)
