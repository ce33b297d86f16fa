r"""A comparison as a table for LaTeX, with the rules of the package booktabs.

The text is a ``tabular`` to be read by ``\input`` inside of a ``table``; a comment at its top says
what the columns are, for the caption.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import inf
from typing import Final

from kavg.analysis.methods.comparison import ComparisonPlan, GroupComparison
from kavg.analysis.methods.contrast import Contrast
from kavg.analysis.methods.reading import Reading
from kavg.analysis.targets import TargetTime, describe_ratio
from kavg.reports.comparisons.labels import (
    describe_amount,
    describe_reading,
    describe_settings,
    describe_time,
)
from kavg.reports.labels import format_estimate
from kavg.reports.tex_characters import spell_character

SYMBOLS: Final = {"grad_norm2": r"$\|\nabla F\|^2$", "F": "$F$"}
ESCAPES: Final = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
EXPONENT: Final = re.compile(r"(\d)e([+-]\d+)")
INFINITE: Final = r"\infty"
NUMBER: Final = re.compile(r"-?\d[\d.]*(?:\\cdot10\^\{-?\d+\})?|(?<=, )inf(?=\])")
"""Numbers, and the infinite end of an interval."""


def comparison_latex(comparisons: Sequence[GroupComparison], plan: ComparisonPlan) -> str:
    """Return the table: a row each method; mean, ratio and, with a target, time and speed-up."""
    names = _list_columns(plan)
    lines = [
        f"% {100 * (1 - plan.level):g} % confidence intervals; ratios and speed-ups hold together,",
        f"% over {_name_baseline(comparisons)}, at equal {plan.axis}.",
        r"% Needs \usepackage{booktabs}.",
        rf"\begin{{tabular}}{{l{'r' * (len(names) - 1)}}}",
        r"\toprule",
        _join_cells(names),
    ]
    for comparison in comparisons:
        lines += [r"\midrule", *_list_rows(comparison, plan, len(names))]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _name_baseline(comparisons: Sequence[GroupComparison]) -> str:
    # A comment ends with its line, so nothing in a name can matter to LaTeX.
    return ", ".join(dict.fromkeys(each.baseline.method.label for each in comparisons))


def _list_columns(plan: ComparisonPlan) -> list[str]:
    names = ["", _name_quantity(plan.quantity), "ratio"]
    if plan.target is not None:
        names += [f"{escape_latex(plan.axis)} to target", "speed-up"]
    return names


def _list_rows(comparison: GroupComparison, plan: ComparisonPlan, columns: int) -> Iterator[str]:
    cell = describe_settings(comparison.group.cell)
    title = f"{cell}: {describe_amount(comparison)}" if cell else describe_amount(comparison)
    yield rf"\multicolumn{{{columns}}}{{l}}{{{typeset(title)}}} \\"
    found = {each.reading.method.label: each for each in comparison.contrasts}
    for reading in comparison.readings:
        label = reading.method.label
        # Braces first: a row that begins with [ or * would be an argument of the line break above.
        name = "{}" + escape_latex(label)
        yield _join_cells([name, *_list_cells(reading, found.get(label), plan)])


def _list_cells(reading: Reading, contrast: Contrast | None, plan: ComparisonPlan) -> list[str]:
    # The baseline over itself; one that diverged has no ratio to anything.
    ratio = speed_up = "1"
    if contrast is not None:
        ratio = "" if contrast.ratio is None else format_estimate(contrast.ratio)
        speed_up = "" if contrast.speed_up is None else describe_ratio(contrast.speed_up)
    cells = [describe_reading(reading), ratio]
    if plan.target is not None:
        cells += [_describe_arrival(reading.time), speed_up]
    return [typeset(each) for each in cells]


def _describe_arrival(time: TargetTime | None) -> str:
    # A column of a page has no room for the words of the text.
    is_late = time is not None and float(time.estimate.mean) == inf
    return f"> {time.censored_at:.12g}" if time is not None and is_late else describe_time(time)


def _join_cells(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _name_quantity(quantity: str) -> str:
    return SYMBOLS.get(quantity) or escape_latex(quantity.replace("_", " "))


def typeset(text: str) -> str:
    r"""Return text with its numbers in mathematics, minus signs and powers of ten included.

    >>> print(typeset("-1.5e-06 [-2e-06, 0]"))
    $-1.5\cdot10^{-6}$ [$-2\cdot10^{-6}$, $0$]
    """
    powers = EXPONENT.sub(lambda m: rf"{m[1]}\cdot10^{{{int(m[2])}}}", text)
    parts, last = [], 0
    # Text between numbers is escaped piece by piece, as the braces of powers must stay.
    for found in NUMBER.finditer(powers):
        parts += [
            escape_latex(powers[last : found.start()]),
            f"${found[0].replace('inf', INFINITE)}$",
        ]
        last = found.end()
    return "".join([*parts, escape_latex(powers[last:])])


def escape_latex(text: str) -> str:
    r"""Return text in which no character has a meaning for LaTeX.

    >>> print(escape_latex("50 % of a_1"))
    50 \% of a\_1
    """
    return "".join(ESCAPES.get(character) or spell_character(character) for character in text)
