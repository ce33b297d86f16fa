"""K-step averaging SGD with block momentum: simulation, and comparison with theory.

``simulate(problem, algorithm, rounds=...)`` returns a ``Trajectory``; ``meta_iterations`` yields
one round after another.  A ``Problem`` is an objective, an oracle of its stochastic gradients and a
start; an ``Algorithm`` is ``P`` learners, ``K`` local steps, a step size and an outer rule.  Their
parts are in ``objectives``, ``oracles``, ``outer``, ``schedules``, ``starts``, ``optimizers``,
``aggregations`` and ``periods``; ``methods`` makes the algorithms of the field by name.

>>> import kavg
>>> problem = kavg.Problem(kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), 2.0)
>>> method = kavg.Algorithm(P=4, K=8, gamma=0.05, outer=kavg.outer.BlockMomentum(mu=0.5))
>>> kavg.simulate(problem, method, rounds=10, replicas=5, seed=1).F.shape
(11, 5)
"""

from kavg import (
    aggregations,
    measures,
    methods,
    objectives,
    optimizers,
    oracles,
    outer,
    periods,
    schedules,
    starts,
)
from kavg.base import Constant
from kavg.engine.batch import simulate_batch
from kavg.engine.communicator import SerialComm
from kavg.engine.rounds import meta_iterations
from kavg.engine.simulation import simulate
from kavg.errors import KavgError
from kavg.objectives.data import Data, DataFile, Synthetic
from kavg.problem import Algorithm, Problem
from kavg.storage import ResultTable, load_results, load_trajectories
from kavg.trajectory import Round, State, Trajectory
from kavg.version import __version__

__all__ = [
    "Algorithm",
    "Constant",
    "Data",
    "DataFile",
    "KavgError",
    "Problem",
    "ResultTable",
    "Round",
    "SerialComm",
    "State",
    "Synthetic",
    "Trajectory",
    "__version__",
    "aggregations",
    "load_results",
    "load_trajectories",
    "measures",
    "meta_iterations",
    "methods",
    "objectives",
    "optimizers",
    "oracles",
    "outer",
    "periods",
    "schedules",
    "simulate",
    "simulate_batch",
    "starts",
]
