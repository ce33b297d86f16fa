"""Exact moments of K-step averaging on quadratics (docs/theory.md, section 4).

``moments`` follows mean and covariance round by round for every linear outer rule;
``best_momentum`` and ``stability_atlas`` search over them.  The module ``stationary`` solves for
the stationary law; ``heavy_ball``, ``nesterov``, ``state_dependent`` and ``heterogeneous`` hold
closed forms; ``trajectory`` applies all this to a ``Problem``.
"""

from kavg.analysis.exact.eigenbasis import EigenProblem, eigen_problem, geometric_sum
from kavg.analysis.exact.linear_rules import LinearRule, linear_rule
from kavg.analysis.exact.moment_recursion import (
    Moments,
    collect_moments,
    iterate_moments,
    moments,
)
from kavg.analysis.exact.momentum_search import BestMomentum, best_momentum
from kavg.analysis.exact.stability_map import Atlas, stability_atlas

__all__ = [
    "Atlas",
    "BestMomentum",
    "EigenProblem",
    "LinearRule",
    "Moments",
    "best_momentum",
    "collect_moments",
    "eigen_problem",
    "geometric_sum",
    "iterate_moments",
    "linear_rule",
    "moments",
    "stability_atlas",
]
