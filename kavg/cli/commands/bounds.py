"""``kavg bounds``: the bound of each theorem before any run."""

from __future__ import annotations

from kavg.cli.command import command
from kavg.cli.options import ConfigArgument, SetOption
from kavg.cli.session import Session


@command(
    "kavg bounds experiments/quickstart.toml",
    "kavg bounds experiments/quickstart.toml --set algorithm.*.gamma=0.01",
)
def bounds(session: Session, config: ConfigArgument, overrides: SetOption = None) -> None:
    """Show the bounds before a run.

    For each algorithm of CONFIG and each theorem: whether its conditions are met, the value of the
    bound, and the best step size.  Nothing is run.
    """
    from kavg.cli.execution import load_shared_config
    from kavg.cli.output import print_text
    from kavg.mpi.collective import run_on_rank_0
    from kavg.reports.bounds import bounds_text

    settings = load_shared_config(session, config, overrides)

    def show() -> None:
        print_text(
            bounds_text(
                settings.problem,
                settings.algorithms,
                rounds=settings.rounds,
                replicas=settings.replicas,
                seed=settings.seed,
            )
        )

    run_on_rank_0(session.comm, show)
