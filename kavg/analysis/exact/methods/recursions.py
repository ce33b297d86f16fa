"""Which recursion of exact moments belongs to a method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from kavg.aggregations import (
    AllLearners,
    ElasticAveraging,
    Gossip,
    GroupedLearners,
    OwnSteps,
    SampledLearners,
    StaleGradients,
    Stragglers,
)
from kavg.analysis.exact.eigenbasis import EigenProblem
from kavg.analysis.exact.linear_steps import linear_step
from kavg.analysis.exact.methods.accumulation_moments import iterate_accumulated
from kavg.analysis.exact.methods.elastic_moments import iterate_elastic_moments
from kavg.analysis.exact.methods.gossip_moments import iterate_gossip_moments
from kavg.analysis.exact.methods.group_moments import (
    describe_grouped_rounds,
    iterate_group_moments,
)
from kavg.analysis.exact.methods.linear_rounds import Description
from kavg.analysis.exact.methods.optimizer_moments import iterate_optimizer_moments
from kavg.analysis.exact.methods.sampled_moments import (
    describe_sampled_rounds,
    iterate_sampled_moments,
)
from kavg.analysis.exact.methods.stale_moments import iterate_stale_moments
from kavg.analysis.exact.methods.step_moments import (
    describe_own_steps,
    describe_stragglers,
    iterate_own_step_moments,
    iterate_straggler_moments,
)
from kavg.analysis.exact.moment_recursion import Moments, iterate_moments
from kavg.base import AdaptivePeriod
from kavg.errors import KavgError
from kavg.optimizers import SGD, Accumulation
from kavg.problem import Algorithm

Recursion = Callable[[EigenProblem, Algorithm], Iterator[Moments]]
"""Yields the moments at the start, then after one round after another, without end.

It raises ``KavgError`` where the problem, or a number of the method, has no exact form.
"""

RECURSIONS: Final[Mapping[tuple[type, type], Recursion]] = {
    (SGD, AllLearners): iterate_moments,
    (SGD, ElasticAveraging): iterate_elastic_moments,
    (SGD, Gossip): iterate_gossip_moments,
    (SGD, GroupedLearners): iterate_group_moments,
    (SGD, OwnSteps): iterate_own_step_moments,
    (SGD, SampledLearners): iterate_sampled_moments,
    (SGD, Stragglers): iterate_straggler_moments,
    (SGD, StaleGradients): iterate_stale_moments,
    (Accumulation, AllLearners): iterate_accumulated,
}
"""By the classes of the optimizer and of the aggregation.

Other optimizers whose steps are linear have one of their own (``optimizer_moments``).
"""


DESCRIPTIONS: Final[Mapping[Recursion, Callable[[EigenProblem, Algorithm], Description]]] = {
    iterate_group_moments: describe_grouped_rounds,
    iterate_own_step_moments: describe_own_steps,
    iterate_sampled_moments: describe_sampled_rounds,
    iterate_straggler_moments: describe_stragglers,
}
"""The laws of the rounds of those recursions that are linear in the start of the round."""

WITHOUT_RESTARTS: Final = (
    iterate_elastic_moments,
    iterate_gossip_moments,
    iterate_stale_moments,
)
"""Those that do not know restarts of the outer memory."""


def choose_moments(algorithm: Algorithm) -> Recursion:
    """Return the recursion of the exact moments of a method.

    Raises ``KavgError`` if it has none, whatever the problem is.

    >>> from kavg.outer import Averaging
    >>> choose_moments(Algorithm(P=2, K=1, gamma=0.5, outer=Averaging())).__name__
    'iterate_moments'
    """
    if isinstance(algorithm.K, AdaptivePeriod):
        raise KavgError("exact moments need a K that is known beforehand; simulate it instead")
    optimizer = algorithm.optimizer
    recursion = RECURSIONS.get((type(optimizer), type(algorithm.aggregation)))
    # Steps of SGD that are not plain, such as those with weight decay, are others than its own.
    if isinstance(optimizer, SGD) and not optimizer.is_plain:
        recursion = None
    if recursion is None and isinstance(algorithm.aggregation, AllLearners):
        # Before any problem is looked at, so that the reason is about the step.
        linear_step(optimizer, algorithm.step_size(1))
        recursion = iterate_optimizer_moments
    if recursion is None:
        raise KavgError(
            "exact moments are not known for local steps of "
            f"{optimizer!r:.80} with {algorithm.aggregation!r:.80}; simulate it instead"
        )
    if algorithm.restart is not None and recursion in WITHOUT_RESTARTS:
        raise KavgError(
            "exact moments with restarts of the outer memory are not known for "
            f"{algorithm.aggregation!r:.80}; leave restart out, or simulate it instead"
        )
    return recursion
