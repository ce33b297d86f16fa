"""The options of ``kavg sweep``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, final

import typer

GridOption = Annotated[
    list[str] | None,
    typer.Option(
        "--grid",
        "-g",
        metavar="PLACE=V,W",
        help="Vary one setting, as in algorithm.*.K=1,4,16; may be repeated.",
        show_default=False,
    ),
]


class TableForm(StrEnum):
    """The file of the table of points."""

    csv = "csv"
    parquet = "parquet"


class Spread(StrEnum):
    """What is divided among the ranks."""

    auto = "auto"
    batches = "batches"
    learners = "learners"


@final
@dataclass(frozen=True)
class SweepOptions:
    """The options of ``kavg sweep`` for its files, its ranks and its replicas."""

    folders: Annotated[
        bool, typer.Option("--folders", help="Write a run folder for each point as well.")
    ] = False
    table: Annotated[
        TableForm, typer.Option("--table", metavar="FORM", help="Table of points: csv or parquet.")
    ] = TableForm.csv
    spread: Annotated[
        Spread,
        typer.Option(
            "--spread", metavar="WHAT", help="What ranks divide: batches, learners, or auto."
        ),
    ] = Spread.auto
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="AIM",
            help="Add replicas until intervals are narrow (width=0.05), or all is decided.",
            show_default=False,
        ),
    ] = None
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget",
            metavar="LIMITS",
            help="Most replicas for --until, gradients=N, seconds=S, or several with commas; if "
            "not given, 16 times the replicas of the last stage.",
            show_default=False,
        ),
    ] = None


SWEEP_OPTIONS: Final = SweepOptions()
