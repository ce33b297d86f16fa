"""What ``kavg resume`` does, on every rank."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from kavg.cli.environment import SESSION, in_use
from kavg.cli.execution import begin_run, identity
from kavg.config.config import Config, data_digest, load, parse, to_toml
from kavg.errors import KavgError, NewerFormat
from kavg.storage import load_trajectories, manifest
from kavg.storage.checkpoints import FOLDER, Checkpoint, list_checkpoints, read_checkpoint
from kavg.storage.output_folder import is_unfinished
from kavg.storage.text_files import read_json
from kavg.storage.validation import is_finished, validate_algorithms
from kavg.trajectory import Trajectory


@final
@dataclass(frozen=True, eq=False)
class Found:
    """A run to go on with, as ``config`` says, and the file ``source`` that it was read from.

    ``content`` is that file's SHA-256; ``complete`` says that nothing is left to do; ``notes`` are
    for the user.
    """

    config: Config
    begun: Checkpoint
    source: Path
    content: str
    complete: bool
    notes: Sequence[str]

    @property
    def name(self) -> str:
        """What must be the same on all ranks."""
        return f"{self.source.name} {self.content}, {identity(self.config)}"


def opened(folder: Path) -> Found:
    """The run in a folder: its last checkpoint that is whole, or the finished run."""
    try:
        if is_unfinished(folder):
            return last_checkpoint(folder)
        if (folder / "trajectory.npz").is_file():
            return finished(folder)
    except OSError as error:
        raise KavgError(f"cannot read {str(folder)!r}: {error.strerror}") from None
    raise KavgError(
        f"there is no run in {str(folder)!r}; give the folder of kavg run, on a disk that every "
        "rank sees"
    )


def last_checkpoint(folder: Path) -> Found:
    """The last that can be used; those after it are named."""
    refused: list[str] = []
    for path in list_checkpoints(folder / FOLDER):
        try:
            config, begun = usable(path)
        except NewerFormat:
            raise  # going on from an older checkpoint would throw work away
        except KavgError as fault:
            refused.append(str(fault))
            continue
        going_on = [f"going on from the one before it, {path.name}"] if refused else []
        notes = [*refused, *going_on, *other_versions(begun.sessions)]
        return Found(config, begun, path, content_of(path), False, notes)
    raise KavgError(
        "\n  ".join([f"no checkpoint in {str(folder)!r} can be used:", *refused])
        + "\n  kavg run with --force starts again"
    )


def usable(path: Path) -> tuple[Config, Checkpoint]:
    """A checkpoint with its settings, which must belong together, and to the data of today."""
    begun = read_checkpoint(path)
    try:
        config = parse(begun.settings)
        check_parts(config, begun.runs, begun.data)
    except KavgError as fault:
        words = str(fault).replace("\n", "; ")
        raise KavgError(f"{str(path)!r} is refused: {words}") from None
    return config, begun


def check_parts(config: Config, runs: Sequence[Trajectory], data: object) -> None:
    """Raise KavgError unless the runs are such that these settings, on their data, can extend."""
    if data != data_digest(config):
        raise KavgError("the data that its settings name are not those it was computed with")
    validate_algorithms(runs, config.algorithms)
    for algorithm, run in zip(config.algorithms, runs, strict=False):
        begin_run(config, algorithm, run)


def finished(folder: Path) -> Found:
    """A finished run, whose files must be as they were written, and belong together."""
    try:
        manifest.validate_files(folder, ("config.toml", "trajectory.npz", "environment.json"))
        config, runs = load(folder / "config.toml"), load_trajectories(folder)
        facts = read_json(folder / "environment.json")
        if not is_finished(runs, config.algorithms, config.rounds):
            raise KavgError("config.toml and trajectory.npz are not of one run")
        check_parts(config, runs, facts.get("data"))
    except KavgError as fault:
        raise KavgError(f"{str(folder)!r} cannot be extended: {fault}") from None
    earlier = facts.get("earlier")
    last = {key: facts[key] for key in SESSION if key in facts}
    sessions = [*(earlier if isinstance(earlier, list) else []), last]
    begun = Checkpoint(to_toml(config), data_digest(config), runs, sessions)
    path = folder / "trajectory.npz"
    return Found(config, begun, path, content_of(path), True, other_versions(sessions))


def content_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def other_versions(sessions: Sequence[Any]) -> list[str]:
    """A warning, if the last session ran under other versions than this one."""
    last = sessions[-1] if sessions and isinstance(sessions[-1], Mapping) else {}
    versions = last.get("versions")
    then = {**last, **(versions if isinstance(versions, Mapping) else {})}
    changed = [
        f"{x} {then.get(x)} then, {now} now" for x, now in in_use().items() if then.get(x) != now
    ]
    if not changed:
        return []
    return [f"the last bits may differ from those of an uninterrupted run: {'; '.join(changed)}"]


def load_run(folder: Path) -> tuple[Config, list[Trajectory]]:
    """The settings and the trajectories of a run folder, which must belong together."""
    config, runs = load(folder / "config.toml"), load_trajectories(folder)
    if not is_finished(runs, config.algorithms, config.rounds):
        raise KavgError(
            f"config.toml and trajectory.npz in {str(folder)!r} are not of one run; "
            "run the settings again"
        )
    return config, runs
