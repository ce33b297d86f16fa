"""The run folder: the files of a finished run.

======================  ===========================================================================
config.toml             the settings, defaults written out
metrics.csv             long form: one line for each algorithm, recorded round and replica
trajectory.npz          the same numbers as arrays, the last ``w`` and ``v``, and some earlier ones
summary.json            final means, confidence intervals, paired differences, digests
environment.json        versions, machine, ranks, launcher
verdicts.json           of ``kavg check`` only: each algorithm compared with each bound
figures/                pictures, if any were drawn
checkpoints/            only while the run is unfinished
manifest.sha256         name, size and SHA-256 of all of these (``kavg.storage.manifest``)
======================  ===========================================================================
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, final

from kavg.errors import KavgError
from kavg.storage import manifest
from kavg.storage.atomic import (
    make_folders,
    resolve_links,
    sync_tree,
    write_bytes,
)
from kavg.storage.changes.additions import ADDED, commit_addition, require_no_link
from kavg.storage.changes.replacement import make_stage, remove_stage, replace_folder
from kavg.storage.recovery import (
    hold_folder,
    is_own_file,
    recover_before_reading,
)
from kavg.storage.tables.metrics import write_metrics
from kavg.storage.text_files import read_json, read_text, write_json, write_text
from kavg.storage.trajectories import load_trajectories, write_trajectories
from kavg.trajectory import Trajectory

PATIENCE: Final = 5.0
"""Seconds that a command which adds files waits for another that does so."""


@final
@dataclass(frozen=True, eq=False)
class StoredRun:
    """The content of a run folder: ``config`` is TOML text, and the module describes the rest.

    ``verdicts`` is None unless the run was compared with the theorems.
    """

    config: str
    trajectories: Sequence[Trajectory]
    summary: Mapping[str, Any]
    environment: Mapping[str, Any]
    verdicts: Mapping[str, Any] | None = None


@final
@dataclass(frozen=True)
class RunFolder:
    """The folder of one finished run, at a path that need not exist yet.

    ``write`` creates the whole folder and ``add`` puts further files into it.  Both update the
    manifest, so ``kavg verify`` reports a file that was written in any other way.  Both hold the
    lock of the folder meanwhile (``kavg.storage.locks``), unless ``is_locked`` says that the caller
    does.

    >>> import tempfile
    >>> place = tempfile.TemporaryDirectory()
    >>> folder = RunFolder(Path(place.name) / "run")
    >>> folder.write(StoredRun("rounds = 5", [], {"digest": "e3b0"}, {"ranks": 1}))
    >>> folder.load().summary
    {'digest': 'e3b0'}
    >>> [path.name for path in folder.add(lambda stage: write_text(stage / "notes.txt", "mine"))]
    ['notes.txt']
    >>> manifest.list_changes(folder.path)
    []
    >>> place.cleanup()
    """

    path: Path
    is_locked: bool = False

    def load(self) -> StoredRun:
        """Read the whole folder.

        Raises ``KavgError`` if a file is missing or damaged; reading cannot run code.
        ``kavg.load_trajectories`` reads the arrays alone, and ``read_table`` one JSON file.
        """
        recover_before_reading(self.path)
        verdicts = self.path / "verdicts.json"
        return StoredRun(
            read_text(self.path / "config.toml"),
            load_trajectories(self.path),
            read_json(self.path / "summary.json"),
            read_json(self.path / "environment.json"),
            read_json(verdicts) if verdicts.exists() else None,
        )

    def read_table(self, name: str) -> dict[str, Any]:
        """Read a JSON file of the folder; empty if it is missing or damaged.

        For reports on a folder that may be damaged; ``manifest`` finds the damage.
        """
        try:
            return read_json(self.path / name)
        except KavgError:
            return {}

    def write(self, run: StoredRun, draw: Callable[[Path], object] | None = None) -> None:
        """Write the folder, whole or not at all; ``draw`` writes figures to the folder it is given.

        An older run of the same name is replaced only when the new one is complete; the user's own
        files in it are kept.  Raises ``OSError``, ``FolderInUse``, and whatever ``draw`` raises.
        """
        self.replace(partial(_write_run, run), draw)

    def replace(
        self, write: Callable[[Path], object], draw: Callable[[Path], object] | None = None
    ) -> None:
        """Replace the folder by one whose files ``write`` writes, whole or not at all.

        Both functions get the temporary folder to write to, ``draw`` that of the figures.
        """
        with self._hold(self.path), replace_folder(self.path, is_own_file) as stage:
            write(stage)
            (stage / "figures").mkdir()
            if draw is not None:
                draw(stage / "figures")
            with suppress(OSError):  # not empty
                (stage / "figures").rmdir()
            # Last, as it lists all the others.
            write_bytes(stage / manifest.NAME, manifest.build_manifest(stage))

    def add(self, write: Callable[[Path], object], into: Path | None = None) -> list[Path]:
        """Write further files into the folder and enter them in its manifest; return their paths.

        ``write`` writes to the temporary folder that it is given.  When it returns, its files move
        to the same places under ``into``, by default this folder, and replace older ones there: all
        of them and the manifest, also if this is interrupted (``kavg.storage.recovery``).  Files
        outside this folder are not entered.  A folder without an intact manifest gets none, as the
        original content of its other files is unknown.

        Raises ``KavgError`` if a link or a folder inside this folder is in the way, ``FolderInUse``
        if another process writes there for longer than ``PATIENCE``, and ``OSError``.
        """
        into = self.path if into is None else into
        home, place = resolve_links(self.path), resolve_links(into)
        is_inside = place == home or home in place.parents
        for folder in (Path(os.path.abspath(self.path)), home):
            require_no_link(folder, Path(os.path.abspath(into)))
        root = home if is_inside else place
        with self._hold(root):
            make_folders(place)
            names = _add_files(root, place, write, is_inside)
        return [into / name for name in names]

    @contextmanager
    def _hold(self, folder: Path) -> Iterator[None]:
        with nullcontext() if self.is_locked else hold_folder(folder, PATIENCE):
            yield


def _write_run(run: StoredRun, stage: Path) -> None:
    write_text(stage / "config.toml", run.config)
    write_metrics(stage / "metrics.csv", run.trajectories)
    write_trajectories(stage / "trajectory.npz", run.trajectories)
    write_json(stage / "summary.json", run.summary)
    write_json(stage / "environment.json", run.environment)
    if run.verdicts is not None:
        write_json(stage / "verdicts.json", run.verdicts)


def _add_files(
    root: Path, place: Path, write: Callable[[Path], object], is_inside: bool
) -> list[str]:
    """Write files to a draft of ``root``, then move them to ``place``; return their names."""
    token = secrets.token_hex(4)
    draft = root / f".{ADDED}.{token}.partial"
    inner = place.relative_to(root)
    try:
        make_stage(draft, token)
        (draft / inner).mkdir(parents=True, exist_ok=True)
        write(draft / inner)
        files = manifest.list_files(draft)
        for name, path in files.items():
            # Before the files are complete under their last temporary name, which is not undone.
            require_no_link(root, (root / name).parent)
            path.chmod(draft.stat().st_mode & 0o666)  # as files that are opened here would have
        content = manifest.update_manifest(root, files) if is_inside else None
        if content is not None:
            write_bytes(draft / manifest.NAME, content)
        sync_tree(draft)
        if files:
            commit_addition(root, draft)
    finally:
        remove_stage(draft)
    return sorted(Path(name).relative_to(inner).as_posix() for name in files)
