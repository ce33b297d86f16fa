"""A checkpoint of the example's two algorithms, the first of them complete."""

from __future__ import annotations

from pathlib import Path

import kavg
from kavg.config.config import hash_data
from kavg.config.settings_file import EXAMPLE, parse_config, to_toml
from kavg.portability import ARITHMETIC
from kavg.storage.checkpoints import FOLDER, Checkpoint, write_checkpoint
from kavg.trajectory import Trajectory

CONFIG = parse_config(EXAMPLE, ["rounds=6", "replicas=2", "objective.dim=3", "record.every=4"])


def run_of(i: int, rounds: int) -> Trajectory:
    """Algorithm i, as a checkpoint after that many rounds holds it."""
    return kavg.simulate(
        CONFIG.problem, CONFIG.algorithms[i], rounds=rounds, replicas=2, seed=1, every=4
    )


RUNS = [run_of(0, 6), run_of(1, 3)]
WHOLE = Checkpoint(
    to_toml(CONFIG), hash_data(CONFIG), RUNS, [{"ranks": 3, "arithmetic": ARITHMETIC}]
)


def write_two_checkpoints(folder: Path) -> None:
    """Write the checkpoints after rounds 7 and 9 to a run folder."""
    for rounds in (1, 3):
        runs = [RUNS[0], run_of(1, rounds)]
        write_checkpoint(folder / FOLDER, Checkpoint(WHOLE.settings, "", runs, WHOLE.sessions))
