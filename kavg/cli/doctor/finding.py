"""The result for one item of the environment, and the table of all items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, final

from kavg.reports.text import align_columns
from kavg.text import escape_unprintable

WIDTH: Final = 100
LABEL: Final = 5
NAME: Final = 13


@final
@dataclass(frozen=True)
class Finding:
    """An item of the environment, fine or wrong, and how to fix or improve it.

    ``found`` describes what is there.  ``fix`` is shown as a fix if the item is wrong, and as a
    hint if it is fine.
    """

    name: str
    fine: bool
    found: str
    fix: str | None = None


def fine(name: str, found: str, hint: str | None = None) -> Finding:
    """Return an item that is fine, with a hint how to improve it if there is one."""
    return Finding(name, True, found, hint)


def wrong(name: str, found: str, fix: str) -> Finding:
    """Return an item that keeps kavg from working, with how to fix it."""
    return Finding(name, False, found, fix)


def findings_table(findings: Sequence[Finding]) -> str:
    """Format all findings, at most ``WIDTH`` columns wide, and the number that are wrong.

    >>> print(findings_table([fine("BLAS", "one thread"), wrong("mpiexec", "none", "install one")]))
    fine   BLAS           one thread
    wrong  mpiexec        none
    fix                   install one
    <BLANKLINE>
    1 of 2 is wrong
    """
    lines = align_columns(
        (row for each in findings for row in _finding_rows(each)), WIDTH, indent=0
    )
    bad = sum(not each.fine for each in findings)
    verb = "is" if bad == 1 else "are"
    end = f"{bad} of {len(findings)} {verb} wrong" if bad else "nothing is wrong"
    return "\n".join([*lines, "", end])


def _finding_rows(finding: Finding) -> Iterator[tuple[str, str, str]]:
    label, name = "fine" if finding.fine else "wrong", f"{finding.name:{NAME}}"
    yield f"{label:{LABEL}}", name, _escape_lines(finding.found)
    if finding.fix:
        yield "hint" if finding.fine else "fix", "", _escape_lines(finding.fix)


def _escape_lines(text: str) -> str:
    return "\n".join(map(escape_unprintable, text.split("\n")))
