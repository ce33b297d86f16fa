"""K-step averaging SGD with block momentum: a laboratory."""

from kavg import objectives, oracles, outer, schedules, starts
from kavg.base import Algorithm, Constant, Problem
from kavg.comm import SerialComm
from kavg.errors import KavgError
from kavg.rounds import Round
from kavg.simulate import meta_iterations, simulate
from kavg.trajectory import State, Trajectory
from kavg.version import __version__

__all__ = [
    "Algorithm",
    "Constant",
    "KavgError",
    "Problem",
    "Round",
    "SerialComm",
    "State",
    "Trajectory",
    "__version__",
    "meta_iterations",
    "objectives",
    "oracles",
    "outer",
    "schedules",
    "simulate",
    "starts",
]
