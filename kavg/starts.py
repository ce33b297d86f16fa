"""Random starting points, one for each replica.

They are addressed by seed and replica like all other draws, so the first r replicas of a run do not
depend on how many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Floats
from kavg.families import collect_kinds
from kavg.oracles.normals import draw_normals
from kavg.oracles.streams import Purpose
from kavg.ranges import Finite, NonNegative, check_ranges


@final
@dataclass(frozen=True)
class Normal:
    """``w_1 ~ N(mean, scale^2)``, independently in each coordinate and replica.

    Verdicts then compare each replica with a bound at its own ``Delta = F(w_1) - f_star``.

    >>> Normal(scale=0.1).draw(seed=1, R=2, dim=3).shape
    (2, 3)
    """

    kind = "normal"
    same_bits = "any machine"
    scale: NonNegative = 1.0
    mean: Finite = 0.0

    def __post_init__(self) -> None:
        check_ranges(self)

    def draw(self, seed: int, R: int, dim: int) -> Floats:
        """Return one point for each replica, ``(R, dim)``."""
        # One learner's draw, as a start belongs to a replica and all learners begin there.
        z: Floats = draw_normals(seed, Purpose.START, R, dim, range(1))[0]
        return np.asarray(self.mean + self.scale * z)


KINDS = collect_kinds(vars())
"""The classes by their ``kind`` in a settings file."""
