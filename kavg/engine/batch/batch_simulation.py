"""``simulate_batch``: the runs of several algorithms on one problem, as arrays of all of them."""

from __future__ import annotations

from collections.abc import Sequence

from kavg.base import Communicator, Precision
from kavg.engine.batch.execution import run_batch
from kavg.engine.batch.planning import Batch, plan_batches
from kavg.engine.fingerprint import describe_algorithms, describe_run
from kavg.engine.options import MeanName, RunOptions
from kavg.engine.ranks import Ranks
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem
from kavg.ranges import check_range
from kavg.text import shorten_repr
from kavg.trajectory import Trajectory


def simulate_batch(
    problem: Problem,
    algorithms: Sequence[Algorithm],
    *,
    rounds: int | Sequence[int],
    replicas: int = 1,
    seed: int = 0,
    comm: Communicator | None = None,
    mean: MeanName = "exact",
    dtype: Precision = "float64",
    every: int = 1,
) -> list[Trajectory]:
    """Run several algorithms on one problem and the same noise; return their trajectories.

    Each is that of ``simulate`` with the same keywords, to the last bit, in less time: algorithms
    with equal ``P``, ``K`` and ``rounds`` take their local steps in the same arrays, whatever their
    step sizes, schedules and outer rules, and noise is drawn once for all of them.  One that
    diverges ends, and the others go on.  ``rounds`` is one number, or one for each algorithm;
    ``seconds`` of a trajectory are those of all that ran beside it.

    Points of an oracle without ``plan_copies`` (docs/contributing.md) run one after another, as do
    those of an objective or an oracle whose last bits depend on how many rows are computed at once.

    Raises ``KavgError`` as ``simulate``, and if there is no algorithm.

    >>> from kavg import objectives, oracles, outer
    >>> problem = Problem(objectives.Cosine(dim=3), oracles.Gaussian(sigma2=1.0), start=2.0)
    >>> points = [Algorithm(4, 8, gamma, outer.BlockMomentum(0.5)) for gamma in (0.01, 0.1, 0.5)]
    >>> runs = simulate_batch(problem, points, rounds=10, replicas=5)
    >>> [float(run.F[-1].mean().round(2)) for run in runs]
    [5.9, 5.91, 2.79]
    """
    ranks = Ranks(comm)

    def begin() -> tuple[RunOptions, list[Batch]]:
        check_range(Problem, "problem", problem)
        if not isinstance(algorithms, Sequence):
            raise KavgError(
                "algorithms must be a list of Algorithm(P, K, gamma, outer), got "
                f"{shorten_repr(algorithms)}"
            )
        for i, algorithm in enumerate(algorithms):
            check_range(Algorithm, f"algorithms[{i}]", algorithm)
        options = RunOptions(replicas, seed, mean, dtype)
        return options, plan_batches(problem, algorithms, rounds, options, every=every)

    def describe(options: RunOptions) -> dict[str, str]:
        facts = describe_run(problem, algorithms[0], options, rounds=rounds, every=every)
        return facts | describe_algorithms(algorithms, problem.dim)

    begun = ranks.attempt(begin, None)
    ranks.agree(lambda: {} if begun is None else describe(begun[0]))
    # Agreement has raised the error of a rank that could not begin.
    assert begun is not None
    runs: dict[int, Trajectory] = {}
    for batch in begun[1]:
        done = run_batch(batch, comm, shares_failures=True)
        runs |= dict(zip(batch.indices, done, strict=True))
    return [runs[i] for i in range(len(algorithms))]
