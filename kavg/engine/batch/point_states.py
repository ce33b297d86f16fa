"""The state of a batch, whose rows are points times replicas, and those of its points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kavg.arrays import freeze
from kavg.base import Floats
from kavg.trajectory import State


class BatchRound(NamedTuple):
    """The result of one round of all points that still run.

    ``state`` has the rows of ``points``, the numbers of these in the batch, one after another;
    ``gammas`` has a step size for each.
    """

    state: State
    points: NDArray[np.intp]
    dispersion: Floats
    gammas: list[float]

    @property
    def n(self) -> int:
        """The number of rounds done."""
        return self.state.n


def rows_of(position: int, R: int) -> slice:
    """Return the rows of the point at a position.

    >>> rows_of(2, R=5)
    slice(10, 15, None)
    """
    return slice(position * R, (position + 1) * R)


def repeat_state(state: State, points: int) -> State:
    """Return the state of a batch whose points are all in one state.

    ``v`` has a row for each, whether a point's rule has memory or not.
    """
    w = np.tile(state.w, (points, 1))
    return State(state.n, freeze(w), freeze(np.zeros_like(w)))


def take_point(state: State, position: int, R: int, *, memory: bool) -> State:
    """Return a copy of the state of one point, ``v`` with shape ``(0,)`` if it has no memory."""
    rows, e = rows_of(position, R), state.exponents
    v = state.v[rows].copy() if memory else np.empty(0)
    exponents = None if e is None else freeze(e[rows].copy())
    return State(state.n, freeze(state.w[rows].copy()), freeze(v), exponents)


def keep_points(state: State, keep: NDArray[np.bool_], R: int) -> State:
    """Return a state with the rows of the points where ``keep`` is True."""
    rows, e = np.repeat(keep, R), state.exponents
    exponents = None if e is None else freeze(e[rows])
    return State(state.n, freeze(state.w[rows]), freeze(state.v[rows]), exponents)
