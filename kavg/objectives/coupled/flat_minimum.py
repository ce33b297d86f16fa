"""A curve of minima, some flat and some sharp."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Constant, Floats, LabelGradient, Precision
from kavg.objectives.elementwise import as_floats


@final
@dataclass(frozen=True)
class FlatMinimum:
    """``F(a, b) = (a b - 1)^2 / 2``: all points with ``a b = 1`` are minima, (1, 1) the flattest.

    It is a network of one unit in two layers, with the label 1.  At a minimum the Hessian has the
    eigenvalues 0 and ``a^2 + b^2``, its trace everywhere, which runs record as ``hessian_trace``:
    2 is the least.  Without noise ``a^2 - b^2`` hardly changes, so the start decides which minimum
    a run finds; noise of labels (``oracles.LabelNoise``) moves it along the curve to (1, 1).
    ``DeepLinear`` has more layers and units.

    >>> curve = FlatMinimum()
    >>> float(curve.value(np.array([4.0, 0.25]))), curve.grad(np.array([2.0, 1.0]), np.empty(2))
    (0.0, array([1., 2.]))
    """

    kind = "flat_minimum"
    same_bits = "any machine"
    outputs = 1

    @property
    def dim(self) -> int:
        """2, the plane."""
        return 2

    @property
    def L(self) -> Constant:
        """Infinite, exact: the curvature along a is ``b^2``.

        So no step size is stable at every point, and theorems that assume smoothness do not apply.
        """
        return Constant(np.inf, "exact", "not globally smooth: the curvature along a is b^2")

    @property
    def f_star(self) -> Constant:
        """0, exact: a square that vanishes where ``a b = 1``."""
        return Constant(0.0, "exact", "a square that vanishes where a b = 1")

    @property
    def measures(self) -> Mapping[str, Callable[[Floats], Floats]]:
        """``hessian_trace``, ``a^2 + b^2``; at a minimum it is the sharpness."""
        return {"hessian_trace": _hessian_trace}

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., 2) -> (...)``."""
        x = as_floats(x)
        F: Floats = 0.5 * np.square(x[..., 0] * x[..., 1] - 1.0)
        return F

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write ``(a b - 1) (b, a)`` to ``out (..., 2)`` and return it."""
        return _write(x, x[..., 0] * x[..., 1] - 1.0, out)

    def plan_label_gradient(self, tile: int, R: int, dtype: Precision) -> LabelGradient:
        """Return ``(a b - 1 - e) (b, a)`` as a function of x, the noise ``e (t, R, 1)`` and out."""

        def gradient(x: Floats, noise: Floats, out: Floats) -> None:
            _write(x, x[..., 0] * x[..., 1] - 1.0 - noise[..., 0], out)

        return gradient


def _write(x: Floats, residual: Floats, out: Floats) -> Floats:
    # Temporaries, as two coordinates are for pictures and not for speed.
    a, b = x[..., 0], x[..., 1]
    out[..., 0] = residual * b
    out[..., 1] = residual * a
    return out


def _hessian_trace(w: Floats) -> Floats:
    trace: Floats = np.square(w[..., 0]) + np.square(w[..., 1])
    return trace
