"""The hot loop: K local steps of a tile of learners at once.

Displacements go to ``kavg.engine.means`` in the layout of its ``displacement_buffer``, which has a
column more than there are coordinates.
"""

from __future__ import annotations

from math import isnan, nan
from typing import Final, Protocol, final

import numpy as np

from kavg.arrays import view_read_only
from kavg.base import Floats, Outer, Precision
from kavg.engine.blas_threads import limit_blas_to_one_thread
from kavg.engine.contracts.calls import check_written
from kavg.engine.means import displacement_buffer
from kavg.problem import Problem

TILE_COORDINATES: Final = 32_768
"""Coordinates in a tile: with its noise 1.3 MB, a little more than an L2 cache.

With half of that the NumPy calls weigh more than the cache saves.
"""
STRIDE: Final = 7919
"""Distance of the numbers of a gradient that successive rounds look at; a prime."""
StepSizes = float | Floats
"""The step size of a round: one of all rows, or an array ``(R, d)`` or ``(R, 1)``."""


def choose_tile(R: int, d: int, learners: int) -> int:
    """Return the number of learners in a tile: as many as fit the cache, in even tiles.

    >>> choose_tile(R=64, d=100, learners=16)
    4
    """
    most = max(1, TILE_COORDINATES // (R * d))
    tiles = -(-learners // most)  # -(-a // b) rounds up
    return -(-learners // tiles)


class RoundMethod(Protocol):
    """What a round needs of an algorithm: an ``Algorithm`` has it, and several stacked in one."""

    @property
    def P(self) -> int:
        """The number of learners."""
        ...

    @property
    def K(self) -> int:
        """The number of local steps of a round."""
        ...

    @property
    def outer(self) -> Outer:
        """The outer rule, of all rows."""
        ...

    def step_size(self, n: int) -> StepSizes:
        """Return the step size of round ``n``; another array if its numbers are others."""
        ...


@final
class LocalSteps:
    """The local steps ``x_{t+1} = x_t - gamma g(x_t)``, t = 0..K-1, of up to ``tile`` learners.

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
        seed: int,
        R: int,
        tile: int,
        dtype: Precision = "float64",
    ) -> None:
        shape = (tile, R, problem.dim)
        self.dtype: Precision = dtype
        self.K, self.name = algorithm.K, f"the oracle {type(problem.oracle).__name__}"
        self.is_addressed = bool(getattr(problem.oracle, "addressed", True))
        self.gradient = problem.oracle.plan(
            problem.objective, seed=seed, P=algorithm.P, R=R, tile=tile, dtype=dtype
        )
        self.x, self.g = np.empty(shape, dtype), np.empty(shape, dtype)
        # What gradients see, so that they cannot write to iterates.
        self.seen, self.numbers = view_read_only(self.x), self.g.reshape(-1)
        self.first = np.empty(shape[1:], dtype)
        self.displacements = displacement_buffer(tile, R, problem.dim)
        # Made once, as slicing costs 0.1 us each; all tiles of a rank are equal but the last.
        self.views: dict[int, tuple[Floats, Floats, Floats, Floats]] = {}
        # NumPy multiplies by a 0-d array faster than by a Python float: 0.22 against 0.36 us.
        self.gamma = np.empty((), dtype)
        self.step_size: StepSizes = nan

    def first_gradient(self, j: int, start: Floats, n: int) -> Floats:
        """Return learner j's gradient at ``start (R, d)`` in the first step of round n, ``(R, d)``.

        The result is a view of the workspace.
        """
        self.gradient.select(range(j, j + 1))
        self.x[0] = start
        with limit_blas_to_one_thread(), np.errstate(all="ignore"):
            self.gradient(self.seen[:1], int((n - 1) * self.K), self.g[:1])
        return np.asarray(self.g[0])

    def displacement(
        self, learners: range, start: Floats, gamma: StepSizes, n: int, out: Floats | None = None
    ) -> Floats:
        """Return ``x_K - x_0`` of these learners in round ``n = 1, 2, ...``, ``(t, R, d + 1)``.

        All learners begin at ``start (R, d)``.  The local steps of round n are numbered
        ``(n - 1) K, ..., n K - 1`` over the run.  The result is ``out``, or the workspace itself,
        in the layout of ``displacement_buffer`` with an undefined last column; the caller may
        overwrite it, and the next call will overwrite the workspace.
        """
        t = len(learners)
        x, seen, g, displacements = self.views.get(t) or self._make_views(t)
        if out is not None:
            displacements = out
        self.gradient.select(learners)
        if gamma is not self.step_size:
            self._set_step_size(gamma)
        self.first[...] = start
        x[...] = self.first
        # Still NaN after K steps if no gradient wrote it: the guard of later rounds, 0.1 us a tile.
        place = n * STRIDE % g.size
        self.numbers[place] = nan
        # Numbered over the run and not the round: noise at a step is the same for every K (law 4).
        for step in range((n - 1) * self.K, n * self.K):
            self.gradient(seen, step, g)
            # Two calls in place: x - gamma g would allocate a tile at every step.
            np.multiply(g, self.gamma, out=g)
            np.subtract(x, g, out=x)
        # From the start as rounded to ``dtype``, and in float64, so that no bit of x is lost.
        np.subtract(x, self.first, out=displacements[..., :-1], dtype=np.float64)
        if isnan(self.numbers.item(place)):
            self._check_again(t, (n - 1) * self.K)
        return displacements

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
