"""Counts of the numbers that rounds hold, and of the bytes that learners keep."""

from __future__ import annotations

from typing import Final

from kavg.base import Precision
from kavg.engine.local.local_steps import choose_tile
from kavg.problem import Algorithm

BYTES_PER_NUMBER: Final = 8
ROUND_ARRAYS: Final = 13
"""Arrays of the size of w, (R, d), that a round holds: states, sums in two limbs, measures."""
REPLICA_ARRAYS: Final = 60
"""Arrays of one number a replica: measures of a round, and what becomes of them at the end."""
TILE_ARRAYS: Final = 7
"""Arrays of the size of a tile, (tile, R, d): iterates, gradients, random words, draws."""
STEP_ARRAYS: Final = 2
"""Arrays of the size of a tile a slot: the slot, and workspace of the step."""


def count_round_numbers(d: int, algorithm: Algorithm, R: int) -> int:
    """Return the numbers that a round of ``R`` replicas of ``d`` coordinates holds at once."""
    slots, rows = algorithm.optimizer.slots, count_rows(algorithm)
    tile = (TILE_ARRAYS + STEP_ARRAYS * slots + rows - 1) * choose_tile(R, d, algorithm.P)
    return ((ROUND_ARRAYS * rows + tile) * d + REPLICA_ARRAYS) * R


def count_rows(algorithm: Algorithm) -> int:
    """Return the rows of a replica in sums: the model, and slots that are averaged."""
    optimizer = algorithm.optimizer
    return 1 + optimizer.slots * (optimizer.at_average == "averaged")


def count_kept_bytes(d: int, algorithm: Algorithm, R: int, dtype: Precision) -> int:
    """Return the size of what all learners keep from round to round, for models of ``d``."""
    size = BYTES_PER_NUMBER if dtype == "float64" else BYTES_PER_NUMBER // 2
    return algorithm.learner_slots * algorithm.P * R * d * size
