"""What was measured of a workload, and ratios with their spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np

from experiments.benchmarks.timing import WALL


@final
@dataclass(frozen=True)
class Measured:
    """``seconds`` of every contestant, one number a repetition; ``notes`` on those left out.

    A time is shown times ``scale``, in ``unit``.  Ratios are ``reference`` over the others.
    ``ladder`` names the series it belongs to, by the letter that varies; ``remark`` is for the
    reader, and ``clock`` is the kind of time.
    """

    group: str
    name: str
    sizes: Mapping[str, int]
    unit: str
    scale: float
    seconds: Mapping[str, Sequence[float]]
    notes: Mapping[str, str] = field(default_factory=dict)
    reference: str = "kavg"
    ladder: str = ""
    remark: str = ""
    clock: str = WALL

    def time(self, contestant: str) -> float:
        """The median time, in ``unit``."""
        return float(np.median(self.seconds[contestant])) * self.scale

    def ratio(self, contestant: str) -> Spread | None:
        """``reference / contestant``; None where one of the two was left out."""
        if contestant not in self.seconds or self.reference not in self.seconds:
            return None
        return spread(self.seconds[self.reference], self.seconds[contestant])


@final
@dataclass(frozen=True)
class Spread:
    """The median of some numbers, their quartiles, the least and the largest."""

    median: float
    quartiles: tuple[float, float]
    range: tuple[float, float]


def spread(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """The ratios ``ours / theirs``, each formed within a repetition.

    A machine that slows down for a while slows both times of a repetition, so it moves the
    times far more than it moves their ratio.

    >>> spread([1.0, 2.0, 4.0], [2.0, 4.0, 4.0])
    Spread(median=0.5, quartiles=(0.5, 0.75), range=(0.5, 1.0))
    """
    ratios = np.asarray(ours, np.float64) / np.asarray(theirs, np.float64)
    least, low, median, high, most = np.quantile(ratios, (0.0, 0.25, 0.5, 0.75, 1.0)).tolist()
    return Spread(median, (low, high), (least, most))
