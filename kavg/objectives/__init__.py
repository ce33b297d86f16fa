"""Objectives with known constants: each says its L and f_star, and how they were obtained.

To add one, write a module with a frozen dataclass (``kavg.base.Objective``; over a data set:
``kavg.objectives.finite_sums.empirical_risk``) and enter it below.  Settings, ``kavg list`` and the
contract tests follow from ``KINDS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from kavg.objectives.cosine import Cosine
from kavg.objectives.double_well import DoubleWell
from kavg.objectives.finite_sums.logistic_regression import LogisticRegression
from kavg.objectives.finite_sums.network import Network
from kavg.objectives.finite_sums.robust_regression import RobustRegression
from kavg.objectives.himmelblau import Himmelblau
from kavg.objectives.linear import Linear
from kavg.objectives.logarithm import Logarithm
from kavg.objectives.quadratic import LogSpectrum, Quadratic
from kavg.objectives.rosenbrock import Rosenbrock
from kavg.objectives.saturating import Saturating
from kavg.objectives.sine_bowl import SineBowl
from kavg.objectives.triangular_wave import TriangularWave

KINDS: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {
        # analytic: every constant is known
        "quadratic": Quadratic,
        "cosine": Cosine,
        "double_well": DoubleWell,
        "saturating": Saturating,
        "logarithm": Logarithm,
        "triangular_wave": TriangularWave,
        "linear": Linear,
        "sine_bowl": SineBowl,
        "rosenbrock": Rosenbrock,
        "himmelblau": Himmelblau,
        # from data: finite sums
        "robust_regression": RobustRegression,
        "logistic_regression": LogisticRegression,
        "network": Network,
    }
)
"""The ``kind`` of ``[objective]`` in a settings file, to its class."""

__all__ = [
    "KINDS",
    "Cosine",
    "DoubleWell",
    "Himmelblau",
    "Linear",
    "LogSpectrum",
    "Logarithm",
    "LogisticRegression",
    "Network",
    "Quadratic",
    "RobustRegression",
    "Rosenbrock",
    "Saturating",
    "SineBowl",
    "TriangularWave",
]
