"""Methods beyond the papers', one small algorithm of each, on which all laws are tested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kavg import Algorithm, aggregations, optimizers, outer, periods, schedules

P, K, GAMMA = 5, 3, 0.05
FALLING = schedules.Piecewise((0.1, 0.05), (2,))
AVERAGING = outer.Averaging()
ONE_WAY = [[(0.5, 0.3, 0.2, 0.0, 0.0)[(i - j) % P] for i in range(P)] for j in range(P)]
"""A mixing matrix that is not symmetric: learner j hears j + 1 and j + 2."""


def method(rule=AVERAGING, **parts) -> Algorithm:
    """An algorithm of which a test names what it changes."""
    return Algorithm(**{"P": P, "K": K, "gamma": GAMMA, "outer": rule} | parts)


METHODS: Final[Mapping[str, Algorithm]] = {
    **{
        f"heavy ball, {state}": method(optimizer=optimizers.HeavyBall(0.7, state))
        for state in ("reset", "kept", "averaged")
    },
    **{
        f"Nesterov steps, {state}": method(optimizer=optimizers.NesterovSteps(0.7, state))
        for state in ("reset", "kept", "averaged")
    },
    **{
        f"Adam, {state}": method(optimizer=optimizers.Adam(0.7, 0.9, at_average=state))
        for state in ("reset", "kept", "averaged")
    },
    "AdamW, kept": method(
        optimizer=optimizers.AdamW(0.7, 0.9, weight_decay=0.5, at_average="kept")
    ),
    "mini-batch SGD": method(optimizer=optimizers.Accumulation()),
    "mini-batch SGD, momentum": method(
        outer.BlockMomentum(0.5), optimizer=optimizers.Accumulation()
    ),
    "mini-batch SGD, EASGD": method(
        optimizer=optimizers.Accumulation(), aggregation=aggregations.ElasticAveraging(0.3)
    ),
    "SGD, clipped": method(optimizer=optimizers.SGD(clip=0.8)),
    "heavy ball, clipped, with decay": method(
        optimizer=optimizers.HeavyBall(0.7, "kept", clip=0.8, weight_decay=0.5)
    ),
    "post-local SGD": method(K=periods.PiecewisePeriod((1, 4), (2,))),
    "warm-up": method(K=periods.WarmUpPeriod(2, then=4)),
    "QSR": method(gamma=FALLING, K=periods.QuadraticSynchronization(alpha=0.1, least=2)),
    "cubic rule": method(
        gamma=FALLING,
        K=periods.WarmUpPeriod(1, periods.QuadraticSynchronization(alpha=0.1, power=3, most=6)),
    ),
    "dispersion control": method(K=periods.DispersionControl(spread=0.02)),
    "averaging, alpha": method(outer.Averaging(0.7)),
    "FedAvgM": method(outer.BlockMomentum(0.5, alpha=0.7)),
    "Nesterov, alpha": method(outer.NesterovMomentum(0.5, alpha=0.7)),
    "Nesterov, look-ahead": method(outer.NesterovLookAhead(0.9, alpha=0.7)),
    "quasi-hyperbolic": method(outer.QuasiHyperbolic(0.9, nu=0.7, alpha=2.0)),
    "FedAdam": method(outer.FedAdam(alpha=0.1)),
    "FedAdagrad": method(outer.FedAdagrad(alpha=0.1, beta1=0.5)),
    "restarts": method(outer.BlockMomentum(0.5), restart=2),
    "FedAdam, restarts": method(outer.FedAdam(alpha=0.1), restart=3),
    "EASGD": method(aggregation=aggregations.ElasticAveraging(0.3)),
    "EASGD as published": method(
        outer.Averaging(0.9), aggregation=aggregations.ElasticAveraging(0.9 / P, "last")
    ),
    "EASGD, heavy ball": method(
        optimizer=optimizers.HeavyBall(0.7, "kept"), aggregation=aggregations.ElasticAveraging(0.3)
    ),
    "EAMSGD": method(
        outer.Averaging(0.9),
        optimizer=optimizers.NesterovSteps(0.7, "kept"),
        aggregation=aggregations.ElasticAveraging(0.9 / P, "last"),
    ),
    "gossip on a ring": method(aggregation=aggregations.Gossip()),
    "gossip by a matrix, heavy ball": method(
        optimizer=optimizers.HeavyBall(0.7, "kept"), aggregation=aggregations.Gossip(ONE_WAY)
    ),
    "asynchronous": method(aggregation=aggregations.StaleGradients(longest=9)),
    "asynchronous, one age": method(
        optimizer=optimizers.HeavyBall(0.7), aggregation=aggregations.StaleGradients("constant", 2)
    ),
    "asynchronous, uniform": method(aggregation=aggregations.StaleGradients("uniform", 1)),
    "Hier-AVG": method(aggregation=aggregations.GroupedLearners(K1=1, groups=(2, 3))),
    "Hier-AVG, K = 6": method(K=6, aggregation=aggregations.GroupedLearners(2, (1, 2, 2))),
    **{
        f"Hier-AVG, heavy ball, {state}": method(
            optimizer=optimizers.HeavyBall(0.7, state),
            aggregation=aggregations.GroupedLearners(K1=1, groups=(3, 2)),
        )
        for state in ("reset", "kept", "averaged")
    },
    "sampled": method(aggregation=aggregations.SampledLearners(2)),
    **{
        f"sampled, {scaling} weights": method(
            aggregation=aggregations.SampledLearners(3, (1.0, 2.0, 1.5, 3.0, 0.5), scaling)
        )
        for scaling in ("unbiased", "normalised")
    },
    "sampled, heavy ball": method(
        optimizer=optimizers.HeavyBall(0.7), aggregation=aggregations.SampledLearners(2)
    ),
    "own steps": method(aggregation=aggregations.OwnSteps((1, 3, 2, 3, 1))),
    "own steps, FedNova": method(aggregation=aggregations.OwnSteps((1, 3, 2, 3, 1), "fednova")),
    "stragglers, heavy ball": method(
        optimizer=optimizers.HeavyBall(0.7), aggregation=aggregations.Stragglers(2, K_slow=1)
    ),
    "stragglers, FedNova": method(aggregation=aggregations.Stragglers(2, 1, "fednova")),
}
"""By a name that is printable and distinct."""

FURTHER_CALLS: Final[Mapping[str, int]] = {
    "gossip on a ring": 1,
    "gossip by a matrix, heavy ball": 1,
}
"""Collective calls a round beside the one ``Allreduce``, of methods that need them."""
