"""The algorithm: K local steps, the mean over learners and the outer rule, on Protocols alone.

``simulate`` and ``meta_iterations`` are what users call.  A command builds a ``Run`` from its
settings instead and hands it to ``complete_run``; both take the same path.
"""

from kavg.engine.communicator import SerialComm
from kavg.engine.rounds import meta_iterations
from kavg.engine.run import Callback
from kavg.engine.simulation import simulate

__all__ = ["Callback", "SerialComm", "meta_iterations", "simulate"]
