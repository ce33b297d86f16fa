"""Constructors of values, each with arguments for the fields that have no default."""

from __future__ import annotations

from typing import Any

from kavg import Algorithm, Constant, Problem
from kavg.analysis.bounds import Setting
from kavg.analysis.bounds.slowmo_squared import SlowMoSquared
from kavg.base import NoiseConstants
from kavg.config.config import Config, Record
from kavg.config.kinds import FAMILIES
from kavg.engine.options import RunOptions
from kavg.objectives import Linear, Quadratic
from kavg.objectives.data.data_file import DataFile
from kavg.objectives.data.synthetic import Synthetic
from kavg.objectives.instances import small_settings
from kavg.objectives.spectrum import LogSpectrum
from kavg.oracles import Gaussian, Partition
from kavg.outer import Averaging
from kavg.schedules import ConstantStep
from kavg.storage.checkpoint_manager import CheckpointPolicy

ONE = Constant(1.0, "exact")
GIVEN: dict[type, dict[str, Any]] = {
    Algorithm: {"P": 1, "K": 1, "gamma": 1.0, "outer": Averaging()},
    Config: {
        "rounds": 1, "oracle": Gaussian(1.0), "algorithms": (), "objective": Linear(dim=1),
    },
    Constant: {"value": 1.0, "how": "exact"},
    NoiseConstants: {"M": ONE, "M_v": ONE, "zeta2": ONE},
    Problem: {"objective": Quadratic((1.0, 2.0)), "oracle": Gaussian(1.0)},
    Setting: {
        "P": 1, "K": 1, "B": 1, "N": 1, "gamma": 1.0, "mu": 0.0, "L": 1.0, "Delta": 1.0,
        "sigma2": 1.0,
    },
    DataFile: {"path": "iris.csv"},
    Synthetic: {"kind": "regression"},
    FAMILIES["aggregations"]["own_steps"]: {"Ks": (1,)},
    FAMILIES["periods"]["piecewise"]: {"Ks": (1,), "boundaries": ()},
    FAMILIES["periods"]["warm_up"]: {"rounds": 1, "then": 2},
    FAMILIES["schedules"]["warm_up"]: {"rounds": 1, "then": ConstantStep(1.0)},
    FAMILIES["schedules"]["piecewise"]: {"gammas": (1.0,), "boundaries": ()},
}  # fmt: skip
"""Arguments of constructors that ``small_settings`` does not know."""

KINDS = [cls for kinds in FAMILIES.values() for cls in kinds.values()]
SETTINGS = [*KINDS, Algorithm, Config, Record, Synthetic, LogSpectrum, Partition, CheckpointPolicy]
"""What a settings file can hold."""
CLASSES = [
    *SETTINGS,
    DataFile,
    Problem,
    RunOptions,
    Constant,
    NoiseConstants,
    Setting,
    SlowMoSquared,
]


def arguments(cls: type) -> dict[str, Any]:
    return dict(GIVEN[cls] if cls in GIVEN else small_settings(cls))
