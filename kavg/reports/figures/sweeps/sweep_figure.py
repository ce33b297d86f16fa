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
from kavg.reports.figures.sweeps.point_values import (
    PointValue,
    as_key,
    axis_of,
    varied_settings,
    with_settings,
)
from kavg.reports.figures.sweeps.rankings import arrange_phases, arrange_speed_ups
from kavg.reports.figures.sweeps.setting_axis import SYMBOLS
from kavg.reports.figures.sweeps.small_multiples import SettingPanel, setting_figure
from kavg.reports.figures.sweeps.speed_up import SCALES, speed_up_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS: Final = ("heat-map", "curves", "multiples", "speed-up", "phase")
WITH_Y: Final = ("heat-map", "phase")
LEVELS: Final = (0.95, 0.999)
"""Levels of the contours of confidence in a heat map."""
MOST_PANELS: Final = 12
"""Most panels of ``multiples`` whose setting was not named."""


@final
@dataclass(frozen=True)
class SweepView:
    """What a figure of a sweep shows: one of ``KINDS``, and settings by name.

    ``x`` and ``y`` are its axes; ``by`` divides the points into panels, or ``"algorithm"``.  What
    is None is chosen by ``choose_view``.  ``problem`` are the settings of the problem: points that
    differ in one of them are never taken together, but have panels of their own.

    Raises ``KavgError`` for another kind.
    """

    kind: str | None = None
    x: str | None = None
    y: str | None = None
    by: str | None = None
    problem: tuple[str, ...] = ()

    @property
    def shown(self) -> list[str]:
        """The settings on its axes."""
        return [name for name in (self.x, self.y) if name is not None]

    def list_panels(self, points: Sequence[PointValue]) -> list[str]:
        """Return the settings whose values have panels of their own."""
        apart = [name for name in varied_settings(points) if name in self.problem]
        by = [] if self.by is None else [self.by]
        return by + [name for name in apart if name not in (*self.shown, self.by)]

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
    free = [name for name in varied if name not in (view.x, view.y, view.by)]
    # A best over several problems is the best of none.
    free.sort(key=lambda name: name in view.problem)
    wanted = view.kind or _choose_kind(points, view, free)
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
        few = [name for name in free if len(axis_of(points, name).values) <= MOST_PANELS]
        by = few[0] if few else ALGORITHM
    return replace(view, kind=wanted, x=x, y=y, by=by)


def _choose_kind(points: Sequence[PointValue], view: SweepView, free: Sequence[str]) -> str:
    """A heat map of two settings, if most of its cells have a point, else curves."""
    tuned = [name for name in free if name not in view.problem]
    axes = [*view.shown, *tuned][:2]
    if view.y is not None:
        return "heat-map"
    if len(axes) < 2:
        return "curves"
    cells = {
        tuple(as_key(point.settings[name]) for name in axes)
        for point in with_settings(points, axes)
    }
    x, y = (len(axis_of(points, name).values) for name in axes)
    # No algorithm may have both; each is then a strip by itself.
    return "heat-map" if not cells or 2 * len(cells) > x * y else "curves"


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
    x, y, by = str(chosen.x), str(chosen.y), chosen.list_panels(points)
    if chosen.kind == "heat-map":
        axes, maps = arrange_maps(points, (x, y), by, quantity)
        return heat_map_figure(maps, axes, quantity, LEVELS, layout)
    if chosen.kind == "phase":
        axes, names, phases = arrange_phases(points, (x, y), by, quantity, level)
        return phase_figure(phases, axes, names, level, layout)
    if chosen.kind == "speed-up":
        axis, curves = arrange_speed_ups(points, x, by, quantity)
        return speed_up_figure(curves, axis, layout)
    axis, panels = arrange_curves(points, x, by, quantity)
    if x in chosen.problem:
        panels = [_drop_stars(panel) for panel in panels]
    return setting_figure(panels, axis, quantity, layout)


def _drop_stars(panel: SettingPanel) -> SettingPanel:
    return replace(panel, curves=tuple(replace(curve, best=None) for curve in panel.curves))


def _note_choice(
    points: Sequence[PointValue], view: SweepView, quantity: PlottedQuantity, layout: Layout
) -> Layout:
    """Say in the note over which other settings the best was taken, and who has not the shown."""
    shown = view.shown
    named = (*shown, *view.list_panels(points))
    others = [SYMBOLS.get(name, name) for name in varied_settings(points) if name not in named]
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
    problem: Sequence[str] = (),
) -> list[Path]:
    """Write the figure of a sweep as png and svg: curves of one setting, or a heat map of two.

    ``problem`` are the settings of the problem, as of ``SweepView``.  Nothing is written where no
    setting varies.
    """
    if not varied_settings(points):
        return []
    view = SweepView(problem=tuple(problem))
    return list(save(draw_sweep(points, view, quantity), folder, stem))
