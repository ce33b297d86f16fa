"""``run_batch``: the points of a batch together where that has the same bits, else one by one."""

from __future__ import annotations

from typing import final

import numpy as np

from kavg.arrays import freeze
from kavg.base import Communicator, Floats
from kavg.base.outer_rules import memory_shape
from kavg.engine.agreement import group_ranks
from kavg.engine.batch.batch_run import BatchRun, OnRound
from kavg.engine.batch.planning import Batch
from kavg.engine.batch.shared_draws import can_share_draws, draws_like_one
from kavg.engine.blas_threads import limit_blas_to_one_thread
from kavg.engine.contracts import check_algorithm, check_user_code
from kavg.engine.learners import Request
from kavg.engine.ranks import Ranks
from kavg.engine.recorder import Recorder
from kavg.engine.run import Run
from kavg.engine.simulation import do_rounds
from kavg.problem import Algorithm
from kavg.trajectory import State, Trajectory


def run_batch(
    batch: Batch,
    comm: Communicator | None = None,
    on_round: OnRound | None = None,
    request: Request | None = None,
    *,
    shares_failures: bool = False,
) -> list[Trajectory]:
    """Run all points of a batch; return their trajectories in its order.

    Each has the bits of ``simulate`` alone, but its ``seconds`` are those of the batch.  A point
    that diverges ends, and the others go on.  ``on_round(n, requested)`` is called on each rank
    after every round, and an exception of it ends the batch; ``request`` is called in every round,
    and ``requested`` is the sum over the ranks, below 2^20.  Points that cannot share arrays to the
    last bit run one after another; ``on_round`` then sees the rounds of each.

    Under MPI the call is collective: learners are divided among the ranks, with one ``Allreduce``
    a round for all points.  With ``shares_failures`` an exception on one rank ends all, as in
    ``simulate``; else it is raised where it occurs.
    """
    ranks = Ranks(comm, shares_failures=shares_failures)
    if not _agree_to_share(batch, ranks):
        listener = _Listener(on_round, request)
        return [
            do_rounds(_begin_run(batch, algorithm), each, None, listener)
            for algorithm in batch.algorithms
            # Ranks that found a divergence have stopped, so each run has its own.
            for each in (Ranks(comm, shares_failures=shares_failures),)
        ]
    # Set once around all rounds, as in a run alone.
    with limit_blas_to_one_thread():
        run = ranks.attempt(lambda: BatchRun(batch, ranks, request), None)
        ranks.meet()
        assert run is not None
        return run.complete(on_round)


def _agree_to_share(batch: Batch, ranks: Ranks) -> bool:
    """True if the points of a batch have the same bits in common arrays, on all ranks."""
    shares = ranks.attempt(lambda: can_share_arrays(batch), False)
    ranks.meet()
    if ranks.is_alone:
        return shares
    # Rounding may look suspicious on the machines of some ranks alone.
    return set(group_ranks(ranks.comm, bytes([shares]))) == {bytes([True])}


def can_share_arrays(batch: Batch) -> bool:
    """Check user code at the start, and whether rows and draws have the bits of a run alone.

    Raises ``KavgError`` if a contract is broken.
    """
    problem, options, (first, *others) = batch.problem, batch.options, batch.algorithms
    if not others or batch.measures or not can_share_draws(problem.oracle):
        return False
    w = freeze(problem.first_iterate(options.seed, options.replicas))
    state = _begin_state(first, w)
    drawn, suspicions = check_user_code(problem, first, options, state, is_new=True)
    for algorithm in others:
        check_algorithm(algorithm, _begin_state(algorithm, w))
    with limit_blas_to_one_thread(), np.errstate(all="ignore"):
        return not suspicions and draws_like_one(problem, options, first.P, w, drawn)


def _begin_state(algorithm: Algorithm, w: Floats) -> State:
    return State(0, w, freeze(np.zeros(memory_shape(algorithm.outer, *w.shape))))


def _begin_run(batch: Batch, algorithm: Algorithm) -> Run:
    recorder = Recorder(batch.problem, None, batch.every, batch.measures)
    return Run(batch.problem, algorithm, batch.options, recorder, batch.rounds)


@final
class _Listener:
    """The caller's functions as the ``Callback`` of a run alone."""

    def __init__(self, on_round: OnRound | None, request: Request | None) -> None:
        self._on_round, self._request = on_round, request

    def request(self) -> int:
        return 0 if self._request is None else self._request()

    def on_round(self, run: Run) -> None:
        if self._on_round is not None and run.last is not None:
            self._on_round(run.last.n, run.last.requested)
