"""The commands and their options.

A command only says what is to be done and imports what does it; ``kavg.cli`` does it when typer is
left, so that typer handles no interrupt and no error of a run.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from kavg.mpi.collective import run_on_rank_0
from kavg.mpi.comm_world import launch_error, mpi_library_text, mpi_version
from kavg.version import __version__

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

ConfigArgument = Annotated[Path, typer.Argument(help="Settings in TOML.")]
SetOption = Annotated[
    list[str], typer.Option("--set", metavar="PLACE=VALUE", help="Change one setting: a.b=c.")
]
OutOption = Annotated[
    Path | None, typer.Option(help="The run folder (default: runs/<name of the settings>).")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite an older run folder.")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, and no table of means.")
]

Action = Callable[[], int | None]
"""What a command asks for; its result is the exit code."""


def version_wanted(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        typer.echo(f"kavg {__version__}")
        raise typer.Exit


@app.callback()
def kavg(
    version: Annotated[
        bool, typer.Option("--version", callback=version_wanted, is_eager=True, help="Version.")
    ] = False,
) -> None:
    """K-step averaging SGD with block momentum: run it, measure it, hold it against theory."""


@app.command()
def run(
    context: typer.Context,
    config: ConfigArgument,
    set_: SetOption = [],  # noqa: B006 - typer copies the default
    out: OutOption = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> Action:
    """Run all algorithms of CONFIG; print a table, write a run folder.

    The same under mpiexec: P is a setting, ranks are only a resource.

    \b
        kavg run experiments/quickstart.toml --set rounds=50
        mpiexec -n 4 kavg run experiments/quickstart.toml
    """  # noqa: D301 - click's own mark, not a path
    from kavg.cli.commands import run as _run

    folder = out if out is not None else Path("runs") / config.stem
    return lambda: _run.run(
        context.obj, config, set_, folder, force=force, quiet=quiet, mpi=mpi_version()
    )


@app.command()
def resume(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A run folder, finished or not.")],
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Run until this round: makes a run longer.")
    ] = None,
    quiet: QuietOption = False,
) -> Action:
    """Go on with a run that was stopped, or make a finished one longer.

    On any number of ranks, with the digest of the uninterrupted run.

    \b
        kavg resume runs/my
        mpiexec -n 4 kavg resume runs/my --rounds 500
    """  # noqa: D301 - click's own mark, not a path
    from kavg.cli.commands import resume as _resume

    return lambda: _resume.resume(context.obj, folder, rounds, quiet=quiet, mpi=mpi_version())


@app.command()
def check(
    context: typer.Context,
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG_OR_FOLDER", help="Settings in TOML, or a run folder.")
    ],
    level: Annotated[
        float, typer.Option(help="Chance of one or more wrong verdicts in the whole table.")
    ] = 0.05,
    until: Annotated[
        str | None,
        typer.Option(metavar="decided", help="Add replicas until no verdict is open."),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(metavar="R", help="The most replicas to add up to (default: 16-fold)."),
    ] = None,
    set_: SetOption = [],  # noqa: B006 - typer copies the default
    out: OutOption = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> Action:
    """Hold runs against the theorems: HOLDS, VIOLATED, ... for each algorithm and bound.

    Settings are run first, as kavg run does; a run folder is only read.  Exit code 3 if a bound
    that applies is violated.

    \b
        kavg check experiments/quickstart.toml
        kavg check runs/quickstart --level 0.01
        mpiexec -n 4 kavg check my.toml --until decided --budget 1000
    """  # noqa: D301 - click's own mark, not a path
    from kavg.cli.commands import check as checks

    return lambda: checks.check(
        context.obj,
        config,
        set_,
        out,
        level=level,
        until=until,
        budget=budget,
        force=force,
        quiet=quiet,
        mpi=mpi_version(),
    )


@app.command()
def bounds(
    context: typer.Context,
    config: ConfigArgument,
    set_: SetOption = [],  # noqa: B006 - typer copies the default
) -> Action:
    """Print what each theorem says of CONFIG before any run: conditions, value, best step."""
    from kavg.cli.commands import bounds as _bounds

    return lambda: _bounds.bounds(context.obj, config, set_)


@app.command()
def exact(
    context: typer.Context,
    config: Annotated[Path | None, typer.Argument(help="Settings in TOML.")] = None,
    atlas: Annotated[
        bool, typer.Option("--atlas", help="Draw the stability region; needs no CONFIG.")
    ] = False,
    counts: Annotated[
        str, typer.Option("--K", metavar="K,K,...", help="Panels of the atlas.")
    ] = "1,2,3,4",
    set_: SetOption = [],  # noqa: B006 - typer copies the default
    out: Annotated[
        Path | None,
        typer.Option(help="The run folder (default: runs/<name>), or the atlas (atlas.png)."),
    ] = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> Action:
    """Run CONFIG, a quadratic, and hold its means against the exact moments.

    \b
        kavg exact experiments/theory/quadratic.toml
        kavg exact --atlas --K 1,3 --out atlas.png
    """  # noqa: D301 - click's own mark, not a path
    from kavg.cli.commands import atlas as _atlas
    from kavg.cli.commands import exact as exact_jobs

    if atlas == (config is not None):
        raise typer.BadParameter("give either CONFIG or --atlas")
    if config is None:
        return lambda: _atlas.draw_atlas(context.obj, counts, out or Path("atlas.png"))
    folder = out if out is not None else Path("runs") / config.stem
    return lambda: exact_jobs.exact(
        context.obj, config, set_, folder, force=force, quiet=quiet, mpi=mpi_version()
    )


@app.command("list")
def list_(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(help="objectives, oracles, outer, schedules, starts or all.")
    ] = "all",
) -> Action:
    """List what settings can name, with constants and their sources."""
    from kavg.cli.commands.list import catalogue

    return lambda: run_on_rank_0(context.obj, lambda: typer.echo(catalogue(what)))


@app.command()
def plot(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A run folder.")],
    axis: Annotated[
        str, typer.Option(help="rounds, steps, gradients, communications or seconds.")
    ] = "rounds",
    out: Annotated[
        Path | None, typer.Option(help="Where to write (default: FOLDER/figures).")
    ] = None,
) -> Action:
    """Draw the figures of a finished run again."""
    from kavg.cli.commands import plot as _plot

    return lambda: run_on_rank_0(
        context.obj, lambda: _plot.draw(folder, axis, out or folder / "figures")
    )


@app.command()
def verify(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A run folder.")],
    files: Annotated[bool, typer.Option("--files", help="Only examine the files.")] = False,
    sample: Annotated[
        int | None, typer.Option(metavar="M", help="Compare M recorded rounds, chosen at random.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the choice.")] = 0,
    level: Annotated[
        float, typer.Option(help="Chance of calling a run of another machine different wrongly.")
    ] = 0.05,
    quiet: QuietOption = False,
) -> Action:
    """Is a finished run as it was written, and does it come again?

    Files that were changed, added or lost are named; then the run is repeated and found to be the
    same bits, the same within confidence (other machine or versions), or different, with the
    first round and quantity.  Exit code 1 if anything is off.

    \b
        kavg verify runs/quickstart
        mpiexec -n 4 kavg verify runs/quickstart --sample 10
    """  # noqa: D301 - click's own mark, not a path
    from kavg.cli.commands import verify as receipts

    return lambda: receipts.verify(
        context.obj, folder, files=files, sample=sample, seed=seed, level=level, quiet=quiet
    )


@app.command()
def doctor(context: typer.Context) -> Action:
    """Examine the environment: fine, or wrong and how to mend it; exit code 1 if any is wrong.

    Needs no MPI, and tells what is needed for ranks; under mpiexec it examines those ranks.
    """
    from kavg.cli.doctor import command as job

    return lambda: job.doctor(context.obj, mpi_library_text, launch_error(context.obj))


@app.command()
def diff(
    context: typer.Context,
    a: Annotated[Path, typer.Argument(help="A run folder.")],
    b: Annotated[Path, typer.Argument(help="Another.")],
) -> Action:
    """Find where two runs part: settings, machines, first round and quantity, and by how much.

    Exit code 0 if they are the same bits, 1 if they differ.
    """
    from kavg.cli.commands import diff as comparison

    return lambda: comparison.diff(context.obj, a, b)


@app.command()
def schema() -> None:
    """Print the JSON schema of a settings file, for editors."""
    import json

    from kavg.config import config

    typer.echo(json.dumps(config.schema(), indent=2))
