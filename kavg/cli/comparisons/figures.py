"""Figures of a comparison: its ratios and its speed-ups, each with the line of no difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from kavg.analysis.estimate import Estimate
from kavg.analysis.methods.comparison import ComparisonPlan, GroupComparison
from kavg.analysis.methods.contrast import Contrast
from kavg.cli.plots.options import FORM, Form
from kavg.reports.comparisons.labels import describe_settings
from kavg.reports.figures import Layout, forest_figure, save
from kavg.reports.labels import quantity_title

Rows = list[tuple[str, Estimate]]
PARTS: Final[tuple[tuple[str, Callable[[Contrast], Estimate | None]], ...]] = (
    ("ratios", lambda contrast: contrast.ratio),
    ("speed-ups", lambda contrast: contrast.speed_up),
)
"""The name of each figure, and what it shows of a contrast."""


def draw_comparison(
    comparisons: Sequence[GroupComparison], plan: ComparisonPlan, folder: Path, form: Form = FORM
) -> list[Path]:
    """Draw ``ratios`` and, with a target, ``speed-ups`` in a folder; return the paths."""
    drawn: list[Path] = []
    for stem, select in PARTS:
        rows = list(_list_bars(comparisons, select))
        # Without a target, or where all diverged, there is nothing to draw.
        if rows:
            label, note = _label_figure(stem, comparisons, plan)
            layout = Layout(str(form.width), form.title, note)
            figure = forest_figure(rows, label, layout=layout)
            drawn += save(figure, folder, stem, form.list_formats())
    return drawn


def _list_bars(
    comparisons: Sequence[GroupComparison], select: Callable[[Contrast], Estimate | None]
) -> Iterator[tuple[str, Estimate]]:
    for comparison in comparisons:
        cell = describe_settings(comparison.group.cell)
        for contrast in comparison.contrasts:
            estimate = select(contrast)
            if estimate is not None:
                label = contrast.reading.method.label
                yield f"{label}, {cell}" if cell else label, estimate


def _label_figure(
    stem: str, comparisons: Sequence[GroupComparison], plan: ComparisonPlan
) -> tuple[str, str]:
    """The label of the axis, and the note below it."""
    # Cells may have baselines of different labels, and the axis has one name.
    bases = dict.fromkeys(each.baseline.method.label for each in comparisons)
    base = next(iter(bases)) if len(bases) == 1 else "the baseline"
    level = f"all bars hold together with {100 * (1 - plan.level):g} %"
    if stem == "ratios":
        return f"{quantity_title(plan.quantity)} over that of {base}", f"equal {plan.axis}; {level}"
    return f"speed-up over {base}, in {plan.axis}", f"until {plan.target}; {level}"
