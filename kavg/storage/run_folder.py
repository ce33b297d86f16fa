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

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from kavg.errors import KavgError
from kavg.storage import manifest
from kavg.storage.atomic import replace_folder, write_bytes
from kavg.storage.metrics import write_metrics
from kavg.storage.text_files import read_json, read_text, write_json, write_text
from kavg.storage.trajectories import load_trajectories, write_trajectories
from kavg.trajectory import Trajectory

CONTENTS: Final = (
    "config.toml",
    "metrics.csv",
    "trajectory.npz",
    "summary.json",
    "environment.json",
    "verdicts.json",
    "figures",
    "checkpoints",
    manifest.NAME,
)
"""Names that kavg uses in a run folder; files of other names are the user's and are kept."""


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
    manifest, so ``kavg verify`` reports a file that was written in any other way.

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

    def load(self) -> StoredRun:
        """Read the whole folder.

        Raises ``KavgError`` if a file is missing or damaged; reading cannot run code.
        ``kavg.load_trajectories`` reads the arrays alone, and ``read_table`` one JSON file.
        """
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
        files in it are kept.  Raises ``OSError``, and whatever ``draw`` raises.
        """
        with replace_folder(self.path, ours=CONTENTS) as stage:
            write_text(stage / "config.toml", run.config)
            write_metrics(stage / "metrics.csv", run.trajectories)
            write_trajectories(stage / "trajectory.npz", run.trajectories)
            write_json(stage / "summary.json", run.summary)
            write_json(stage / "environment.json", run.environment)
            if run.verdicts is not None:
                write_json(stage / "verdicts.json", run.verdicts)
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
        to the same places under ``into``, by default this folder, and replace older ones there,
        each atomically.  Files outside this folder are not entered.  A folder without an intact
        manifest gets none, as the original content of its other files is unknown.
        """
        into = self.path if into is None else into
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=into, prefix=".", suffix=".partial") as place:
            stage = Path(place)
            write(stage)
            names = sorted(manifest.list_files(stage))
            for name in names:
                (into / name).parent.mkdir(parents=True, exist_ok=True)
                # Copied and not renamed: "figures" may be a link to another disk.
                write_bytes(into / name, (stage / name).read_bytes())
        added = [into / name for name in names]
        content = manifest.update_manifest(self.path, added)
        if content is not None:
            write_bytes(self.path / manifest.NAME, content)
        return added
