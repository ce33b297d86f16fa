"""The parts of a picture: one curve an algorithm, one panel a quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from kavg.analysis.estimate import mean_interval
from kavg.base import Floats
from kavg.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Steps of lightness, so the colours stay apart in print without colour and for every eye.
COLOURS = ("#003D7C", "#E0B040", "#B0465A", "#000000", "#3FA796")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
ALWAYS_LOG = ("grad_norm2", "dispersion")
DECADES = 2.0
FAINT = 8
# Far from where double precision ends, as axes need room to reckon ticks beyond the data.
LARGEST = 1e100


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """What is drawn of one algorithm: ``x, mean, low, high (T,)`` and ``replicas (T, R)``.

    ``replicas`` is ``(T, 0)`` unless there are few enough to show each one.  Values that are not
    finite, or larger than ``LARGEST``, are NaN.
    """

    x: NDArray[np.float64]
    mean: Floats
    low: Floats
    high: Floats
    replicas: Floats

    @property
    def all(self) -> Floats:
        """Every finite value, in one row."""
        parts = (self.mean, self.low, self.high, self.replicas.ravel())
        together: Floats = np.concatenate(parts)
        return together[np.isfinite(together)]


def curve(run: Trajectory, axis: str, quantity: str, level: float) -> Curve:
    """The mean over replicas and its limits; empty if the quantity was not recorded."""
    if quantity not in run.series:
        nothing = np.empty(0)
        return Curve(nothing, nothing, nothing, nothing, nothing[:, None])
    series = run.series[quantity]
    estimate = mean_interval(series, level)
    few = series if 1 < run.replicas <= FAINT else series[:, :0]
    x = np.asarray(run.axis(axis), dtype=np.float64)
    return Curve(x, *map(_finite, (estimate.mean, estimate.low, estimate.high, few)))


def _finite(values: Floats) -> Floats:
    return np.where(np.abs(values) <= LARGEST, values, np.nan)


def style(place: int) -> dict[str, Any]:
    """Colour, dash and marker of the algorithm at this place of the list."""
    return {
        "color": COLOURS[place % len(COLOURS)],
        "linestyle": DASHES[place % len(DASHES)],
        "marker": MARKERS[place % len(MARKERS)],
        "linewidth": 1.3,
        "markersize": 5.5,
        "markeredgecolor": "white",
        "markeredgewidth": 0.5,
    }


def is_log(quantity: str, curves: Sequence[Curve]) -> bool:
    """Squared norms always, another quantity where it is positive over two decades."""
    means = np.concatenate([c.mean[np.isfinite(c.mean)] for c in curves])
    positive = means[means > 0]
    if positive.size == 0:
        return False
    decades = np.log10(positive.max()) - np.log10(positive.min())
    return quantity in ALWAYS_LOG or bool(positive.size == means.size and decades >= DECADES)


def frame(curves: Sequence[Curve], log: bool) -> tuple[float, float]:
    """The lowest and the highest value to show, with room around them."""
    values = np.concatenate([c.all for c in curves])
    if log:
        means = np.concatenate([c.mean[c.mean > 0] for c in curves])
        # A lower limit near 0, or below it, would stretch the axis without end.
        values = np.log10(np.maximum(values[values > 0], max(means.min() / 10, 1 / LARGEST)))
    low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
    room = 0.05 * (high - low) or (0.5 if log else 0.1 * abs(high) or 1.0)
    low, high = float(low - room), float(high + room)
    return (10 ** max(low, -100.0), 10**high) if log else (low, high)


def draw(panel: Axes, curves: Sequence[Curve], calm: Sequence[Curve], quantity: str) -> None:
    """Every curve, in a frame that the ``calm`` ones (those that did not diverge) set."""
    log = is_log(quantity, calm)
    low, high = frame(calm, log)
    panel.set_yscale("log" if log else "linear")
    panel.set_ylim(low, high)
    for place, each in enumerate(curves):
        _draw_one(panel, each, place, len(curves), (low, high), log)


def _draw_one(
    panel: Axes, each: Curve, place: int, of: int, bounds: tuple[float, float], log: bool
) -> None:
    look = style(place)
    low, high = _clip(each.low, bounds, log), _clip(each.high, bounds, log)
    mean = _clip(_above(each.mean, log), bounds, log)
    panel.fill_between(
        each.x, low, high, where=np.isfinite(mean), color=look["color"], alpha=0.22, linewidth=0
    )
    for replica in _clip(_above(each.replicas, log), bounds, log).T:
        panel.plot(each.x, replica, color=look["color"], alpha=0.35, linewidth=0.5)
    step = max(1, len(each.x) // 8)
    first = place * step // of if len(each.x) > of else 0
    panel.plot(each.x, mean, markevery=(first, step), zorder=3 + place, **look)


def _above(values: Floats, log: bool) -> Floats:
    # A logarithmic axis has no place for 0: the dispersion before the first round is left out.
    return np.where(values > 0, values, np.nan) if log else values


def _clip(values: Floats, bounds: tuple[float, float], log: bool) -> Floats:
    # Just outside the frame is far enough: renderers fail on paths that run off by many decades.
    low, high = bounds
    room = high - low
    clipped: Floats = np.clip(values, low / 10 if log else low - room, high + room)
    return clipped
