"""The contrast of a method with a baseline: its difference, ratio and speed-up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import final

from kavg.analysis.estimate import Estimate, paired_difference, unpaired_difference
from kavg.analysis.fieller import ratio_interval, unpaired_ratio
from kavg.analysis.methods.method import find_lowest, list_noise_differences
from kavg.analysis.methods.reading import Reading
from kavg.analysis.targets import compare_times


class Side(Enum):
    """On which side of the baseline a method is; the value of each is its word in a table."""

    LOWER = "lower"
    HIGHER = "higher"
    UNDECIDED = "undecided"


@final
@dataclass(frozen=True, eq=False)
class Contrast:
    """A method against the baseline, at the same budget.

    ``difference`` is method minus baseline and ``ratio`` method over baseline, of the means at the
    budget; ``speed_up`` is the baseline's time to the target over the method's.  All three are None
    if one of the two diverged.  ``unshared`` lists what the noise of the two differs in: if it is
    empty, replica r of one is paired with replica r of the other, for the ``replicas`` that both
    have; otherwise replicas are independent, and Welch's interval is used.
    """

    reading: Reading
    baseline: Reading
    unshared: tuple[str, ...]
    difference: Estimate | None
    ratio: Estimate | None
    speed_up: Estimate | None

    @property
    def is_paired(self) -> bool:
        """True if the two share their noise."""
        return not self.unshared

    @property
    def is_time_paired(self) -> bool:
        """True if the speed-up is paired: times are measured with all replicas of a method."""
        return self.is_paired and len(self.reading.samples) == len(self.baseline.samples)

    @property
    def replicas(self) -> tuple[int, int]:
        """The numbers of replicas of method and baseline that are compared."""
        counts = (len(self.reading.samples), len(self.baseline.samples))
        return (min(counts), min(counts)) if self.is_paired else counts

    @property
    def side(self) -> Side:
        """Where the interval of the difference lies: below 0, above it, or on both sides."""
        if self.difference is None:
            return Side.UNDECIDED
        if self.difference.high < 0:
            return Side.LOWER
        return Side.HIGHER if self.difference.low > 0 else Side.UNDECIDED


def contrast_readings(reading: Reading, baseline: Reading, level: float) -> Contrast:
    """Return the contrast of two readings of one budget, each interval at ``level``."""
    unshared = tuple(list_noise_differences(reading.method, baseline.method))
    if reading.diverged_at is not None or baseline.diverged_at is not None:
        return Contrast(reading, baseline, unshared, None, None, None)
    a, b = reading.samples, baseline.samples
    x, y = (each.samples - find_lowest(each.method, each.quantity) for each in (reading, baseline))
    # The first replicas do not depend on how many follow, so those that both have are paired.
    if not unshared:
        R = min(len(a), len(b))
        difference = paired_difference(a[:R], b[:R], level)
        ratio = ratio_interval(x[:R], y[:R], level)
    else:
        difference = unpaired_difference(a, b, level)
        ratio = unpaired_ratio(x, y, level)
    found = Contrast(reading, baseline, unshared, difference, ratio, None)
    if reading.joint_time is not None and baseline.joint_time is not None:
        paired = found.is_time_paired
        speed_up = compare_times(baseline.joint_time, reading.joint_time, paired=paired)
        return replace(found, speed_up=speed_up)
    return found
