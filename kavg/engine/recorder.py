"""The recorder: measurements of the rounds of a run, collected into a ``Trajectory``."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.arrays import as_array, freeze
from kavg.base import Floats, Measure, RoundMeasure
from kavg.base.method_parts import describe_parts
from kavg.base.outer_rules import describe_outer_rule
from kavg.budgets.work import count_active_learners
from kavg.engine.blas_threads import limit_blas_to_one_thread
from kavg.engine.contracts import explain_failure
from kavg.engine.measures.names import check_series_names, merge_measures
from kavg.engine.measures.round_measures import RoundMeasures
from kavg.engine.measures.standard import standard_measures
from kavg.engine.ranks import Divergence
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem
from kavg.ranges import check_count
from kavg.trajectory import NOT_FINITE, Round, State, Trajectory

NEEDED: Final = dict(zip(("F", "grad_norm2"), NOT_FINITE[1:], strict=True))
"""The measures without which a run cannot go on, and what they are of."""


@final
class Recorder:
    """Rows of measurements, one for each recorded round.

    Measured are ``F``, ``grad_norm2``, the objective's own measures and those of ``extra``; from
    the round itself come the dispersion, the step size and the time.  Every ``every``-th
    round is due; the recorder only stores the number, and its owner adds the rounds.  Measures of
    rounds (``measures``) are planned once the algorithm is known, and shown every round by the
    owner.
    """

    def __init__(
        self,
        problem: Problem,
        extra: Mapping[str, Measure] | None = None,
        every: int = 1,
        measures: Sequence[RoundMeasure] = (),
    ) -> None:
        self.problem, self.B = problem, problem.noise.B
        self.every = check_count("every", every, "use every=1 to record each round")
        self.measures: dict[str, Measure] = standard_measures(problem)
        if extra is not None:
            self.measures = merge_measures(self.measures, extra, "record")
        names = (*self.measures, "dispersion")
        names += check_series_names(measures, names)
        self.series: dict[str, list[Floats]] = {name: [] for name in names}
        self.round_measures = RoundMeasures(measures)
        self.rounds: list[int] = []
        self.gammas: list[float] = []
        self.counted: list[int] = []
        self.Ks: list[int] = []
        self.seconds: list[float] = []
        self.began = time.perf_counter()

    def add(self, now: Round) -> str | None:
        """Measure a round and add its row; name F or its gradient if that is not finite.

        There is no row then.  Other measures are recorded as they are.  Raises ``KavgError`` if one
        does not return one real number for each replica, or writes to ``w``.
        """
        # F is part of the digest, so its bits may not depend on BLAS threads either.
        with limit_blas_to_one_thread(), np.errstate(all="ignore"):
            row = {}
            for name, measure in self.measures.items():
                row[name] = measure_quantity(name, measure, now.n, now.w)
                # Before any value is added: a row is complete or absent.
                if name in NEEDED and not np.isfinite(row[name]).all():
                    return NEEDED[name]
            row |= self.round_measures.measure(now)
        row["dispersion"] = _to_row("dispersion", now.dispersion, len(now.w))
        for name, value in row.items():
            self.series[name].append(value)
        self.rounds.append(now.n)
        self.gammas.append(now.gamma)
        self.counted.append(now.state.steps or 0)
        self.Ks.append(now.K)
        self.seconds.append(time.perf_counter() - self.began)
        return None

    def load_rows(self, before: Trajectory, rows: NDArray[np.bool_]) -> None:
        """Replace all rows by those of a shorter run, and continue its clock.

        ``rows (T,)`` is a mask over the rounds that it recorded.
        """
        self.series = {name: list(before.series[name][rows]) for name in self.series}
        self.rounds = before.rounds[rows].tolist()
        self.gammas = before.gammas[rows].tolist()
        self.counted = before.steps[rows].tolist()
        self.Ks = before.periods[rows].tolist()
        self.seconds = before.seconds[rows].tolist()
        # The clock continues from the last row there, even if this run drops that row.
        self.began = time.perf_counter() - float(before.seconds[-1])

    def drop_last_row(self) -> None:
        """Remove the last row, which a longer run would not have."""
        for values in self.series.values():
            values.pop()
        for numbers in (self.rounds, self.gammas, self.counted, self.Ks, self.seconds):
            numbers.pop()

    def to_trajectory(
        self,
        algorithm: Algorithm,
        last: Round,
        divergence: Divergence | None = None,
        states: Iterable[State] = (),
    ) -> Trajectory:
        """Return the rows as the trajectory of a run whose last round is ``last``.

        ``last`` need not be recorded; ``states`` are the snapshots before it.
        """
        exponents, changes_K = last.state.exponents, callable(algorithm.K)
        active = count_active_learners(algorithm)
        first_K = algorithm.count_local_steps(1)
        return Trajectory(
            name=algorithm.name,
            P=algorithm.P,
            K=last.K or first_K,
            B=self.B,
            rounds=np.array(self.rounds, np.int64),
            series={name: np.array(values) for name, values in self.series.items()},
            w=last.w,
            v=last.v,
            seconds=np.array(self.seconds),
            diverged_at=None if divergence is None else divergence.n,
            not_finite=None if divergence is None else divergence.what,
            gammas=np.array(self.gammas),
            exponents=np.empty(0, np.int64) if exponents is None else exponents,
            done=last.n,
            states=tuple(states),
            outer=describe_outer_rule(algorithm.outer, algorithm.restart),
            counted=np.array(self.counted if changes_K else (), np.int64),
            next_K=last.state.K,
            # The start took no steps, and is shown with those of the round that begins there.
            Ks=np.array([K or first_K for K in self.Ks] if changes_K else (), np.int64),
            done_steps=last.state.steps if changes_K else None,
            slots=np.empty(0) if last.state.slots is None else last.state.slots,
            measure_memory=self.round_measures.memory,
            active=None if active == algorithm.P else active,
            parts=describe_parts(algorithm.optimizer, algorithm.aggregation)
            | self.round_measures.describe(),
        )


def measure_quantity(name: str, measure: Measure, n: int, w: Floats) -> Floats:
    """Return a measure of ``w (R, d)`` after round n: one real number a replica, ``(R,)``."""
    try:
        value = measure(n, w)
    except Exception as error:
        explain_failure(error, f"the measure {name!r} after round {n}")
    return _to_row(name, value, len(w))


def _to_row(name: str, value: object, R: int) -> Floats:
    row = as_array(value, f"the measure {name!r}")
    if row.shape != (R,) or row.dtype.kind not in "fiub":
        got = f"{type(value).__name__} of shape {row.shape} and type {row.dtype}"
        raise KavgError(
            f"the measure {name!r} must return one number a replica, shape ({R},) and real, got "
            f"{got}; w has shape (R, d), so sums, means and norms need axis=-1"
        )
    # A copy, as a measure may return an array that it overwrites at its next call.
    return freeze(np.array(row, np.float64))
