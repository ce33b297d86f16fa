"""What was found of one item, and the table of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, final

from kavg.reports.text import printable, wrap

WIDTH: Final = 100
LABEL: Final = 7
NAME: Final = 15


@final
@dataclass(frozen=True)
class Finding:
    """An item of the environment: fine or wrong, what was found, and what mends or betters it."""

    name: str
    fine: bool
    found: str
    fix: str = ""


def fine(name: str, found: str, hint: str = "") -> Finding:
    """Nothing is wrong with it."""
    return Finding(name, True, found, hint)


def wrong(name: str, found: str, fix: str) -> Finding:
    """This stands in the way."""
    return Finding(name, False, found, fix)


def table(findings: Sequence[Finding]) -> str:
    """All findings, at most ``WIDTH`` columns wide, and how many are wrong.

    >>> print(table([fine("BLAS", "one thread"), wrong("mpiexec", "none", "install one")]))
    fine   BLAS           one thread
    wrong  mpiexec        none
    fix                   install one
    <BLANKLINE>
    1 of 2 is wrong
    """
    lines = [line for each in findings for line in rows(each)]
    bad = sum(not each.fine for each in findings)
    verb = "is" if bad == 1 else "are"
    end = f"{bad} of {len(findings)} {verb} wrong" if bad else "nothing is wrong"
    return "\n".join([*lines, "", end])


def rows(finding: Finding) -> Iterator[str]:
    """What was found, then what to do."""
    yield from cells("fine" if finding.fine else "wrong", finding.name, finding.found)
    if finding.fix:
        yield from cells("hint" if finding.fine else "fix", "", finding.fix)


def cells(label: str, name: str, text: str) -> Iterator[str]:
    """One row; a long text is continued in its own column."""
    start = f"{label:{LABEL}}{name:{NAME}}"
    for part in text.split("\n"):
        for line in wrap(printable(part), WIDTH, " " * len(start)):
            yield (start + line[len(start) :]).rstrip()
            start = " " * len(start)
