"""Layout of figures: their panels, axes and captions, and their files."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kavg.errors import KavgError
from kavg.reports.figures.legend import replace_missing_glyphs
from kavg.reports.figures.style import use_default_style
from kavg.storage.atomic import write_atomically
from kavg.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

QUANTITY_LABELS: Final[Mapping[str, str]] = {
    "grad_norm2": r"$\|\nabla F\|^2$",
    "F": "$F$",
    "dispersion": "dispersion of learners",
}
AXIS_LABELS: Final[Mapping[str, str]] = {
    "rounds": "rounds (one communication each)",
    "steps": "local steps, each learner",
    "gradients": "gradients, all learners",
    "communications": "communications (one a round)",
    "seconds": "wall time in seconds",
}


def new_figure(count: int) -> tuple[Figure, list[Axes]]:
    """Return an empty figure with ``count`` panels, three a row at most (four in two rows)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    across = min(count, 3) if count != 4 else 2
    down = ceil(count / across)
    # Not by pyplot, which would open a display and hold every figure until it is closed.
    figure = Figure(figsize=(0.6 + 2.8 * across, 2.5 * down), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(down, across, squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    return figure, list(grid[:count])


def style_axes(
    panel: Axes, x_label: str, y_label: str, title: str = "", *, math: bool = True
) -> None:
    """Name the axes of a panel, with small type, a light grid and no frame above and on the right.

    ``math`` allows mathematics in the label of the y axis, which a user's own names must not have.
    """
    panel.set_xlabel(x_label, fontsize=9)
    panel.set_ylabel(y_label, fontsize=9, parse_math=math)
    panel.set_title(title, fontsize=9, parse_math=False)
    panel.tick_params(which="both", labelsize=8)
    panel.xaxis.get_offset_text().set_fontsize(8)
    panel.yaxis.get_offset_text().set_fontsize(8)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(linewidth=0.4, alpha=0.5)
    panel.set_axisbelow(True)  # lines of the grid would cross bars otherwise


def label_axes(panel: Axes, axis: str, quantity: str) -> None:
    """Style the axes of a quantity along a run; ``axis`` is one of ``kavg.trajectory.AXES``."""
    label = QUANTITY_LABELS.get(quantity)
    words = textwrap.shorten(quantity.replace("_", " "), 40, placeholder=" ...")
    known = label is not None
    style_axes(panel, AXIS_LABELS[axis], label or replace_missing_glyphs(words), math=known)
    panel.ticklabel_format(axis="x", style="sci", scilimits=(-3, 5), useMathText=True)
    panel.locator_params(axis="x", nbins=5, integer=axis != "seconds")


def add_caption(figure: Figure, text: str) -> None:
    """Write a caption above all panels, which explains lines, bands and points."""
    figure.suptitle(text, fontsize=8)


def describe_means(
    trajectories: Sequence[Trajectory], level: float, mean: str, interval: str
) -> str:
    """Return a caption of means over replicas; ``mean`` and ``interval`` name what is drawn.

    >>> import numpy as np
    >>> z = np.zeros((1, 3))
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(1), {"F": z}, z.T, z.T, np.zeros(1))
    >>> describe_means([run], 0.95, "lines", "bands")
    'lines: means of 3 replicas; bands: 95 % confidence intervals'
    """
    counts = sorted({run.replicas for run in trajectories})
    if counts[-1] == 1:
        return f"{mean}: one replica"
    replicas = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    return (
        f"{mean}: means of {replicas} replicas; {interval}: {100 * level:g} % confidence intervals"
    )


def select_quantities(wanted: Sequence[str], available: Sequence[str]) -> list[str]:
    """Return the names of the quantities to draw, as a list.

    Raises:
        KavgError: if there are none or one is not ``available``.
    """
    if not wanted or not set(wanted) <= set(available):
        raise KavgError(
            f"quantities must be one or more of {', '.join(available)}, got {list(wanted)}"
        )
    return list(wanted)


@use_default_style()
def save(figure: Figure, folder: str | os.PathLike[str], stem: str) -> tuple[Path, Path]:
    """Write ``stem.png`` (200 dots an inch) and ``stem.svg``, each whole or not at all.

    Equal figures give equal files: neither holds a date or a random identifier.

    Raises:
        KavgError: if ``stem`` is not a plain file name.
        OSError: if the folder cannot be written.
    """
    if not stem or Path(stem).name != stem:
        raise KavgError(f"stem must be a file name without folder or ending, got {stem!r}")
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    png = _write_file(figure, place / f"{stem}.png", dpi=200)
    figure.set_layout_engine("none")  # laid out once, it stays as it is
    svg = _write_file(figure, place / f"{stem}.svg", metadata={"Date": None})
    return png, svg


def _write_file(figure: Figure, path: Path, **options: Any) -> Path:
    with write_atomically(path) as file:
        # The format is named because a file that is open has no ending.
        figure.savefig(file, format=path.suffix[1:], **options)
    return path
