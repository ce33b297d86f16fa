"""Mini-batches of fresh examples of a linear regression: noise that multiplies the iterate."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import final

import numpy as np

from kavg.base import Constant, Floats, NoiseConstants, Objective, Precision, StochasticGradient
from kavg.elementary.sums import halve, sum_over_coordinates
from kavg.errors import KavgError
from kavg.oracles.copies import split_copies
from kavg.oracles.normals import Normals
from kavg.oracles.streams import Purpose
from kavg.ranges import BatchSize, NonNegative, check_ranges


@final
class FreshBatches:
    """The planned oracle: draws the examples of a batch and averages their gradients.

    An example of one row is d + 1 normals, its features before they are scaled and the noise of its
    label; several copies of a run have the same.  Rows are columns here, ``(d, t, copies, R)``, so
    that sums over features are additions of contiguous arrays.
    """

    def __init__(
        self, normals: Normals, roots: Floats, deviation: float, shape: tuple[int, int, int, int]
    ) -> None:
        """``roots (d,)`` are those of the eigenvalues; ``shape = (tile, copies, R, B)``."""
        *rows, self.B = shape
        self.copies, self.normals, self.d = shape[1], normals, len(roots)
        columns = roots[:, None, None, None]
        self.roots = np.broadcast_to(columns, (self.d, *rows)).copy()
        self.deviation = np.array(deviation, roots.dtype)
        self.share = np.array(1.0 / self.B, roots.dtype)
        self.work = np.empty((4, self.d, *rows), roots.dtype)
        self.residual = np.empty(rows, roots.dtype)

    def select(self, learners: range) -> None:
        """Select the learners that later calls draw for."""
        self.normals.streams.select(learners)

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write ``(1/B) sum_b a_b (a_b . x - e_b)`` to ``out``; ``x, out (t, copies R, d)``."""
        t = len(x)
        scaled, features, products, total = self.work[:, :, :t]
        roots, residual = self.roots[:, :t], self.residual[:t]
        examples = self.normals.draw(step, 1.0).reshape(t, 1, -1, self.B, self.d + 1)
        np.copyto(scaled, split_copies(x, self.copies).transpose(3, 0, 1, 2))
        np.multiply(scaled, roots, out=scaled)
        total.fill(0.0)
        for b in range(self.B):
            np.copyto(features, examples[..., b, :-1].transpose(3, 0, 1, 2))
            np.multiply(features, scaled, out=products)
            for lower, upper in halve(products):
                np.add(lower, upper, lower)
            np.copyto(residual, examples[..., b, -1])
            np.multiply(residual, self.deviation, out=residual)
            np.subtract(products[0], residual, out=residual)
            np.copyto(products, residual)
            np.multiply(features, products, out=products)
            np.add(total, products, out=total)
        np.multiply(total, self.share, out=total)
        np.multiply(total, roots, out=total)
        np.copyto(split_copies(out, self.copies).transpose(3, 0, 1, 2), total)


@final
@dataclass(frozen=True)
class RandomDesign:
    """``g = (1/B) sum_b a_b (a_b . x - e_b)``: fresh examples of a linear regression.

    Features ``a_b ~ N(0, H)`` and the noise of labels ``e_b ~ N(0, label_variance)`` are drawn anew
    at each step, so that no example is seen twice; the loss ``(a . x - e)^2 / 2`` has the mean
    ``F(x) + label_variance / 2`` for the objective ``Quadratic`` with the matrix H, which must be
    diagonal.  The noise multiplies the iterate::

        Cov g = (1/B) [(x . H x + label_variance) H + H x (H x)^T]

    and its moments close on themselves, so that those of a run are exact (``kavg exact``).
    ``StateDependent`` also grows with the gradient, but alike in all directions; ``MiniBatch``
    draws from examples that are given.

    Source: for the covariance, Isserlis' formula of the fourth moments of normals.

    >>> RandomDesign(label_variance=0.5, B=4)
    RandomDesign(label_variance=0.5, B=4)
    """

    kind = "random_design"
    same_bits = "any machine"
    label_variance: NonNegative
    B: BatchSize = 1

    def __post_init__(self) -> None:
        check_ranges(self)

    def constants(self, objective: Objective) -> NoiseConstants:
        """Return ``M = label_variance tr H``, and for ``M_v`` the bound ``1 + tr H / h_min``.

        The noise of one example is ``(x . H x + label_variance) tr H + ||H x||^2``, and ``x . H x``
        at most ``||H x||^2 / h_min`` with the least eigenvalue above 0, which is attained.  Raises
        KavgError if the objective is no quadratic of this kind.
        """
        h = _eigenvalues(objective)
        trace, positive = float(sum_over_coordinates(h)), h[h > 0]
        M_v = 1.0 + trace / float(positive.min()) if positive.size else 0.0
        return NoiseConstants(
            Constant(self.label_variance * trace, "exact", "label_variance tr H, of the labels"),
            Constant(M_v, "upper bound", "1 + tr H / h_min, attained in the flattest direction"),
            Constant(0.0, "exact", "equal learners"),
            self.B,
        )

    def plan(
        self,
        objective: Objective,
        *,
        seed: int,
        P: int,
        R: int,
        tile: int,
        dtype: Precision = "float64",
    ) -> StochasticGradient:
        """Allocate ``B (d + 1)`` normals a row and step, and the features of one example a row.

        Raises KavgError if the objective is no quadratic with a diagonal matrix and no eigenvalue
        below 0.
        """
        return self.plan_copies(objective, seed=seed, P=P, R=R, copies=1, tile=tile, dtype=dtype)

    def plan_copies(
        self,
        objective: Objective,
        *,
        seed: int,
        P: int,
        R: int,
        copies: int,
        tile: int,
        dtype: Precision = "float64",
    ) -> StochasticGradient:
        """Allocate as ``plan`` for rows that are ``copies`` times R, which share the draws."""
        roots = np.sqrt(_eigenvalues(objective))
        width = self.B * (len(roots) + 1)
        normals = Normals(seed=seed, purpose=Purpose.NOISE, R=R, tile=tile, d=width, dtype=dtype)
        shape = (tile, copies, R, self.B)
        return FreshBatches(normals, roots.astype(dtype), sqrt(self.label_variance), shape)


def _eigenvalues(objective: Objective) -> Floats:
    # Asked of the object, as oracles do not know the classes of objectives.
    h = getattr(objective, "eigenvalues", None)
    is_rotated = getattr(objective, "rotation_seed", None) is not None
    if h is None or is_rotated or h.min() < 0:
        got = type(objective).__name__ if h is None else f"{objective!r:.80}"
        raise KavgError(
            "random_design needs a quadratic without rotation and without eigenvalues below 0, got "
            f"{got}; features are independent, so that a rotation would change no law"
        )
    return np.asarray(h, np.float64)
