"""Methods for few rounds of communication: DiLoCo, and averages of groups."""

from __future__ import annotations

from kavg.aggregations import GroupedLearners
from kavg.base import Schedule
from kavg.optimizers import AdamW
from kavg.outer import Averaging, NesterovLookAhead
from kavg.problem import Algorithm


def diloco(
    P: int,
    K: int,
    gamma: float | Schedule,
    *,
    mu: float = 0.9,
    alpha: float = 0.7,
    weight_decay: float = 0.1,
) -> Algorithm:
    """DiLoCo: AdamW inside, whose state each learner keeps; Nesterov in PyTorch's form outside.

    The further numbers of AdamW are those of PyTorch: ``replace(diloco(...), optimizer=...)``.

    Source: Douillard et al. 2023, arXiv 2311.08105.

    >>> diloco(P=4, K=500, gamma=4e-4).outer
    NesterovLookAhead(mu=0.9, alpha=0.7)
    """
    inner = AdamW(weight_decay=weight_decay, at_average="kept")
    return Algorithm(P, K, gamma, NesterovLookAhead(mu, alpha), optimizer=inner)


def hier_avg(P: int, K: int, gamma: float | Schedule, *, groups: int = 1, K1: int = 1) -> Algorithm:
    """Hier-AVG: ``groups`` of learners averaged every ``K1`` steps, and all of them every ``K``.

    Source: Zhou and Cong 2019, arXiv 1903.05133; its K2 is our K.

    >>> hier_avg(P=4, K=8, gamma=0.05, groups=2, K1=2).aggregation
    GroupedLearners(K1=2, groups=2)
    """
    return Algorithm(P, K, gamma, Averaging(), aggregation=GroupedLearners(K1, groups))
