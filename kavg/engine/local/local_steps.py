"""The hot loop: K local steps of a tile of learners at once.

Displacements go to ``kavg.engine.means`` in the layout of its ``displacement_buffer``, which has a
column more than there are coordinates.
"""

from __future__ import annotations

from math import isnan, nan
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.arrays import view_read_only
from kavg.base import Floats, Precision
from kavg.engine.blas_threads import limit_blas_to_one_thread
from kavg.engine.contracts.calls import check_written
from kavg.engine.local.learner_states import LearnerStates
from kavg.engine.local.round_method import (
    RoundMethod,
    RoundSteps,
    StartingPoints,
    StepSizes,
)
from kavg.engine.means import displacement_buffer
from kavg.problem import Problem

TILE_COORDINATES: Final = 32_768
"""Coordinates in a tile: with its noise 1.3 MB, a little more than an L2 cache.

With half of that the NumPy calls weigh more than the cache saves.
"""
STRIDE: Final = 7919
"""Distance of the numbers of a gradient that successive rounds look at; a prime."""


def choose_tile(R: int, d: int, learners: int) -> int:
    """Return the number of learners in a tile: as many as fit the cache, in even tiles.

    >>> choose_tile(R=64, d=100, learners=16)
    4
    """
    most = max(1, TILE_COORDINATES // (R * d))
    tiles = -(-learners // most)  # -(-a // b) rounds up
    return -(-learners // tiles)


@final
class LocalSteps:
    """The local steps ``x_{t+1} = x_t - gamma g(x_t)``, t = 0..K-1, of up to ``tile`` learners.

    Another optimizer than SGD takes its own steps, with the slots of ``states``.

    Workspace and oracle are planned in the constructor; arrays have shape ``(tile, R, d)``.  A step
    allocates nothing, if the gradient does not.
    With ``dtype = "float32"`` iterates and gradients are of that precision; displacements, their
    mean, the outer rule and ``w`` are float64.
    """

    def __init__(
        self,
        problem: Problem,
        algorithm: RoundMethod,
        *,
        own: range,
        seed: int,
        R: int,
        tile: int,
        dtype: Precision = "float64",
    ) -> None:
        shape = (tile, R, problem.dim)
        self.dtype: Precision = dtype
        self.name = f"the oracle {type(problem.oracle).__name__}"
        self.is_addressed = bool(getattr(problem.oracle, "addressed", True))
        self.gradient = problem.oracle.plan(
            problem.objective, seed=seed, P=algorithm.P, R=R, tile=tile, dtype=dtype
        )
        self.x, self.g = np.empty(shape, dtype), np.empty(shape, dtype)
        # What gradients see, so that they cannot write to iterates.
        self.seen, self.numbers = view_read_only(self.x), self.g.reshape(-1)
        self.first = np.empty(shape[1:], dtype)
        optimizer = algorithm.optimizer
        self.states = LearnerStates(optimizer, algorithm.aggregation, own, shape, dtype)
        takes_last = self.states.keeps_last
        # Of a class that says so: the hot loop takes the step of SGD by itself.
        self.is_plain = bool(getattr(optimizer, "is_plain", False)) and not takes_last
        # What gradients see in place of iterates: all of a round, or the first alone.
        self.is_held = bool(getattr(optimizer, "gradients_at_start", False))
        self.held = np.empty(shape, dtype) if self.is_held or takes_last else None
        self.displacements = displacement_buffer(tile, self.states.rows, problem.dim)
        # Set by the aggregations that need them, for the next calls of ``displacement``.
        self.starts: StartingPoints | None = None
        self.own_K: NDArray[np.int64] | None = None
        # Made once, as slicing costs 0.1 us each; all tiles of a rank are equal but the last.
        self.views: dict[int, tuple[Floats, Floats, Floats, Floats]] = {}
        # NumPy multiplies by a 0-d array faster than by a Python float: 0.22 against 0.36 us.
        self.gamma = np.empty((), dtype)
        self.step_size: StepSizes = nan

    def first_gradient(self, j: int, start: Floats, step: int) -> Floats:
        """Return learner j's gradient at ``start (R, d)`` in a local step, ``(R, d)``.

        The result is a view of the workspace.
        """
        self.gradient.select(range(j, j + 1))
        self.x[0] = start
        with limit_blas_to_one_thread(), np.errstate(all="ignore"):
            self.gradient(self.seen[:1], step, self.g[:1])
        return np.asarray(self.g[0])

    def displacement(
        self, learners: range, start: Floats, steps: RoundSteps, out: Floats | None = None
    ) -> Floats:
        """Return ``x_K - x_0`` of these learners in a round, ``(t, R, d + 1)``.

        All learners begin at ``start (R, d)``, or at their own ``starts``; displacements are
        counted from ``start``.  Each takes the steps of the round, or its ``own_K (t, R)``.

        The result is ``out``, or the workspace itself, in the layout of
        ``displacement_buffer`` with an undefined last column, and with more rows where slots are
        averaged; the caller may overwrite it, and the next call will overwrite the workspace.
        """
        t = len(learners)
        x, seen, g, displacements = self.views.get(t) or self._make_views(t)
        if out is not None:
            displacements = out
        self.gradient.select(learners)
        if steps.gamma is not self.step_size:
            self._set_step_size(steps.gamma)
        self.first[...] = start
        x[...] = self.first
        self.states.place_iterates(learners, x)
        if self.starts is not None:
            self.starts.place_iterates(learners, x)
        # Still NaN after K steps if no gradient wrote it: the guard of later rounds, 0.1 us a tile.
        place = steps.n * STRIDE % g.size
        self.numbers[place] = nan
        if self.own_K is not None:
            self._take_own_steps(learners, steps, self.own_K, displacements)
        elif self.is_plain:
            for step in range(steps.first, steps.first + steps.K):
                self.gradient(seen, step, g)
                # Two calls in place: x - gamma g would allocate a tile at every step.
                np.multiply(g, self.gamma, out=g)
                np.subtract(x, g, out=x)
        else:
            self._update(learners, steps, displacements)
        # From the start as rounded to ``dtype``, and in float64, so that no bit of x is lost.
        if self.own_K is None:
            ends = displacements if self.is_plain else displacements[:, : len(self.first)]
            np.subtract(x, self.first, out=ends[..., :-1], dtype=np.float64)
        self.states.release(learners, x, self.first)
        if isnan(self.numbers.item(place)):
            self._check_again(t, steps.first)
        return displacements

    def _update(self, learners: range, steps: RoundSteps, displacements: Floats) -> None:
        """Take the local steps of another optimizer than SGD."""
        x, seen, g, _ = self.views[len(learners)]
        states = self.states
        slots = states.load(learners)
        points = self._choose_points(learners, x, seen)
        # The age of the slots: they are zero at the start of the run, or of each round.
        born = steps.first if states.at_average == "reset" else 0
        for step in range(steps.first, steps.first + steps.K):
            self.gradient(points, step, g)
            points = points if self.is_held else seen
            states.update(x, g, slots, self.gamma, step - born + 1)
        states.save(learners, slots, displacements)

    def _take_own_steps(
        self, learners: range, steps: RoundSteps, K: NDArray[np.int64], displacements: Floats
    ) -> None:
        """Take numbers of local steps ``K (t, R)`` that differ, and write the displacements.

        The rows that are done go on with the others, as rows are independent: no step has a mask.
        """
        x, seen, g, _ = self.views[len(learners)]
        slots = self.states.load(learners)
        seen = self._choose_points(learners, x, seen)
        counts = np.unique(K).tolist()
        for age in range(1, counts[-1] + 1):
            self.gradient(seen, steps.first + age - 1, g)
            self.states.update(x, g, slots, self.gamma, age)
            if age in counts:
                done = np.equal(K, age)[..., None]
                ends = displacements[..., :-1]
                np.subtract(x, self.first, out=ends, where=done, dtype=np.float64)

    def _choose_points(self, learners: range, x: Floats, seen: Floats) -> Floats:
        """Return where the first gradient is taken: the iterates, or a copy of where they were."""
        if self.held is None:
            return seen
        held = self.held[: len(x)]
        held[...] = x
        if self.states.keeps_last:
            self.states.place_last(learners, held)
        return view_read_only(held)

    def _make_views(self, t: int) -> tuple[Floats, Floats, Floats, Floats]:
        views = self.x[:t], self.seen[:t], self.g[:t], self.displacements[:t]
        self.views[t] = views
        return views

    def _set_step_size(self, gamma: StepSizes) -> None:
        shape = gamma.shape if isinstance(gamma, np.ndarray) else ()
        if shape != self.gamma.shape:
            self.gamma = np.empty(shape, self.dtype)
        self.gamma[...] = gamma
        self.step_size = gamma

    def _check_again(self, t: int, step: int) -> None:
        """Raise ``KavgError`` unless the NaN was written, as in a run that diverges."""

        def write(x: Floats, out: Floats) -> object:
            return self.gradient(x, step, out)  # type: ignore[func-returns-value]

        start = np.tile(self.first, (t, 1, 1))
        check_written(self.name, write, start, repeatable=self.is_addressed)
