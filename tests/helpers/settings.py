"""A small settings file, of which a test says only what it needs otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomli_w

Table = dict[str, Any]


def k_avg(**changes: Any) -> Table:
    """An algorithm that averages; seven learners divide by no usual number of ranks."""
    outer = {"kind": "averaging"}
    return {"name": "K-AVG", "P": 7, "K": 2, "gamma": 0.05, "outer": outer} | changes


def m_avg(**changes: Any) -> Table:
    """The same with block momentum."""
    return k_avg(name="M-AVG", outer={"kind": "block_momentum", "mu": 0.5}) | changes


def settings_text(**changes: Any) -> str:
    """The text of the settings file with these keys changed; None leaves a key out.

    >>> "rounds = 4" in settings_text(rounds=4), "seed" in settings_text(seed=None)
    (True, False)
    """
    small = {
        "seed": 1,
        "rounds": 8,
        "replicas": 3,
        "start": 2.0,
        "objective": {"kind": "cosine", "dim": 5},
        "oracle": {"kind": "gaussian", "sigma2": 1.0},
        "algorithm": [k_avg(), m_avg()],
    }
    changed = small | changes
    return tomli_w.dumps({key: value for key, value in changed.items() if value is not None})


def write_settings(path: Path, **changes: Any) -> Path:
    """Write the settings file with these keys changed, and return its path."""
    path.write_text(settings_text(**changes), encoding="utf-8")
    return path
