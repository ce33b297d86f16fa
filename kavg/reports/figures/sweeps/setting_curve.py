"""A quantity of one method over a setting: a curve with its band, its best value, its crosses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.analysis.estimate import Estimate
from kavg.base import Floats
from kavg.reports.figures.curves import DECADES
from kavg.reports.figures.style import LARGEST, draw_band, drawable, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STAR: Final[dict[str, Any]] = {
    "marker": "*", "markersize": 11.0, "markeredgecolor": "black", "linestyle": "",
}  # fmt: skip
CROSS: Final[dict[str, Any]] = {
    "marker": "x", "markersize": 5.0, "markeredgewidth": 1.4, "linestyle": "",
}  # fmt: skip
MARKERS: Final = 12
"""Markers of a curve, about."""
LEFT_OUT: Final = 1e6
"""Ratio over the median magnitude beyond which a mean sets no scale."""


@final
@dataclass(frozen=True, eq=False)
class SettingCurve:
    """A quantity of one method over the values of a ``VariedAxis``, ``(n,)`` each.

    ``estimate`` is NaN where there is no point; ``failed`` is true where runs have no value, which
    is marked.  ``best`` is the place of the best value, or None.
    """

    name: str
    estimate: Estimate
    failed: NDArray[np.bool_]
    best: int | None = None

    @property
    def shown(self) -> Floats:
        """The means that can be drawn: NaN where the method failed."""
        return np.where(self.failed, np.nan, drawable(self.estimate.mean))


def find_limits(curves: Sequence[SettingCurve]) -> tuple[bool, float, float]:
    """Return whether the y axis is logarithmic, and its limits.

    Means far beyond all others, of runs about to diverge, do not set them.
    """
    means = np.concatenate([curve.shown for curve in curves])
    means = means[np.isfinite(means)]
    if not means.size:
        return False, 0.0, 1.0
    # Without them the others would lie on one line.
    usual = means[np.abs(means) <= LEFT_OUT * (np.median(np.abs(means)) or LARGEST)]
    positive = bool((usual > 0).all())
    log = positive and np.log10(usual.max() / usual.min()) >= DECADES / 2
    ends = np.concatenate([np.append(c.estimate.low, c.estimate.high) for c in curves])
    # Intervals widen the limits, but not without end: those of few replicas may be huge.
    top, bottom = 3 * usual.max() - 2 * usual.min(), 3 * usual.min() - 2 * usual.max()
    if log:
        bottom, top = usual.min() / 10, usual.max() * 10
    inside = ends[np.isfinite(ends) & (ends >= bottom) & (ends <= top)]
    together = np.append(usual, inside)
    low, high = float(together.min()), float(together.max())
    if log:
        room = (high / low) ** 0.08
        return True, low / room, high * room
    space = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return False, low - space, high + space


def draw_setting_curve(panel: Axes, x: Floats, curve: SettingCurve, place: int, count: int) -> None:
    """Draw a curve with its band, its best value and crosses where it failed."""
    style, mean = line_style(place), curve.shown
    low, high = panel.get_ylim()
    bounds = [np.clip(end, low, high) for end in (curve.estimate.low, curve.estimate.high)]
    known = np.isfinite(mean)
    # Without a neighbour on either side a band has no width, and a bar shows the interval.
    gaps = np.flatnonzero(curve.failed)
    for part in np.split(np.arange(len(x)), gaps):
        kept = part[known[part]]
        if len(kept) == 1:
            panel.vlines(x[kept], bounds[0][kept], bounds[1][kept], color=style["color"], alpha=0.6)
        draw_band(panel, x[kept], bounds[0][kept], bounds[1][kept], style["color"])
        every = max(1, len(x) // MARKERS)
        panel.plot(x[kept], mean[kept], markevery=every, zorder=3 + place, **style)
    if curve.best is not None and known[curve.best]:
        star = STAR | {"color": style["color"], "zorder": 20 + place}
        panel.plot(x[[curve.best]], mean[[curve.best]], clip_on=False, **star)
    if gaps.size:
        # Crosses of several methods stand one below another.
        at = 0.97 - 0.06 * (place % 8 if count > 1 else 0)
        transform = panel.get_xaxis_transform()
        panel.plot(
            x[gaps], np.full(gaps.size, at), color=style["color"], transform=transform, **CROSS
        )
