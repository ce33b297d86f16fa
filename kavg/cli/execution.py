"""Run the algorithms of a settings file on all ranks, from the start or from a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import zip_longest
from pathlib import Path

from kavg.base import Communicator
from kavg.cli.environment import (
    describe_session,
    installed_version,
    list_unlike_ranks,
    source_digest,
)
from kavg.cli.options import Output
from kavg.cli.output import print_messages
from kavg.cli.progress import open_progress
from kavg.cli.results import Results, write_results
from kavg.cli.session import Session, hold_on_rank_0
from kavg.cli.supervisor import Supervisor
from kavg.config import Config, hash_config, hash_data, load_config, to_toml
from kavg.config.settings_stream import LAUNCHED_PATIENCE, PATIENCE, is_stream, read_stream
from kavg.config.stored_settings import describe_data
from kavg.engine.recorder import Recorder
from kavg.engine.run import Run
from kavg.engine.simulation import complete_run
from kavg.errors import KavgError, RunFailed
from kavg.mpi.collective import agree_on, run_on_rank_0, share_bytes
from kavg.mpi.signals import SignalExit, defer_signals
from kavg.mpi.sync_check import SyncCheck
from kavg.mpi.watched_comm import TIMEOUT, set_place, set_timeout
from kavg.problem import Algorithm
from kavg.reports import table
from kavg.reports.announcements import list_announcements
from kavg.storage.checkpoint_manager import CheckpointManager
from kavg.storage.checkpoints import Checkpoint
from kavg.storage.claims import hold_output_folder
from kavg.storage.output_folder import remove_checkpoints
from kavg.trajectory import Round, Trajectory
from kavg.version import __version__


def load_shared_config(
    session: Session,
    path: Path,
    overrides: Sequence[str] | None,
    content: bytes | None = None,
) -> Config:
    """Load a settings file on every rank; ``content`` is what was read of a pipe.

    Raises:
        KavgError: The file cannot be used, or ranks differ in settings, data or versions.
    """
    content = share_stream(session.comm, path) if content is None else content

    def load_here() -> Config:
        config = load_config(path, overrides or (), content)
        # Before ranks compare the settings, as this timeout applies to the comparison too.
        set_timeout(session.comm, config.timeout)
        return config

    config = agree_on(session.comm, "the settings", load_here, describe_inputs)
    if session.rank == 0:
        announce_settings(config)
    return config


def announce_settings(config: Config, points: Sequence[Config] = ()) -> None:
    """Print what is to be said of settings, such as warnings, before the first round.

    ``points`` are further ones of a sweep.
    """
    print_messages(list_announcements(config, points))


def share_stream(comm: Communicator, path: Path) -> bytes | None:
    """Return the content of a pipe or device, read once on rank 0; None for a file."""
    # Launchers give standard input to rank 0 alone; ranks that read one pipe would get parts of it.
    content: list[bytes] = []
    patience = PATIENCE if comm.Get_size() == 1 else LAUNCHED_PATIENCE

    def read() -> None:
        if is_stream(path):
            content.append(read_stream(path, lambda line: print_messages([line]), patience))

    run_on_rank_0(comm, read)
    return share_bytes(comm, content[0] if content else None)


def describe_inputs(config: Config) -> str:
    """Describe the inputs that must be the same on all ranks: program, NumPy, settings and data.

    Nodes of a cluster may have other versions, and local disks other files of the same name.
    """
    versions = f"kavg {__version__} of source {source_digest()}, numpy {installed_version('numpy')}"
    return f"{versions}, settings and data {hash_config(config)}"


@contextmanager
def claim_new_run(
    session: Session, config: Config, folder: Path, output: Output
) -> Iterator[CheckpointManager]:
    """Hold the folder of a new run while the block runs; yield the run's checkpoint manager.

    Raises:
        KavgError: The folder is taken and not to be replaced, or it cannot be written.
    """
    with hold_output(session, folder, output) as held:
        if output.force:
            # Before the first round, or a crash would leave checkpoints of another run.
            run_on_rank_0(session.comm, lambda: remove_checkpoints(held))
        facts = describe_session(session.size) | describe_data(config)
        start = Checkpoint(to_toml(config, held), hash_data(config), (), [facts])
        manager = CheckpointManager(held, config.checkpoint, start, owns_folder=output.force)
        try:
            yield manager
        finally:
            manager.release()


def hold_output(session: Session, folder: Path, output: Output) -> AbstractContextManager[Path]:
    """Hold the run folder of a command on rank 0, from before the first round to its end.

    ``folder`` is that of ``output``.  Yields the folder to write to.
    """
    return hold_on_rank_0(
        session,
        folder,
        lambda: hold_output_folder(folder, force=output.force, is_default=output.out is None),
    )


def run_and_store(
    session: Session, config: Config, manager: CheckpointManager, *, quiet: bool
) -> None:
    """Run the remaining rounds, print the table of means and write the run folder.

    After a signal a checkpoint is written, even while the folder is being written.
    """
    runs = run_algorithms(session, config, quiet=quiet, manager=manager)
    text = None if quiet else table(runs)
    results = Results(config, runs, text, earlier=manager.start.sessions[:-1])

    def write() -> None:
        try:
            write_results(session, results, manager.folder, force=manager.owns_folder)
        except KavgError as error:
            raise RunFailed(f"{error}; {manager.advice}") from None
        except SignalExit:
            manager.save()
            raise

    run_on_rank_0(session.comm, write)


def run_algorithms(
    session: Session, config: Config, *, quiet: bool, manager: CheckpointManager | None = None
) -> list[Trajectory]:
    """Run one algorithm after another on the same problem and noise.

    Runs that ``manager`` holds are taken from it, or completed; on rank 0 it writes checkpoints.
    """
    print_messages(list_unlike_ranks(session.comm, config.same_bits))
    earlier = manager.start.runs if manager else ()
    # All ranks hold the same state after a round, so rank 0 alone writes it.
    mine = manager if session.rank == 0 else None
    with open_progress(session, quiet=quiet) as progress, defer_signals() as signals:
        supervisor = Supervisor(session.comm, progress, signals, mine)
        runs = [
            run_algorithm(session, config, algorithm, before, supervisor)
            for algorithm, before in zip_longest(config.algorithms, earlier)
        ]
    # Outside the block, so that from here on a signal ends the command at once.
    supervisor.stop_if_requested()
    return runs


def run_algorithm(
    session: Session,
    config: Config,
    algorithm: Algorithm,
    before: Trajectory | None,
    supervisor: Supervisor,
) -> Trajectory:
    """Run one algorithm from the start, or from the end of the shorter run ``before``.

    Ranks compare a hash of ``w`` and ``v`` every ``agree_every`` rounds and at the end.
    """
    comm = session.comm
    sync_check = SyncCheck(comm, algorithm.name, config.agree_every)

    def on_round(done: Round) -> None:
        set_place(comm, (algorithm.name, done.n + 1))
        sync_check.after_round(done)

    # The place names the round that ranks wait in, which is the one after the last completed.
    set_place(comm, (algorithm.name, 1))
    run_ahead = begin_run(config, algorithm, before)
    supervisor.run = run_ahead
    run = complete_run(run_ahead, comm, on_round, supervisor)
    sync_check.at_end(run)
    supervisor.finish(run)
    # Rank 0 now writes and draws, which may take longer than a small timeout allows.
    set_place(comm, "after the last round", work_limit=TIMEOUT)
    return run


def begin_run(config: Config, algorithm: Algorithm, before: Trajectory | None = None) -> Run:
    """Return the run of one algorithm, for ``complete_run`` of the engine to run to its end.

    It extends ``before``, if given.  Raises ``KavgError`` if ``before`` has other settings.
    """
    record = config.record
    recorder = Recorder(config.problem, every=record.every, measures=record.round_measures)
    run = Run(config.problem, algorithm, config.options, recorder, config.rounds)
    if before is not None:
        run.extend(before)
    return run
