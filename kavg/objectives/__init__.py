"""Objectives with known constants: L and f_star of each, and how they were obtained.

To add one, write a module with a frozen dataclass (``kavg.base.Objective``; over a data set:
``kavg.objectives.finite_sums.empirical_risk``) and import it below.  Settings, ``kavg list`` and
the contract tests follow from ``KINDS``.
"""

from __future__ import annotations

from kavg.families import collect_kinds
from kavg.objectives.cosine import Cosine as Cosine
from kavg.objectives.coupled.curved_valley import CurvedValley as CurvedValley
from kavg.objectives.coupled.deep_linear import DeepLinear as DeepLinear
from kavg.objectives.coupled.flat_minimum import FlatMinimum as FlatMinimum
from kavg.objectives.double_well import DoubleWell as DoubleWell
from kavg.objectives.finite_sums.linear_regression import LinearRegression as LinearRegression
from kavg.objectives.finite_sums.logistic_regression import LogisticRegression as LogisticRegression
from kavg.objectives.finite_sums.network import Network as Network
from kavg.objectives.finite_sums.robust_regression import RobustRegression as RobustRegression
from kavg.objectives.himmelblau import Himmelblau as Himmelblau
from kavg.objectives.linear import Linear as Linear
from kavg.objectives.logarithm import Logarithm as Logarithm
from kavg.objectives.nested_ripples import NestedRipples as NestedRipples
from kavg.objectives.quadratic import Quadratic as Quadratic
from kavg.objectives.rosenbrock import Rosenbrock as Rosenbrock
from kavg.objectives.saturating import Saturating as Saturating
from kavg.objectives.sine_bowl import SineBowl as SineBowl
from kavg.objectives.spectrum import LogSpectrum as LogSpectrum
from kavg.objectives.triangular_wave import TriangularWave as TriangularWave

KINDS = collect_kinds(vars())
"""The classes by the ``kind`` of ``[objective]`` in a settings file."""
