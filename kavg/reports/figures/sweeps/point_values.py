"""Values of the points of a sweep, as figures show them: one number each, with its replicas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike

from kavg.analysis.estimate import Estimate
from kavg.analysis.quantities import quantity_interval
from kavg.analysis.targets import TargetTime
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.reports.figures.style import LARGEST
from kavg.reports.figures.sweeps.plotted_quantity import PlottedQuantity
from kavg.reports.figures.sweeps.setting_axis import VariedAxis

EFFECTIVE: Final = "effective_step"


@final
@dataclass(frozen=True, eq=False)
class PointValue:
    """The value of one point: of an algorithm with certain ``settings``, those that are varied.

    ``estimate`` is one number with its interval, not finite or huge where the point failed.
    ``samples (R,)`` are the values of its replicas, none if they are not known; ``time`` is there
    for points that are judged by the time to a target.
    """

    algorithm: str
    settings: Mapping[str, object]
    estimate: Estimate
    samples: Floats = field(default_factory=lambda: np.empty(0))
    time: TargetTime | None = None

    @property
    def mean(self) -> float:
        """The number itself."""
        return float(self.estimate.mean)

    @property
    def has_failed(self) -> bool:
        """True if there is no value that an axis can show."""
        return not abs(self.mean) <= LARGEST


def final_value(
    algorithm: str,
    settings: Mapping[str, object],
    samples: ArrayLike,
    quantity: PlottedQuantity,
    level: float = 0.95,
) -> PointValue:
    """Return the value of a point whose replicas ended at ``samples (R,)``.

    >>> final_value("M-AVG", {"K": 4}, [1.0, 2.0, 3.0], PlottedQuantity("F")).mean
    2.0
    """
    values = np.asarray(samples, np.float64)
    return PointValue(algorithm, settings, quantity_interval(quantity.name, values, level), values)


def time_value(algorithm: str, settings: Mapping[str, object], time: TargetTime) -> PointValue:
    """Return the value of a point that is judged by the time to a target."""
    return PointValue(algorithm, settings, time.estimate, time.times, time)


def varied_settings(points: Iterable[PointValue]) -> list[str]:
    """Return the names of the settings with two or more values, those with the most first.

    >>> flat = Estimate(np.ones(()), np.ones(()), np.ones(()), 0.95, 1)
    >>> varied_settings([PointValue("", {"P": 2, "K": K}, flat) for K in (1, 4)])
    ['K']
    """
    values: dict[str, set[object]] = {}
    for point in points:
        for name, value in point.settings.items():
            values.setdefault(name, set()).add(as_key(value))
    counts = {name: len(found) for name, found in values.items() if len(found) > 1}
    if EFFECTIVE in counts:  # from which gamma follows
        counts.pop("gamma", None)
    return sorted(counts, key=lambda name: -counts[name])


def as_key(value: object) -> object:
    """Return a value of a setting in a form that can be compared: lists and tables as text."""
    return value if isinstance(value, int | float | str) else str(value)


def axis_of(points: Sequence[PointValue], name: str) -> VariedAxis:
    """Return the axis of a setting: its values in all points, in order.

    Raises:
        KavgError: if no point has the setting.
    """
    values = {as_key(each.settings[name]): None for each in points if name in each.settings}
    if not values:
        known = ", ".join(varied_settings(points)) or "none"
        raise KavgError(f"no point of the sweep varies {name!r}; it varies {known}")
    # Numbers are sorted; names keep the order of the settings file, and come first.
    names = [value for value in values if isinstance(value, str)]
    numbers = [value for value in values if isinstance(value, int | float)]
    return VariedAxis(name, (*names, *sorted(numbers)))


def with_settings(points: Iterable[PointValue], names: Sequence[str]) -> list[PointValue]:
    """Return the points that have all these settings; an averaging rule has no mu, for example."""
    return [point for point in points if all(name in point.settings for name in names)]


def best_point(points: Sequence[PointValue], quantity: PlottedQuantity) -> PointValue:
    """Return the point with the best value; of points that all failed, the first."""
    finite = [point for point in points if not point.has_failed]
    return min(finite or points, key=lambda point: quantity.sign * point.mean if finite else 0.0)
