"""Verdicts with more and more replicas, at a level that stays honest however often one looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import final

from kavg.analysis.holm import level_of_look
from kavg.analysis.verdict import Outcome, Verdict
from kavg.errors import KavgError, at_least_one


@final
@dataclass(frozen=True, eq=False)
class SequentialResult:
    """What a sequence of looks came to: the verdicts, after how many looks and replicas."""

    verdicts: tuple[Verdict, ...]
    looks: int
    replicas: int


def decide_sequentially(
    look: Callable[[int, float], Sequence[Verdict]],
    *,
    replicas: int,
    budget: int,
    level: float = 0.05,
) -> SequentialResult:
    """Look with ``replicas``, twice as many, ... until nothing is INCONCLUSIVE, or to ``budget``.

    ``look(R, alpha)`` gives the verdicts of R replicas at level ``alpha`` (``verify.judge``);
    replicas are a prefix, so each look contains the last one.  Look k has ``alpha = 6 level /
    (pi^2 k^2)``, and a side once decided stays decided.  A wrong HOLDS or VIOLATED needs a wrong
    rejection at some look, and the levels of all looks add up to ``level``, whatever the looks
    have in common.
    """
    at_least_one("replicas", replicas, "they are those of the first look")
    at_least_one("budget", budget, "it is the largest number of replicas")
    if budget < replicas:
        raise KavgError(f"budget must be at least replicas={replicas}, got budget={budget}")
    verdicts, k = tuple(look(replicas, level_of_look(level, 1))), 1
    while replicas < budget and any(v.outcome is Outcome.INCONCLUSIVE for v in verdicts):
        replicas, k = min(2 * replicas, budget), k + 1
        verdicts = tuple(map(_keep_decision, verdicts, look(replicas, level_of_look(level, k))))
    return SequentialResult(verdicts, k, replicas)


def _keep_decision(before: Verdict, now: Verdict) -> Verdict:
    """The numbers of now, with the side that was decided before, if any."""
    if before.outcome not in (Outcome.HOLDS, Outcome.VIOLATED) or now.outcome is before.outcome:
        return now
    return replace(now, outcome=before.outcome, p=before.p, reason="decided at an earlier look")
