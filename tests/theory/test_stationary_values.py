"""Stationary values are where exact moments end, for every linear rule and noise."""

from __future__ import annotations

import pytest

from kavg import Algorithm, Problem, objectives, oracles, outer, schedules
from kavg.analysis.exact.stationary_values import stationary_values
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.errors import KavgError

BOWL = objectives.Quadratic((0.5, 1.0, 2.0))
RULES = [outer.Averaging(), outer.BlockMomentum(0.6), outer.NesterovMomentum(0.5),
         outer.SlowMo(mu=0.4, alpha=0.8)]  # fmt: skip
NOISES = {
    "additive": oracles.Gaussian(sigma2=2.0),
    "unlike learners": oracles.Shifted(zeta2=3.0, noise=oracles.Gaussian(sigma2=2.0), seed=1),
    "growing": oracles.StateDependent(M=2.0, M_v=0.8),
}


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_moments_approach_the_stationary_values(rule, noise):
    problem = Problem(BOWL, NOISES[noise], start=3.0)
    method = Algorithm(P=4, K=3, gamma=0.1, outer=rule)
    found = stationary_values(problem, method)
    late = exact_trajectory(problem, method, rounds=1500, every=1500)
    for name, value in found.items():
        assert value == pytest.approx(late.series[name][-1], rel=1e-9)
        assert value > 0


@pytest.mark.parametrize(
    ("problem", "method", "said"),
    [
        (Problem(objectives.Cosine(dim=2), NOISES["additive"], 1.0), None, "Quadratic or Linear"),
        (Problem(objectives.Linear(dim=1), NOISES["additive"], 1.0), None, "no minimum"),
        (None, Algorithm(2, 1, schedules.InverseSqrt(0.1), RULES[0]), "schedule"),
        (None, Algorithm(2, 1, 1.5, RULES[0]), "no stationary law"),
        (Problem(BOWL, oracles.StateDependent(M=1.0, M_v=30.0), 1.0),
         Algorithm(1, 1, 0.5, RULES[0]), "grows with the gradient too fast"),
    ],
)  # fmt: skip
def test_without_a_stationary_law_the_reason_is_said(problem, method, said):
    problem = problem or Problem(BOWL, NOISES["additive"], 1.0)
    method = method or Algorithm(2, 1, 0.1, RULES[0])
    with pytest.raises(KavgError, match=said):
        stationary_values(problem, method)
