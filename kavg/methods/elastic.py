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
    ``beta/P``, and ``beta = 0.9`` that of its experiments.  As there, the first gradient after a
    pull is taken where the learner was before it.

    >>> easgd(P=4, K=10, gamma=0.05, beta=0.5).aggregation
    ElasticAveraging(alpha=0.125, first_gradient='last')
    """
    law = ElasticAveraging(beta / P, first_gradient="last")
    return Algorithm(P, K, gamma, Averaging(beta), aggregation=law)


def eamsgd(
    P: int, K: int, gamma: float | Schedule, *, beta: float = 0.9, delta: float = 0.99
) -> Algorithm:
    """EAMSGD: EASGD whose learners take Nesterov steps of momentum ``delta``, kept by each.

    What is pulled, and what the centre averages, is the look-ahead of ``NesterovSteps``; the
    paper's is the point behind it, ``x + gamma delta m``.

    Source: Zhang, Choromanska and LeCun 2015, arXiv 1412.6651.

    >>> eamsgd(P=4, K=10, gamma=0.05).optimizer.beta
    0.99
    """
    elastic = easgd(P, K, gamma, beta=beta)
    return replace(elastic, optimizer=NesterovSteps(delta, at_average="kept"))
