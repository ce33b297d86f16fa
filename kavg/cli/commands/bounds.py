"""``kavg bounds``: what each theorem says before any run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kavg.base import Communicator
from kavg.cli.output import say
from kavg.config.config import load
from kavg.mpi.collective import run_on_rank_0
from kavg.reports.bounds import bounds_text


def bounds(comm: Communicator, path: Path, overrides: Sequence[str]) -> None:
    """Print what every theorem says of a settings file; nothing is run."""

    def show() -> None:
        config = load(path, overrides)
        say(
            bounds_text(
                config.problem,
                config.algorithms,
                rounds=config.rounds,
                replicas=config.replicas,
                seed=config.seed,
            )
        )

    run_on_rank_0(comm, show)
