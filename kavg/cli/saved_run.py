"""Saved runs: a finished run folder, or the last checkpoint of an unfinished one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from kavg.cli.environment import SESSION, describe_session, list_sessions
from kavg.cli.execution import begin_run, describe_inputs
from kavg.cli.resumption.last_checkpoint import (
    find_checkpoint,
    find_last_session,
    list_version_warnings,
)
from kavg.cli.session import Session
from kavg.config.config import Config, hash_data
from kavg.config.consistency import consistency_errors
from kavg.config.settings_file import to_toml
from kavg.config.stored_settings import describe_data, load_stored_config, parse_stored_config
from kavg.errors import KavgError
from kavg.mpi.collective import agree_on
from kavg.mpi.watched_comm import set_timeout
from kavg.portability import require_same_arithmetic
from kavg.storage import load_trajectories, manifest
from kavg.storage.checkpoint_line import read_checksum
from kavg.storage.checkpoint_manager import CheckpointManager
from kavg.storage.checkpoints import FOLDER, Checkpoint, read_checkpoint
from kavg.storage.output_folder import is_unfinished
from kavg.storage.text_files import read_json
from kavg.storage.validation import is_finished, validate_algorithms
from kavg.trajectory import Trajectory


@final
@dataclass(frozen=True, eq=False)
class SavedRun:
    """A run as it was saved, to be completed or extended to the rounds of ``config``.

    ``path`` is the file it was read from and ``sha256`` its checksum; ``is_complete`` is
    True if no round is left; ``warnings`` are for the user.
    """

    config: Config
    begun: Checkpoint
    path: Path
    sha256: str
    is_complete: bool
    warnings: Sequence[str]

    @property
    def identity(self) -> str:
        """The text that must be the same on all ranks."""
        return f"{self.path.name} {self.sha256}, {describe_inputs(self.config)}"

    def extended_to(self, rounds: int | None) -> SavedRun:
        """Return the same run with ``rounds`` rounds in all (None: as configured).

        Raises ``KavgError`` if more are configured already, as a run cannot be shortened, or if
        settings with so many rounds would not be accepted.
        """
        before = self.config.rounds
        if rounds is None or rounds == before:
            return self
        if rounds < before:
            raise KavgError(
                f"--rounds must be at least {before}, the rounds of this run, got {rounds}; "
                "use kavg run for a shorter one"
            )
        config = replace(self.config, rounds=rounds)
        if errors := consistency_errors(config):
            raise KavgError("\n  ".join([f"the run cannot have {rounds} rounds:", *errors]))
        return replace(self, config=config, is_complete=False)

    def manager(self, folder: Path, ranks: int) -> CheckpointManager:
        """Return the checkpoint manager of the run in ``folder``, continued on ``ranks`` ranks.

        Its checkpoints list this session after the earlier ones.
        """
        session = describe_session(ranks) | describe_data(self.config)
        sessions = [*self.begun.sessions, session]
        settings = to_toml(self.config, folder)
        begun = replace(self.begun, settings=settings, sessions=sessions)
        # The manager keeps the checkpoint that the run came from until a newer one is written.
        last = self.path if self.path.parent.name == FOLDER else None
        return CheckpointManager(
            folder, self.config.checkpoint, begun, owns_folder=True, latest=last
        )


def load_saved_run(
    session: Session, folder: Path, rounds: int | None, data: Path | None = None
) -> SavedRun:
    """Read a saved run on all ranks, to be completed or to be extended to ``rounds`` rounds.

    ``data`` is where its file of data lies now, if it was moved.

    Raises ``KavgError`` if it cannot be used, or if ranks read different files.
    """

    def load_here() -> SavedRun:
        saved = open_run(folder, data).extended_to(rounds)
        set_timeout(session.comm, saved.config.timeout)
        return saved

    return agree_on(session.comm, "the runs", load_here, lambda saved: saved.identity)


def open_run(folder: Path, data: Path | None = None) -> SavedRun:
    """Read the run in a folder: its last intact checkpoint, or the finished run.

    Raises:
        KavgError: The folder holds no run, or none of its files can be used.
    """
    try:
        if is_unfinished(folder):
            return read_last_checkpoint(folder, data)
        if (folder / "trajectory.npz").is_file():
            return read_finished_run(folder, data)
    except OSError as error:
        raise KavgError(f"cannot read {str(folder)!r}: {error.strerror}") from None
    raise KavgError(
        f"there is no run in {str(folder)!r}; give the folder of kavg run, on a disk that every "
        "rank sees"
    )


def read_last_checkpoint(folder: Path, data: Path | None = None) -> SavedRun:
    """Read the newest usable checkpoint of a folder, with warnings of newer, unusable ones.

    Raises:
        KavgError: None can be used, or one was written by a newer version of kavg.
    """
    path, (config, begun), rejected = find_checkpoint(folder, lambda at: load_checkpoint(at, data))
    warnings = [*rejected, *list_version_warnings(begun.sessions, config.same_bits)]
    return SavedRun(config, begun, path, read_checksum(path), False, warnings)


def load_checkpoint(path: Path, data: Path | None = None) -> tuple[Config, Checkpoint]:
    """Read a checkpoint and its settings, and check that they and today's data fit.

    Raises:
        OtherArithmetic: A session of it had another arithmetic than this kavg.
        KavgError: It is damaged, or its settings cannot have led to its runs.
    """
    begun = read_checkpoint(path)
    # First, as a start that was drawn is another one too.
    name = f"the run in {str(path.parents[1])!r}"
    require_same_arithmetic(begun.sessions, name, "complete")
    try:
        facts = {**find_last_session(begun.sessions), "data": begun.data}
        config = parse_stored_config(begun.settings, path.parents[1], facts, data)
        _check_runs_fit(config, begun.runs)
    except KavgError as error:
        reason = str(error).replace("\n", "; ")
        raise KavgError(f"{str(path)!r} is refused: {reason}") from None
    return config, begun


def _check_runs_fit(config: Config, runs: Sequence[Trajectory]) -> None:
    """Raise KavgError unless these settings could have produced the runs."""
    validate_algorithms(runs, config.algorithms)
    for algorithm, run in zip(config.algorithms, runs, strict=False):
        begin_run(config, algorithm, run)


def read_finished_run(folder: Path, data: Path | None = None) -> SavedRun:
    """Read a finished run, whose files must be unchanged and belong together.

    Unlike ``load_run`` it compares the files with their checksums, since the result of extending a
    changed run would look like a genuine one.
    """
    try:
        manifest.validate_files(folder, ("config.toml", "trajectory.npz", "environment.json"))
        facts = read_json(folder / "environment.json")
        require_same_arithmetic(list_sessions(facts), "it", "extend")
        config, runs = load_stored_config(folder, data), load_trajectories(folder)
        if not is_finished(runs, config.algorithms, config.rounds):
            raise KavgError("config.toml and trajectory.npz are not of one run")
        if facts.get("data") != hash_data(config):
            raise KavgError("environment.json has no digest of the data that it read")
        _check_runs_fit(config, runs)
    except KavgError as error:
        raise KavgError(f"{str(folder)!r} cannot be extended: {error}") from None
    last = {key: facts[key] for key in SESSION if key in facts}
    sessions = [*list_sessions(facts)[:-1], last]
    begun = Checkpoint(to_toml(config, folder), hash_data(config), runs, sessions)
    path = folder / "trajectory.npz"
    warnings = list_version_warnings(sessions, config.same_bits)
    return SavedRun(config, begun, path, manifest.compute_entry(path).sha256, True, warnings)
