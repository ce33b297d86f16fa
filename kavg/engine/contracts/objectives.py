"""The contract of an objective: ``value`` and ``grad`` at rows, each row by itself."""

from __future__ import annotations

import numpy as np

from kavg.arrays import as_array, freeze
from kavg.base import Floats, Objective, Precision
from kavg.engine.contracts.calls import (
    LARGE,
    call_with_note,
    check_written,
    is_rounding,
    move_away,
    relative_difference,
)
from kavg.engine.contracts.slopes import check_slopes
from kavg.errors import KavgError
from kavg.gradients import choose_gradient, has_gradient_plan


def check_objective(objective: Objective, w: Floats, dtype: Precision, R: int = 1) -> list[str]:
    """Check ``value`` and ``grad`` at and near the point ``w (d,)``, in the precision of a run.

    A gradient that is planned is so for R replicas, 1 or 2, at different points.

    Returns what is suspicious and need not be wrong, in sentences.  Raises ``KavgError`` if a
    result is not written or has another shape, differs when asked again, depends on other rows by
    more than rounding, if ``grad`` contradicts ``value`` in sign or by a factor, or if a gradient
    that is planned is another than that of ``grad``.
    """
    name = type(objective).__name__
    x = _nearby_rows(w, "float64")
    near = _nearby_rows(w, dtype).astype(dtype)
    suspicions = [
        _check_value(name, objective, x),
        _check_grad(name, objective, x, near),
        _check_plan(name, objective, _planned_rows(near, R), dtype),
        check_slopes(name, objective, w),
    ]
    return [text for text in suspicions if text]


def _nearby_rows(w: Floats, dtype: Precision) -> Floats:
    # Another number of rows than of coordinates, or their axes could be mistaken for each other.
    return freeze(np.linspace(w, move_away(w, dtype), 3 if w.size == 2 else 2))


def _check_value(name: str, objective: Objective, x: Floats) -> str | None:
    what = f"{name}.value"
    F = _value_at(what, objective, x)
    if not np.array_equal(F, _value_at(what, objective, x), equal_nan=True):
        raise KavgError(
            f"{what} must be a function of x, got other numbers when it was called again; it keeps "
            "no state and draws nothing"
        )
    return _compare_rows(what, F[-1:], _value_at(what, objective, x[-1:]))


def _value_at(what: str, objective: Objective, x: Floats) -> Floats:
    F = as_array(call_with_note(what, objective.value, x), what)
    rows = x.shape[:-1]
    if F.shape != rows or F.dtype.kind not in "fiu":
        raise KavgError(
            f"{what} must return one real number for each row, shape {rows} for x of shape "
            f"{x.shape}, got shape {F.shape} and type {F.dtype}; index coordinates as x[..., i], "
            "sum over them with axis=-1"
        )
    return F


def _check_grad(name: str, objective: Objective, x: Floats, near: Floats) -> str | None:
    what = f"{name}.grad"
    # As a recorder calls it, (R, d), and as learners do, (t, R, d).
    flat = check_written(what, objective.grad, x)
    tile = near[:, None]
    whole = check_written(what, objective.grad, tile)
    alone = np.full_like(whole[-1:], np.nan)
    call_with_note(what, objective.grad, freeze(tile[-1:]), alone)
    suspicion = _compare_rows(what, whole[-1:], alone)
    if near.dtype == np.float64:
        suspicion = suspicion or _compare_rows(what, whole[:, 0], flat)
    return suspicion


def _planned_rows(near: Floats, R: int) -> Floats:
    """Return ``near (n, d)`` as rows ``(t, R, d)`` whose replicas are at different points."""
    if R == 1:
        return freeze(near[:, None])
    if near.shape[-1] >= LARGE:
        return freeze(near[None, :R])
    return freeze(np.stack([near, np.roll(near, 1, axis=0)], axis=1))


def _check_plan(name: str, objective: Objective, tile: Floats, dtype: Precision) -> str | None:
    if not has_gradient_plan(objective):
        return None
    t, R = tile.shape[:2]
    gradient = choose_gradient(objective, tile=t, R=R, dtype=dtype)
    what = f"the gradient that {name}.plan_gradient returns"
    planned = check_written(what, gradient, tile)
    alone, bare = np.full_like(planned[-1:], np.nan), np.full_like(planned, np.nan)
    call_with_note(what, gradient, freeze(tile[-1:]), alone)
    call_with_note(f"{name}.grad", objective.grad, tile, bare)
    difference = relative_difference(planned, bare)
    if not is_rounding(difference, planned):
        raise KavgError(
            f"{what} must be that of grad, got other numbers, by {difference:.2g} of the largest; "
            "let grad call what it plans"
        )
    if difference:
        return f"{what} has other last bits than grad; let grad call what it plans"
    return _compare_rows(what, planned[-1:], alone)


def _compare_rows(what: str, one: Floats, other: Floats) -> str | None:
    difference = relative_difference(one, other)
    if not is_rounding(difference, one):
        raise KavgError(
            f"{what} must treat each row of x by itself, got other numbers at a row, by "
            f"{difference:.2g} of the largest, when other rows were beside it; sums, means and "
            "norms need axis=-1"
        )
    if difference:
        return (
            f"the last bits of {what} at a row depend on the rows beside it, so those of a run "
            "depend on tiles and ranks; np.matvec(A, x) has the same bits always, x @ A has not"
        )
    return None
