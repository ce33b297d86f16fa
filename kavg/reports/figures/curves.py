"""Curves of a quantity: means over replicas with confidence intervals, one an algorithm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.analysis.quantities import quantity_interval
from kavg.base import Floats
from kavg.reports.figures.style import LARGEST, clip_to_axes, draw_band, drawable, line_style
from kavg.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ALWAYS_LOG: Final = ("grad_norm2", "dispersion")
DECADES: Final = 2.0
"""Range of a positive quantity from which its axis is logarithmic."""
RUNAWAY: Final = 1e10
"""Growth of F, over its start and the least of the other runs, of one that sets no scale."""
FEW: Final = 8
"""Number of replicas up to which each is drawn."""


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """A quantity of one algorithm: ``x, mean, low, high (T,)`` and ``replicas (T, R)``.

    ``replicas`` is empty unless there are few enough to show each one.  Values that cannot be
    drawn (``drawable``) are NaN.
    """

    x: NDArray[np.float64]
    mean: Floats
    low: Floats
    high: Floats
    replicas: Floats = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def finite_values(self) -> Floats:
        """All finite values, in one row."""
        parts = (self.mean, self.low, self.high, self.replicas.ravel())
        together: Floats = np.concatenate(parts)
        return together[np.isfinite(together)]


def mean_curve(run: Trajectory, axis: str, quantity: str, level: float) -> Curve:
    """Return the mean over replicas with its confidence interval; empty if not recorded."""
    if quantity not in run.series:
        return Curve(*[np.empty(0)] * 4)
    series = run.series[quantity]
    estimate = quantity_interval(quantity, series, level)
    few = series if 1 < run.replicas <= FEW else series[:, :0]
    x = np.asarray(run.axis(axis), dtype=np.float64)
    return Curve(x, *map(drawable, (estimate.mean, estimate.low, estimate.high, few)))


def scale_y_axis(
    panel: Axes, curves: Sequence[Curve], quantity: str, lines: Sequence[Curve] = ()
) -> None:
    """Set the scale and the limits of the y axis so that these curves fit, and lines if they can.

    Squared norms have a logarithmic axis, and so has another quantity that is positive over
    ``DECADES``.
    """
    log = _is_log(quantity, curves)
    shown = [line for line in lines if not log or (line.mean > 0).all()]
    low, high = _y_limits([*curves, *shown], log)
    panel.set_yscale("log" if log else "linear")
    panel.set_ylim(low, high)


def find_runaways(trajectories: Sequence[Trajectory]) -> list[float | None]:
    """Return the largest mean of F of each run that left all others far behind, else None.

    Such a run is about to diverge, though its numbers are still finite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        means = [np.abs(run.series["F"].mean(axis=1)) for run in trajectories]
    peaks = [float(x[np.isfinite(x)].max(initial=0.0)) for x in means]
    usual = max([min(peaks), *(float(x[0]) for x in means if np.isfinite(x[0]))])
    return [peak if peak > RUNAWAY * usual > 0 else None for peak in peaks]


def draw_curves(panel: Axes, curves: Sequence[Curve]) -> None:
    """Draw every curve with its band, and its replicas where there are few.

    The panel has its scale already (``scale_y_axis``); curves that leave it are cut there.
    """
    for place, each in enumerate(curves):
        _draw_curve(panel, each, place, len(curves))


def _is_log(quantity: str, curves: Sequence[Curve]) -> bool:
    means = np.concatenate([c.mean[np.isfinite(c.mean)] for c in curves])
    positive = means[means > 0]
    if positive.size == 0:
        return False
    decades = np.log10(positive.max()) - np.log10(positive.min())
    return quantity in ALWAYS_LOG or bool(positive.size == means.size and decades >= DECADES)


def _y_limits(curves: Sequence[Curve], log: bool) -> tuple[float, float]:
    values = np.concatenate([c.finite_values for c in curves])
    if log:
        means = np.concatenate([c.mean[c.mean > 0] for c in curves])
        # The end of an interval near 0, or below it, would stretch the axis without end.
        values = np.log10(np.maximum(values[values > 0], max(means.min() / 10, 1 / LARGEST)))
    low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
    # A constant curve has no range of which the margin could be a share.
    room = 0.05 * (high - low) or (0.5 if log else 0.1 * abs(high) or 1.0)
    low, high = float(low - room), float(high + room)
    return (10 ** max(low, -100.0), 10**high) if log else (low, high)


def _draw_curve(panel: Axes, curve: Curve, place: int, count: int) -> None:
    style, log = line_style(place), panel.get_yscale() == "log"
    # The dispersion is 0 before the first round, which a logarithmic axis cannot show.
    mean = clip_to_axes(panel, drawable(curve.mean, log=log))
    low = np.where(np.isfinite(mean), clip_to_axes(panel, curve.low), np.nan)
    draw_band(panel, curve.x, low, clip_to_axes(panel, curve.high), style["color"])
    # Replicas have no markers and lie under the means: there may be eight for each curve.
    for replica in clip_to_axes(panel, drawable(curve.replicas, log=log)).T:
        panel.plot(curve.x, replica, color=style["color"], alpha=0.35, linewidth=0.5)
    # Different curves have markers at different rounds, so that none hides another.
    step = max(1, len(curve.x) // 8)
    first = place * step // count if len(curve.x) > count else 0
    panel.plot(curve.x, mean, markevery=(first, step), zorder=3 + place, **style)
