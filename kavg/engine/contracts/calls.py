"""Calls of user code on trial: what it wrote, what it returned, and whether it does so again."""

from __future__ import annotations

from collections.abc import Callable
from os.path import basename
from typing import Any, Final, NoReturn

import numpy as np

from kavg.arrays import view_read_only
from kavg.base import Floats, Precision
from kavg.errors import KavgError

Writes = Callable[[Floats, Floats], object]
"""A function of ``x`` and ``out`` that writes its result to ``out``."""

FILL: Final = 0.7310585786300049
"""What ``out`` holds before the second of two calls; before the first it holds NaN."""
DISTANCES: Final[dict[Precision, float]] = {"float64": 1e-3, "float32": 0.02}
"""How far from the state user code is tried, relative to ``1 + |w|``, by precision."""
LARGE: Final = 2**16
"""Coordinates from which on user code is tried on fewer rows, to save memory."""
REMEDY: Final = "end it with out[...] = RESULT; return out"


def explain_failure(error: Exception, where: str) -> NoReturn:
    """Raise an error of user code again, with a note that says where kavg called it.

    An attempt to write to an array that is read-only becomes a ``KavgError`` that names the
    function and says what to do.
    """
    if isinstance(error, ValueError) and "read-only" in str(error):
        raise KavgError(
            f"{_name_culprit(error)} must not write to the arrays it is given, got {str(error)!r}"
            f" ({where}); work on a copy: w = w.copy()"
        ) from error
    if not isinstance(error, KavgError):
        error.add_note(f"kavg called it in {where}")
    raise error


def _name_culprit(error: Exception) -> str:
    # NumPy has no frames of its own, so the last frame is of the code that called it.
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return "a function"
    code = last.tb_frame.f_code
    return f"{code.co_qualname} (line {last.tb_lineno} of {basename(code.co_filename)})"


def call_with_note(name: str, function: Callable[..., object], x: Floats, *others: Any) -> object:
    """Call a user's function; an error that it raises gets a note of the shape of ``x``."""
    try:
        return function(x, *others)
    except Exception as error:
        explain_failure(
            error, f"{name} with x of shape {x.shape}, coordinates on the last axis: x[..., i]"
        )


def check_written(name: str, function: Writes, x: Floats, *, repeatable: bool = True) -> Floats:
    """Return what a function writes to ``out`` for ``x``, both of one shape and precision.

    It is called twice, with other contents of ``out``: what was not written differs, and a NaN
    that was written does not.

    Raises ``KavgError`` if ``out`` is not written in full, if another array is returned, if ``x``
    is written to, or if the two results differ (unless the function is not ``repeatable``).
    """
    x = view_read_only(x)
    first, second = np.full_like(x, np.nan), np.full_like(x, FILL)
    returned = call_with_note(name, function, x, first)
    call_with_note(name, function, x, second)
    _check_filled(name, first, second, returned)
    _check_returned(name, returned, first)
    if repeatable and not np.array_equal(first, second, equal_nan=True):
        _explain_difference(name, function, x, second)
    return first


def _check_filled(name: str, first: Floats, second: Floats, returned: object) -> None:
    count = int(np.count_nonzero(np.isnan(first) & (second == second.dtype.type(FILL))))
    if count == first.size and isinstance(returned, np.ndarray) and returned is not first:
        raise KavgError(f"{name} must write to out, got a new array that it returned; {REMEDY}")
    if count:
        raise KavgError(
            f"{name} must write every number of out, got {count} of {first.size} left as they "
            f"were; {REMEDY}"
        )


def _check_returned(name: str, returned: object, written: Floats) -> None:
    if returned is None or returned is written:
        return
    if not isinstance(returned, np.ndarray):
        kind = type(returned).__name__
        raise KavgError(f"{name} must return out or nothing, got a {kind}; {REMEDY}")
    if not np.array_equal(returned, written, equal_nan=True):
        raise KavgError(
            f"{name} must write its result to out, got other numbers in the array that it "
            f"returned; {REMEDY}"
        )


def _explain_difference(name: str, function: Writes, x: Floats, second: Floats) -> NoReturn:
    third = np.full_like(x, FILL)
    function(x, third)
    if np.array_equal(third, second, equal_nan=True):
        raise KavgError(
            f"{name} must not depend on what out held before, got other numbers after another "
            "content; write every number with out[...] = before any out += or out *="
        )
    raise KavgError(
        f"{name} must be a function of what it is given, got other numbers when it was called "
        "again; a gradient keeps no state and draws nothing, and what an oracle draws follows from "
        "seed, learner, replica and step (kavg.oracles.streams)"
    )


def move_away(w: Floats, dtype: Precision) -> Floats:
    """Return points near ``w (..., d)``, at which a gradient that vanishes there is above rounding.

    Where a gradient vanishes, what is left of it is the rounding of its terms, in which two right
    results differ by as much as they are.  Steps of irrational length keep coordinates different.

    >>> np.linalg.norm(move_away(np.zeros(3), "float64")) > 1e-3
    np.True_
    """
    pattern = 0.5 + np.arange(w.shape[-1]) * 0.6180339887498949 % 1.0
    return np.asarray(w + DISTANCES[dtype] * (1.0 + np.abs(w)) * pattern)


def relative_difference(one: Floats, other: Floats) -> float:
    """Return the largest difference of two arrays relative to the largest number, 0 if equal.

    NaN equals NaN; beside any other number it is infinitely far.

    >>> relative_difference(np.array([1.0, np.nan]), np.array([1.0, np.nan]))
    0.0
    >>> relative_difference(np.array([3.0, 4.0]), np.array([3.0, 5.0]))
    0.2
    """
    if np.array_equal(one, other, equal_nan=True):
        return 0.0
    gap = float(np.abs(one - other).max())
    scale = float(max(np.abs(one).max(), np.abs(other).max()))
    return gap / scale if np.isfinite(gap) else np.inf


def is_rounding(difference: float, like: Floats) -> bool:
    """True if a relative difference is small enough for one of rounding in that precision."""
    return difference <= float(np.sqrt(np.finfo(np.result_type(like, np.float32)).eps))
