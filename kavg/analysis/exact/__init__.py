"""Exact moments of K-step averaging on quadratics (docs/theory.md, section 4).

``moments`` follows mean and covariance round by round for every linear outer rule;
``stationary`` solves for where they come to rest; ``heavy_ball``, ``nesterov``,
``state_dependent`` and ``learners`` hold the closed forms; ``atlas`` and ``best_momentum`` search.
"""

from kavg.analysis.exact import heavy_ball, learners, nesterov, state_dependent, stationary
from kavg.analysis.exact.atlas import Atlas, atlas
from kavg.analysis.exact.best import BestMomentum, best_momentum
from kavg.analysis.exact.eigen import EigenProblem, eigen_problem, geometric_sum
from kavg.analysis.exact.recursion import Moments, moment_rounds, moments
from kavg.analysis.exact.rules import LinearRule, linear_rule

__all__ = [
    "Atlas",
    "BestMomentum",
    "EigenProblem",
    "LinearRule",
    "Moments",
    "atlas",
    "best_momentum",
    "eigen_problem",
    "geometric_sum",
    "heavy_ball",
    "learners",
    "linear_rule",
    "moment_rounds",
    "moments",
    "nesterov",
    "state_dependent",
    "stationary",
]
