"""What a run left in its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kavg.storage import manifest
from kavg.storage.atomic import write_bytes
from kavg.storage.checkpoints import FOLDER, list_checkpoints

RUN_FILES = {
    "config.toml",
    "metrics.csv",
    "trajectory.npz",
    "summary.json",
    "environment.json",
    "manifest.sha256",
}
"""The files of a run without figures."""


def list_files(folder: Path | str) -> set[str]:
    """The files below a folder, by their paths from there."""
    paths = Path(folder).rglob("*")
    return {str(path.relative_to(folder)) for path in paths if path.is_file()}


def read_summary(folder: Path | str) -> dict[str, Any]:
    return json.loads((Path(folder) / "summary.json").read_text(encoding="utf-8"))


def read_environment(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "environment.json").read_text(encoding="utf-8"))


def read_digest(folder: Path) -> str:
    """The digest of all algorithms that the summary states."""
    return read_summary(folder)["digest"]


def change_environment(folder: Path, **facts: Any) -> None:
    """Change what the run says of its machine; the manifest still knows the old words."""
    text = json.dumps(read_environment(folder) | facts)
    (folder / "environment.json").write_text(text, encoding="utf-8")


def renew_manifest(folder: Path) -> None:
    """Give a folder that was changed a manifest that knows nothing of the change."""
    write_bytes(folder / manifest.NAME, manifest.build_manifest(folder))


def stored_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of an unfinished run, the last one first."""
    place = folder / FOLDER
    return list_checkpoints(place) if place.exists() else []
