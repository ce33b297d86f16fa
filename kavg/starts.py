"""Random starting points: one for each replica, addressed like all draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from kavg.base import Floats
from kavg.oracles.normals import normals_once
from kavg.oracles.streams import Purpose
from kavg.ranges import Finite, NonNegative, check_ranges


@final
@dataclass(frozen=True)
class Normal:
    """``w_1 ~ N(mean, scale^2)`` in each coordinate, drawn anew for each replica.

    >>> Normal(scale=0.1).draw(seed=1, R=2, dim=3).shape
    (2, 3)
    """

    scale: NonNegative = 1.0
    mean: Finite = 0.0

    def __post_init__(self) -> None:
        check_ranges(self)

    def draw(self, seed: int, R: int, dim: int) -> Floats:
        """One point a replica, ``(R, dim)``."""
        z: Floats = normals_once(seed, Purpose.START, R, dim, range(1))[0]
        return np.asarray(self.mean + self.scale * z)


KINDS: Final[Mapping[str, type]] = {"normal": Normal}
