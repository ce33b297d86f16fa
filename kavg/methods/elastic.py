"""Elastic averaging: a centre, and learners that are pulled towards it."""

from __future__ import annotations

from dataclasses import replace

from kavg.aggregations import ElasticAveraging
from kavg.base import Schedule
from kavg.optimizers import NesterovSteps
from kavg.outer import Averaging
from kavg.problem import Algorithm


def easgd(P: int, K: int, gamma: float | Schedule, *, beta: float = 0.9) -> Algorithm:
    """EASGD: learners are pulled to the centre by ``beta/P``, and it to their mean by ``beta``.

    Source: Zhang, Choromanska and LeCun 2015, arXiv 1412.6651; its moving rate ``alpha`` is
    ``beta/P``, and ``beta = 0.9`` that of its experiments.

    >>> easgd(P=4, K=10, gamma=0.05, beta=0.5).aggregation
    ElasticAveraging(alpha=0.125)
    """
    return Algorithm(P, K, gamma, Averaging(beta), aggregation=ElasticAveraging(beta / P))


def eamsgd(
    P: int, K: int, gamma: float | Schedule, *, beta: float = 0.9, delta: float = 0.99
) -> Algorithm:
    """EAMSGD: EASGD whose learners take Nesterov steps of momentum ``delta``, kept by each.

    The iterate that is pulled is the look-ahead of ``NesterovSteps``; the paper pulls the point
    behind it, a difference of ``alpha gamma delta m``.

    Source: Zhang, Choromanska and LeCun 2015, arXiv 1412.6651.

    >>> eamsgd(P=4, K=10, gamma=0.05).optimizer.beta
    0.99
    """
    elastic = easgd(P, K, gamma, beta=beta)
    return replace(elastic, optimizer=NesterovSteps(delta, at_average="kept"))
