"""The measures of rounds of a run in progress, and their memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

import numpy as np

from kavg.arrays import freeze, own_array
from kavg.base import Floats, PlannedMeasure, ReadsLearners, RoundMeasure, RoundView
from kavg.base.method_parts import describe_part, shorten_text
from kavg.engine.blas_threads import limit_blas_to_one_thread
from kavg.engine.contracts import explain_failure
from kavg.engine.measures.learner_readings import ReadingPlan
from kavg.engine.options import RunOptions
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem
from kavg.trajectory import Round


@final
class RoundMeasures:
    """Measures of rounds, and ``memory (R, m)``: what they remember, side by side.

    They are ``planned`` for one run.  The memory begins with zeros and is part of the run: with it
    a run is continued.
    """

    def __init__(self, measures: Sequence[RoundMeasure]) -> None:
        self.wanted = tuple(measures)
        self.planned: list[tuple[PlannedMeasure, tuple[str, ...], slice]] = []
        self.memory = freeze(np.zeros(0))

    def plan(self, problem: Problem, algorithm: Algorithm, options: RunOptions) -> None:
        """Plan the measures for the run of an algorithm, with a memory of zeros.

        Raises ``KavgError`` if one of them has no meaning there.
        """
        self.planned, end, R = [], 0, options.replicas
        for one in self.wanted:
            planned = one.plan(problem, algorithm, R=R, seed=options.seed)
            self.planned.append((planned, tuple(one.names), slice(end, end + planned.width)))
            end += planned.width
        self.memory = freeze(np.zeros((R, end) if end else 0))

    def plan_readings(self, is_due: Callable[[int], bool]) -> ReadingPlan | None:
        """Return what rounds must show beside their state; None for nothing."""
        readers = tuple(one for one, *_ in self.planned if isinstance(one, ReadsLearners))
        displacement = any(one.reads_displacement for one, *_ in self.planned)
        return ReadingPlan(displacement, readers, is_due) if displacement or readers else None

    def describe(self) -> dict[str, str]:
        """Return a text of the measures in their order, which that of their memory is; or none."""
        text = ", ".join(map(describe_part, self.wanted))
        return {"measures": shorten_text(text)} if text else {}

    def load(self, memory: Floats) -> None:
        """Continue with the memory of a shorter run."""
        self.memory = own_array(memory, np.float64)

    def update(self, now: Round) -> None:
        """Update the memory by the start, or by the next round."""
        if not self.memory.size:
            return
        # Another array, as the last one may be part of a trajectory.
        memory, means = self.memory.copy(), iter(now.learner_means)
        view = RoundView(now.n, now.gamma, now.K, now.w, now.displacement)
        with limit_blas_to_one_thread(), np.errstate(all="ignore"):
            for planned, names, columns in self.planned:
                part = memory[:, columns]
                if isinstance(planned, ReadsLearners):
                    part[:, : planned.count] = next(means, np.nan)
                try:
                    planned.update(view, part)
                except Exception as error:
                    explain_failure(error, f"the measure of {names[0]!r} after round {now.n}")
        self.memory = freeze(memory)

    def measure(self, now: Round) -> dict[str, Floats]:
        """Return the series of a round by their names, ``(R,)`` each."""
        row: dict[str, Floats] = {}
        view = RoundView(now.n, now.gamma, now.K, now.w)
        for planned, names, columns in self.planned:
            # Measures that remember nothing have an empty part of an empty memory.
            part = self.memory[:, columns] if self.memory.size else np.empty((len(now.w), 0))
            try:
                values = planned.measure(view, part)
            except Exception as error:
                explain_failure(error, f"the measure of {names[0]!r} after round {now.n}")
            row |= zip(names, _to_rows(names, values, len(now.w)), strict=True)
        return row


def _to_rows(names: tuple[str, ...], values: Floats, R: int) -> list[Floats]:
    # A copy, as a measure may return an array that it overwrites at its next call.
    rows = np.array(values, np.float64)
    if rows.shape != (len(names), R):
        raise KavgError(
            f"the measure of {', '.join(names)} must return ({len(names)}, {R}) numbers, one row a "
            f"series, got {rows.shape}"
        )
    # One NaN, as processors differ in the sign of those that they compute.
    rows[np.isnan(rows)] = np.nan
    return [freeze(row) for row in rows]
