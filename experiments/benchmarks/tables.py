"""What was measured, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from experiments.benchmarks.ratios import Measured, Spread
from experiments.benchmarks.text_table import Grid


def grids(found: Sequence[Measured]) -> list[Grid]:
    """A table for each workload, and one for each series."""
    made = []
    for (_, _, ladder), group in groupby(found, lambda m: (m.group, m.name, m.ladder)):
        members = list(group)
        made += [series(members)] if ladder else [single(each) for each in members]
    return made


def single(found: Measured) -> Grid:
    """One row a contestant: its time, and the ratio with its spread."""
    sizes = ", ".join(f"{letter} = {value}" for letter, value in found.sizes.items())
    header = ("", "time", f"{found.reference} / it", "quartiles", "least to most")
    rows = []
    for name in found.seconds:
        ratio = found.ratio(name) if name != found.reference else None
        rows.append((name, digits(found.time(name)), *(spelled(ratio) if ratio else ("", "", ""))))
    rows += [(name, "-", "", "", "") for name in found.notes]
    title = found.name + (f": {sizes}" if sizes else "")
    return Grid(title, f"time in {found.unit}", header, rows, notes(found))


def series(found: Sequence[Measured]) -> Grid:
    """One row a size: the reference's time, and its ratio to each of the others."""
    first = found[0]
    letter, ours = first.ladder, first.reference
    names = list(dict.fromkeys(n for m in found for n in (*m.seconds, *m.notes) if n != ours))
    fixed = ", ".join(f"{k} = {v}" for k, v in first.sizes.items() if k != letter)
    rows = [
        (
            power(each.sizes[letter]),
            digits(each.time(ours)) if ours in each.seconds else "-",
            *(brief(each.ratio(name)) for name in names),
        )
        for each in found
    ]
    caption = f"{ours} in {first.unit}; then {ours} / it [quartiles]"
    said = dict.fromkeys(
        f"{letter} = {power(each.sizes[letter])}: {note}"
        for each in found
        for note in notes(replace(each, remark=""))
    )
    said |= dict.fromkeys(each.remark for each in found if each.remark)
    title = first.name + (f": {fixed}" if fixed else "")
    return Grid(title, caption, (letter, ours, *names), rows, list(said))


def notes(found: Measured) -> list[str]:
    """Who was left out, and why; then the remark."""
    reasons: dict[str, list[str]] = {}
    for name, why in found.notes.items():
        reasons.setdefault(why, []).append(name)
    said = [f"{'; '.join(names)}: {why}" for why, names in reasons.items()]
    return [*said, found.remark] if found.remark else said


def spelled(ratio: Spread) -> tuple[str, str, str]:
    """A ratio in three cells."""
    (low, high), (least, most) = ratio.quartiles, ratio.range
    between = f"{digits(low)} to {digits(high)}"
    return digits(ratio.median), between, f"{digits(least)} to {digits(most)}"


def brief(ratio: Spread | None) -> str:
    """A ratio in one cell."""
    if ratio is None:
        return "-"
    low, high = (digits(value).removeprefix("0") for value in ratio.quartiles)
    return f"{digits(ratio.median)} [{low}, {high}]"


def digits(value: float) -> str:
    """Three digits, never in powers of ten.

    >>> [digits(x) for x in (0.04567, 0.998, 3.14159, 27.18, 12345.6)]
    ['0.046', '0.998', '3.14', '27.2', '12346']
    """
    if abs(value) >= 100:
        return f"{value:.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def power(value: int) -> str:
    """A size, in powers of ten from a thousand on.

    >>> power(100), power(10**6), power(1500)
    ('100', '10^6', '1500')
    """
    text = str(value)
    if value >= 1000 and text.strip("0") == "1":
        return f"10^{len(text) - 1}"
    return text
