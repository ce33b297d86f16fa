"""The body of ``kavg compare``, for rank 0: read, compare, print and write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from kavg.analysis.methods.comparison import ComparisonPlan, GroupComparison, compare_methods
from kavg.cli.comparisons.candidates import load_candidates
from kavg.cli.comparisons.figures import draw_comparison
from kavg.cli.comparisons.folders import find_sweep_target, make_groups
from kavg.cli.comparisons.options import ComparisonFiles, ComparisonOptions
from kavg.cli.comparisons.plan import parse_plan
from kavg.cli.output import draw_if_possible, print_messages, print_text
from kavg.cli.plots.options import FORM, Form
from kavg.errors import KavgError
from kavg.reports.comparisons.document import comparison_json
from kavg.reports.comparisons.latex import comparison_latex
from kavg.reports.comparisons.text import comparison_text
from kavg.reports.comparisons.warnings import list_comparison_warnings
from kavg.reports.figures.files import check_formats
from kavg.storage.atomic import make_folders
from kavg.storage.text_files import write_json, write_text
from kavg.text import escape_unprintable


@final
@dataclass(frozen=True, eq=False)
class ComparisonResult:
    """A comparison with all that is printed and written of it."""

    comparisons: Sequence[GroupComparison]
    plan: ComparisonPlan

    @property
    def text(self) -> str:
        """The table that is printed."""
        return comparison_text(self.comparisons, self.plan)

    @property
    def warnings(self) -> list[str]:
        """What its numbers do not show."""
        return list_comparison_warnings(self.comparisons)

    @property
    def json(self) -> dict[str, Any]:
        """All numbers."""
        return comparison_json(self.comparisons, self.plan, self.warnings)

    @property
    def latex(self) -> str:
        """The table for LaTeX."""
        return comparison_latex(self.comparisons, self.plan)


def compare_and_report(
    folders: Sequence[Path],
    options: ComparisonOptions,
    files: ComparisonFiles,
    form: Form = FORM,
) -> None:
    """Compare the methods of folders, write files, and print the table and its warnings.

    Raises:
        KavgError: if an option or a folder cannot be used, or a file cannot be written.
    """
    _require_place(files, form)
    candidates = [each for folder in folders for each in load_candidates(folder)]
    plan = parse_plan(options, find_sweep_target(candidates))
    groups = make_groups(candidates, together=options.together)
    result = ComparisonResult(compare_methods(groups, plan), plan)
    # Before anything is printed: a table without its files would mislead.
    written = write_comparison(result, files, form)
    print_text(result.text)
    if written:
        print_text("\n" + "\n".join(escape_unprintable(str(path)) for path in written))
    print_messages(result.warnings)


def _require_place(files: ComparisonFiles, form: Form) -> None:
    """Raise KavgError if the form of figures is given without ``--out``, or cannot be made."""
    if form != FORM and files.out is None:
        raise KavgError(
            "--width, --format and --title are for the figures, which --out DIR writes; add --out"
        )
    # Of a figure that fails later only a message would be left (draw_if_possible).
    check_formats(form.list_formats())


def write_comparison(
    result: ComparisonResult, files: ComparisonFiles, form: Form = FORM
) -> list[Path]:
    """Write the files that were asked for; return their paths."""
    wanted: list[tuple[Path | None, Callable[[Path], object]]] = [
        (files.json, lambda path: write_json(path, result.json)),
        (files.latex, lambda path: write_text(path, result.latex)),
    ]
    if files.out is not None:
        wanted += [
            (files.out / "comparison.txt", lambda path: write_text(path, result.text + "\n")),
            (files.out / "comparison.json", lambda path: write_json(path, result.json)),
            (files.out / "comparison.tex", lambda path: write_text(path, result.latex)),
        ]
    paths = [_write_to(path, write) for path, write in wanted if path is not None]
    return paths if files.out is None else [*paths, *_draw_ratios(result, files.out, form)]


def _write_to(path: Path, write: Callable[[Path], object]) -> Path:
    try:
        make_folders(path.parent)
        write(path)
    except OSError as error:
        raise KavgError(f"cannot write {str(path)!r}: {error.strerror}") from None
    return path


def _draw_ratios(result: ComparisonResult, folder: Path, form: Form) -> list[Path]:
    drawn: list[Path] = []
    draw_if_possible(
        lambda: drawn.extend(draw_comparison(result.comparisons, result.plan, folder, form))
    )
    return drawn
