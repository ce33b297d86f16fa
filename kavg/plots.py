"""Pictures of trajectories: means over replicas with their limits, fit for print and for grey."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kavg.base import KavgError
from kavg.legend import legend, readable
from kavg.panels import FAINT, curve, draw
from kavg.text import labels, recorded
from kavg.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEADINGS = {"grad_norm2": r"$\|\nabla F\|^2$", "F": "$F$", "dispersion": "dispersion of learners"}
COUNTS = {
    "rounds": "rounds (one communication each)",
    "steps": "local steps, each learner",
    "gradients": "gradients, all learners",
    "communications": "communications (one a round)",
    "seconds": "wall time in seconds",
}


def trajectory_figure(
    trajectories: Sequence[Trajectory],
    axis: str = "gradients",
    quantities: Sequence[str] | None = None,
    level: float = 0.95,
) -> Figure:
    """One panel a quantity, one line an algorithm: the mean over replicas and its limits.

    The band is ``mean_limits`` at ``level``, round by round; up to eight replicas are also drawn
    one by one.  ``axis`` is one of ``kavg.trajectory.AXES``; ``quantities`` are names of series,
    all of them by default.  Values that are not finite are left out, and an algorithm that
    diverged does not set the scale unless all of them did.

    >>> import numpy as np
    >>> x = np.geomspace(1.0, 0.1, 5)[:, None] * np.ones(3)
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(5), {"F": x}, x.T, x.T, np.zeros(5))
    >>> figure = trajectory_figure([run], axis="rounds")
    >>> figure.axes[0].get_xlabel(), figure.axes[0].get_yscale()
    ('rounds (one communication each)', 'linear')
    """
    names = map(_entry, labels(trajectories), trajectories)
    shown = _chosen(trajectories, quantities)
    calm = [run.diverged_at is None for run in trajectories]
    figure, panels = _panels(len(shown))
    for panel, quantity in zip(panels, shown, strict=True):
        curves = [curve(run, axis, quantity, level) for run in trajectories]
        steady = [c for c, good in zip(curves, calm, strict=True) if good and c.mean.size]
        draw(panel, curves, steady or curves, quantity)
        _name_axes(panel, axis, quantity)
    legend(figure, list(names))
    figure.suptitle(_caption(trajectories, level), fontsize=8)
    return figure


def save(figure: Figure, folder: str | os.PathLike[str], stem: str) -> tuple[Path, Path]:
    """Write ``stem.png`` (200 dots an inch) and ``stem.svg``, each whole or not at all.

    Equal figures give equal files: neither holds a date or a random identifier.
    """
    from matplotlib import rc_context

    if not stem or Path(stem).name != stem:
        raise KavgError(f"stem must be a file name without folder or ending, got {stem!r}")
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    with rc_context({"svg.hashsalt": "kavg"}):
        png = _write(figure, place / f"{stem}.png", dpi=200)
        svg = _write(figure, place / f"{stem}.svg", metadata={"Date": None})
    return png, svg


def _write(figure: Figure, path: Path, **options: Any) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        figure.savefig(draft, format=path.suffix[1:], **options)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def _chosen(trajectories: Sequence[Trajectory], quantities: Sequence[str] | None) -> list[str]:
    there = recorded(trajectories)
    chosen = there if quantities is None else list(quantities)
    strange = [name for name in chosen if name not in there]
    if strange or not chosen:
        raise KavgError(f"cannot draw {strange or 'nothing'}; recorded are: {', '.join(there)}")
    return chosen


def _panels(number: int) -> tuple[Figure, list[Axes]]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as fault:
        raise KavgError(
            f"pictures need matplotlib, which failed to load ({fault}); pip install 'kavg[plot]'"
        ) from fault
    across = min(number, 3) if number != 4 else 2
    down = ceil(number / across)
    figure = Figure(figsize=(0.6 + 2.8 * across, 2.5 * down), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(down, across, squeeze=False).ravel()
    for spare in grid[number:]:
        spare.remove()
    return figure, list(grid[:number])


def _name_axes(panel: Axes, axis: str, quantity: str) -> None:
    panel.set_xlabel(COUNTS[axis], fontsize=9)
    heading = HEADINGS.get(quantity)
    words = readable(textwrap.shorten(quantity.replace("_", " "), 40, placeholder=" ..."))
    panel.set_ylabel(heading or words, fontsize=9, parse_math=heading is not None)
    panel.tick_params(which="both", labelsize=8)
    panel.ticklabel_format(axis="x", style="sci", scilimits=(-3, 5), useMathText=True)
    panel.xaxis.get_offset_text().set_fontsize(8)
    panel.yaxis.get_offset_text().set_fontsize(8)
    panel.locator_params(axis="x", nbins=5, integer=axis != "seconds")
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(linewidth=0.4, alpha=0.5)


def _entry(name: str, run: Trajectory) -> str:
    end = "" if run.diverged_at is None else f" (diverged at round {run.diverged_at})"
    return name + end


def _caption(trajectories: Sequence[Trajectory], level: float) -> str:
    counts = sorted({run.replicas for run in trajectories})
    if counts[-1] == 1:
        return "one replica: no limits"
    many = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    thin = ", thin: each replica" if counts[-1] <= FAINT else ""
    return f"mean of {many} replicas, shaded: {100 * level:g} % limits{thin}"
