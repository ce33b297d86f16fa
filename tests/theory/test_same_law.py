"""Every contestant of the benchmarks walks by the same law: timings compare like with like.

Means over replicas of F, of ||grad F||^2, of w and of its squared distance from the replicas' mean
after some rounds, kavg against each other contestant, by Welch's test, with independent noise.
``LEVEL`` is the chance that one or more of all comparisons in this file fail although the laws are
the same (Bonferroni); seeds are fixed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from experiments.benchmarks.contestants.kavg_contestant import Ours
from experiments.benchmarks.contestants.roster import runners
from experiments.benchmarks.workloads import Workload
from kavg.objectives import Cosine, DoubleWell, LogisticRegression, Network
from kavg.objectives.data import Synthetic
from kavg.oracles import Gaussian, MiniBatch
from kavg.outer import BlockMomentum
from kavg.problem import Algorithm, Problem
from kavg.starts import Normal

LEVEL = 0.01
COMPARISONS = 150
ROUNDS = 5
METHOD = Algorithm(2, 3, 0.1, BlockMomentum(mu=0.5))
LONG_STEPS = replace(METHOD, gamma=1.0)
DATA = Synthetic("classification", examples=60, features=3)

NOISY = Workload("noisy", Problem(DoubleWell(5), Gaussian(20.0), start=0.5), METHOD, R=600)
RIPPLES = replace(NOISY, problem=Problem(Cosine(5), Gaussian(1.0), start=1.4))
WORKLOADS = {
    "double well": NOISY,
    "double well, float32": replace(NOISY, dtype="float32"),
    "cosine": RIPPLES,
    "logistic": Workload(
        "logistic", Problem(LogisticRegression(DATA), MiniBatch(4)), LONG_STEPS, R=200
    ),
    "network": Workload(
        "network", Problem(Network(DATA, hidden=3), MiniBatch(4), Normal(0.5)), LONG_STEPS, R=200
    ),
}
OTHERS = [(name, who) for name, each in WORKLOADS.items() for who in runners(each) if who != "kavg"]


def seen(workload, run):
    """What is compared, one row a quantity and one column a replica."""
    run(ROUNDS)
    w, objective = run.w(), workload.problem.objective
    assert w.shape == (workload.R, workload.d)
    gradient = objective.grad(w, np.empty_like(w))
    spread = np.square(w - w.mean(axis=0)).sum(axis=1)
    return np.array([objective.value(w), np.vecdot(gradient, gradient), w.mean(axis=1), spread])


@pytest.fixture(scope="module")
def ours():
    """kavg's own, in float64, with noise of seed 1."""
    return {
        name: seen(each, Ours(replace(each, dtype="float64"))) for name, each in WORKLOADS.items()
    }


def differ(one, other):
    """Is some mean not the same, at the level of this file?"""
    p = stats.ttest_ind(one, other, axis=1, equal_var=False).pvalue
    return bool(np.any(p < LEVEL / COMPARISONS))


@pytest.mark.parametrize(("name", "who"), OTHERS)
def test_contestants_agree_with_kavg(ours, name, who):
    if who.startswith(("PyTorch", "JAX")):
        pytest.importorskip({"P": "torch", "J": "jax"}[who[0]])
    workload = WORKLOADS[name]
    if who.startswith("kavg") and workload.dtype != "float64":
        pytest.skip("compared in float64")
    assert not differ(ours[name], seen(workload, runners(workload, seed=1)[who]()))


def test_no_comparison_is_uncounted():
    assert 4 * len(OTHERS) <= COMPARISONS


def test_each_replica_and_seed_has_its_own_noise():
    for who in runners(NOISY):
        if who.startswith(("PyTorch", "JAX")):
            pytest.importorskip({"P": "torch", "J": "jax"}[who[0]])
        one, two = (runners(NOISY, seed=seed)[who]() for seed in (3, 4))
        first, second = seen(NOISY, one)[0], seen(NOISY, two)[0]
        assert len(np.unique(first)) > 0.99 * NOISY.R, who
        assert "sequential" in who or not np.any(first == second), who


WRONG = {
    "mu": replace(NOISY, algorithm=replace(METHOD, outer=BlockMomentum(mu=0.45))),
    "gamma": replace(NOISY, algorithm=replace(METHOD, gamma=0.12)),
    "K": replace(NOISY, algorithm=replace(METHOD, K=4)),
    "P": replace(NOISY, algorithm=replace(METHOD, P=1)),
    "noise": replace(NOISY, problem=replace(NOISY.problem, oracle=Gaussian(30.0))),
    "sine": replace(RIPPLES, problem=replace(RIPPLES.problem, objective=Cosine(5, omega=2.9))),
    "tanh": replace(NOISY, problem=replace(NOISY.problem, objective=DoubleWell(5, b=1.95))),
    "batch": replace(
        WORKLOADS["logistic"],
        problem=replace(WORKLOADS["logistic"].problem, oracle=MiniBatch(2)),
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_contestant_with_a_fault_is_detected(ours, fault):
    """The comparison has the power it needs: kavg with this setting changed is not taken for it."""
    name = {"batch": "logistic", "sine": "cosine"}.get(fault, "double well")
    assert differ(ours[name], seen(WORKLOADS[name], Ours(WRONG[fault], seed=2)))
