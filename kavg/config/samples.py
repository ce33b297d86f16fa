"""Values of settings for examples: one of each key, and the keys that exclude one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kavg.budgets import BUDGET_AXES
from kavg.config.sweeps.tables import BudgetTable, StageTable
from kavg.targets import Target

SAMPLES: Final[Mapping[str, Any]] = {
    "rounds": 200,
    "P": 16,
    "K": 8,
    "gamma": 0.05,
    "mu": 0.5,
    "beta": 0.9,
    "B": 8,
    "M": 1.0,
    "M_v": 0.5,
    "zeta2": 1.0,
    "sigma2": 1.0,
    "dim": 100,
    "spectrum": [0.1, 1.0],
    "targets": [3.0, 0.5],
    "label_variance": 0.5,
    "low": 0.1,
    "high": 1.0,
    "Ks": [1, 8],
    "gammas": [0.1, 0.01],
    "boundaries": [50],
    "longest": 60,
    "data": "digits",
    "path": "iris.csv",
    "separator": ";",
    "header": True,
    "ignore": ["id"],
    "columns": ["width", "length"],
    "name": "M-AVG",
    "restart": 50,
    "use": 1000,
    "rotation_seed": 1,
    "start": 2.0,
    "grid": {"algorithm.*.K": [1, 4, 16]},
    "zip": {"algorithm.*.P": [1, 4], "algorithm.*.K": [8, 2]},
    "random": {"trials": 40, "algorithm.*.gamma": {"log2": [-12, -6]}},
    "tune": {"algorithm.*.gamma": {"log2": [-12, -6], "per": 3}},
    "trials": 40,
    "log2": [-8, -2],
    "log10": [-3, 0],
    "linear": [0.1, 0.9],
    "uniform": [0.1, 0.9],
    "range": [1, 9, 2],
    "per": 2,
    "count": 5,
    "target": {"quantity": "grad_norm2", "fraction": 0.01},
    "quantity": "grad_norm2",
    "fraction": 0.01,
    "below": 0.001,
    "above": 0.9,
    "floor": 2.0,
    "gradients": 1e6,
    "communications": 200.0,
    "time": 1000.0,
}
"""Values of keys that have no default, or none that shows what is needed."""

WITHOUT_DEFAULT: Final[Mapping[str, Any]] = {"alpha": 0.1, "longest": 100, "weights": [1.0, 2.0]}
"""Values of keys that have a default in some tables alone, where there is none."""

EITHER: Final[Mapping[type, tuple[str, ...]]] = {
    Target: ("fraction", "below", "above", "floor"),
    BudgetTable: BUDGET_AXES,
    StageTable: ("share", "rounds"),
}
"""Keys of which a table has one alone."""
