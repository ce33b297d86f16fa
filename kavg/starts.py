"""Random starting points: one for each replica, addressed like all draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from kavg.base import Floats, Problem, Start
from kavg.errors import KavgError, not_negative
from kavg.noise import Purpose
from kavg.normals import normals_once


@final
@dataclass(frozen=True)
class Normal:
    """``w_1 ~ N(mean, scale^2)`` in each coordinate, drawn anew for each replica.

    >>> Normal(scale=0.1).draw(seed=1, R=2, dim=3).shape
    (2, 3)
    """

    scale: float = 1.0
    mean: float = 0.0

    def __post_init__(self) -> None:
        not_negative("scale", self.scale)
        if not np.isfinite(self.mean):
            raise KavgError(f"mean must be a finite number, got mean={self.mean!r}")

    def draw(self, seed: int, R: int, dim: int) -> Floats:
        """One point a replica, ``(R, dim)``."""
        z: Floats = normals_once(seed, Purpose.START, R, dim, range(1))[0]
        return np.asarray(self.mean + self.scale * z)


def first_iterate(problem: Problem, seed: int, R: int) -> Floats:
    """``w_1``, shape ``(R, d)``, whatever form ``problem.start`` has."""
    dim, start = problem.objective.dim, problem.start
    if isinstance(start, (int, float, tuple, list, np.ndarray)):
        given = np.asarray(start, np.float64)
        if given.shape not in ((), (dim,)) or not np.isfinite(given).all():
            raise KavgError(
                f"start must be one finite number or {dim} of them (one for each coordinate), "
                f"got {str(start)[:60]} of shape {given.shape}"
            )
        return np.broadcast_to(given, (R, dim)).copy()
    rule: Start = start
    return rule.draw(seed, R, dim)


KINDS: Final[Mapping[str, type]] = {"normal": Normal}
