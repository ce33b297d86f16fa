"""What ``kavg check`` and ``kavg bounds`` do, on every rank."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from kavg.analysis.bounds import BOUNDS
from kavg.analysis.comparison import Comparison, compare_with_bounds
from kavg.analysis.decision import decide_verdicts
from kavg.analysis.sequential import decide_sequentially
from kavg.analysis.verdict import Verdict
from kavg.base import Communicator
from kavg.cli.check_output import Found, draw_bounds, write_beside
from kavg.cli.execution import agreed, all_algorithms, finish
from kavg.cli.saved_run import load_run
from kavg.config.config import Config
from kavg.errors import KavgError
from kavg.mpi.collective import agree_on, run_on_rank_0
from kavg.storage import joint_digest
from kavg.storage.output_folder import require_finished, validate_output_folder
from kavg.trajectory import Trajectory

GROWTH: Final = 16
"""The budget of replicas, in multiples of the configured ones, unless one is given."""


def check(
    comm: Communicator,
    path: Path,
    overrides: Sequence[str],
    out: Path | None,
    *,
    level: float,
    until: str | None,
    budget: int | None,
    force: bool,
    quiet: bool,
    mpi: str | None,
) -> int:
    """Hold a run against the theorems: a settings file is run first, a run folder is read."""
    agree_on(
        comm,
        "the options",
        lambda: check_options(path, overrides, level, until, budget),
        lambda _: str(os.path.isdir(path)),
    )
    if os.path.isdir(path):
        return check_stored(comm, path, out, level)
    folder = out if out is not None else Path("runs") / path.stem
    config = agreed(comm, path, overrides)
    run_on_rank_0(comm, lambda: validate_output_folder(folder, force))
    most = (budget or GROWTH * config.replicas) if until else config.replicas
    found = decided(comm, config, level, most, quiet)
    # Waited for by all ranks: a launcher may end a job as soon as one leaves with a code.
    run_on_rank_0(
        comm,
        lambda: finish(
            comm,
            found.config,
            found.runs,
            folder,
            force=force,
            mpi=mpi,
            words=f"\n{found.table}\n",
            draw=lambda figures: draw_bounds(found, figures),
            verdicts=found.plain,
        ),
    )
    return found.code


def check_options(
    path: Path, overrides: Sequence[str], level: float, until: str | None, budget: int | None
) -> None:
    """Refuse what no check can be made of."""
    if not 0 < level < 1:
        raise KavgError(f"--level must lie between 0 and 1, got {level!r}; use 0.05 for 5 %")
    if until not in (None, "decided"):
        raise KavgError(f"--until knows one word, decided, got {until!r}")
    if budget is not None and until is None:
        raise KavgError("--budget is for --until decided; --set replicas=R sets their number")
    if os.path.isdir(path) and (overrides or until):
        raise KavgError(
            f"{str(path)!r} is a finished run: --set and --until would need another; "
            f"give them with the settings, {str(path / 'config.toml')!r}"
        )


def decided(comm: Communicator, config: Config, level: float, most: int, quiet: bool) -> Found:
    """Run and judge, with more replicas up to ``most`` where the verdict is still open.

    Each look runs all its replicas again: in all at most twice the work of the last look, and what
    it leaves is the plain run of that many replicas, digest included.
    """
    seen: list[tuple[Config, list[Trajectory], tuple[Comparison, ...]]] = []

    def look(R: int, alpha: float) -> tuple[Verdict, ...]:
        now = replace(config, replicas=R)
        runs = all_algorithms(comm, now, quiet)
        seen[:] = [(now, runs, compared(now, runs))]
        return judged(comm, seen[0][2], alpha)

    if most == config.replicas:
        verdicts, looks = look(config.replicas, level), 1
    else:
        found = decide_sequentially(look, replicas=config.replicas, budget=most, level=level)
        verdicts, looks = found.verdicts, found.looks
    return Found(*seen[0], verdicts, level, looks)


def compared(config: Config, runs: Sequence[Trajectory]) -> tuple[Comparison, ...]:
    """Every algorithm beside every bound."""
    return compare_with_bounds(config.problem, config.algorithms, runs, config.rounds, BOUNDS)


def judged(comm: Communicator, pairs: Sequence[Comparison], level: float) -> tuple[Verdict, ...]:
    """The verdicts, which all ranks must share: they decide whether to go on, and the exit code."""
    return agree_on(comm, "the verdicts", lambda: decide_verdicts(pairs, level), outcomes)


def outcomes(verdicts: Sequence[Verdict]) -> str:
    """The outcomes in a row."""
    return ", ".join(one.outcome.label for one in verdicts)


def check_stored(comm: Communicator, folder: Path, out: Path | None, level: float) -> int:
    """Judge a finished run; write ``verdicts.json`` and the figure beside it, or to ``out``."""
    run_on_rank_0(comm, lambda: require_finished(folder))
    config, runs = agree_on(
        comm, "the runs", lambda: load_run(folder), lambda x: joint_digest(x[1])
    )
    pairs = compared(config, runs)
    found = Found(config, runs, pairs, judged(comm, pairs, level), level)
    run_on_rank_0(comm, lambda: write_beside(found, out or folder))
    return found.code
