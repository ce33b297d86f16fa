"""Planned gradients that are computed on blocks of rows, in workspace of their own layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, TypeVar, final

import numpy as np

from kavg.base import Floats, Objective, PlannedGradient, Precision
from kavg.elementary.row_blocks import Rows, plan_blocks

Own = TypeVar("Own", bound=Objective)
BLOCK: Final = 16_384
"""Coordinates of the rows of a block: with its workspace 1 MB, which an L2 cache holds."""


class GradientBlock(Protocol):
    """The workspace of a block of rows, with the gradient as a function of what it holds.

    ``x`` and ``g`` are views ``(t, R, d)`` of it, in whatever layout it has, and ``labels`` one of
    the noise of labels, zeros where there is none.
    """

    x: Floats
    g: Floats
    labels: Floats

    def compute(self) -> None:
        """Compute ``g`` from ``x`` and ``labels``; ``x`` may be overwritten."""
        ...


@final
class GradientBlocks:
    """A planned gradient of rows ``(t, R, d)``, block after block.

    ``make(t, R)`` makes the workspace of a block; the first call with a shape makes those that it
    needs, so that later ones allocate nothing.
    """

    def __init__(self, d: int, make: Callable[[int, int], GradientBlock]) -> None:
        self.most, self.make = max(1, BLOCK // d), make
        self.plans: dict[tuple[int, ...], list[tuple[Rows, GradientBlock]]] = {}

    def __call__(self, x: Floats, out: Floats) -> None:
        """Write the gradient at every row of ``x (t, R, d)`` to ``out``."""
        for rows, block in self.plans.get(x.shape) or self._plan(x):
            np.copyto(block.x, x[rows])
            block.compute()
            np.copyto(out[rows], block.g)

    def write_at_labels(self, x: Floats, noise: Floats, out: Floats) -> None:
        """Write the gradients where ``noise (t, R, outputs)`` is added to the labels."""
        for rows, block in self.plans.get(x.shape) or self._plan(x):
            np.copyto(block.x, x[rows])
            np.copyto(block.labels, noise[rows])
            block.compute()
            np.copyto(out[rows], block.g)

    def _plan(self, x: Floats) -> list[tuple[Rows, GradientBlock]]:
        t, R, _ = x.shape
        plan = self.plans[x.shape] = plan_blocks(t, R, self.most, self.make)
        return plan


def write_rows(
    plan: Callable[[Own, int, int, Precision], PlannedGradient],
    objective: Own,
    x: Floats,
    out: Floats,
) -> Floats:
    """Write the gradient at ``x (..., d)`` to ``out`` by a plan made for this call; return ``out``.

    ``plan`` is a ``plan_gradient`` for rows ``(t, R, d)``; ``elementwise.write_gradient`` is for
    those that take any shape.
    """
    if not out.size:
        return out
    d = objective.dim
    dtype: Precision = "float32" if out.dtype == np.float32 else "float64"
    given = np.asarray(x, dtype).reshape(1, -1, d)
    rows = out.reshape(given.shape)
    is_view = np.may_share_memory(rows, out) and out.dtype == dtype
    written = rows if is_view else np.empty(given.shape, dtype)
    plan(objective, 1, given.shape[1], dtype)(given, written)
    if not is_view:  # out has gaps
        np.copyto(out, written.reshape(out.shape), casting="same_kind")
    return out
