"""Errors before a run in the numbers of gradients, of local steps, of their blocks and ages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kavg.aggregations import StaleGradients
from kavg.base import AdaptivePeriod, AveragesGroups, Oracle
from kavg.errors import KavgError
from kavg.oracles import Noiseless
from kavg.oracles.streams import PLACES
from kavg.problem import Algorithm

GRADIENTS: Final = 2**63
"""The smallest number of gradients that an int64 cannot count."""
SUMMED: Final = 10_000
"""Rounds whose periods are added up one by one at most."""


def check_gradient_count(algorithms: Sequence[Algorithm], rounds: int, B: int) -> None:
    """Raise KavgError if a run takes 2^63 gradients or more, which an int64 cannot count."""
    for one in algorithms:
        each = one.P * B
        if _count_most_steps(one, rounds, GRADIENTS // each) * each >= GRADIENTS:
            raise KavgError(
                f"{one.name}: rounds={rounds}, P={one.P}, K={one.K} and B={B} are 2^63 gradients "
                "or more, which cannot be counted; reduce one of them"
            )


def check_step_count(algorithms: Sequence[Algorithm], rounds: int, oracle: Oracle) -> None:
    """Raise KavgError if a run takes more local steps than random numbers have addresses for."""
    if isinstance(getattr(oracle, "noise", oracle), Noiseless):
        return
    for one in algorithms:
        if _count_most_steps(one, rounds, PLACES) > PLACES:
            raise KavgError(
                f"{one.name}: rounds={rounds} and K={one.K} are more than 2^32 local steps, for "
                "which there is no noise; reduce one of them, or use oracle kind 'none'"
            )


def check_whole_blocks(algorithms: Sequence[Algorithm], rounds: int) -> None:
    """Raise KavgError if a K that changes is not whole blocks of groups in some round.

    A constant K has been checked with its algorithm, and an adaptive one goes with K1 = 1 alone.
    """
    for one in algorithms:
        law = one.aggregation
        if not isinstance(law, AveragesGroups) or isinstance(one.K, AdaptivePeriod):
            continue
        for n in range(1, min(rounds, SUMMED) + 1 if callable(one.K) else 1):
            K = one.count_local_steps(n)
            if K % law.K1:
                raise KavgError(
                    f"{one.name}: K1 must divide K in every round, got K1={law.K1} and K={K} in "
                    f"round {n}; use a K1 that divides all of them"
                )


def check_staleness(algorithms: Sequence[Algorithm], rounds: int) -> None:
    """Raise KavgError if updates are meant to be older, in the mean, than a run has updates.

    Before the first one all iterates are the start, where most updates of such a run would begin.
    """
    for one in algorithms:
        law, updates = one.aggregation, rounds * one.P
        if isinstance(law, StaleGradients) and law.mean_staleness(one.P) >= updates:
            raise KavgError(
                f"{one.name}: the mean staleness must be below the rounds P = {updates} updates of "
                f"a run, got {law.mean_staleness(one.P):g}; use a smaller mean, or more rounds"
            )


def _count_most_steps(one: Algorithm, rounds: int, allowed: int) -> int:
    try:
        return _bound_steps(one, rounds, allowed)
    except KavgError as error:  # of a K that changes, which does not know its method
        raise KavgError(f"{one.name}: {error}") from error


def _bound_steps(one: Algorithm, rounds: int, allowed: int) -> int:
    """Return the local steps of a run, or a number above them that is still below ``allowed``.

    Of a long run with a K that has no upper limit it is an estimate.
    """
    if not callable(one.K):
        return rounds * one.K
    most = getattr(one.K, "most", None)
    is_adaptive = isinstance(one.K, AdaptivePeriod)
    # What adapts may come to its largest K, and what is below need not be asked in every round.
    if most is not None and (is_adaptive or rounds * most < allowed):
        return int(rounds * most)
    if is_adaptive:
        return rounds * one.count_local_steps(1)
    if rounds <= SUMMED:
        return one.sum_local_steps(rounds)
    some = range(1, rounds + 1, rounds // SUMMED)
    return rounds * sum(map(one.count_local_steps, some)) // len(some)
