"""What the commands do, on every rank; rank 0 speaks and writes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import zip_longest
from pathlib import Path
from typing import Any

from kavg.base import Communicator
from kavg.cli.environment import environment, installed, source
from kavg.cli.output import draw_if_possible, say
from kavg.cli.progress import Progress, shown_on, silent
from kavg.cli.supervisor import Supervised
from kavg.config.config import Config, data_digest, fingerprint, load, to_toml
from kavg.engine.recorder import Recorder
from kavg.engine.run import Run
from kavg.engine.simulation import complete_run
from kavg.errors import KavgError, RunFailed
from kavg.mpi.collective import agree_on, run_on_rank_0
from kavg.mpi.signals import SignalExit, defer_signals
from kavg.mpi.sync_check import SyncCheck
from kavg.mpi.watched_comm import TIMEOUT, set_place, set_timeout
from kavg.problem import Algorithm
from kavg.reports.figures.trajectories import write_figures
from kavg.reports.run_summary import summary, table
from kavg.storage import RunFolder, StoredRun, digest, joint_digest
from kavg.storage.checkpoint_manager import CheckpointManager
from kavg.storage.checkpoints import Checkpoint
from kavg.storage.output_folder import choose_unused_folder
from kavg.trajectory import Round, Trajectory
from kavg.version import __version__


def go_on(
    comm: Communicator, config: Config, manager: CheckpointManager, *, quiet: bool, mpi: str | None
) -> None:
    """Do the rounds that are left, report, write; a signal leaves a checkpoint at any time."""
    runs = all_algorithms(comm, config, quiet, manager)

    def end() -> None:
        words = "" if quiet else f"\n{table(runs)}\n"
        folder, mine = manager.folder, manager.owns_folder
        try:
            finish(
                comm, config, runs, folder, force=mine, mpi=mpi, words=words, begun=manager.start
            )
        except KavgError as fault:
            raise RunFailed(f"{fault}; {manager.advice}") from None
        except SignalExit:
            manager.save()
            raise

    run_on_rank_0(comm, end)


def agreed(comm: Communicator, path: Path, overrides: Sequence[str]) -> Config:
    """The settings, which must be the same on all ranks."""

    def settings() -> Config:
        config = load(path, overrides)
        set_timeout(comm, config.timeout)
        return config

    return agree_on(comm, "the settings", settings, identity)


def finish(
    comm: Communicator,
    config: Config,
    runs: Sequence[Trajectory],
    folder: Path,
    *,
    force: bool,
    mpi: str | None,
    words: str,
    draw: Callable[[Path], object] | None = None,
    verdicts: Mapping[str, Any] | None = None,
    begun: Checkpoint | None = None,
) -> None:
    """Write the run folder, and say what came of the run and where it is: for rank 0 alone.

    ``draw`` adds figures to the folder it is given; ``begun`` knows of earlier sessions.
    """
    folder = folder if force else choose_unused_folder(folder)
    report = described(runs)

    def figures(place: Path) -> None:
        if not config.figures:
            return
        draw_if_possible(lambda: write_figures(runs, "rounds", place))
        if draw is not None:
            draw_if_possible(lambda: draw(place))

    facts = environment(comm.Get_size(), mpi)
    facts |= {"data": data_digest(config), "earlier": list(begun.sessions[:-1]) if begun else []}
    try:
        RunFolder(folder).write(StoredRun(to_toml(config), runs, report, facts, verdicts), figures)
    except OSError as error:
        reason = error.strerror or error
        raise RunFailed(f"cannot write {str(folder)!r}: {reason}") from None
    if words:
        say(words)
    say(f"digest  {report['digest']}\nfolder  {folder}")
    if config.figures and not installed("matplotlib"):
        say("no figure: pip install 'kavg[plot]' draws one")


def identity(config: Config) -> str:
    """What must be the same on all ranks: program, numpy, settings and data."""
    versions = f"kavg {__version__} of source {source()}, numpy {installed('numpy')}"
    return f"{versions}, settings and data {fingerprint(config)}"


def all_algorithms(
    comm: Communicator, config: Config, quiet: bool, manager: CheckpointManager | None = None
) -> list[Trajectory]:
    """Run one algorithm after another on the same problem and noise.

    A ``manager`` knows what is done already; rank 0's writes the checkpoints.
    """
    begun = manager.start.runs if manager else ()
    mine = manager if comm.Get_rank() == 0 else None
    with shown(comm, quiet) as progress, defer_signals() as signals:
        supervised = Supervised(comm, progress, signals, mine)
        runs = [
            one(comm, config, algorithm, before, supervised)
            for algorithm, before in zip_longest(config.algorithms, begun)
        ]
    supervised.stop_if_requested()
    return runs


def shown(comm: Communicator, quiet: bool) -> AbstractContextManager[Progress]:
    """Progress, on rank 0 only."""
    return nullcontext(silent) if quiet or comm.Get_rank() > 0 else shown_on(sys.stderr)


def one(
    comm: Communicator,
    config: Config,
    algorithm: Algorithm,
    before: Trajectory | None,
    supervised: Supervised,
) -> Trajectory:
    """Run one algorithm, or what is left of it; ranks that part, or stop, end it."""
    sync_check = SyncCheck(comm, algorithm.name, config.agree_every)

    def on_round(done: Round) -> None:
        set_place(comm, (algorithm.name, done.n + 1))
        sync_check.after_round(done)

    set_place(comm, (algorithm.name, 1))
    run = complete_run(begin_run(config, algorithm, before), comm, on_round, supervised)
    sync_check.at_end(run)
    supervised.finish(run)
    # Rank 0 writes and draws now; that must not be cut off by a small timeout.
    set_place(comm, "after the last round", work_limit=TIMEOUT)
    return run


def begin_run(config: Config, algorithm: Algorithm, before: Trajectory | None = None) -> Run:
    """Return a run of one algorithm of the settings, which extends ``before`` if there is one.

    Raises ``KavgError`` if ``before`` is not a run of these settings.
    """
    recorder = Recorder(config.problem, every=config.record.every)
    run = Run(config.problem, algorithm, config.options, recorder, config.rounds)
    if before is not None:
        run.extend(before)
    return run


def described(runs: Sequence[Trajectory]) -> dict[str, Any]:
    """The summary, with digests."""
    report = summary(runs)
    for facts, run in zip(report["algorithms"].values(), runs, strict=True):
        facts["digest"] = digest(run)
    return {"digest": joint_digest(runs), **report}
