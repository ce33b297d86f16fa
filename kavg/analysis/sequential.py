"""Sequential verdicts: replicas are doubled until all are decided, at one overall level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import pi
from typing import final

from kavg.analysis.verdict import Outcome, Verdict
from kavg.errors import KavgError
from kavg.ranges import check_count


@final
@dataclass(frozen=True, eq=False)
class SequentialResult:
    """The verdicts after the last of ``looks`` looks, which had ``replicas`` replicas."""

    verdicts: tuple[Verdict, ...]
    looks: int
    replicas: int


def level_of_look(level: float, look: int) -> float:
    """Return the part of ``level`` that look ``k = 1, 2, ...`` spends, ``level 6 / (pi^2 k^2)``.

    The parts of all looks add up to ``level``.

    >>> round(sum(level_of_look(0.05, k) for k in range(1, 10_000)), 5)
    0.05
    """
    return level * 6.0 / (pi * look) ** 2


def decide_sequentially(
    look: Callable[[int, float], Sequence[Verdict]],
    *,
    replicas: int,
    budget: int,
    level: float = 0.05,
) -> SequentialResult:
    """Double the replicas until no verdict is INCONCLUSIVE, or up to ``budget``.

    ``look(R, alpha)`` returns the verdicts of R replicas at level ``alpha``
    (``decision.decide_verdicts``); replicas are a prefix, so each look contains the last one.  Look
    k has ``alpha = level_of_look(level, k)``, and a side once decided stays decided.  A wrong HOLDS
    or VIOLATED needs a wrong rejection at some look, and the levels of all looks add up to
    ``level``, whatever the looks have in common.

    Raises:
        KavgError: if ``replicas`` is below 1 or above ``budget``.
    """
    replicas = check_count("replicas", replicas, "they are those of the first look")
    budget = check_count("budget", budget, "it is the largest number of replicas")
    if budget < replicas:
        raise KavgError(f"budget must be at least replicas={replicas}, got budget={budget}")
    verdicts, k = tuple(look(replicas, level_of_look(level, 1))), 1
    while replicas < budget and any(v.outcome is Outcome.INCONCLUSIVE for v in verdicts):
        replicas, k = min(2 * replicas, budget), k + 1
        # Each look runs all its replicas again: at most twice the work of the last look, which is
        # then the run, with its digest, that ``kavg run`` makes of that many replicas.
        verdicts = tuple(map(_keep_side, verdicts, look(replicas, level_of_look(level, k))))
    return SequentialResult(verdicts, k, replicas)


def _keep_side(before: Verdict, now: Verdict) -> Verdict:
    # The levels of all looks add up, so each rejection is covered and none has to be taken back.
    if before.outcome not in (Outcome.HOLDS, Outcome.VIOLATED) or now.outcome is before.outcome:
        return now
    return replace(now, outcome=before.outcome, p=before.p, reason="decided at an earlier look")
