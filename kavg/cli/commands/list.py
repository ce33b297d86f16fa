"""``kavg list``: everything that a settings file can name."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from kavg.cli.command import command
from kavg.cli.session import Session


class Section(StrEnum):
    """A section of the list."""

    ALL = "all"
    OBJECTIVES = "objectives"
    ORACLES = "oracles"
    AGGREGATIONS = "aggregations"
    MEASURES = "measures"
    OUTER = "outer"
    OPTIMIZERS = "optimizers"
    PERIODS = "periods"
    SCHEDULES = "schedules"
    STARTS = "starts"
    METHODS = "methods"


SectionArgument = Annotated[
    Section, typer.Argument(metavar="SECTION", help=f"One of {', '.join(Section)}.")
]


@command("kavg list", "kavg list oracles")
def list_(session: Session, section: SectionArgument = Section.ALL) -> None:
    """List what settings can name.

    Print the kinds of objectives, oracles, aggregations, measures, outer rules, local optimizers,
    averaging periods, schedules, starts and methods, with their keys and defaults; for objectives
    also the constants L, f_star and pl with their sources.
    """
    from kavg.cli.catalogue import list_kinds
    from kavg.cli.output import print_text
    from kavg.mpi.collective import run_on_rank_0

    run_on_rank_0(session.comm, lambda: print_text(list_kinds(section)))
