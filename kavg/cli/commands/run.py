"""``kavg run``: run all algorithms of a settings file."""

from __future__ import annotations

from kavg.cli.command import command
from kavg.cli.options import OUTPUT, ConfigArgument, Output, SetOption
from kavg.cli.session import Session


@command(
    "kavg run experiments/quickstart.toml --set rounds=50",
    "mpiexec -n 4 kavg run experiments/quickstart.toml",
)
def run(
    session: Session, config: ConfigArgument, overrides: SetOption = None, output: Output = OUTPUT
) -> None:
    """Run a settings file.

    Run all algorithms of CONFIG on the same problem and noise, print a table of means, and write a
    run folder.  The number of learners P is a setting; MPI ranks only divide the work.  With a
    table [sweep] it does what kavg sweep does.
    """
    from kavg.cli.execution import (
        claim_new_run,
        load_shared_config,
        run_and_store,
        share_stream,
    )
    from kavg.cli.sweeps.detection import is_sweep_given

    content = share_stream(session.comm, config)
    if is_sweep_given(session, config, content, overrides):
        from kavg.cli.sweeps.command import run_sweep
        from kavg.cli.sweeps.loading import SweepSource
        from kavg.cli.sweeps.options import SWEEP_OPTIONS

        source = SweepSource(config, overrides, content=content)
        run_sweep(session, source, SWEEP_OPTIONS, output)
        return
    settings = load_shared_config(session, config, overrides, content)
    with claim_new_run(session, settings, output.folder(config), output) as manager:
        run_and_store(session, settings, manager, quiet=output.quiet)
