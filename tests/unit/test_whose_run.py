"""A run given beside an algorithm, a problem or settings: is it theirs?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np
import pytest

import kavg
from kavg import objectives, oracles, outer, starts
from kavg.analysis import check_bounds
from kavg.analysis.bounds.theorem_1 import Theorem1
from kavg.analysis.comparison import compare_with_bound
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.base.outer_rules import describe_outer_rule
from kavg.errors import KavgError
from kavg.validation import find_mismatch

PROBLEM = kavg.Problem(objectives.Quadratic((1.0, 1.0)), oracles.Gaussian(1.0), 3.0)
PLAIN = kavg.Algorithm(P=4, K=2, gamma=0.1, outer=outer.Averaging(), name="K-AVG")
MOMENTUM = kavg.Algorithm(P=4, K=2, gamma=0.1, outer=outer.BlockMomentum(0.5), name="M-AVG")
FALLING = kavg.schedules.Piecewise((0.1, 0.05), (4,))
OTHERS = (
    ("a run of 'K-AVG', not of 'M-AVG'", {"name": "M-AVG"}, {}),
    (r"P, K, B\) must be \(5, 2, 1\)", {"P": 5}, {}),
    (r"P, K, B\) must be \(4, 3, 1\)", {"K": 3}, {}),
    (r"P, K, B\) must be \(4, 2, 7\)", {}, {"oracle": oracles.Gaussian(1.0, B=7)}),
    (r"gamma in round 1 was 0\.1, not 0\.2", {"gamma": 0.2}, {}),
    (r"gamma in round 5 was 0\.1, not 0\.05", {"gamma": FALLING}, {}),
    ("v does not have the shape", {"outer": outer.BlockMomentum(0.5)}, {}),
    (r"w must be of shape \(3, 5\), got \(3, 2\)", {}, {"objective": objectives.Cosine(dim=5)}),
    ("F at the last w is .* by this", {}, {"objective": objectives.Quadratic((1.0, 1.001)),
                                           "start": starts.Normal()}),
    ("F at the start is 9 there, and 4 by", {}, {"start": 2.0}),
)  # fmt: skip


@pytest.fixture(scope="module")
def runs():
    return [kavg.simulate(PROBLEM, one, rounds=8, replicas=3) for one in (PLAIN, MOMENTUM)]


@pytest.mark.parametrize(("message", "algorithm", "problem"), OTHERS)
def test_a_run_of_other_settings_is_told(runs, message, algorithm, problem):
    other, method = replace(PROBLEM, **problem), replace(PLAIN, **algorithm)
    with pytest.raises(KavgError, match=rf"runs\[0\] must be the run of its algorithm.*{message}"):
        check_bounds(other, [method], runs[:1], rounds=8)
    with pytest.raises(KavgError, match=f"run must be the run of its .*{message}"):
        compare_with_bound(other, method, runs[0], 8, Theorem1())
    with pytest.raises(KavgError, match=f"cannot be extended: .*{message}"):
        kavg.simulate(other, method, rounds=9, replicas=3, extends=runs[0])


def test_runs_in_another_order_than_algorithms_are_refused(runs):
    check_bounds(PROBLEM, [PLAIN, MOMENTUM], runs, rounds=8)
    with pytest.raises(KavgError, match="give runs in the order of their algorithms"):
        check_bounds(PROBLEM, [PLAIN, MOMENTUM], runs[::-1], rounds=8)
    nameless = [replace(one, name="") for one in (PLAIN, MOMENTUM)]
    with pytest.raises(KavgError, match="its v does not have the shape"):
        check_bounds(PROBLEM, nameless, runs[::-1], rounds=8)


@pytest.mark.parametrize("change", [{}, {"diverged_at": None}, {"done": None}, {"name": ""}])
def test_its_own_settings_fit_a_run(runs, change):
    assert find_mismatch(PROBLEM, PLAIN, replace(runs[0], **change)) is None
    assert find_mismatch(PROBLEM, replace(PLAIN, name=""), runs[0]) is None


RULES = (
    (outer.BlockMomentum(0.25), r"block_momentum\(mu=0.25\)"),
    (outer.NesterovMomentum(0.5), r"nesterov\(mu=0.5\)"),
    (outer.SlowMo(0.5), r"slowmo\(mu=0.5\)"),
)


@pytest.mark.parametrize(("rule", "words"), RULES)
def test_another_rule_under_one_name_is_told(runs, rule, words):
    other = replace(MOMENTUM, outer=rule)
    with pytest.raises(KavgError, match=rf"rule was block_momentum\(mu=0.5\), not {words}"):
        kavg.simulate(PROBLEM, other, rounds=9, replicas=3, extends=runs[1])
    # Runs of earlier versions do not say.
    assert find_mismatch(PROBLEM, other, replace(runs[1], outer={})) is None


@dataclass(frozen=True)
class Half:
    """A rule of a user, with fields that are no numbers of it too."""

    mu: float = 0.5
    steps: int = 3
    limit: float = np.inf
    huge: int = 10**400
    kind: int = 3
    memory: bool = True


@final
class Derived(outer.BlockMomentum):  # type: ignore[misc]
    """Another rule than that whose kind it inherits."""


def test_a_rule_is_its_kind_and_its_finite_numbers():
    assert describe_outer_rule(outer.Averaging()) == {"kind": "averaging"}
    assert describe_outer_rule(outer.SlowMo(0.5, 2)) == {"kind": "slowmo", "mu": 0.5, "alpha": 2.0}
    described = {"kind": "Half", "mu": 0.5, "steps": 3.0, "memory": 1.0}
    assert describe_outer_rule(Half()) == described
    assert describe_outer_rule(Derived(0.5)) == {"kind": "Derived", "mu": 0.5}


def test_step_sizes_that_another_machine_rounded_fit(runs):
    rounded = replace(runs[0], gammas=np.nextafter(runs[0].gammas, 1.0))
    assert find_mismatch(PROBLEM, PLAIN, rounded) is None
    longer = kavg.simulate(PROBLEM, PLAIN, rounds=9, replicas=3, extends=rounded)
    assert np.array_equal(longer.w, kavg.simulate(PROBLEM, PLAIN, rounds=9, replicas=3).w)
    other = replace(runs[0], gammas=runs[0].gammas * (1 + 1e-9))
    assert "gamma in round 1 was" in find_mismatch(PROBLEM, PLAIN, other)


def test_a_run_that_diverged_fits_its_settings():
    steep = replace(PLAIN, gamma=50.0)
    run = kavg.simulate(PROBLEM, steep, rounds=400, replicas=3)
    assert run.diverged_at is not None
    assert find_mismatch(PROBLEM, steep, run) is None


def test_another_data_set_is_told():
    features = np.random.default_rng(1).normal(size=(8, 2))
    data = kavg.Data(features, [0, 1] * 4)
    problem = kavg.Problem(objectives.LogisticRegression(data), oracles.MiniBatch(2), 0.5)
    run = kavg.simulate(problem, PLAIN, rounds=3)
    assert find_mismatch(problem, PLAIN, run) is None
    other = replace(
        problem, objective=objectives.LogisticRegression(kavg.Data(features, [1, 0] * 4))
    )
    assert "F at the start is" in find_mismatch(other, PLAIN, run)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"algorithms": PLAIN}, "algorithms must be a list"),
        ({"algorithms": [PROBLEM]}, r"algorithms\[0\] must be an Algorithm"),
        ({"runs": PLAIN}, "runs must be a list"),
        ({"runs": [PLAIN]}, r"runs\[0\] must be a Trajectory that simulate returned"),
        ({"runs": []}, "every algorithm needs its run"),
        ({"problem": PLAIN}, "problem must be a Problem"),
        ({"rounds": 0}, "rounds must be a whole number of at least 1"),
        ({"level": "0.05"}, "level must be a number above 0 and below 1"),
    ],
)
def test_arguments_that_are_mixed_up_are_refused(runs, change, message):
    given = {"problem": PROBLEM, "algorithms": [PLAIN], "runs": runs[:1], "rounds": 8} | change
    with pytest.raises(KavgError, match=message):
        check_bounds(**given)


def test_figures_pair_curves_and_runs_by_name(runs):
    figures = pytest.importorskip("kavg.reports.figures")
    curves = [exact_trajectory(PROBLEM, one, 8) for one in (PLAIN, MOMENTUM)]
    figures.exact_figure(curves, runs)
    with pytest.raises(KavgError, match="must be in one order, got those of 'K-AVG' and 'M-AVG'"):
        figures.exact_figure(curves, runs[::-1])


def test_panels_of_nameless_runs_are_refused(runs):
    from kavg.reports.figures.verdicts import verdict_panels

    nameless = [replace(run, name="") for run in runs]
    pairs = [
        compare_with_bound(PROBLEM, replace(one, name=""), run, 8, Theorem1())
        for one, run in zip((PLAIN, MOMENTUM), nameless, strict=True)
    ]
    with pytest.raises(KavgError, match=r"a name of its own .*use Algorithm\(\.\.\., name='M-AVG'"):
        verdict_panels(pairs, nameless)


def test_an_outer_step_of_1_fits_runs_that_record_it_and_runs_that_do_not(runs):
    method = replace(MOMENTUM, outer=outer.SlowMo(0.5))
    said = {"kind": "slowmo", "mu": 0.5, "alpha": 1.0}
    run = kavg.simulate(PROBLEM, method, rounds=3, replicas=3)
    assert run.outer == {"kind": "slowmo", "mu": 0.5}
    assert find_mismatch(PROBLEM, method, replace(run, outer=said)) is None
    other = replace(method, outer=outer.SlowMo(0.5, alpha=0.7))
    words = "was slowmo(mu=0.5), not slowmo(mu=0.5, alpha=0.7)"
    for recorded in (said, run.outer):
        assert words in find_mismatch(PROBLEM, other, replace(run, outer=recorded))
