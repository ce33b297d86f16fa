"""Heavy-tailed noise: Student's t with finite variance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Annotated, ClassVar, Final, final

import numpy as np
from annotated_types import Interval

from kavg.base import Precision
from kavg.elementary.exponential import expm1, write_expm1_single
from kavg.elementary.logarithm import log, write_log_single
from kavg.oracles.additive import AdditiveNoise
from kavg.oracles.block_draws import BlockDraws, steps_ahead
from kavg.oracles.streams import Purpose, Streams, Words
from kavg.oracles.uniform_pairs import UniformPairs
from kavg.ranges import BatchSize, NonNegative

HEAD: Final = 1000
"""Terms of a mean that are added up one by one."""
MOST: Final = 1e12
"""Degrees of freedom beyond which float32 draws are those of a normal, and are made as of these."""


@final
class HeavyTails(BlockDraws):
    """Planned t draws ``(t, R, d)`` by Bailey's polar method, in float32, returned in ``dtype``.

    ``sqrt(nu (u1^(-2/nu) - 1)) cos(2 pi u2)`` has Student's t distribution with ``nu`` degrees of
    freedom; ``unit`` scales it to variance 1.

    Source: Bailey 1994, "Polar generation of random variates with the t-distribution".
    """

    def __init__(
        self, *, nu: float, seed: int, R: int, tile: int, d: int, dtype: Precision
    ) -> None:
        # In float32, as draws are made with it: the scale is that of these draws, and power + 1,
        # which is small with nu near 2, is exact.
        self.power = float(np.float32(-2.0 / min(nu, MOST)))
        # The variance is nu E(u^power - 1) E cos^2 with E cos^2 = 1/2; the radius lacks sqrt(nu).
        self.unit = 1.0 / math.sqrt(mean_excess(self.power) / 2.0)
        ahead = steps_ahead(tile * R * d)
        super().__init__(
            Streams(seed=seed, purpose=Purpose.NOISE, R=R, tile=tile, W=d, ahead=ahead)
        )
        self.uniforms = UniformPairs(self.streams)
        self.values = np.empty(ahead * tile * R * d, dtype)

    def _lay_out(self, t: int) -> None:
        self.uniforms.lay_out()
        self.flat = self.values[: self.streams.out.size]
        self.steps = [*self.flat.reshape(self.streams.out.shape)]

    def _fill(self, words: Words, scale: float) -> None:
        power, factor = np.float32(self.power), np.float32(scale * self.unit)
        for part, radius, _, cosine in self.uniforms.convert(words):
            work = self.uniforms.work[:, : radius.size]
            # u^power - 1 by expm1, as most u are near enough to 1 for the difference to cancel.
            write_log_single(radius, radius, work)
            np.multiply(radius, power, out=radius)
            write_expm1_single(radius, radius, work[:3])
            np.sqrt(radius, out=radius)
            np.multiply(cosine, factor, out=cosine)
            np.multiply(radius, cosine, out=radius)
            np.copyto(self.flat[part], radius)


@cache
def mean_excess(power: float, count: float = 2.0**31) -> float:
    """Return the mean of ``u^power - 1`` over ``u = (k + 1/2)/count``, for ``-1 <= power < 0``.

    Draws come from this grid and not from all of (0, 1), and the variance of heavy tails differs
    between the two; on the grid it is finite for ``power = -1`` too.  The first 1000 terms are
    added up; the others are an integral by the midpoint rule, with its first correction.

    >>> abs(mean_excess(-0.5) - 1.0) < 1e-4
    True
    """
    # By expm1, as with a small power differences of u^power from 1 would be nothing but rounding.
    terms = expm1(power * log((np.arange(HEAD) + 0.5) / count))
    share = HEAD / count
    excess = float(expm1(power * log(np.array(share))))
    rest = integrate_excess(power, share, excess)
    correction = power * (1.0 - (1.0 + excess) * (count / HEAD)) / (24.0 * count * count)
    return math.fsum(terms) / count + rest - correction


def integrate_excess(power: float, share: float, excess: float) -> float:
    """Return the integral of ``u^power - 1`` from ``share`` to 1; ``excess`` is its lower end."""
    # Exact where the two nearly cancel.
    one_more = power + 1.0
    if one_more > 0.25:
        return -(power * (1.0 - share) + share * excess) / one_more
    # The same without the difference of nearly equal numbers that a power near -1 would make.
    logarithm = float(log(np.array(share)))
    area = -float(expm1(np.array(one_more * logarithm))) / one_more if one_more else -logarithm
    return area - (1.0 - share)


@final
@dataclass(frozen=True)
class StudentT(AdditiveNoise):
    """Each coordinate is a scaled Student t with ``nu > 2``; ``E ||e||^2 = sigma2 / B``.

    One t a (replica, learner, step, coordinate).  The scale makes the variance exact for the
    draws as they are made, from 31-bit uniforms, whose tails end at ``u = 2^-32``, and with
    ``2/nu`` rounded to float32: all nu below ``2 + 5e-8`` have the same draws.  With ``nu <= 4``
    the fourth moment is infinite, so that measured variances converge slowly.  ``Gaussian`` is the
    limit of large ``nu``.

    >>> StudentT(sigma2=1.0, nu=3.0)
    StudentT(sigma2=1.0, nu=3.0, B=1)
    """

    kind = "student_t"
    same_bits = "any machine"
    sigma2: NonNegative
    nu: Annotated[float, Interval(gt=2), "use kind gaussian for nu = infinity"] = 3.0
    B: BatchSize = 1
    source: ClassVar[str] = "Student t noise scaled to this variance"

    def plan_draws(self, *, seed: int, R: int, tile: int, d: int, dtype: Precision) -> HeavyTails:
        """Allocate one scaled t a coordinate and step."""
        return HeavyTails(nu=self.nu, seed=seed, R=R, tile=tile, d=d, dtype=dtype)
