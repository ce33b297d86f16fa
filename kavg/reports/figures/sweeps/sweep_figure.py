"""The figure of a sweep: its kind and axes chosen by name, or by what the sweep varies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from kavg.errors import KavgError
from kavg.reports.figures.files import save
from kavg.reports.figures.layout import PAGE, Layout
from kavg.reports.figures.sweeps.arrangement import (
    ALGORITHM,
    arrange_curves,
    arrange_maps,
    lacks_one,
)
from kavg.reports.figures.sweeps.heat_map import heat_map_figure
from kavg.reports.figures.sweeps.phase_diagram import phase_figure
from kavg.reports.figures.sweeps.plotted_quantity import PlottedQuantity
from kavg.reports.figures.sweeps.point_values import PointValue, axis_of, varied_settings
from kavg.reports.figures.sweeps.rankings import arrange_phases, arrange_speed_ups
from kavg.reports.figures.sweeps.setting_axis import SYMBOLS
from kavg.reports.figures.sweeps.small_multiples import setting_figure
from kavg.reports.figures.sweeps.speed_up import SCALES, speed_up_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS: Final = ("heat-map", "curves", "multiples", "speed-up", "phase")
WITH_Y: Final = ("heat-map", "phase")
LEVELS: Final = (0.95, 0.999)
"""Levels of the contours of confidence in a heat map."""


@final
@dataclass(frozen=True)
class SweepView:
    """What a figure of a sweep shows: one of ``KINDS``, and settings by name.

    ``x`` and ``y`` are its axes; ``by`` divides the points into panels, or ``"algorithm"``.  What
    is None is chosen by ``choose_view``.

    Raises ``KavgError`` for another kind.
    """

    kind: str | None = None
    x: str | None = None
    y: str | None = None
    by: str | None = None

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            raise KavgError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        if self.y is not None and self.kind not in (*WITH_Y, None):
            raise KavgError(f"y is for {' and '.join(WITH_Y)}, got kind {self.kind!r}; use by")


def choose_view(points: Sequence[PointValue], view: SweepView) -> SweepView:
    """Return the view with a kind and axes: those that the points vary most.

    Raises:
        KavgError: if the points vary too few settings for the kind, or have not those of the view.
    """
    varied = varied_settings(points)
    for name in (view.x, view.y, view.by):
        if name not in (None, ALGORITHM):
            axis_of(points, str(name))
    wanted = view.kind or ("heat-map" if len(varied) > 1 or view.y else "curves")
    free = [name for name in varied if name not in (view.x, view.y, view.by)]
    if wanted == "speed-up" and view.x is None:
        # The settings over which speed-ups are usually shown come first.
        free.sort(key=lambda name: SCALES.index(name) if name in SCALES else len(SCALES))
    x = view.x or (free.pop(0) if free else None)
    y = view.y or (free.pop(0) if free and wanted in WITH_Y else None)
    if x is None or (wanted in WITH_Y and y is None):
        needed = "two settings" if wanted in WITH_Y else "a setting"
        raise KavgError(
            f"{wanted} needs {needed} that the sweep varies, got {', '.join(varied) or 'none'}"
        )
    by = view.by
    if wanted == "multiples" and by is None:
        by = free[0] if free else ALGORITHM
    return replace(view, kind=wanted, x=x, y=y, by=by)


def draw_sweep(
    points: Sequence[PointValue],
    view: SweepView,
    quantity: PlottedQuantity,
    level: float = 0.95,
    layout: Layout = PAGE,
) -> Figure:
    """Draw the points of a sweep; where several share a place, the best stands for them.

    Raises:
        KavgError: if a setting is not varied, or there is nothing to draw.
    """
    if not points:
        raise KavgError("there is no point to draw")
    chosen = choose_view(points, view)
    layout = _note_choice(points, chosen, quantity, layout)
    x, y = str(chosen.x), str(chosen.y)
    if chosen.kind == "heat-map":
        axes, maps = arrange_maps(points, (x, y), chosen.by, quantity)
        return heat_map_figure(maps, axes, quantity, LEVELS, layout)
    if chosen.kind == "phase":
        axes, names, phases = arrange_phases(points, (x, y), chosen.by, quantity, level)
        return phase_figure(phases, axes, names, level, layout)
    if chosen.kind == "speed-up":
        axis, curves = arrange_speed_ups(points, x, chosen.by, quantity)
        return speed_up_figure(curves, axis, layout)
    axis, panels = arrange_curves(points, x, chosen.by, quantity)
    return setting_figure(panels, axis, quantity, layout)


def _note_choice(
    points: Sequence[PointValue], view: SweepView, quantity: PlottedQuantity, layout: Layout
) -> Layout:
    """Say in the note over which other settings the best was taken, and who has not the shown."""
    shown = [name for name in (view.x, view.y) if name is not None]
    varied = varied_settings(points)
    others = [SYMBOLS.get(name, name) for name in varied if name not in (*shown, view.by)]
    missing = [
        (point, SYMBOLS.get(name, name))
        for name in shown
        for point in points
        if name not in point.settings
    ]
    strips = {
        point.algorithm: name
        for point, name in missing
        if view.kind == "heat-map" and lacks_one(point, (str(view.x), str(view.y)))
    }
    left_out = {each.algorithm: name for each, name in missing if each.algorithm not in strips}
    notes = [
        layout.note,
        f"{quantity.best} over {', '.join(others)}" if others else "",
        *(f"{each} by itself, as it has no {name}" for each, name in strips.items()),
        *(f"not shown: {each}, which has no {name}" for each, name in left_out.items()),
    ]
    return replace(layout, note="; ".join(filter(None, notes)))


def write_sweep_figures(
    points: Sequence[PointValue],
    quantity: PlottedQuantity,
    folder: Path,
    stem: str,
    layout: Layout = PAGE,
) -> list[Path]:
    """Write the figure of a sweep as png and svg: curves of one setting, or a heat map of two.

    Nothing is written where no setting varies.
    """
    if not varied_settings(points):
        return []
    return list(save(draw_sweep(points, SweepView(), quantity, layout=layout), folder, stem))
