"""Exact moments of K-step averaging on quadratics (docs/theory.md, section 4).

``moments`` follows mean and covariance round by round for every linear outer rule;
``stationary`` solves for where they come to rest; ``heavy_ball``, ``nesterov``,
``state_dependent`` and ``learners`` hold the closed forms; ``atlas`` and ``best_momentum`` search.
"""

from kavg.analysis.exact.eigenbasis import EigenProblem, eigen_problem, geometric_sum
from kavg.analysis.exact.linear_rules import LinearRule, linear_rule
from kavg.analysis.exact.moment_recursion import Moments, moment_rounds, moments
from kavg.analysis.exact.momentum_search import BestMomentum, best_momentum
from kavg.analysis.exact.stability_map import Atlas, atlas

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
