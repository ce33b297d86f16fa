"""Draw folders and write the figure, to the folder of a run or to one of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kavg.cli.output import print_text
from kavg.cli.plots.options import VIEW, Content, Form, View
from kavg.cli.plots.run_figures import choose_quantities, draw_runs, load_plotted_runs
from kavg.cli.plots.sweep_values import load_stage
from kavg.errors import KavgError
from kavg.reports.figures.files import check_formats, save
from kavg.reports.figures.layout import Layout
from kavg.reports.figures.sweeps.sweep_figure import SweepView, choose_view, draw_sweep
from kavg.storage import RunFolder
from kavg.storage.output_folder import require_finished
from kavg.storage.recovery import recover_before_reading
from kavg.text import escape_unprintable

if TYPE_CHECKING:
    from kavg.reports.figures.files import Figure

SWEEP: Final = "sweep.json"
"""The file by which the folder of a sweep is known."""


def draw_folders(
    folders: Sequence[Path], content: Content, view: View, form: Form, out: Path | None = None
) -> None:
    """Draw the runs of all folders together, or one sweep; print the paths of the files.

    Raises:
        KavgError: A folder is not finished, or the options do not fit it.
    """
    formats = form.list_formats()
    check_formats(formats)
    figures = _choose_place(folders, out)
    for folder in folders:
        recover_before_reading(folder)
        require_finished(folder)
    stem, draw = _choose_figure(folders, content, view, Layout(str(form.width), form.title))

    def write(stage: Path) -> None:
        write_figure(draw, stage, stem, formats)

    try:
        # Figures in the run's own folder are entered in its manifest.
        paths = RunFolder(folders[0]).add(write, figures)
    except OSError as error:
        raise KavgError(f"cannot write {str(figures)!r}: {error.strerror}") from None
    print_text("\n".join(escape_unprintable(str(path)) for path in paths))


def write_figure(
    draw: Callable[[], Figure], stage: Path, stem: str, formats: Sequence[str]
) -> None:
    """Draw a figure and write its files to the folder ``stage``."""
    save(draw(), stage, stem, formats)


def _choose_place(folders: Sequence[Path], out: Path | None) -> Path:
    if out is None and len(folders) > 1:
        raise KavgError("a figure of several folders belongs to none of them; use --out DIR")
    return folders[0] / "figures" if out is None else out


def _choose_figure(
    folders: Sequence[Path], content: Content, view: View, layout: Layout
) -> tuple[str, Callable[[], Figure]]:
    """The stem of the files, and what draws the figure; folders are read before."""
    # pathlib raises for a name that is too long.
    sweeps = [folder for folder in folders if os.path.isfile(folder / SWEEP)]
    if sweeps and len(folders) > 1:
        raise KavgError(
            f"{str(sweeps[0])!r} is the folder of a sweep, which is drawn alone; "
            "kavg compare takes several"
        )
    if sweeps:
        return _choose_sweep_figure(folders[0], content, view, layout)
    if view != VIEW:
        raise KavgError(
            "--kind, --x, --y, --by and --stage are for the folder of a sweep, and "
            f"{str(folders[0])!r} is that of a run"
        )
    plotted = load_plotted_runs(folders)
    # Before a folder is made for the figure.
    choose_quantities(plotted, content)
    return "trajectory", lambda: draw_runs(plotted, content, layout)


def _choose_sweep_figure(
    folder: Path, content: Content, view: View, layout: Layout
) -> tuple[str, Callable[[], Figure]]:
    if content.floor:
        raise KavgError("--floor is for the folders of runs, and this is the folder of a sweep")
    kind = None if view.kind is None else str(view.kind)
    values = load_stage(folder, content, view)
    asked = SweepView(kind, view.x, view.y, view.by, tuple(values.problem))
    chosen = choose_view(values.points, asked)
    noted = replace(layout, note=values.note)

    def draw() -> Figure:
        return draw_sweep(values.points, chosen, values.quantity, layout=noted)

    return str(chosen.kind), draw
