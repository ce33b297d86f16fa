"""Methods of the field by name, each an ``Algorithm`` whose parts are those of its paper.

A method is a function of ``P``, ``K`` and ``gamma`` with its further numbers as keywords.  In a
settings file ``method = "fedavgm"`` in ``[[algorithm]]`` stands for its parts, of which each that
is given there is used in place of the method's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from kavg.base import Schedule
from kavg.methods.baseline_methods import baselines as baselines
from kavg.methods.baseline_methods import large_batch as large_batch
from kavg.methods.baseline_methods import minibatch_sgd as minibatch_sgd
from kavg.methods.baseline_methods import single_learner as single_learner
from kavg.methods.baseline_methods import synchronous_sgd as synchronous_sgd
from kavg.methods.elastic import eamsgd as eamsgd
from kavg.methods.elastic import easgd as easgd
from kavg.methods.federated import fedadagrad as fedadagrad
from kavg.methods.federated import fedadam as fedadam
from kavg.methods.federated import fedavg as fedavg
from kavg.methods.federated import fedavgm as fedavgm
from kavg.methods.local_sgd import k_avg as k_avg
from kavg.methods.local_sgd import lookahead as lookahead
from kavg.methods.local_sgd import m_avg as m_avg
from kavg.methods.local_sgd import post_local_sgd as post_local_sgd
from kavg.methods.local_sgd import slowmo as slowmo
from kavg.methods.low_communication import diloco as diloco
from kavg.methods.low_communication import hier_avg as hier_avg
from kavg.problem import Algorithm


class MakesMethod(Protocol):
    """A function that makes a method, with a default for each of its further numbers."""

    def __call__(self, P: int, K: int, gamma: float | Schedule) -> Algorithm:
        """Return the method for P learners, K local steps and step size gamma."""
        ...


METHODS: Final[Mapping[str, MakesMethod]] = MappingProxyType(
    {
        "diloco": diloco,
        "eamsgd": eamsgd,
        "easgd": easgd,
        "fedadagrad": fedadagrad,
        "fedadam": fedadam,
        "fedavg": fedavg,
        "fedavgm": fedavgm,
        "hier_avg": hier_avg,
        "k_avg": k_avg,
        "lookahead": lookahead,
        "m_avg": m_avg,
        "minibatch_sgd": minibatch_sgd,
        "post_local_sgd": post_local_sgd,
        "single_learner": single_learner,
        "slowmo": slowmo,
        "synchronous_sgd": synchronous_sgd,
    }
)
"""The methods by the name that ``method`` has in a settings file."""
