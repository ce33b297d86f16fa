"""A deep linear network: a product of matrices, not convex, with L known on level sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import comb, inf, sqrt
from typing import Annotated, final

import numpy as np
from annotated_types import Interval

from kavg.base import Constant, Floats, LabelGradient, PlannedGradient, Precision
from kavg.elementary.powers import raise_to_power
from kavg.elementary.sums import sum_squares
from kavg.errors import KavgError
from kavg.objectives.coupled.gradient_blocks import GradientBlocks, write_rows
from kavg.objectives.coupled.layer_block import LayerBlock, multiply_layers
from kavg.objectives.elementwise import as_floats
from kavg.ranges import Finite, NonNegative, check_count, check_not_negative, check_ranges


@final
@dataclass(frozen=True)
class DeepLinear:
    """``F(w) = ||W_D ... W_1 - diag(targets)||^2 / 2 + (l2 / 2) ||w||^2``, ``D = depth`` layers.

    Every ``W_i`` is a square matrix of as many rows as there are targets, and w the matrices one
    after another, row by row; norms are those of all entries.  It is the loss of a linear network
    on whitened inputs, whose best product has the singular values ``targets``.  F is not convex: 0
    is a saddle, and from small weights each target is learnt after a plateau, the largest first.
    ``FlatMinimum`` is the case of two layers and the target 1.

    Where ``l2 > 0`` level sets are bounded, and ``bound_on_level_set`` is an L on them;
    ``bound_on_ball`` is one on a ball.  Runs record ``hessian_trace``.

    Source: the dynamics, Saxe, McClelland and Ganguli 2013, arXiv 1312.6120.

    >>> F = DeepLinear(targets=(2.0,), depth=2)
    >>> F.grad(np.array([3.0, 1.0]), np.empty(2)), round(F.bound_on_ball(1.0).value, 4)
    (array([1., 3.]), 4.5355)
    """

    kind = "deep_linear"
    same_bits = "any machine"
    targets: tuple[Finite, ...]
    depth: Annotated[int, Interval(ge=2, le=1000), "one layer is a quadratic"] = 2
    l2: NonNegative = 0.0

    def __post_init__(self) -> None:
        check_ranges(self)
        check_count("len(targets)", len(self.targets), "give a target for each unit")

    @property
    def dim(self) -> int:
        """``depth m^2``, for m targets."""
        return self.depth * self.outputs

    @property
    def outputs(self) -> int:
        """``m^2``, the entries of the product."""
        return len(self.targets) * len(self.targets)

    @property
    def L(self) -> Constant:
        """Infinite, exact: the curvature along one layer grows with the others.

        So no step size is stable at every point, and theorems that assume smoothness do not apply.
        """
        return Constant(inf, "exact", "not globally smooth: bound_on_ball is an L on a ball")

    @property
    def f_star(self) -> Constant:
        """0, exact without ``l2``; with it exact for two layers, and else 0 as a lower bound.

        The singular values p of the product can be chosen one by one, and ``D p^(2/D)`` is the
        least ``||w||^2`` that has one of them.  So F is at least the sum of the minima of
        ``(p - t)^2 / 2 + l2 D p^(2/D) / 2``, which for ``D = 2`` is at ``p = max(t - l2, 0)``.
        """
        if self.l2 == 0:
            return Constant(0.0, "exact", "the product can be the targets")
        if self.depth > 2:
            return Constant(0.0, "upper bound", "0 is a lower bound of F: no term is negative")
        sizes = [abs(t) for t in self.targets]
        least = [self.l2 * (t - self.l2 / 2) if t > self.l2 else t * t / 2 for t in sizes]
        return Constant(sum(least), "exact", "the sum of the least terms of its singular values")

    @property
    def measures(self) -> Mapping[str, Callable[[Floats], Floats]]:
        """``hessian_trace``: ``sum_i ||W_D ... W_{i+1}||^2 ||W_{i-1} ... W_1||^2 + l2 d``.

        The residual has no part in it, as the product is linear in each layer.
        """
        return {"hessian_trace": partial(_hessian_trace, self)}

    def bound_on_ball(self, radius: float) -> Constant:
        """Return an upper bound of the norm of the Hessian where ``||w|| <= radius``.

        With s_i the norms of the layers and E the residual, the Hessian's quadratic form at layers
        U_i is at most ``(sum_i ||U_i|| prod_{k != i} s_k)^2`` and
        ``||E|| sum_{i != k} ||U_i|| ||U_k|| prod_{l != i, k} s_l``.  By Cauchy's and Maclaurin's
        inequalities the sums of products are largest where all ``s_i^2 = radius^2 / D``.
        """
        radius = check_not_negative("radius", radius)
        share = radius * radius / self.depth
        size = sqrt(sum(t * t for t in self.targets))
        residual = sqrt(raise_to_power(share, self.depth)) + size
        return self._bound_hessian(share, residual, f"||w|| <= {radius:g}")

    def bound_on_level_set(self, value: float) -> Constant:
        """Return an upper bound of the norm of the Hessian where ``F(w) <= value``.

        There ``||w||^2 <= 2 value / l2`` and ``||E||^2 <= 2 value``.  Raises KavgError if ``l2`` is
        0, as level sets are not bounded then.
        """
        value = check_not_negative("value", value)
        if self.l2 == 0:
            raise KavgError(
                "level sets are bounded if l2 is above 0 only, got l2=0.0; use bound_on_ball"
            )
        share = 2.0 * value / self.l2 / self.depth
        return self._bound_hessian(share, sqrt(2.0 * value), f"F <= {value:g}")

    def _bound_hessian(self, share: float, residual: float, where: str) -> Constant:
        D = self.depth
        jacobian2 = D * raise_to_power(share, D - 1)
        mixed = sqrt(2 * comb(D, 2) * raise_to_power(share, D - 2))
        value = jacobian2 + residual * mixed + self.l2
        return Constant(value, "upper bound", f"norms of products of layers where {where}")

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., d) -> (...)``."""
        x = as_floats(x)
        residual = multiply_layers(_split_layers(self, x)) - np.diag(self.targets)
        F: Floats = 0.5 * _norm2(residual) + 0.5 * self.l2 * sum_squares(x)
        return F

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write ``(W_D ... W_{i+1})^T E (W_{i-1} ... W_1)^T + l2 W_i`` for each layer to ``out``.

        Here ``E`` is the residual, the product less the targets.
        """
        return write_rows(DeepLinear.plan_gradient, self, x, out)

    def plan_gradient(self, tile: int, R: int, dtype: Precision) -> PlannedGradient:
        """Allocate for ``x (t, R, d)`` with ``t <= tile``."""
        return self._plan_blocks(dtype)

    def plan_label_gradient(self, tile: int, R: int, dtype: Precision) -> LabelGradient:
        """Allocate for noise ``(t, R, m^2)``, that of the targets row by row."""
        return self._plan_blocks(dtype).write_at_labels

    def _plan_blocks(self, dtype: Precision) -> GradientBlocks:
        def make(t: int, R: int) -> LayerBlock:
            return LayerBlock(self.targets, self.depth, self.l2, (t, R), dtype)

        return GradientBlocks(self.dim, make)


def _split_layers(network: DeepLinear, x: Floats) -> list[Floats]:
    """Return the layers ``W_1, ..., W_D``, each ``(..., m, m)``, of ``x (..., d)``."""
    m = len(network.targets)
    layers = np.ascontiguousarray(x).reshape(*x.shape[:-1], network.depth, m, m)
    return [layers[..., i, :, :] for i in range(network.depth)]


def _norm2(matrices: Floats) -> Floats:
    m = matrices.shape[-1]
    return sum_squares(np.ascontiguousarray(matrices).reshape(*matrices.shape[:-2], m * m))


def _hessian_trace(network: DeepLinear, w: Floats) -> Floats:
    layers, one = _split_layers(network, w), np.eye(len(network.targets))
    total: Floats = np.full(w.shape[:-1], network.l2 * network.dim)
    for i in range(network.depth):
        before = multiply_layers([one, *layers[:i]])
        after = multiply_layers([one, *layers[i + 1 :]])
        total = total + _norm2(before) * _norm2(after)
    return total
