"""The work of a round that an aggregation leaves to the learners."""

from __future__ import annotations

from kavg.base import WeighsLearners
from kavg.problem import Algorithm


def count_active_learners(algorithm: Algorithm) -> float:
    """Return the mean number of learners that take a local step of a round: P unless some do not.

    Times the steps of a learner who takes all of them, it is the steps of all learners together.

    >>> from kavg import aggregations, outer
    >>> law = aggregations.OwnSteps(Ks=(1, 4, 4))
    >>> count_active_learners(Algorithm(3, 4, 0.1, outer.Averaging(), aggregation=law))
    2.25
    """
    law = algorithm.aggregation
    if not isinstance(law, WeighsLearners):
        return algorithm.P
    K = algorithm.count_local_steps(1)
    return law.count_steps(algorithm.P, K) / K
