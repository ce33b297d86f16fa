"""Oracles: stochastic gradients with additive or state-dependent noise, or from mini-batches.

To add one, write a module with a frozen dataclass (an additive law: ``kavg.oracles.additive``) and
enter it below.  Settings, ``kavg list`` and the contract tests follow from ``KINDS``.
"""

from collections.abc import Mapping
from typing import Final

from kavg.base import Oracle
from kavg.oracles.gaussian import Gaussian
from kavg.oracles.minibatch import MiniBatch, Partition
from kavg.oracles.noiseless import Noiseless
from kavg.oracles.rademacher import Rademacher
from kavg.oracles.shifted import Shifted
from kavg.oracles.sphere import Sphere
from kavg.oracles.state_dependent import StateDependent
from kavg.oracles.student_t import StudentT

KINDS: Final[Mapping[str, type[Oracle]]] = {
    "none": Noiseless,
    "gaussian": Gaussian,
    "rademacher": Rademacher,
    "sphere": Sphere,
    "student_t": StudentT,
    "state_dependent": StateDependent,
    "minibatch": MiniBatch,
    "shifted": Shifted,
}
"""The ``kind`` of ``[oracle]`` in a settings file, to its class."""

__all__ = [
    "KINDS",
    "Gaussian",
    "MiniBatch",
    "Noiseless",
    "Partition",
    "Rademacher",
    "Shifted",
    "Sphere",
    "StateDependent",
    "StudentT",
]
