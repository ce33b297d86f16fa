"""Heavy-tailed noise: Student's t with finite variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np
from annotated_types import Interval

from kavg.base import Precision
from kavg.oracles.additive import AdditiveNoise
from kavg.oracles.normals import Floats32, UniformPairs
from kavg.oracles.streams import Purpose, Streams, steps_ahead
from kavg.ranges import BatchSize, NonNegative


@final
class HeavyTails:
    """Planned t draws ``(t, R, d)`` of variance 1, by Bailey's polar method.

    ``sqrt(nu (u1^(-2/nu) - 1)) cos(2 pi u2)`` has Student's t distribution with ``nu`` degrees of
    freedom; ``unit`` scales it to variance 1.

    Source: Bailey 1994, "Polar generation of random variates with the t-distribution".
    """

    def __init__(self, *, nu: float, seed: int, R: int, tile: int, d: int) -> None:
        self.power = -2.0 / nu
        # The variance is nu (E u^power - 1) E cos^2 with E cos^2 = 1/2; the radius lacks sqrt(nu).
        self.unit = (nu * (mean_power(self.power) - 1) / 2) ** -0.5 * nu**0.5
        self.ahead = steps_ahead(tile * R * d)
        self.streams = Streams(
            seed=seed, purpose=Purpose.NOISE, R=R, tile=tile, W=d, ahead=self.ahead
        )
        self.uniforms = UniformPairs(self.streams)
        self.address: tuple[int, float, range] | None = None

    def draw(self, step: int, scale: float) -> Floats32:
        """Return draws of standard deviation ``scale``, ``(t, R, d)``, not to be written to."""
        block, place = divmod(step, self.ahead)
        if self.address != (block, scale, self.streams.learners):
            self.values = self._draw_block(block * self.ahead, scale)
            self.address = (block, scale, self.streams.learners)
        draws: Floats32 = self.values[place]
        return draws

    def _draw_block(self, step: int, scale: float) -> Floats32:
        radius, angle, _ = self.uniforms.draw(step)
        # u^power - 1 by expm1, as most u are near enough to 1 for the difference to cancel.
        np.log(radius, out=radius)
        np.multiply(radius, np.float32(self.power), out=radius)
        np.expm1(radius, out=radius)
        np.sqrt(radius, out=radius)
        np.cos(angle, out=angle)
        np.multiply(angle, np.float32(scale * self.unit), out=angle)
        return np.multiply(radius, angle, out=radius)


def mean_power(power: float, count: float = 2.0**31) -> float:
    """Return the mean of ``u^power`` over the grid ``u = (k + 1/2)/count``, for ``-1 < power < 0``.

    Draws come from this grid and not from all of (0, 1), and the variance of heavy tails differs
    between the two.  The first 1000 terms are added up; the others are an integral by the midpoint
    rule, with its first correction.

    >>> abs(mean_power(-0.5) - 2.0) < 1e-4
    True
    """
    head = 1000
    terms = (np.arange(head) + 0.5) ** power
    rest = (count ** (power + 1) - head ** (power + 1)) / (power + 1)
    correction = power * (count ** (power - 1) - head ** (power - 1)) / 24
    return float((terms.sum() + rest - correction) / count**power / count)


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
        return HeavyTails(nu=self.nu, seed=seed, R=R, tile=tile, d=d)
