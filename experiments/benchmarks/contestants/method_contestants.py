"""Methods of the field, each beside plain SGD: what slots, clipping and aggregations cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from experiments.benchmarks.contestants.kavg_contestant import Ours
from experiments.benchmarks.contestants.roster import Prepare
from experiments.benchmarks.workloads import Workload
from kavg.aggregations import ElasticAveraging, GroupedLearners
from kavg.optimizers import SGD, Adam, HeavyBall

PLAIN: Final = "plain SGD"
PARTS: Final[Mapping[str, Mapping[str, Any]]] = {
    PLAIN: {},
    "heavy ball, reset": {"optimizer": HeavyBall(0.9)},
    "heavy ball, kept": {"optimizer": HeavyBall(0.9, "kept")},
    "heavy ball, averaged": {"optimizer": HeavyBall(0.9, "averaged")},
    "Adam, reset": {"optimizer": Adam()},
    "Adam, kept": {"optimizer": Adam(at_average="kept")},
    "SGD, clipped": {"optimizer": SGD(clip=1.0)},
    "groups": {"aggregation": GroupedLearners(K1=4, groups=4)},
    "elastic averaging": {"aggregation": ElasticAveraging(0.1)},
}
"""What each changes of the workload's algorithm, one a kind of cost."""


def method_roster(workload: Workload) -> dict[str, Prepare]:
    """Return the methods on the problem of a workload, plain SGD first.

    >>> from experiments.benchmarks.workloads import double_well
    >>> list(method_roster(double_well("tiny", P=4, K=4, R=2, d=2)))[:2]
    ['plain SGD', 'heavy ball, reset']
    """

    def prepare(parts: Mapping[str, Any]) -> Prepare:
        algorithm = replace(workload.algorithm, **parts)
        return lambda: Ours(replace(workload, algorithm=algorithm))

    return {name: prepare(parts) for name, parts in PARTS.items()}
