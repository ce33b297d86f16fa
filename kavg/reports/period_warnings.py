"""Warnings about periods: limits that act, warm-ups, pieces never reached, no dispersion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kavg.periods import DispersionControl, PiecewisePeriod, QuadraticSynchronization, WarmUpPeriod
from kavg.problem import Algorithm

SAMPLED: Final = 1000
"""Rounds that are looked at, at most about."""


def list_period_warnings(algorithms: Sequence[Algorithm], rounds: int) -> list[str]:
    """Return where the upper limit of QSR acts, and where its K is large as gamma warms up.

    A dispersion that is measured of one learner is 0, and a period that changes after the last
    round stays as it is, which is said too.

    >>> from kavg import outer, periods, schedules
    >>> gamma = schedules.Piecewise(gammas=(0.1, 0.01), boundaries=(50,))
    >>> rule = periods.QuadraticSynchronization(alpha=0.1, most=64)
    >>> method = Algorithm(P=2, K=rule, gamma=gamma, outer=outer.Averaging(), name="QSR")
    >>> list_period_warnings([method], rounds=100)
    ['QSR: most = 64 is its K from round 51 on at the latest, where the rule gives 100']
    """
    some = sorted({*range(1, rounds + 1, max(1, rounds // SAMPLED)), rounds})
    return [line for method in algorithms for line in _warn_of_period(method, some)]


def _warn_of_period(method: Algorithm, some: Sequence[int]) -> Iterator[str]:
    rule, first = method.K, 1
    yield from _warn_of_end(method, last=some[-1])
    if isinstance(rule, DispersionControl) and method.P == 1:
        yield (
            f"{method.name}: one learner has no dispersion, so K doubles in every round until it "
            f"is {rule.most}; use P = 2 or more, or a K that is known before the run"
        )
    if isinstance(rule, WarmUpPeriod):
        first, rule = rule.rounds + 1, rule.then
    after = [n for n in some if n >= first]
    if isinstance(rule, QuadraticSynchronization) and after:
        yield from _warn_of_limit(method, rule, after)
        yield from _warn_of_fall(method, after)


def _warn_of_end(method: Algorithm, last: int) -> Iterator[str]:
    """Warn if the run ends before its period is that of the last piece."""
    rule, boundary = method.K, 0
    if isinstance(rule, WarmUpPeriod):
        boundary, rule = rule.rounds, rule.then
    if isinstance(rule, PiecewisePeriod):
        boundary = max(boundary, *rule.boundaries, 0)
    if boundary >= last:
        yield (
            f"{method.name}: K changes after round {boundary}, which these {last} rounds do not "
            "reach; change it earlier, or run more rounds"
        )


def _warn_of_limit(
    method: Algorithm, rule: QuadraticSynchronization, some: Sequence[int]
) -> Iterator[str]:
    most = rule.most
    if most is None:
        return
    for n in some:
        grown = rule.grow(method.step_size(n))
        if method.count_local_steps(n) == most and grown >= most + 1:
            yield (
                f"{method.name}: most = {most} is its K from round {n} on at the latest, where the "
                f"rule gives {grown:.6g}"
            )
            return


def _warn_of_fall(method: Algorithm, some: Sequence[int]) -> Iterator[str]:
    peak = max(some, key=method.step_size)
    begins, falls = (method.count_local_steps(n) for n in (some[0], peak))
    if begins > falls:
        yield (
            f"{method.name}: K begins with {begins} local steps, as gamma is small at first, and "
            f"falls to {falls}; wait for gamma: K = {{ kind = 'warm_up', rounds = {peak}, ... }}"
        )
