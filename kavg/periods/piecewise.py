"""Periods that are constant from one round to another: post-local SGD."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, final

from kavg.errors import KavgError
from kavg.ranges import Count, check_ranges


@final
@dataclass(frozen=True)
class PiecewisePeriod:
    """``K(n) = Ks[i]`` where i of the ``boundaries`` lie below n.

    Post-local SGD is ``Ks = (1, K)``: synchronous SGD first, local SGD after it.  A boundary is the
    last round of its piece, and counts rounds, not local steps.  Raises ``KavgError`` unless there
    is one number more than boundaries, and these rise.

    Source: post-local SGD, Lin, Stich, Patel and Jaggi 2018, arXiv 1808.07217.

    >>> period = PiecewisePeriod(Ks=(1, 8), boundaries=(50,))
    >>> period(50, gamma=0.1), period(51, gamma=0.1)
    (1, 8)
    """

    kind = "piecewise"
    same_bits = "any machine"
    Ks: tuple[Annotated[Count, "use K=1 for synchronous SGD"], ...]
    boundaries: tuple[int, ...]

    def __post_init__(self) -> None:
        check_ranges(self)
        if len(self.Ks) != len(self.boundaries) + 1:
            raise KavgError(
                f"Ks needs one number more than boundaries, got {len(self.Ks)} Ks and "
                f"{len(self.boundaries)} boundaries; each boundary is the last round of its piece"
            )
        if any(a >= b for a, b in pairwise((0, *self.boundaries))):
            raise KavgError(
                f"boundaries must be rounds of at least 1 that rise, got {self.boundaries}"
            )

    @property
    def most(self) -> int:
        """The largest period."""
        return max(self.Ks)

    def __call__(self, n: int, gamma: float) -> int:
        """Return the period of round ``n``."""
        return self.Ks[sum(boundary < n for boundary in self.boundaries)]
