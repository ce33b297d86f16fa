"""``kavg sweep``: run all points of a settings file, and judge the best of them."""

from __future__ import annotations

from kavg.cli.command import command
from kavg.cli.options import OUTPUT, ConfigArgument, Output, SetOption
from kavg.cli.session import Session
from kavg.cli.sweeps.options import SWEEP_OPTIONS, GridOption, SweepOptions


@command(
    "kavg sweep experiments/comparison/valley.toml",
    "kavg sweep my.toml --grid 'algorithm.*.K=1,4,16' --set replicas=8",
    "mpiexec -n 4 kavg sweep my.toml",
)
def sweep(
    session: Session,
    config: ConfigArgument,
    grids: GridOption = None,
    overrides: SetOption = None,
    options: SweepOptions = SWEEP_OPTIONS,
    output: Output = OUTPUT,
) -> None:
    """Run a sweep over settings.

    Run every point that the table [sweep] of CONFIG or --grid spans, keep the best of what is
    tuned, judge them on fresh noise, and write a folder with a table of all points.
    """
    from kavg.cli.execution import share_stream
    from kavg.cli.sweeps.command import run_sweep
    from kavg.cli.sweeps.loading import SweepSource

    content = share_stream(session.comm, config)
    run_sweep(session, SweepSource(config, overrides, grids, content), options, output)
