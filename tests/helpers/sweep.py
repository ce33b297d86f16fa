"""A small sweep: two algorithms, a grid of K, and a tuned step, of which one diverges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from helpers.settings import write_settings

SWEEP: dict[str, Any] = {
    "grid": {"algorithm.*.K": [1, 2]},
    "tune": {"algorithm.*.gamma": [0.02, 0.1, 1e160]},
    "target": {"quantity": "grad_norm2", "fraction": 0.5},
}
"""Twelve points; those with the largest step diverge in the first round."""


def write_sweep(path: Path, **changes: Any) -> Path:
    """Write a settings file with a table ``[sweep]``; ``sweep=None`` leaves it out."""
    sweep = {"sweep": SWEEP, "rounds": 6, "figures": False, "checkpoint": {"every": 1}}
    return write_settings(path, **sweep | changes)


def read_sweep(folder: Path | str) -> dict[str, Any]:
    """What ``sweep.json`` of a folder says."""
    return json.loads((Path(folder) / "sweep.json").read_text(encoding="utf-8"))


def all_digests(folder: Path | str) -> list[list[str]]:
    """The digests of the points of each stage."""
    return [stage["digests"] for stage in read_sweep(folder)["stages"]]
