"""Methods beyond the papers', one small algorithm of each, on which all laws are tested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kavg import Algorithm, aggregations, optimizers, outer, periods, schedules

P, K, GAMMA = 5, 3, 0.05
FALLING = schedules.Piecewise((0.1, 0.05), (2,))
AVERAGING = outer.Averaging()


def method(rule=AVERAGING, **parts) -> Algorithm:
    """An algorithm of which a test names what it changes."""
    return Algorithm(**{"P": P, "K": K, "gamma": GAMMA, "outer": rule} | parts)


METHODS: Final[Mapping[str, Algorithm]] = {
    **{
        f"heavy ball, {state}": method(optimizer=optimizers.HeavyBall(0.7, state))
        for state in ("reset", "kept", "averaged")
    },
    "post-local SGD": method(K=periods.PiecewisePeriod((1, 4), (2,))),
    "warm-up": method(K=periods.WarmUpPeriod(2, then=4)),
    "QSR": method(gamma=FALLING, K=periods.QuadraticSynchronization(alpha=0.1, least=2)),
    "cubic rule": method(
        gamma=FALLING,
        K=periods.WarmUpPeriod(1, periods.QuadraticSynchronization(alpha=0.1, power=3, most=6)),
    ),
    "dispersion control": method(K=periods.DispersionControl(spread=0.02)),
    "EASGD": method(aggregation=aggregations.ElasticAveraging(0.3)),
    "EASGD, heavy ball": method(
        optimizer=optimizers.HeavyBall(0.7, "kept"), aggregation=aggregations.ElasticAveraging(0.3)
    ),
}
"""By a name that is printable and distinct."""

FURTHER_CALLS: Final[Mapping[str, int]] = {}
"""Collective calls a round beside the one ``Allreduce``, of methods that need them."""
