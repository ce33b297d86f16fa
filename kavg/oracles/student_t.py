"""Heavy-tailed noise: Student's t with finite variance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Annotated, ClassVar, final

import numpy as np
from annotated_types import Interval

from kavg.base import Precision
from kavg.elementary.exponential import exp, write_expm1_single
from kavg.elementary.logarithm import log, write_log_single
from kavg.oracles.additive import AdditiveNoise
from kavg.oracles.block_draws import BlockDraws, steps_ahead
from kavg.oracles.streams import Purpose, Streams, Words
from kavg.oracles.uniform_pairs import UniformPairs
from kavg.ranges import BatchSize, NonNegative


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
        self.power = -2.0 / nu
        # The variance is nu (E u^power - 1) E cos^2 with E cos^2 = 1/2; the radius lacks sqrt(nu).
        self.unit = 1.0 / math.sqrt((mean_power(self.power) - 1.0) / 2.0)
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
def mean_power(power: float, count: float = 2.0**31) -> float:
    """Return the mean of ``u^power`` over the grid ``u = (k + 1/2)/count``, for ``-1 < power < 0``.

    Draws come from this grid and not from all of (0, 1), and the variance of heavy tails differs
    between the two.  The first 1000 terms are added up; the others are an integral by the midpoint
    rule, with its first correction.

    >>> abs(mean_power(-0.5) - 2.0) < 1e-4
    True
    """
    head = 1000
    terms = exp(power * log(np.arange(head) + 0.5))
    # The powers of head / count, of which the integral needs these two.
    share = float(exp((power + 1.0) * log(np.array(head / count))))
    rest = (1.0 - share) / (power + 1.0)
    correction = power * (1.0 - share * (count / head) * (count / head)) / (24.0 * count * count)
    scale = float(exp(-power * log(np.array(count)))) / count
    return math.fsum(terms) * scale + rest - correction


@final
@dataclass(frozen=True)
class StudentT(AdditiveNoise):
    """Each coordinate is a scaled Student t with ``nu > 2``; ``E ||e||^2 = sigma2 / B``.

    One t a (replica, learner, step, coordinate).  The scale makes the variance exact for the
    draws as they are made, from 31-bit uniforms, whose tails end at ``u = 2^-32``.  With
    ``nu <= 4`` the fourth moment is infinite, so that measured variances converge slowly.
    ``Gaussian`` is the limit of large ``nu``.

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
