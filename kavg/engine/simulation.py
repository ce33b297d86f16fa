"""``simulate``: the rounds of ``meta_iterations``, measured and collected in a ``Trajectory``.

Serial and MPI are one path: ranks only divide the learners among themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice

from kavg.base import Communicator, Measure, Precision
from kavg.engine.blas_threads import limit_blas_to_one_thread
from kavg.engine.contracts import explain_failure
from kavg.engine.fingerprint import describe_run
from kavg.engine.measures.names import Recordable, part_record
from kavg.engine.options import MeanName, RunOptions
from kavg.engine.ranks import Divergence, Ranks
from kavg.engine.recorder import Recorder
from kavg.engine.rounds import iterate_rounds
from kavg.engine.run import Callback, Run
from kavg.problem import Algorithm, Problem
from kavg.ranges import check_range
from kavg.trajectory import Round, Trajectory


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
    record: Mapping[str, Measure] | Sequence[Recordable] | None = None,
    on_round: Callable[[Round], None] | None = None,
    extends: Trajectory | None = None,
    callback: Callback | None = None,
) -> Trajectory:
    """Run ``rounds`` rounds of an algorithm, and record every ``every``-th of them.

    Recorded are ``F``, ``grad_norm2``, ``dispersion``, the objective's own measures and those of
    ``record``: functions of ``(n, w (R, d))`` that return ``(R,)``, by their names, or a list of
    measures of rounds (``kavg.measures``), of their names, and of such mappings.  The start and the
    last round are always recorded.  A run whose w, F or gradient is not finite ends:
    ``diverged_at`` is that round, and ``not_finite`` names the value.  Other measures are recorded
    as they are.

    ``replicas`` independent repetitions are computed side by side; ``seed`` determines all random
    numbers, and the result to the last bit with ``mean="exact"``, on any number of ranks of
    ``comm`` (default: one process).  ``mean="allreduce"`` is faster for large models, and its last
    bits depend on the number of ranks and on MPI; ``dtype="float32"`` is that of the local steps;
    ``tile`` is how many learners take their steps at once.

    ``on_round`` is called with each new round, whose arrays are read-only, and ``callback`` with
    the run in progress.  Before the first round the problem's and the algorithm's own code is
    called on a few rows, to find what would run on with a wrong result (docs/contributing.md,
    "What is checked of your code").  A run that ``extends`` a shorter one of the same settings and
    arithmetic equals, to the last bit, one that was that long from the start.

    Under MPI the call is collective.  If a part of the problem, a measure, ``on_round`` or the
    callback fails on one rank, that rank raises the exception and the others ``KavgError``.

    Raises ``KavgError`` if an option is out of range, if the start does not fit or F is not finite
    there, if ``extends`` is not a shorter run of these settings, if an objective, an oracle, an
    outer rule, a schedule or a measure breaks its contract, if ranks were given different runs, or
    if ``comm`` is no communicator of this rank.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer
    >>> problem = Problem(objectives.Cosine(dim=3), oracles.Gaussian(sigma2=1.0), start=2.0)
    >>> method = Algorithm(P=4, K=8, gamma=0.05, outer=outer.BlockMomentum(mu=0.5))
    >>> simulate(problem, method, rounds=10, replicas=5, seed=1).grad_norm2.shape
    (11, 5)
    >>> short = simulate(problem, method, rounds=4)
    >>> simulate(problem, method, rounds=10, extends=short).rounds[-1]
    np.int64(10)
    """
    ranks = Ranks(comm)

    def begin() -> Run:
        check_range(Problem, "problem", problem)
        check_range(Algorithm, "algorithm", algorithm)
        options = RunOptions(replicas, seed, mean, dtype, tile)
        functions, measures = part_record(record)
        recorder = Recorder(problem, functions, every, measures)
        run = Run(problem, algorithm, options, recorder, rounds)
        if extends is not None:
            run.extend(extends)
        return run

    def describe(run: Run) -> dict[str, str]:
        state = run.last.state if run.last else None
        functions, measures = part_record(record)
        return describe_run(
            problem, algorithm, run.options, rounds=rounds, every=every, record=sorted(functions),
            measures=measures, extends=state,
        )  # fmt: skip

    run = ranks.attempt(begin, None)
    ranks.agree(lambda: {} if run is None else describe(run))
    # Agreement has raised the error of a rank that could not begin.
    assert run is not None
    return do_rounds(run, ranks, on_round, callback)


def complete_run(
    run: Run,
    comm: Communicator | None = None,
    on_round: Callable[[Round], None] | None = None,
    callback: Callback | None = None,
) -> Trajectory:
    """Complete a run: do the rounds that are left, or those until it diverges.

    ``on_round`` is called with each new round, then ``callback.on_round`` with the run.  For
    callers whose ranks have agreed and end together: an exception is raised where it occurs.
    """
    return do_rounds(run, Ranks(comm, shares_failures=False), on_round, callback)


def do_rounds(
    run: Run,
    ranks: Ranks,
    on_round: Callable[[Round], None] | None,
    callback: Callback | None,
) -> Trajectory:
    """Do the rounds that are left of a run, on ranks that have agreed."""
    iterations = iterate_rounds(
        run.problem,
        run.algorithm,
        run.options,
        ranks=ranks,
        state=run.last.state if run.last else None,
        request=callback.request if callback is not None else None,
        readings=run.recorder.round_measures.plan_readings(run.is_due),
    )

    def take(now: Round) -> None:
        run.add(now)
        if on_round is not None:
            _show(on_round, now)
        if callback is not None:
            callback.on_round(run)

    if run.last is None:
        start = next(iterations)
        ranks.attempt(lambda: run.add_start(start), None)
    try:
        # Set once around all rounds: setting the limit in each would cost 6 microseconds a round.
        with limit_blas_to_one_thread():
            for now in islice(iterations, run.rounds_left):
                ranks.attempt(partial(take, now), None)
        if run.keeps_slots:
            # A rank that has failed could not take part.
            ranks.meet()
        trajectory = ranks.attempt(run.to_trajectory, None, run.gather_slots(ranks.comm))
        ranks.meet()
    except Divergence:
        trajectory = run.to_trajectory(run.gather_slots(ranks.comm))
    ranks.release()
    assert trajectory is not None
    return trajectory


def _show(on_round: Callable[[Round], None], now: Round) -> None:
    try:
        on_round(now)
    except Exception as error:
        explain_failure(error, f"on_round after round {now.n}")
