"""The typer application: all commands in panels, and the options of ``kavg`` itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from kavg.cli.command import Command, PlainCommand, PlainGroup
from kavg.cli.commands import (
    atlas,
    bounds,
    check,
    compare,
    diff,
    doctor,
    exact,
    plot,
    resume,
    run,
    schema,
    sweep,
    verify,
)
from kavg.cli.commands import list as list_
from kavg.version import __version__

PANELS: Final[Mapping[str, tuple[Command[Any], ...]]] = {
    "Run": (run.run, sweep.sweep, resume.resume),
    "Compare with theory": (check.check, bounds.bounds, exact.exact, atlas.atlas),
    "Compare methods": (compare.compare,),
    "Verify": (verify.verify, diff.diff, doctor.doctor),
    "Show": (list_.list_, plot.plot, schema.schema),
}
"""All commands, in the order of ``kavg --help``."""

EXIT_CODES: Final = """\
Exit codes:
  0    success
  1    the run failed; a difference (verify, diff); an item is wrong (doctor);
       standard output could not be written
  2    the input is wrong
  3    a bound that applies is violated (check)
  129  ended by SIGHUP (a terminal that closed)
  130  ended by SIGINT (Ctrl-C)
  138  ended by SIGUSR1; 140 by SIGUSR2, 152 by SIGXCPU (batch systems)
  143  ended by SIGTERM"""


def _print_version(is_given: bool) -> None:
    if is_given:
        typer.echo(f"kavg {__version__}")
        raise typer.Exit


def kavg(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Simulate K-step averaging SGD with block momentum, and compare runs with theory.

    Every command gives the same numbers in one process and under mpiexec.
    """


def _new_app() -> typer.Typer:
    new = typer.Typer(
        cls=PlainGroup,
        callback=kavg,
        epilog=EXIT_CODES,
        no_args_is_help=True,
        # A traceback is printed once for all ranks, by the entry point.
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # see PlainGroup
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    )
    for panel, commands in PANELS.items():
        for each in commands:
            new.command(
                each.name,
                cls=PlainCommand,
                help=each.function.__doc__,
                epilog=each.epilog,
                rich_help_panel=panel,
            )(each.callback)
    return new


app: Final = _new_app()
