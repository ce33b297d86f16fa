"""A quadratic problem in its eigenbasis, where every direction is a problem of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from kavg.base import Floats
from kavg.errors import KavgError
from kavg.ranges import check_not_negative


@final
@dataclass(frozen=True, eq=False)
class LearnerClasses:
    """Learners by their curvatures: those of class g have the eigenvalues ``h[g]``.

    ``share (G,)`` is the share of all learners; ``slope`` and ``slope2 (G, d)`` are the means over
    a class of the learners' own linear terms and of their squares, and ``h`` is ``(G, d)``.
    """

    share: Floats
    h: Floats
    slope: Floats
    slope2: Floats

    def average(self, values: Floats) -> Floats:
        """Return the mean over all learners of a number for each class, ``(G, d) -> (d,)``."""
        return np.asarray((self.share[:, None] * values).sum(axis=0))


@final
@dataclass(frozen=True, eq=False)
class EigenProblem:
    """``F = sum [h w^2 / 2 + slope w]`` with its noise and its start, direction by direction.

    Every array is ``(d,)``.  One mini-batch gradient of learner j has noise of variance
    ``m_0 + m_v ||grad f_j||^2`` in each direction, uncorrelated between directions.  (Isotropic
    noise of variance ``(M + M_v ||grad||^2)/B`` over the whole vector has ``m_0 = M/(B d)`` and
    ``m_v = M_v/(B d)``.)  ``design`` is 1/B of batches of fresh examples, whose noise at w has a
    further variance ``design h (sum h w^2 + h w^2)`` (``oracles.RandomDesign``).  ``zeta2`` is the
    mean over learners of ``b_j^2``, their shifts; ``mean`` and ``variance`` are those of ``w_1``.
    Made by ``eigen_problem``, which validates.
    """

    h: Floats
    m_0: Floats
    m_v: float
    zeta2: Floats
    slope: Floats
    mean: Floats
    variance: Floats
    design: float = 0.0
    classes: LearnerClasses | None = None
    """Where learners differ by curvature; ``h`` and ``slope`` are then means over them."""

    @property
    def has_state_noise(self) -> bool:
        """True if the noise depends on where a learner is."""
        return self.m_v > 0 or self.design > 0


def eigen_problem(
    h: ArrayLike,
    *,
    m_0: ArrayLike = 0.0,
    m_v: float = 0.0,
    zeta2: ArrayLike = 0.0,
    slope: ArrayLike = 0.0,
    mean: ArrayLike = 0.0,
    variance: ArrayLike = 0.0,
    design: float = 0.0,
    classes: LearnerClasses | None = None,
) -> EigenProblem:
    """Return a problem with eigenvalues ``h (d,)``; a number applies to every direction.

    Raises:
        KavgError: if a value is not finite, a variance is negative or a shape is not ``(d,)``.

    >>> eigen_problem([1.0, 2.0], m_0=0.5).m_0
    array([0.5, 0.5])
    """
    values = np.asarray(h, np.float64)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise KavgError(f"h must be one or more finite eigenvalues in a row, got h={h!r}")
    d = values.size
    return EigenProblem(
        h=values,
        m_0=_per_direction("m_0", m_0, d, least=0.0),
        m_v=check_not_negative("m_v", m_v),
        zeta2=_per_direction("zeta2", zeta2, d, least=0.0),
        slope=_per_direction("slope", slope, d),
        mean=_per_direction("mean", mean, d),
        variance=_per_direction("variance", variance, d, least=0.0),
        design=check_not_negative("design", design),
        classes=classes,
    )


def as_doubles(one: ArrayLike, other: ArrayLike) -> tuple[Floats, Floats]:
    """Return both as double precision arrays.

    >>> as_doubles(1, [2, 3])
    (array(1.), array([2., 3.]))
    """
    return np.asarray(one, np.float64), np.asarray(other, np.float64)


def geometric_sum(x: ArrayLike, K: int) -> Floats:
    """Return ``1 + x + ... + x^(K-1)``, elementwise.

    By doubling: without the division of ``(1 - x^K)/(1 - x)``, x = 1 is no exception and nothing
    cancels near it.

    >>> geometric_sum([1.0, 0.5, -1.0], 5)
    array([5.    , 1.9375, 1.    ])
    """
    base = np.asarray(x, np.float64)
    total, power = np.zeros_like(base), np.ones_like(base)
    # Invariant: total is the sum of n terms and power is x^n, for n the leading bits of K.
    for bit in f"{K:b}":
        total, power = total * (1 + power), power * power
        if bit == "1":
            total, power = total * base + 1, power * base
    return np.asarray(total)


def _per_direction(name: str, value: ArrayLike, d: int, least: float = -np.inf) -> Floats:
    given = np.asarray(value, np.float64)
    if given.shape not in ((), (d,)) or not np.isfinite(given).all() or np.any(given < least):
        above = "" if least < 0 else " of at least 0"
        raise KavgError(
            f"{name} must be one finite number{above} or {d} of them, one for each direction,"
            f" got {name}={str(value)[:60]}"
        )
    return np.broadcast_to(given, (d,)).copy()
