"""K-step averaging SGD with block momentum: a laboratory."""

from kavg import objectives, oracles, outer, schedules, starts
from kavg.base import Constant
from kavg.engine.communicator import SerialComm
from kavg.engine.rounds import meta_iterations
from kavg.engine.simulation import simulate
from kavg.errors import KavgError
from kavg.objectives.data import Data, Synthetic
from kavg.problem import Algorithm, Problem
from kavg.storage import load_trajectories
from kavg.trajectory import Round, State, Trajectory
from kavg.version import __version__

__all__ = [
    "Algorithm",
    "Constant",
    "Data",
    "KavgError",
    "Problem",
    "Round",
    "SerialComm",
    "State",
    "Synthetic",
    "Trajectory",
    "__version__",
    "load_trajectories",
    "meta_iterations",
    "objectives",
    "oracles",
    "outer",
    "schedules",
    "simulate",
    "starts",
]
