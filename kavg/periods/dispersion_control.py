"""A period with feedback: doubled and halved by the measured dispersion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, final

from kavg.base import Floats
from kavg.errors import KavgError
from kavg.ranges import Count, Positive, check_ranges


@final
@dataclass(frozen=True)
class DispersionControl:
    """K of the next round by the dispersion D of this one: doubled, halved, or as it was.

    It starts at ``first``.  After a round, with ``D = (1/P) sum_j ||x_j - mean||^2`` of replica 0::

        K = min(2 K, most)     if 4 D < spread
        K = max(K // 2, 1)     if D > spread

    D grows as K where noise drives the learners apart, and as K^2 where their objectives do: after
    a doubling it is at most ``spread`` in the mean, so that K does not go up and down for ever.
    Where noise drives them, ``D = gamma^2 K sigma2 (1 - 1/P)``, and K grows as ``1/gamma^2``, which
    ``QuadraticSynchronization`` prescribes without a measurement.

    It is an example of a rule with feedback.  Only the first replica decides, so that K, and with
    it the first replicas of a run, do not depend on how many follow (law 3).  D comes from the sums
    of the round, so that all ranks find the same K without a message.  Theorems, exact moments and
    budgets of gradients need a K that is known before the run.

    Raises ``KavgError`` if ``first`` is above ``most``.

    >>> import numpy as np
    >>> period = DispersionControl(spread=1.0, first=4)
    >>> [period.adapt(4, np.array([D]), gamma=0.1) for D in (0.2, 0.5, 2.0)]
    [8, 4, 2]
    """

    kind = "dispersion"
    same_bits = "any machine"
    spread: Positive
    first: Annotated[Count, "use first=1 for synchronous SGD"] = 1
    most: Annotated[Count, "it is the largest period"] = 1024

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.first > self.most:
            raise KavgError(
                f"first must be at most most, got first={self.first} and most={self.most}; "
                "raise most"
            )

    def __call__(self, n: int, gamma: float) -> int:
        """Return the period of the first round."""
        return self.first

    def adapt(self, K: int, dispersion: Floats, gamma: float) -> int:
        """Return the period of the next round, from the ``K`` and ``dispersion (R,)`` of this."""
        measured = float(dispersion[0])
        # Neither holds of a NaN: a run that diverges ends by itself.
        if 4.0 * measured < self.spread:
            return min(2 * K, self.most)
        return max(K // 2, 1) if measured > self.spread else K
