"""Exact means of what measures of rounds record on quadratics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from kavg.analysis.exact.averaged_iterates import iterate_averages
from kavg.analysis.exact.displacements import DisplacementMoments, iterate_displacements
from kavg.analysis.exact.eigenbasis import EigenProblem
from kavg.analysis.exact.moment_recursion import Moments, collect_moments
from kavg.base import Floats, KeepsIterates, RoundMeasure
from kavg.measures import (
    Alignment,
    Consensus,
    Distance,
    EffectiveStep,
    ExponentialMean,
    Sharpness,
    Spread,
    SuffixMean,
    UniformMean,
)
from kavg.measures.effective_step import outer_gain
from kavg.objectives import Quadratic
from kavg.problem import Algorithm, Problem

Series = dict[str, Floats]
Average = ExponentialMean | SuffixMean | UniformMean


@final
@dataclass(frozen=True, eq=False)
class ExactRun:
    """A run of N rounds, and its moments in the eigenbasis at the start and after each of them."""

    problem: Problem
    algorithm: Algorithm
    directions: EigenProblem
    moments: Moments

    @property
    def N(self) -> int:
        """The number of rounds."""
        return len(self.moments.mean) - 1

    def displacements(self) -> Iterator[DisplacementMoments]:
        """Yield the moments of the displacement of each round."""
        return iterate_displacements(self.directions, self.algorithm, self.moments)

    def to_eigenbasis(self, x: Floats) -> Floats:
        """Return a point or a direction ``(d,)`` in eigen-coordinates."""
        objective = self.problem.objective
        return objective.eigen_coordinates(x) if isinstance(objective, Quadratic) else x


def exact_series(measures: Sequence[RoundMeasure], run: ExactRun) -> Series:
    """Return the exact means of measured series at the start and after each round, ``(N + 1,)``.

    What has no exact mean, or none that is known for this method, is left out: a ratio, a measure
    of a user, displacements of other methods than those of plain SGD and all learners.

    >>> from kavg import objectives, oracles, outer
    >>> from kavg.analysis.exact import eigen_problem, moments
    >>> problem = Problem(objectives.Quadratic((1.0,)), oracles.Noiseless(), start=2.0)
    >>> method, bowl = Algorithm(1, 1, 0.5, outer.Averaging()), eigen_problem([1.0], mean=2.0)
    >>> exact_series([Distance()], ExactRun(problem, method, bowl, moments(bowl, method, N=1)))
    {'distance2': array([4., 1.])}
    """
    series: Series = {}
    for measure in measures:
        find = EXACT.get(type(measure))
        is_known = run.directions.classes is None or isinstance(measure, OF_W)
        if find is not None and is_known:
            series |= find(measure, run)
    return series


def _find_alignment(measure: Alignment, run: ExactRun) -> Series:  # noqa: ARG001 - EXACT
    if not run.algorithm.is_plain:
        return {}
    # There is no displacement at the start.
    nothing = (np.nan,) * 3
    rows = [(each.square.sum(), each.lag.sum(), each.move.sum()) for each in run.displacements()]
    names = ("displacement_norm2", "lag_product", "move_product")
    return dict(zip(names, np.array([nothing, *rows]).T, strict=True))


def _find_consensus(measure: Consensus, run: ExactRun) -> Series:
    if not isinstance(run.algorithm.aggregation, KeepsIterates):
        return {measure.names[0]: np.zeros(run.N + 1)}
    found = run.moments.consensus
    return {} if found is None else {measure.names[0]: found}


def _find_distance(measure: Distance, run: ExactRun) -> Series:
    point = run.to_eigenbasis(measure.find_point(run.problem.objective))
    found = run.moments
    with np.errstate(over="ignore", invalid="ignore"):
        square = found.variance + (found.w - point) ** 2
    return {measure.names[0]: square.sum(axis=-1)}


def _find_effective_step(measure: EffectiveStep, run: ExactRun) -> Series:
    gammas = [run.algorithm.step_size(n) for n in range(1, run.N + 1)]
    rule, restart = run.algorithm.outer, run.algorithm.restart
    steps = [gamma * outer_gain(rule, gamma, restart) for gamma in gammas]
    return {measure.names[0]: np.array([np.nan, *steps])}


def _find_sharpness(measure: Sharpness, run: ExactRun) -> Series:
    return {measure.names[0]: np.full(run.N + 1, run.directions.h.max())}


def _find_spread(measure: Spread, run: ExactRun) -> Series:
    """Return the spread along eigendirections, and along a vector where learners have no shifts."""
    if not run.algorithm.is_plain:
        return {}
    if measure.vector is None:
        parts: Floats = np.eye(len(run.directions.h))[list(measure.numbers)]
    elif np.any(run.directions.zeta2 > 0) or run.directions.design > 0:
        return {}  # shifts and fresh examples are not uncorrelated between directions
    else:
        column = measure.find_directions(run.problem.objective)[:, 0]
        parts = run.to_eigenbasis(column)[None] ** 2
    rows = [parts @ each.spread for each in run.displacements()]
    nothing = np.full(len(parts), np.nan)
    return dict(zip(measure.names, np.array([nothing, *rows]).T, strict=True))


def _find_average(measure: Average, run: ExactRun) -> Series:
    if not run.algorithm.is_plain:
        return {}
    rounds = iterate_averages(run.directions, run.algorithm, measure.weight)
    found = collect_moments(rounds, run.N)
    with np.errstate(over="ignore", invalid="ignore"):
        values = found.F(run.directions), found.grad_norm2(run.directions)
    return dict(zip(measure.names, values, strict=True))


OF_W: Final = (Consensus, Distance, EffectiveStep, Sharpness)
"""Measures of the moments of w, or of no moments, which are known however learners differ."""
EXACT: Final[Mapping[type, Callable[[Any, ExactRun], Series]]] = {
    Alignment: _find_alignment,
    Consensus: _find_consensus,
    Distance: _find_distance,
    EffectiveStep: _find_effective_step,
    Sharpness: _find_sharpness,
    Spread: _find_spread,
    **dict.fromkeys((ExponentialMean, SuffixMean, UniformMean), _find_average),
}
"""What finds the exact means of each measure."""
