"""Text tables of what was measured: one for each workload, one for each series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from experiments.benchmarks.ratios import Measured, Spread
from experiments.benchmarks.reports.text_table import TextTable


def measurement_tables(measured: Sequence[Measured]) -> list[TextTable]:
    """A table for each workload, and one for each series of a workload in several sizes."""
    tables: list[TextTable] = []
    for (_, _, ladder), group in groupby(measured, lambda m: (m.group, m.name, m.ladder)):
        members = list(group)
        tables += [_series_table(members)] if ladder else map(_workload_table, members)
    return tables


def _workload_table(measured: Measured) -> TextTable:
    """One row a contestant: its time, and the ratio with its spread."""
    sizes = ", ".join(f"{letter} = {value}" for letter, value in measured.sizes.items())
    header = ("", "time", f"{measured.reference} / it", "quartiles", "least to most")
    rows = []
    for name in measured.seconds:
        ratio = measured.ratio(name) if name != measured.reference else None
        cells = _spread_cells(ratio) if ratio else ("", "", "")
        rows.append((name, format_digits(measured.time(name)), *cells))
    rows += [(name, "-", "", "", "") for name in measured.notes]
    title = measured.name + (f": {sizes}" if sizes else "")
    caption = f"{measured.clock} in {measured.unit}"
    return TextTable(title, caption, header, rows, _table_notes(measured))


def _series_table(series: Sequence[Measured]) -> TextTable:
    """One row a size: the reference's time, and its ratio to each of the others."""
    first = series[0]
    letter, ours = first.ladder, first.reference
    names = list(dict.fromkeys(n for m in series for n in (*m.seconds, *m.notes) if n != ours))
    fixed = ", ".join(f"{k} = {v}" for k, v in first.sizes.items() if k != letter)
    rows = [
        (
            format_size(each.sizes[letter]),
            format_digits(each.time(ours)) if ours in each.seconds else "-",
            *(_ratio_cell(each.ratio(name)) for name in names),
        )
        for each in series
    ]
    notes = dict.fromkeys(
        f"{letter} = {format_size(each.sizes[letter])}: {note}"
        for each in series
        for note in _table_notes(replace(each, remark=""))
    )
    notes |= dict.fromkeys(each.remark for each in series if each.remark)
    title = first.name + (f": {fixed}" if fixed else "")
    caption = f"{ours}, {first.clock} in {first.unit}; then {ours} / it [quartiles]"
    return TextTable(title, caption, (letter, ours, *names), rows, list(notes))


def _table_notes(measured: Measured) -> list[str]:
    """Contestants that were left out, by reason; then the remark."""
    reasons: dict[str, list[str]] = {}
    for name, reason in measured.notes.items():
        reasons.setdefault(reason, []).append(name)
    notes = [f"{'; '.join(names)}: {reason}" for reason, names in reasons.items()]
    return [*notes, measured.remark] if measured.remark else notes


def _spread_cells(ratio: Spread) -> tuple[str, str, str]:
    (low, high), (least, most) = ratio.quartiles, ratio.range
    between = f"{format_digits(low)} to {format_digits(high)}"
    return format_digits(ratio.median), between, f"{format_digits(least)} to {format_digits(most)}"


def _ratio_cell(ratio: Spread | None) -> str:
    if ratio is None:
        return "-"
    # Without the zeros before the point, or two peers with long names would not fit a line.
    numbers = (ratio.median, *ratio.quartiles)
    middle, low, high = (format_digits(value).removeprefix("0") for value in numbers)
    return f"{middle} [{low}, {high}]"


def format_digits(value: float) -> str:
    """Three significant digits, never in powers of ten.

    >>> [format_digits(x) for x in (0.04567, 0.998, 3.14159, 27.18, 12345.6)]
    ['0.046', '0.998', '3.14', '27.2', '12346']
    """
    if abs(value) >= 100:
        return f"{value:.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def format_size(value: int) -> str:
    """Size, as a power of ten if it is one, from a thousand on.

    >>> format_size(100), format_size(10**6), format_size(1500)
    ('100', '10^6', '1500')
    """
    text = str(value)
    if value >= 1000 and text.strip("0") == "1":
        return f"10^{len(text) - 1}"
    return text
