"""Rounds of K-step averaging, one after another.

``meta_iterations`` is a generator of rounds; ``simulate`` drains it into a ``Trajectory``.  Serial
and MPI are one path: ranks only divide the learners among themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

from kavg.base import Communicator, Measure, Precision
from kavg.engine.blas_threads import one_blas_thread
from kavg.engine.recorder import Recorder
from kavg.engine.rounds import MeanName, meta_iterations
from kavg.engine.run import Growing, Supervisor
from kavg.errors import at_least_one
from kavg.problem import Algorithm, Problem
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
