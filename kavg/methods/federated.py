"""Methods of federated learning, of which every client takes part in every round.

``kavg.aggregations`` has rules by which only some do.
"""

from __future__ import annotations

from kavg.base import Schedule
from kavg.outer import Averaging, BlockMomentum, FedAdagrad, FedAdam
from kavg.problem import Algorithm


def fedavg(P: int, K: int, gamma: float | Schedule, *, alpha: float = 1.0) -> Algorithm:
    """FedAvg: the mean of the clients, with a server learning rate ``alpha``.

    Source: McMahan, Moore, Ramage, Hampson and Arcas 2016, arXiv 1602.05629; with a server
    learning rate, Reddi et al. 2020, arXiv 2003.00295.

    >>> fedavg(P=4, K=8, gamma=0.05) == Algorithm(4, 8, 0.05, Averaging())
    True
    """
    return Algorithm(P, K, gamma, Averaging(alpha))


def fedavgm(
    P: int, K: int, gamma: float | Schedule, *, mu: float = 0.9, alpha: float = 1.0
) -> Algorithm:
    """FedAvgM: server momentum on the mean displacement, with a server learning rate ``alpha``.

    Source: Hsu, Qi and Brown 2019, arXiv 1909.06335.

    >>> fedavgm(P=4, K=8, gamma=0.05).outer
    BlockMomentum(mu=0.9, alpha=1.0)
    """
    return Algorithm(P, K, gamma, BlockMomentum(mu, alpha))


def fedadam(P: int, K: int, gamma: float | Schedule, *, alpha: float = 0.01) -> Algorithm:
    """FedAdam: Adam at the server, without a correction of bias.

    Source: Reddi et al. 2020, arXiv 2003.00295.

    >>> fedadam(P=4, K=8, gamma=0.05).outer
    FedAdam(alpha=0.01, beta1=0.9, beta2=0.99, tau=0.001)
    """
    return Algorithm(P, K, gamma, FedAdam(alpha))


def fedadagrad(P: int, K: int, gamma: float | Schedule, *, alpha: float = 0.1) -> Algorithm:
    """FedAdagrad: Adagrad at the server.

    Source: Reddi et al. 2020, arXiv 2003.00295.

    >>> fedadagrad(P=4, K=8, gamma=0.05).outer
    FedAdagrad(alpha=0.1, beta1=0.0, tau=0.001)
    """
    return Algorithm(P, K, gamma, FedAdagrad(alpha))
