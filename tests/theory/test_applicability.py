"""Whether a theorem applies to a run, with which constants, and the reason where it does not."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from helpers.verdicts import BOWL, K_AVG, M_AVG, NOISE, check_one

from kavg import Problem, objectives, oracles, outer, periods, schedules
from kavg.analysis.applicability import make_setting
from kavg.analysis.bounds import BOUNDS, Setting
from kavg.analysis.verdict import Outcome
from kavg.objectives.data import Synthetic


def test_the_setting_of_a_run():
    noise = oracles.StateDependent(M=2.0, M_v=0.5, B=3)
    made = make_setting(BOWL, noise.constants(BOWL), M_AVG, N=7, Delta=1.5)
    constants = {"L": 1.0, "Delta": 1.5, "sigma2": 2.0, "M_v": 0.5, "pl": 1.0}
    assert made == Setting(P=4, K=2, B=3, N=7, gamma=0.02, mu=0.5, is_affine=True, **constants)
    same = replace(M_AVG, outer=outer.SlowMo(mu=0.5))
    assert make_setting(BOWL, noise.constants(BOWL), same, N=7, Delta=1.5) == made
    flat = replace(M_AVG, gamma=schedules.Piecewise(gammas=(0.02, 0.01), boundaries=(7,)))
    assert make_setting(BOWL, noise.constants(BOWL), flat, N=7, Delta=1.5) == made
    for K in (periods.PiecewisePeriod((2, 4), (7,)), periods.QuadraticSynchronization(alpha=0.03)):
        qsr = replace(M_AVG, K=K)
        assert make_setting(BOWL, noise.constants(BOWL), qsr, N=7, Delta=1.5) == made


def test_numbers_that_would_overflow_are_not_applicable():
    noise = oracles.Gaussian(sigma2=1.0)
    constants = noise.constants(BOWL)
    for gamma, words in (
        (1e-60, "gamma = 1e-60 is out of the range"),
        (1e60, "gamma = 1e+60 is out of the range"),
    ):
        made = make_setting(BOWL, constants, replace(M_AVG, gamma=gamma), N=7, Delta=1.5)
        assert made.reason.startswith(words)
    assert "Delta = 1e+60" in make_setting(BOWL, constants, M_AVG, N=7, Delta=1e60).reason
    assert isinstance(make_setting(BOWL, constants, M_AVG, N=7, Delta=1e-300), Setting)
    # However many rounds there are, a constant step needs no look at each.
    assert make_setting(BOWL, constants, M_AVG, N=2**62, Delta=1.0).N == 2**62


NOT_APPLICABLE = [
    (replace(K_AVG, outer=outer.NesterovMomentum(mu=0.5)), "outer rule nesterov"),
    *(
        (replace(K_AVG, outer=rule), f"cover {rule.kind} with alpha = 1, not 0.5")
        for rule in (
            outer.Averaging(alpha=0.5),
            outer.BlockMomentum(mu=0.5, alpha=0.5),
            outer.SlowMo(mu=0.5, alpha=0.5),
        )
    ),
    *(
        (replace(K_AVG, outer=rule), f"outer rule {rule.kind}")
        for rule in (
            outer.NesterovLookAhead(mu=0.5),
            outer.QuasiHyperbolic(mu=0.5, nu=0.7),
            outer.FedAdam(alpha=0.1),
            outer.FedAdagrad(alpha=0.1),
        )
    ),
    (replace(M_AVG, restart=39), "restarts every 39 rounds; no theorem"),
    (replace(K_AVG, gamma=schedules.InverseSqrt(0.1)), "constant step"),
    (replace(K_AVG, K=periods.PiecewisePeriod((2, 4), (3,))), "K changes from round to round"),
    (replace(K_AVG, K=periods.DispersionControl(1.0, first=2)), "K adapts to the run"),
    (replace(K_AVG, gamma=0.6), r"C1: 1\.56 > 1; gamma <= 0\.41\d* meets it"),
]


@pytest.mark.parametrize(("method", "reason"), NOT_APPLICABLE)
def test_not_applicable_gives_the_reason(method, reason):
    verdict = check_one(Problem(BOWL, NOISE, 3.0), method)
    assert verdict.outcome is Outcome.NOT_APPLICABLE
    assert re.search(reason, verdict.reason), verdict.reason
    assert verdict.ratio is None
    assert np.isnan(verdict.p)


def test_the_nearest_gamma_meets_the_condition():
    verdict = check_one(Problem(BOWL, NOISE, 3.0), replace(K_AVG, gamma=0.6))
    assert not verdict.conditions[0].met
    near = replace(K_AVG, gamma=verdict.largest_gamma)
    assert check_one(Problem(BOWL, NOISE, 3.0), near).outcome is Outcome.HOLDS


def test_not_applicable_without_every_round_or_with_other_gradients():
    problem = Problem(BOWL, NOISE, 3.0)
    assert "record.every = 1" in check_one(problem, K_AVG, every=2).reason
    examples = Synthetic("classification", examples=32, features=3)
    data = objectives.LogisticRegression(data=examples, alpha=0.1)
    batches = check_one(Problem(data, oracles.MiniBatch(B=4), 0.0), K_AVG, rounds=3)
    assert batches.outcome is Outcome.NOT_APPLICABLE
    assert batches.reason.startswith("sigma2 is unknown")
    assert "depends on w" in batches.reason
    shifted = Problem(BOWL, oracles.Shifted(zeta2=1.0, noise=NOISE), 3.0)
    assert "zeta2 = 1" in check_one(shifted, K_AVG).reason
    assert check_one(shifted, replace(K_AVG, gamma=0.05), "heterogeneous").outcome is Outcome.HOLDS
    local = check_one(problem, replace(K_AVG, P=1), "slowmo_squared")
    assert "meta-iterates give it for K = 1" in local.reason
    assert check_one(problem, replace(K_AVG, K=1), "slowmo_squared").outcome is Outcome.HOLDS


def test_an_outer_rule_without_momentum_is_averaging():
    problem = Problem(BOWL, NOISE, 3.0)
    still = replace(K_AVG, outer=outer.BlockMomentum(mu=0.0))
    assert check_one(problem, still, "k_avg").outcome is Outcome.HOLDS
    assert "it covers averaging" in check_one(problem, M_AVG, "k_avg").reason


@pytest.mark.parametrize("objective", [BOWL, objectives.Linear(dim=1)])
def test_slowmo_has_no_base_effect_where_the_gradient_is_affine(objective):
    noise = oracles.Gaussian(sigma2=1.0).constants(objective)
    setting = make_setting(objective, noise, replace(M_AVG, K=4), N=7, Delta=1.5)
    (bound,) = [bound for bound in BOUNDS if bound.name == "slowmo_squared"]
    assert bound.value(setting).drift == 0.0
    assert "base_effect" not in (bound.exclusion(setting) or "")
    assert "base_effect" in bound.exclusion(replace(setting, is_affine=False, L=1.0))


def test_a_run_that_ends_before_its_first_restart_has_none():
    problem = Problem(BOWL, NOISE, 3.0)
    assert check_one(problem, replace(M_AVG, restart=40)).outcome is Outcome.HOLDS
