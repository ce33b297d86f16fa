"""Regressions with fresh examples and with noise of labels: by hand, exactly, and what they do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kavg import Algorithm, Problem, outer, simulate
from kavg.analysis.exact.state_dependent import state_dependent_noise
from kavg.analysis.exact.stationary_values import stationary_values
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.errors import KavgError
from kavg.objectives import Cosine, DeepLinear, FlatMinimum, Linear, Quadratic
from kavg.oracles import Gaussian, LabelNoise, RandomDesign, StateDependent
from kavg.oracles.normals import Normals
from kavg.oracles.streams import Purpose

BOWL = Quadratic((0.25, 1.0, 2.0))
AVERAGING = outer.Averaging()


def test_a_batch_is_the_mean_over_its_examples() -> None:
    B, R, tile = 3, 2, 4
    oracle = RandomDesign(label_variance=0.5, B=B)
    gradient = oracle.plan(BOWL, seed=7, P=tile, R=R, tile=tile)
    x, out = np.random.default_rng(0).normal(size=(tile, R, 3)), np.empty((tile, R, 3))
    gradient.select(range(tile))
    gradient(x, 5, out)
    normals = Normals(seed=7, purpose=Purpose.NOISE, R=R, tile=tile, d=B * 4, dtype="float64")
    normals.streams.select(range(tile))
    drawn = normals.draw(5, 1.0).reshape(tile, R, B, 4)
    a, e = drawn[..., :3] * np.sqrt(BOWL.spectrum), np.sqrt(0.5) * drawn[..., 3]
    residuals = np.vecdot(a, x[:, :, None]) - e
    np.testing.assert_allclose(out, (residuals[..., None] * a).mean(axis=2), rtol=1e-12)


def test_the_constants_are_those_of_the_covariance() -> None:
    noise = RandomDesign(label_variance=0.5, B=4).constants(BOWL)
    assert (noise.M.value, noise.M_v.value, noise.B) == (0.5 * 3.25, 1 + 3.25 / 0.25, 4)
    # The bound is attained along the flattest direction: (w . H w) tr H + ||H w||^2 at e_1.
    assert pytest.approx(noise.M_v.value * 0.25**2, rel=1e-14) == 0.25 * 3.25 + 0.25**2


@pytest.mark.parametrize("rule", [AVERAGING, outer.BlockMomentum(0.5), outer.NesterovMomentum(0.5)])
def test_in_one_dimension_it_is_noise_with_M_v_of_2(rule: Any) -> None:
    """(w . H w + v) H + (H w)^2 = v h + 2 h^2 w^2: docs/theory.md, 4.6."""
    h, v, B = 0.7, 0.3, 4
    method = Algorithm(P=3, K=5, gamma=0.2, outer=rule)
    pairs = [
        Problem(Quadratic((h,)), oracle, 2.0)
        for oracle in (RandomDesign(v, B), StateDependent(M=v * h, M_v=2.0, B=B))
    ]
    one, other = (exact_trajectory(problem, method, 9) for problem in pairs)
    for name, values in one.series.items():
        np.testing.assert_allclose(values, other.series[name], rtol=1e-12)
    floors = [stationary_values(problem, method) for problem in pairs]
    assert floors[0] == pytest.approx(floors[1], rel=1e-10)


def test_the_noise_of_labels_is_along_the_features() -> None:
    """At the minimum a step has the variance gamma^2 v h / (P B) in each direction."""
    problem = Problem(BOWL, RandomDesign(label_variance=3.0, B=2), 0.0)
    one = exact_trajectory(problem, Algorithm(P=4, K=1, gamma=0.5, outer=AVERAGING), 1)
    assert one.variance[1] == pytest.approx(0.25 * 3.0 * np.array(BOWL.spectrum) / 8, rel=1e-14)


def test_the_noise_floor_is_the_closed_form() -> None:
    h, v, B = 0.7, 0.3, 2
    law = state_dependent_noise(h=h, gamma=0.2, K=4, P=3, mu=0.5, m_0=v * h / B, m_v=2 / B)
    method = Algorithm(P=3, K=4, gamma=0.2, outer=outer.BlockMomentum(0.5))
    problem = Problem(Quadratic((h,)), RandomDesign(v, B), 2.0)
    assert stationary_values(problem, method)["F"] == pytest.approx(h * law.second_moment / 2)


@pytest.mark.parametrize("rule", [AVERAGING, outer.BlockMomentum(0.5), outer.SlowMo(0.5)])
@pytest.mark.parametrize("B", [1, 3])
def test_means_of_runs_approach_the_exact_moments(rule: Any, B: int) -> None:
    """Within 4.5 standard errors, for each of 5 rounds and 3 quantities: level 1e-4 a case."""
    problem = Problem(BOWL, RandomDesign(label_variance=0.5, B=B), 1.0)
    method = Algorithm(P=4, K=3, gamma=0.05, outer=rule)
    exact = exact_trajectory(problem, method, 5)
    done = simulate(problem, method, rounds=5, replicas=4000, seed=1)
    for quantity, values in exact.series.items():
        measured = done.series[quantity]
        error = measured.std(axis=1, ddof=1) / np.sqrt(measured.shape[1])
        assert np.all(np.abs(measured.mean(axis=1) - values) <= 4.5 * error + 1e-12), quantity


def test_the_noise_of_features_vanishes_where_there_is_no_residual() -> None:
    problem = Problem(BOWL, RandomDesign(label_variance=0.0), 1.0)
    method = Algorithm(P=2, K=4, gamma=0.1, outer=AVERAGING)
    assert simulate(problem, method, rounds=300, every=300).F[-1].max() < 1e-8
    with_labels = Problem(BOWL, RandomDesign(label_variance=0.5), 1.0)
    assert simulate(with_labels, method, rounds=300, every=300).F[-1].max() > 1e-3


def plan(oracle: Any, objective: Any) -> Any:
    return oracle.plan(objective, seed=1, P=2, R=1, tile=2)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: plan(RandomDesign(1.0), Cosine(dim=2)), "random_design needs .* got Cosine"),
        (
            lambda: plan(RandomDesign(1.0), Quadratic((-1.0,))),
            "without eigenvalues below 0, got Qua",
        ),
        (lambda: plan(RandomDesign(1.0), Quadratic((1.0,), 3)), "without rotation"),
        (lambda: RandomDesign(-1.0), r"label_variance=-1\.0"),
        (lambda: RandomDesign(1.0, B=0), "B=0; use B=1"),
        (
            lambda: plan(LabelNoise(1.0), Linear(dim=2)),
            "needs an objective with labels, got Linear",
        ),
        (lambda: LabelNoise(-1.0), r"label_variance=-1\.0"),
    ],
)
def test_what_does_not_suit_is_refused(attempt: Any, message: str) -> None:
    with pytest.raises(KavgError, match=message):
        attempt()


def test_noise_of_labels_is_a_gradient_at_other_labels() -> None:
    x, out = np.array([[[3.0, 2.0]], [[0.5, 1.0]]]), np.empty((2, 1, 2))
    noise = np.array([[[0.5]], [[-1.0]]])
    for objective in (FlatMinimum(), DeepLinear((1.0,))):
        objective.plan_label_gradient(2, 1, "float64")(x, noise, out)
        # (a b - 1 - e) (b, a).
        assert out.tolist() == [[[9.0, 13.5]], [[0.5, 0.25]]]
    four = DeepLinear((2.0, 1.0), l2=0.1)
    w, e = np.random.default_rng(2).normal(size=(2, 3, 8)), np.zeros((2, 3, 4))
    e[..., 0], e[..., 3] = 0.5, -2.0
    out = np.empty_like(w)
    four.plan_label_gradient(2, 3, "float64")(w, e, out)
    moved = DeepLinear((2.5, -1.0), l2=0.1)
    np.testing.assert_allclose(out, moved.grad(w, np.empty_like(w)), rtol=1e-13)


def test_the_covariance_at_a_minimum_is_the_hessian() -> None:
    """Within 4.5 standard errors of the four entries: level 1e-4."""
    x = np.broadcast_to([4.0, 0.25], (1, 20_000, 2)).copy()
    gradient = LabelNoise(label_variance=0.5, B=2).plan(
        FlatMinimum(), seed=3, P=1, R=20_000, tile=1
    )
    out = np.empty_like(x)
    gradient.select(range(1))
    gradient(x, 0, out)
    products = (out[0, :, :, None] * out[0, :, None, :]).reshape(-1, 4)
    hessian = np.array([0.25 * 0.25, 1.0, 1.0, 16.0])
    error = products.std(axis=0) / np.sqrt(len(products))
    assert np.all(np.abs(products.mean(axis=0) - 0.25 * hessian) <= 4.5 * error)


def test_noise_of_labels_leads_to_the_flattest_minimum() -> None:
    """The trace of the Hessian falls from 4.25 to near 2; without noise it hardly changes."""
    method = Algorithm(P=2, K=4, gamma=0.05, outer=AVERAGING)
    start = (2.0, 0.5)
    traces = [
        simulate(Problem(FlatMinimum(), oracle, start), method, rounds=400, replicas=8, every=400)
        .series["hessian_trace"][-1]
        .mean()
        for oracle in (LabelNoise(label_variance=1.0), LabelNoise(label_variance=0.0))
    ]
    assert traces[1] == pytest.approx(4.25, rel=1e-6)
    assert traces[0] < 2.5


def test_the_noise_of_labels_has_no_known_variance() -> None:
    assert LabelNoise(1.0).constants(FlatMinimum()).M.how == "unknown"
    assert Gaussian(1.0).constants(FlatMinimum()).M.how == "exact"
