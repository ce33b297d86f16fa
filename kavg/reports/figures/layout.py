"""The sheet a picture is drawn on: its panels, the names of their axes, its files."""

from __future__ import annotations

import os
import textwrap
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kavg.errors import KavgError
from kavg.reports.figures.legend import readable

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


def new_sheet(number: int) -> tuple[Figure, list[Axes]]:
    """An empty figure with so many panels, three a row at most."""
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


def name_axes(panel: Axes, axis: str, quantity: str) -> None:
    """Say what stands on both axes of a panel, with a light grid."""
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
        figure.set_layout_engine("none")  # laid out once, it stays as it is
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
