"""A small problem, two algorithms, and the verdict of one theorem on a run of them."""

from __future__ import annotations

from kavg import Algorithm, objectives, oracles, outer, simulate
from kavg.analysis.bounds import BOUNDS
from kavg.analysis.decision import check_bounds

BOWL = objectives.Quadratic(spectrum=(1.0, 1.0))
NOISE = oracles.Gaussian(sigma2=1.0)
K_AVG = Algorithm(P=4, K=2, gamma=0.1, outer=outer.Averaging(), name="K-AVG")
M_AVG = Algorithm(P=4, K=2, gamma=0.02, outer=outer.BlockMomentum(mu=0.5), name="M-AVG")
THEOREM = {bound.name: bound for bound in BOUNDS}


def check_one(
    problem, method, bound="theorem_1", rounds=40, replicas=20, level=0.05, seed=1, every=1
):
    """Run an algorithm and compare it with one bound."""
    run = simulate(problem, method, rounds=rounds, replicas=replicas, seed=seed, every=every)
    (verdict,) = check_bounds(
        problem, [method], [run], rounds=rounds, level=level, bounds=[THEOREM[bound]]
    )
    return verdict
