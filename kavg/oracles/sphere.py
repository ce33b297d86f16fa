"""Noise uniform on a sphere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from kavg.base import Floats, Precision
from kavg.elementary.sums import SquareSums
from kavg.oracles.additive import AdditiveNoise, Draws
from kavg.oracles.normals import Normals
from kavg.oracles.rademacher import Signs
from kavg.oracles.streams import Purpose, Streams
from kavg.ranges import BatchSize, NonNegative


@final
class Directions:
    """Planned uniform directions times ``sqrt(d)``, ``(t, R, d)`` with ``d > 1``.

    A vector of normals divided by its length is uniform on the sphere (Muller 1959).
    """

    def __init__(self, *, seed: int, R: int, tile: int, d: int, dtype: Precision) -> None:
        self.normals = Normals(seed=seed, purpose=Purpose.NOISE, R=R, tile=tile, d=d, dtype=dtype)
        self.square_sums = SquareSums()
        self.lengths = np.empty((tile, R), dtype)
        self.values = np.empty((tile, R, d), dtype)

    @property
    def streams(self) -> Streams:
        """The words that the normals are computed from."""
        return self.normals.streams

    def draw(self, step: int, scale: float) -> Floats:
        """Return vectors of length ``scale sqrt(d)``, ``(t, R, d)``, valid until the next call."""
        z = self.normals.draw(step, 1.0)
        lengths, values = self.lengths[: len(z)], self.values[: len(z)]
        # Never 0: no entry of the table is, so neither are both normals of a pair.
        self.square_sums(z, lengths)
        np.sqrt(lengths, out=lengths)
        np.divide(scale * math.sqrt(z.shape[-1]), lengths, out=lengths)
        return np.multiply(z, lengths[..., None], out=values)


@final
@dataclass(frozen=True)
class Sphere(AdditiveNoise):
    """``e`` uniform on the sphere of radius ``sqrt(sigma2/B)``: bounded noise, exact norm.

    One normal number a (replica, learner, step, coordinate), as for ``Gaussian``, divided by the
    length of the vector.  In two dimensions four directions come once in 131,072 draws each, as the
    direction of a pair of normals has atoms (``kavg.oracles.normals``).  ``Rademacher`` has the
    same norm but only ``2^d`` directions.

    >>> Sphere(sigma2=1.0)
    Sphere(sigma2=1.0, B=1)
    """

    kind = "sphere"
    same_bits = "any machine"
    sigma2: NonNegative
    B: BatchSize = 1
    source: ClassVar[str] = "noise on a sphere of this squared radius"

    def plan_draws(self, *, seed: int, R: int, tile: int, d: int, dtype: Precision) -> Draws:
        """Allocate one uniform direction a step."""
        # A sphere in one dimension is two points.
        plan = Directions if d > 1 else Signs
        return plan(seed=seed, R=R, tile=tile, d=d, dtype=dtype)
