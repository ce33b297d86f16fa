"""The axis of a setting that varies: its label, its scale and its ticks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats
from kavg.errors import KavgError
from kavg.reports.figures.ticks import (
    format_settings,
    format_ticks,
    is_power_of_two,
    linear_ticks,
    log_ticks,
)
from kavg.reports.figures.typography import SIZE, measure_width, replace_missing_glyphs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

LABELS: Final[Mapping[str, str]] = {
    "P": "learners $P$",
    "K": "local steps a round, $K$",
    "B": "examples a gradient, $B$",
    "gamma": r"step size $\gamma$",
    "mu": r"momentum $\mu$",
    "effective_step": r"effective step $\gamma/(1-\mu)$",
    "sigma2": r"variance of the noise $\sigma^2$",
    "kappa": r"condition number $\kappa$",
    "omega": r"$\omega$",
    "dim": "dimension $d$",
}
SYMBOLS: Final[Mapping[str, str]] = {
    "gamma": "γ",
    "mu": "μ",
    "sigma2": "σ²",
    "kappa": "κ",
    "omega": "ω",
    "effective_step": "γ/(1-μ)",
}
"""Short names of settings in text."""
GEOMETRIC: Final = 4.0
"""Ratio of the largest to the least value from which a positive setting has a logarithmic axis."""
GAP: Final = 0.12
"""Inches that labels of ticks stand apart at least."""


@final
@dataclass(frozen=True)
class VariedAxis:
    """A setting with its values in order: numbers, or names (one tick each).

    Raises ``KavgError`` if there is no value, or one comes twice.

    >>> VariedAxis("gamma", (0.25, 0.5, 1.0)).positions
    array([0.25, 0.5 , 1.  ])
    """

    name: str
    values: tuple[object, ...]

    def __post_init__(self) -> None:
        if not self.values or len(set(self.values)) < len(self.values):
            raise KavgError(
                f"axis {self.name!r} needs one or more distinct values, got {self.values!r:.200}"
            )

    @property
    def is_numeric(self) -> bool:
        """True if all values are numbers."""
        return all(
            isinstance(x, int | float | np.number) and not isinstance(x, bool) for x in self.values
        )

    @property
    def is_log(self) -> bool:
        """True for positive numbers that span a factor of ``GEOMETRIC``."""
        x = self.positions
        return bool(self.is_numeric and x.min() > 0 and x.max() >= GEOMETRIC * x.min())

    @property
    def positions(self) -> Floats:
        """Where the values stand: the numbers themselves, or 0, 1, ... for names."""
        numbers = self.values if self.is_numeric else range(len(self.values))
        return np.array([float(x) for x in numbers])  # type: ignore[arg-type]

    def scale(self, values: Floats) -> Floats:
        """Return how far along the axis numbers stand: their logarithms, if it is logarithmic."""
        return np.log(values) if self.is_log else values

    @property
    def label(self) -> tuple[str, bool]:
        """The label of the axis, and whether it is mathematics."""
        known = LABELS.get(self.name)
        return (known, True) if known else (replace_missing_glyphs(self.name), False)

    def find(self, values: Sequence[object]) -> NDArray[np.intp]:
        """Return the places of values on this axis; KavgError for one that is not there."""
        places = {value: place for place, value in enumerate(self.values)}
        if missing := [value for value in values if value not in places]:
            raise KavgError(f"{self.name} has no value {missing[0]!r}")
        return np.array([places[value] for value in values], dtype=np.intp)


def name_setting(name: str, value: object) -> str:
    """Return ``name=value`` for text, with the usual letter.

    >>> name_setting("gamma", 0.125)
    'γ=0.125'
    """
    shown = f"{value:.4g}" if isinstance(value, float) else str(value)
    return f"{SYMBOLS.get(name, name)}={shown}"


def draw_setting_axis(panel: Axes, axis: VariedAxis, inches: float) -> None:
    """Give the x axis of a panel, ``inches`` wide, the scale and the ticks of a setting."""
    low, high = axis.positions.min(), axis.positions.max()
    if axis.is_log:
        panel.set_xscale("log")
        room = (high / low) ** 0.04
        panel.set_xlim(low / room, high * room)
    else:
        room = 0.04 * (high - low) or 0.5 * abs(low) or 1.0
        panel.set_xlim(low - room, high + room)
    set_setting_ticks(panel.xaxis, axis, inches)


def set_setting_ticks(
    line: Axis, axis: VariedAxis, inches: float, *, cells: bool = False, upright: bool = False
) -> None:
    """Set the ticks of an axis ``inches`` long: all values of the setting, if their labels fit.

    Else every n-th value is labelled or, where the values are no powers of two, round numbers among
    them.  With ``cells`` value i stands at ``i + 1/2``; labels of an ``upright`` axis need the
    height of a line each.
    """
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    scaled = axis.scale(axis.positions)
    along = np.arange(len(scaled)) + 0.5 if cells else scaled
    inch = inches / (float(np.ptp(along)) or 1.0)
    values, labels = axis.positions, format_settings(axis.values)
    # Powers of two are left out one by one, as round numbers would hide what they are.
    kept = _fit_labels(along * inch, labels, upright=upright)
    if len(kept) < len(labels) and axis.is_numeric and not is_power_of_two(axis.values):
        find = log_ticks if axis.is_log else linear_ticks
        values = np.array(find(values.min(), values.max()))
        labels = format_ticks(values.tolist())
        along = np.interp(axis.scale(values), scaled, along)
        kept = _fit_labels(along * inch, labels, upright=upright)
    places = along if cells else values
    line.set_major_locator(FixedLocator([float(places[i]) for i in kept]))
    line.set_major_formatter(FixedFormatter([replace_missing_glyphs(labels[i]) for i in kept]))
    line.set_minor_locator(NullLocator())
    line.set_tick_params(which="both", labelsize=SIZE)


def _fit_labels(places: Floats, labels: Sequence[str], *, upright: bool) -> list[int]:
    widths = [0.0 if upright else measure_width(strip_math(label)) for label in labels]
    return choose_ticks(places, widths)


def choose_ticks(places: Floats, sizes: Sequence[float]) -> list[int]:
    """Return the ticks to label, by places and sizes of their labels in inches.

    Every n-th, for the least n with which no two labels meet.

    >>> choose_ticks(np.array([0.0, 0.2, 0.4, 0.6]), [0.2, 0.2, 0.2, 0.2])
    [0, 2]
    """
    for stride in range(1, len(sizes) + 1):
        kept = list(range(0, len(sizes), stride))
        ends = pairwise(kept)
        if all(abs(places[b] - places[a]) >= (sizes[a] + sizes[b]) / 2 + GAP for a, b in ends):
            return kept
    return [0]


def strip_math(label: str) -> str:
    """Return a label of a tick about as wide as it is drawn, without the marks of mathematics.

    >>> strip_math("$2^{-12}$")
    '2-12'
    """
    short = label.replace(r"{\times}", "x")
    return short.translate(str.maketrans("", "", "$^{}")) if label.startswith("$") else label
