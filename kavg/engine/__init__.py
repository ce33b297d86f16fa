"""K local steps, the exact mean and the outer rule, on Protocols alone: the algorithm."""

from kavg.engine.communicator import SerialComm
from kavg.engine.rounds import meta_iterations
from kavg.engine.simulation import simulate

__all__ = ["SerialComm", "meta_iterations", "simulate"]
