"""Is a trajectory that was read what a run leaves?  Then all that works on one can rely on it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kavg.trajectory import Trajectory

COUNTS = ("P", "K", "B")


def sound(run: Trajectory) -> Trajectory:
    """The same; a ``ValueError`` says what no run leaves.

    >>> z = np.zeros((1, 1))
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(1), {"F": z}, z, np.empty(0), np.zeros(1))
    >>> sound(run) is run
    True
    """
    if not isinstance(run.name, str):
        raise ValueError(f"its name is {run.name!r:.60} and no text")
    check_counts(run)
    check_rounds(run)
    check_shapes(run)
    check_states(run)
    return run


def check_counts(run: Trajectory) -> None:
    """Counts are whole numbers, and all gradients can be counted."""
    for name in COUNTS:
        value = getattr(run, name)
        if type(value) is not int or not 1 <= value < 2**63:
            raise ValueError(f"its {name} is {value!r:.60}")
    at = run.diverged_at
    if at is not None and not (type(at) is int and 0 <= at < 2**63):
        raise ValueError(f"it diverged at {at!r:.60}")


def check_rounds(run: Trajectory) -> None:
    """Rounds rise from 0 or later, and there is one."""
    rounds = run.rounds
    if rounds.ndim != 1 or rounds.dtype != np.int64 or not rounds.size:
        raise ValueError(f"its rounds are of type {rounds.dtype} and shape {rounds.shape}")
    if rounds[0] < 0 or (np.diff(rounds) <= 0).any():
        raise ValueError("its rounds do not rise")
    if int(rounds[-1]) * run.P * run.K * run.B >= 2**63:
        raise ValueError("it has more gradients than can be counted")


def check_shapes(run: Trajectory) -> None:
    """All other arrays are of numbers, one for each round, replica or coordinate they are for."""
    T, w = len(run.rounds), run.w
    arrays = {"w": w, "v": run.v, "seconds": run.seconds, "gammas": run.gammas} | run.series
    for name, values in arrays.items():
        if values.dtype != np.float64:
            raise ValueError(f"its {name[:60]!r} is of type {values.dtype}")
    if w.ndim != 2 or not w.size or run.v.shape not in (w.shape, (0,)):
        raise ValueError(f"its w and v are of shapes {w.shape} and {run.v.shape}")
    if run.seconds.shape != (T,) or run.gammas.shape not in ((T,), (0,)):
        raise ValueError(f"its seconds and gammas are not of shape {(T,)}")
    if any(values.shape != (T, len(w)) for values in run.series.values()):
        raise ValueError(f"its series are not of shape {(T, len(w))}")


def check_states(run: Trajectory) -> None:
    """States that were kept are like the last one, of rounds that rise and were done before."""
    numbers = [state.n for state in run.states]
    whole = all(type(n) is int for n in (*numbers, run.done or 0))
    if not whole or any(a >= b for a, b in pairwise([0, *numbers, run.done or 1])):
        raise ValueError(f"its states are of the rounds {numbers!s:.60}")
    for state in run.states:
        arrays = ((state.w, run.w), (state.v, run.v), (state.exponents, run.exponents))
        if any(describe(one) != describe(last) for one, last in arrays):
            raise ValueError(f"its state after round {state.n} is not like the last")


def describe(array: NDArray[Any] | None) -> object:
    """Type and shape."""
    return None if array is None else (array.dtype, array.shape)
