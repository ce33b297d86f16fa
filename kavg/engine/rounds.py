"""Rounds of K-step averaging: local steps, the mean over learners, the outer rule."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from kavg.arrays import freeze
from kavg.base import Asynchronous, Communicator, Floats, Precision
from kavg.base.outer_rules import memory_shape
from kavg.engine.aggregation.asynchronous_learners import AsynchronousLearners
from kavg.engine.contracts import (
    check_user_code,
    explain_failure,
    own_state,
)
from kavg.engine.fingerprint import describe_run
from kavg.engine.learners import Learners, Request
from kavg.engine.measures.learner_readings import ReadingPlan
from kavg.engine.options import MeanName, RunOptions
from kavg.engine.ranks import Ranks
from kavg.problem import Algorithm, Problem
from kavg.ranges import check_range
from kavg.trajectory import Round, State


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
    yielded is read-only, and no later round changes it.  ``request()`` is called on each rank once
    a round, and the ``requested`` of a round is the sum over the ranks.  ``simulate`` measures
    these rounds.

    Under MPI the call is collective, and all ranks must take the same number of rounds: a ``break``
    on one of them leaves the others waiting for it.  Failures inside a round are shared as
    ``simulate`` shares them, except that one of the outer rule's ``step`` on some ranks is shared
    in the sum of the round after: those ranks wait in it for the others.  So a program that takes a
    fixed number of rounds asks for one more, as ``simulate`` waits for all ranks at its end.

    Raises ``KavgError`` if an option is out of range (``RunOptions``), if the start or
    ``state`` does not fit, or as ``simulate``.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer
    >>> problem = Problem(objectives.Linear(dim=1), oracles.Noiseless(), start=0.0)
    >>> method = Algorithm(P=2, K=3, gamma=1.0, outer=outer.BlockMomentum(mu=0.5))
    >>> rounds = meta_iterations(problem, method)
    >>> [float(next(rounds).w[0, 0]) for _ in range(4)]
    [0.0, -3.0, -7.5, -12.75]
    """
    ranks = Ranks(comm)

    def check() -> RunOptions:
        check_range(Problem, "problem", problem)
        check_range(Algorithm, "algorithm", algorithm)
        return RunOptions(replicas, seed, mean, dtype, tile)

    options = ranks.attempt(check, RunOptions())

    def own() -> State | None:
        return None if state is None else own_state(state, problem, algorithm, options.replicas)

    # Now, as the caller may write to its arrays before the first round is asked for.
    begin = ranks.attempt(own, None)
    ranks.agree(lambda: describe_run(problem, algorithm, options, state=begin))
    rounds = iterate_rounds(problem, algorithm, options, ranks=ranks, state=begin, request=request)
    # A rank that failed in the outer step has no round to show, and joins the others in the next.
    return (now for now in rounds if ranks.failure is None)


def iterate_rounds(
    problem: Problem,
    algorithm: Algorithm,
    options: RunOptions,
    *,
    ranks: Ranks | None = None,
    state: State | None = None,
    request: Request | None = None,
    readings: ReadingPlan | None = None,
) -> Iterator[Round]:
    """Yield what ``meta_iterations`` yields, with its options as one value.

    For callers that have ``RunOptions`` already, such as a ``Run``, and for ranks that have agreed.
    A rank that failed between two rounds, which ``ranks`` knows, takes part in the next Allreduce.
    ``readings`` is what the measures of a run read of its rounds.
    """
    ranks = ranks or Ranks()
    checked = ranks.attempt(lambda: _check_beginning(problem, algorithm, options, state), None)
    # After the checks, as the workspace of a run is larger than theirs.
    takes_turns = isinstance(algorithm.aggregation, Asynchronous)
    plan: type[Learners | AsynchronousLearners] = AsynchronousLearners if takes_turns else Learners
    begin = partial(plan, problem, algorithm, options, ranks, request, readings)
    learners = ranks.attempt(begin, None)
    if checked is not None and learners is not None:
        ranks.attempt(partial(learners.check_plan, *checked), None)
    # A rank without workspace cannot take part in the sum of a round.
    ranks.meet()
    assert checked is not None
    assert learners is not None
    if isinstance(learners, Learners):
        # Collective, so not before all ranks are known to be there.
        learners.connect()
        ranks.releases.append(learners.release)
    is_new, state = state is None, checked[0]
    if is_new:
        yield Round(state, freeze(np.zeros(options.replicas)), float("nan"))
    while True:
        try:
            now = learners.round(state)
        except Exception as error:
            # What was held back was found in another round, or before the first.
            n = ranks.failed_in if error is ranks.failure else state.n + 1
            explain_failure(error, f"round {n}, on rank {learners.rank}")
        state = now.state
        yield now


def _check_beginning(
    problem: Problem, algorithm: Algorithm, options: RunOptions, given: State | None
) -> tuple[State, Floats, list[str]]:
    """Return the state before the first round, and what ``check_user_code`` found there."""
    if given is None:
        w = freeze(problem.first_iterate(options.seed, options.replicas))
        v = freeze(np.zeros(memory_shape(algorithm.outer, *w.shape)))
        state = State(0, w, v, steps=0)
    else:
        state = own_state(given, problem, algorithm, options.replicas)
    found = check_user_code(problem, algorithm, options, state, is_new=given is None)
    return state, *found
