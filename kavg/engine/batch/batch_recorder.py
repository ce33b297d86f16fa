"""Rows of measurements of all points of a batch: one call measures a quantity of all of them."""

from __future__ import annotations

import time
from bisect import bisect_right
from typing import final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats
from kavg.engine.batch.point_states import BatchRound, rows_of
from kavg.engine.blas_threads import limit_blas_to_one_thread
from kavg.engine.recorder import NEEDED, Recorder, measure_quantity
from kavg.problem import Problem
from kavg.trajectory import NOT_FINITE

Positions = NDArray[np.intp]
"""Positions of points among those of a round."""


@final
class BatchRecorder:
    """The rows of the rounds that are due: ``(T, points, R)`` numbers a quantity.

    F and its gradient are measured at the rows of all points at once, as each row is by itself
    (``kavg.base.Objective``); the objective's other measures point by point.
    """

    def __init__(self, problem: Problem, points: int, R: int, rounds: int, every: int) -> None:
        self.R, self.last, self.every = R, rounds, every
        self.standard = Recorder(problem, None, every)
        self.measures = self.standard.measures
        T = rounds // every + 1 + (rounds % every > 0)
        names = (*self.measures, "dispersion")
        self.series = {name: np.empty((T, points, R)) for name in names}
        self.gammas = np.empty((T, points))
        self.rounds: list[int] = []
        self.seconds: list[float] = []
        self.began = time.perf_counter()

    def add(self, now: BatchRound) -> dict[int, str]:
        """Add the row of a round, if it is due; return what is not finite, by position.

        It is the first of w, F and the gradient of F, as in the run of a point alone.
        """
        found: dict[int, str] = {}
        points = np.arange(len(now.points))
        w = now.state.w
        points = _find_finite(NOT_FINITE[0], w.reshape(len(points), -1), points, found)
        if now.n % self.every and now.n != self.last:
            return found
        row = len(self.rounds)
        with limit_blas_to_one_thread(), np.errstate(all="ignore"):
            for name in self.measures:
                if points.size:
                    values = self._measure(name, now, points)
                    self.series[name][row, now.points[points]] = values
                    if name in NEEDED:
                        points = _find_finite(NEEDED[name], values, points, found)
        self.series["dispersion"][row, now.points] = now.dispersion.reshape(-1, self.R)
        self.gammas[row, now.points] = now.gammas
        self.rounds.append(now.n)
        self.seconds.append(time.perf_counter() - self.began)
        return found

    def _measure(self, name: str, now: BatchRound, points: Positions) -> Floats:
        """Return a quantity of these points, ``(points, R)``."""
        measure, w, R = self.measures[name], now.state.w, self.R
        if name in NEEDED:
            if len(points) < len(now.points):
                w = w.reshape(-1, R, w.shape[1])[points].reshape(-1, w.shape[1])
            return measure_quantity(name, measure, now.n, w).reshape(-1, R)
        own = [measure_quantity(name, measure, now.n, w[rows_of(i, R)]) for i in points]
        return np.array(own)

    def give_rows(self, point: int, n: int, recorder: Recorder) -> None:
        """Give the rows of a point up to round n to the recorder of its run."""
        rows = bisect_right(self.rounds, n)
        recorder.series = {name: list(values[:rows, point]) for name, values in self.series.items()}
        recorder.gammas = self.gammas[:rows, point].tolist()
        recorder.rounds, recorder.seconds = self.rounds[:rows], self.seconds[:rows]
        # Batches are of a constant K, whose steps need not be counted.
        recorder.counted, recorder.Ks = [0] * rows, [0] * rows
        recorder.began = self.began


def _find_finite(what: str, values: Floats, points: Positions, found: dict[int, str]) -> Positions:
    """Return the points whose row of ``values`` is finite, and add the others to ``found``."""
    finite = np.isfinite(values)
    if finite.all():
        return points
    is_finite = finite.all(axis=1)
    found.update(dict.fromkeys(points[~is_finite].tolist(), what))
    return points[is_finite]
