"""Noise uniform on a sphere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from kavg.base import Precision
from kavg.oracles.additive import AdditiveNoise
from kavg.oracles.normals import Floats32, Normals
from kavg.oracles.streams import Purpose, Streams
from kavg.ranges import BatchSize, NonNegative


@final
class Directions:
    """Planned uniform directions times ``sqrt(d)``, ``(t, R, d)``.

    A vector of normals divided by its length is uniform on the sphere (Muller 1959).  In one
    dimension a draw is 0 with probability ``2^-33``, where the normal itself is.
    """

    def __init__(self, *, seed: int, R: int, tile: int, d: int) -> None:
        self.normals = Normals(seed=seed, purpose=Purpose.NOISE, R=R, tile=tile, d=d)
        self.lengths = np.empty((tile, R), np.float32)
        self.has_direction = np.empty((tile, R), np.bool_)
        self.values = np.empty((tile, R, d), np.float32)

    @property
    def streams(self) -> Streams:
        """The words that the normals are computed from."""
        return self.normals.streams

    def draw(self, step: int, scale: float) -> Floats32:
        """Return vectors of length ``scale sqrt(d)``, ``(t, R, d)``, valid until the next call."""
        z = self.normals.draw(step, 1.0)
        lengths, values = self.lengths[: len(z)], self.values[: len(z)]
        np.vecdot(z, z, out=lengths)
        np.sqrt(lengths, out=lengths)
        # A sine is 0 for one angle in 2^32: the draw is then 0, where 0/0 would be NaN.
        has_direction = np.greater(lengths, 0, out=self.has_direction[: len(z)])
        radius = np.float32(scale * z.shape[-1] ** 0.5)
        np.divide(radius, lengths, out=lengths, where=has_direction)
        return np.multiply(z, lengths[..., None], out=values)


@final
@dataclass(frozen=True)
class Sphere(AdditiveNoise):
    """``e`` uniform on the sphere of radius ``sqrt(sigma2/B)``: bounded noise, exact norm.

    One normal number a (replica, learner, step, coordinate), as for ``Gaussian``, divided by the
    length of the vector.  ``Rademacher`` has the same norm but only ``2^d`` directions.

    >>> Sphere(sigma2=1.0)
    Sphere(sigma2=1.0, B=1)
    """

    kind = "sphere"
    same_bits = "any machine"
    sigma2: NonNegative
    B: BatchSize = 1
    source: ClassVar[str] = "noise on a sphere of this squared radius"

    def plan_draws(self, *, seed: int, R: int, tile: int, d: int, dtype: Precision) -> Directions:
        """Allocate one uniform direction a step."""
        return Directions(seed=seed, R=R, tile=tile, d=d)
