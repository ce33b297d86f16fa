"""``kavg check``: compare runs with the theorems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kavg.cli.command import command
from kavg.cli.completion import complete_source
from kavg.cli.options import (
    DECISION,
    OUTPUT,
    DataOption,
    Decision,
    Output,
    SetOption,
    replace_dash,
)
from kavg.cli.session import Session

SourceArgument = Annotated[
    Path,
    typer.Argument(
        metavar="CONFIG|FOLDER",
        help="Settings file in TOML (- for standard input), or run folder.",
        autocompletion=complete_source,
        callback=replace_dash,
    ),
]


@command(
    "kavg check experiments/quickstart.toml",
    "kavg check runs/quickstart --level 0.01",
    "mpiexec -n 4 kavg check my.toml --until-decided --budget 1000",
)
def check(
    session: Session,
    source: SourceArgument,
    decision: Decision = DECISION,
    overrides: SetOption = None,
    data: DataOption = None,
    output: Output = OUTPUT,
) -> int:
    """Compare runs with the theorems.

    Print a verdict (HOLDS, VIOLATED, ...) for each algorithm and bound.  A settings file is run
    first, as kavg run does; a run folder is read, and the verdicts are added to it or written to
    --out.  Exit code 3 if a bound that applies is violated.
    """
    from kavg.cli.execution import hold_output, load_shared_config
    from kavg.cli.theorem_check import check_run_folder, check_settings, is_folder_given
    from kavg.mpi.collective import run_on_rank_0
    from kavg.storage.recovery import recover_before_reading

    run_on_rank_0(session.comm, lambda: recover_before_reading(source))
    if is_folder_given(session, source, decision, overrides, data):
        return check_run_folder(session, source, output.out or source, decision.level, data)
    settings = load_shared_config(session, source, overrides)
    with hold_output(session, output.folder(source), output) as folder:
        return check_settings(session, settings, folder, decision, output)
