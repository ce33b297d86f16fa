"""Arguments and options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, final

import typer

from kavg.cli.completion import complete_place, complete_run_folder, complete_settings_file


def replace_dash(path: Path) -> Path:
    """Return standard input for ``-``, as other programs do."""
    return Path("/dev/stdin") if path == Path("-") else path


ConfigArgument = Annotated[
    Path,
    typer.Argument(
        metavar="CONFIG",
        help="Settings file in TOML; - for standard input.",
        autocompletion=complete_settings_file,
        callback=replace_dash,
    ),
]
FolderArgument = Annotated[
    Path,
    typer.Argument(metavar="FOLDER", help="Run folder.", autocompletion=complete_run_folder),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        "-s",
        metavar="PLACE=VALUE",
        help="Change one setting, as in algorithm.0.K=4; may be repeated.",
        autocompletion=complete_place,
        show_default=False,
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="PATH",
        help="Where the run's file of data lies, if it was moved.",
        show_default=False,
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress and no table.")]


@final
@dataclass(frozen=True)
class Output:
    """The options of a command that writes a run folder: where, and how much it prints.

    A parameter of this type gives a command the three options (``kavg.cli.command``).
    """

    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="Run folder to write; if not given, runs/NAME for NAME.toml.",
        ),
    ] = None
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an older run.")] = False
    quiet: QuietOption = False

    def folder(self, config: Path) -> Path:
        """Return the run folder for a settings file: that of ``--out``, or one in ``runs/``.

        >>> Output().folder(Path("experiments/quickstart.toml")).as_posix()
        'runs/quickstart'
        """
        return self.out if self.out is not None else Path("runs") / config.stem


@final
@dataclass(frozen=True)
class Decision:
    """The options of ``kavg check`` for its tests: their level, and the number of replicas.

    ``level`` holds for the whole table (``kavg.analysis.decision``), over all looks together.
    """

    level: Annotated[
        float,
        typer.Option(
            "--level",
            metavar="LEVEL",
            help="Chance of one or more wrong verdicts in the whole table.",
        ),
    ] = 0.05
    until_decided: Annotated[
        bool, typer.Option("--until-decided", help="Add replicas until no verdict is open.")
    ] = False
    budget: Annotated[
        int | None,
        typer.Option(
            "--budget",
            metavar="R",
            help="Most replicas for --until-decided; if not given, 16 times those of CONFIG.",
        ),
    ] = None


@final
@dataclass(frozen=True)
class Repetition:
    """The options of ``kavg verify``: which rounds are repeated, and the level of the comparison.

    ``data`` is where the run's file of data lies now.  ``level`` matters only where last bits may
    differ, on another machine or with other versions.
    """

    files: Annotated[
        bool, typer.Option("--files", help="Check the files only; repeat nothing.")
    ] = False
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample",
            metavar="M",
            help="Repeat M recorded rounds, chosen at random, in place of all.",
        ),
    ] = None
    data: DataOption = None
    seed: Annotated[
        int, typer.Option("--seed", metavar="SEED", help="Seed for choosing the sampled rounds.")
    ] = 0
    level: Annotated[
        float,
        typer.Option(
            "--level",
            metavar="LEVEL",
            help="Chance of a wrong 'different' on another machine or with other versions.",
        ),
    ] = 0.05


OUTPUT: Final = Output()
DECISION: Final = Decision()
REPETITION: Final = Repetition()
"""The options where none is given."""
