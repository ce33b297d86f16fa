"""What functions of the round must return: step sizes and periods, and whole blocks of these."""

from __future__ import annotations

from math import inf

from kavg.conversion import to_number
from kavg.errors import KavgError


def check_period(K: object, n: int) -> int:
    """Return a period as an ``int``; raise ``KavgError`` unless it is a whole number from 1 on."""
    number = to_number(K, int)
    if number is not None and number >= 1:
        return int(number)
    raise KavgError(
        f"K must be a whole number of at least 1 in every round, got {K!r:.60} for round {n}; "
        "return an int, such as max(1, n // 100)"
    )


def check_blocks(K1: int, K: int) -> None:
    """Raise ``KavgError`` unless K1 divides K, so that a round is whole blocks.

    >>> check_blocks(K1=2, K=6)
    """
    if K % K1:
        raise KavgError(
            f"K1 must divide K, got K1={K1} and K={K}; use a K1 for which K / K1 is a whole number"
        )


def check_step_size(gamma: object, n: int) -> float:
    """Return a step size as a ``float``; raise ``KavgError`` unless it is finite and above 0."""
    # First what nearly all schedules return: this is called in every round.
    if isinstance(gamma, float) and 0.0 < gamma < inf:
        return float(gamma)
    number = to_number(gamma, float)
    if number is not None and 0.0 < number < inf:
        return float(number)
    raise KavgError(
        f"gamma must be a finite number above 0 in every round, got {gamma!r:.60} for round {n}; "
        "return a float, such as 0.1 / n**0.5"
    )
