"""Methods of local SGD: K-AVG, M-AVG, post-local SGD, SlowMo, Lookahead."""

from __future__ import annotations

from kavg.base import Schedule
from kavg.errors import KavgError
from kavg.outer import Averaging, BlockMomentum, SlowMo
from kavg.periods import PiecewisePeriod
from kavg.problem import Algorithm


def k_avg(P: int, K: int, gamma: float | Schedule) -> Algorithm:
    """K-AVG, or local SGD: the mean of the learners every K steps.

    Source: Zhou and Cong 2018, arXiv 1708.01012.

    >>> k_avg(P=4, K=8, gamma=0.05).outer
    Averaging(alpha=1.0)
    """
    return Algorithm(P, K, gamma, Averaging())


def m_avg(P: int, K: int, gamma: float | Schedule, *, mu: float = 0.5) -> Algorithm:
    """M-AVG: K-AVG with block momentum on the mean displacement.

    Source: Cong and Liu 2020, arXiv 2110.00625.

    >>> m_avg(P=4, K=8, gamma=0.05).outer
    BlockMomentum(mu=0.5, alpha=1.0)
    """
    return Algorithm(P, K, gamma, BlockMomentum(mu))


def post_local_sgd(P: int, K: int, gamma: float | Schedule, *, switch: int = 100) -> Algorithm:
    """Post-local SGD: averages every step for ``switch`` rounds, and then every K steps.

    Source: Lin, Stich, Patel and Jaggi 2018, arXiv 1808.07217.

    >>> post_local_sgd(P=4, K=8, gamma=0.05).K
    PiecewisePeriod(Ks=(1, 8), boundaries=(100,))
    """
    return Algorithm(P, PiecewisePeriod((1, K), (switch,)), gamma, Averaging())


def slowmo(
    P: int, K: int, gamma: float | Schedule, *, mu: float = 0.7, alpha: float = 1.0
) -> Algorithm:
    """SlowMo: slow momentum in units of gradient, on local steps of plain SGD.

    The paper's local steps may also have momentum: ``replace(slowmo(...), optimizer=...)``.

    Source: Wang, Tantia, Ballas and Rabbat 2019, arXiv 1910.00643.

    >>> slowmo(P=4, K=8, gamma=0.05).outer
    SlowMo(mu=0.7, alpha=1.0)
    """
    return Algorithm(P, K, gamma, SlowMo(mu, alpha))


def lookahead(P: int, K: int, gamma: float | Schedule, *, alpha: float = 0.5) -> Algorithm:
    """Lookahead: one learner, which every K steps goes back to a point on its way.

    Raises ``KavgError`` for more than one learner.

    Source: Zhang, Lucas, Hinton and Ba 2019, arXiv 1907.08610.

    >>> lookahead(P=1, K=5, gamma=0.05).outer
    Averaging(alpha=0.5)
    """
    if P != 1:
        raise KavgError(f"Lookahead has one learner, got P={P}; use P=1, or fedavg with its alpha")
    return Algorithm(P, K, gamma, Averaging(alpha))
