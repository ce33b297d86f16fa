"""The options of ``kavg compare``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, final

import typer


class Rule(StrEnum):
    """How the time to a target is read off a noisy curve."""

    ISOTONIC = "isotonic"
    STAYS = "stays"
    FIRST = "first"


@final
@dataclass(frozen=True)
class ComparisonOptions:
    """The options of ``kavg compare`` that say what is compared, and where."""

    at: Annotated[
        str,
        typer.Option(
            "--at",
            metavar="AXIS[=N]",
            help="Equal budget: gradients, communications or time; the most that all have if no N.",
        ),
    ] = "gradients"
    clock: Annotated[
        str | None,
        typer.Option(
            "--clock",
            metavar="COSTS",
            help="Simulated time, step=1,communication=10: a round takes K step + communication.",
            show_default=False,
        ),
    ] = None
    quantity: Annotated[
        str | None,
        typer.Option(
            "--quantity",
            metavar="NAME",
            help="Quantity to compare; if not given, that of --target, or grad_norm2.",
            show_default=False,
        ),
    ] = None
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            metavar="NAME=VALUE",
            help="Compare times to it too: grad_norm2=1e-3, fraction=0.01 of the start, or "
            "floor=2 times the stationary value.",
            show_default=False,
        ),
    ] = None
    rule: Annotated[
        Rule,
        typer.Option(
            "--rule",
            metavar="RULE",
            help="When a mean has reached the target: isotonic, stays or first.",
        ),
    ] = Rule.ISOTONIC
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            metavar="NAME",
            help="Method that the others are compared with; if not given, the first.",
            show_default=False,
        ),
    ] = None
    level: Annotated[
        float,
        typer.Option(
            "--level",
            metavar="LEVEL",
            help="Chance that an interval of the contrasts misses, all together.",
        ),
    ] = 0.05
    together: Annotated[
        bool,
        typer.Option("--together", help="Compare all points of a sweep, not those of a cell."),
    ] = False


@final
@dataclass(frozen=True)
class ComparisonFiles:
    """The options of ``kavg compare`` that say what is written besides the table."""

    json: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write all numbers.", show_default=False),
    ] = None
    latex: Annotated[
        Path | None,
        typer.Option(
            "--latex", metavar="FILE", help="Write a table for LaTeX (booktabs).",
            show_default=False,
        ),
    ] = None  # fmt: skip
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="Folder for comparison.txt, .json and .tex and the figures.",
            show_default=False,
        ),
    ] = None


COMPARISON: Final = ComparisonOptions()
FILES: Final = ComparisonFiles()
