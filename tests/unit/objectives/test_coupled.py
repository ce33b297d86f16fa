"""Valleys, curves of minima and layers: their constants, and how they are related."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kavg.base import Floats
from kavg.errors import KavgError
from kavg.objectives import Cosine, CurvedValley, DeepLinear, FlatMinimum, NestedRipples
from kavg.objectives.curvature import hessian_norms


def gradient(F: Any, x: Floats) -> Floats:
    return np.asarray(F.grad(x, np.empty_like(x)))


def hessian(F: Any, x: Floats, h: float = 1e-5) -> Floats:
    steps = h * np.eye(F.dim)
    return np.asarray((gradient(F, x + steps) - gradient(F, x - steps)) / (2 * h))


@pytest.mark.parametrize("dim", [2, 3, 7])
@pytest.mark.parametrize("condition", [1.0, 1e4])
def test_the_condition_number_of_a_valley_is_the_one_given(dim: int, condition: float) -> None:
    H = hessian(CurvedValley(dim, condition, bend=2.0), np.zeros(dim))
    expected = np.diag([1 / condition] + [1.0] * (dim - 1))
    np.testing.assert_allclose(H, expected, atol=1e-9)


@pytest.mark.parametrize("bend", [0.0, 0.3, 1.0, 4.0])
def test_L_of_a_valley_bounds_the_hessian_and_is_not_far_off(bend: float) -> None:
    F = CurvedValley(dim=5, bend=bend)
    random = np.random.default_rng(1)
    floor = np.zeros((400, 5))
    floor[:, 0] = random.normal(scale=2.0, size=400)
    for i in range(4):  # near the floor, where the walls are steepest
        floor[:, i + 1] = bend * (np.hypot(1.0, floor[:, i]) - 1.0)
    points = floor + random.normal(scale=0.5, size=(400, 5)) * random.integers(0, 2, (400, 1))
    norms = hessian_norms(F, points, steps=100)
    assert norms.max() <= F.L.value * (1 + 1e-6)
    assert norms.max() >= F.L.value / 3
    assert F.L.how == "upper bound"


def test_a_valley_is_followed_along_its_floor() -> None:
    F, x = CurvedValley(dim=2, condition=1000.0, bend=1.0), np.array([4.0, 3.0])
    for _ in range(2000):
        x = x - gradient(F, x) / F.L.value
    # It is still far from 0 and near the floor.
    assert 0.5 < x[0] < 4.0
    assert abs(x[1] - (np.hypot(1.0, x[0]) - 1.0)) < 0.01


def test_the_value_of_a_valley_does_not_cancel_near_0() -> None:
    F = CurvedValley(dim=2, condition=4.0)
    assert F.value(np.array([1e-9, 1e-9])) == pytest.approx(0.125e-18 + 0.5e-18, rel=1e-8)


def test_a_valley_has_a_gradient_far_out() -> None:
    """There psi is the size of its argument, in both precisions and without an overflow."""
    F = CurvedValley(dim=2, condition=100.0)
    assert gradient(F, np.array([1e200, -1e200])) == pytest.approx([1e198, -1.0])
    assert gradient(F, np.array([-1e8, 2e8])) == pytest.approx([-1e6 + 1.0, 1.0], rel=1e-12)
    x, out = np.array([[[1e30, -1e30]]], np.float32), np.empty((1, 1, 2), np.float32)
    F.plan_gradient(1, 1, "float32")(x, out)
    assert out[0, 0] == pytest.approx([1e28, -1.0], rel=1e-6)


LAYERS = {
    "two": DeepLinear((2.0, 0.5)),
    "two, l2": DeepLinear((2.0, 0.25), l2=0.5),
    "three": DeepLinear((1.5, -1.0), depth=3, l2=0.2),
    "four of one": DeepLinear((1.0,), depth=4),
}
each = pytest.mark.parametrize("name", LAYERS)


@each
@pytest.mark.parametrize("radius", [0.5, 2.0])
def test_the_bound_on_a_ball_holds(name: str, radius: float) -> None:
    F = LAYERS[name]
    x = np.random.default_rng(3).normal(size=(300, F.dim))
    x *= radius / np.linalg.norm(x, axis=1, keepdims=True)
    bound = F.bound_on_ball(radius)
    norms = hessian_norms(F, x, steps=200)
    assert norms.max() <= bound.value * (1 + 1e-6)
    assert norms.max() >= bound.value / 20
    assert bound.how == "upper bound"


def test_the_bound_on_a_ball_by_hand() -> None:
    # The Hessian of (a b)^2/2 is [[b^2, 2ab], [2ab, a^2]].
    F = DeepLinear((0.0,))
    assert hessian(F, np.array([1.0, 1.0])) == pytest.approx(np.array([[1.0, 2.0], [2.0, 1.0]]))
    assert F.bound_on_ball(np.sqrt(2.0)).value == pytest.approx(2.0 + np.sqrt(2.0))


@pytest.mark.parametrize("name", ["two, l2", "three"])
def test_the_bound_on_a_level_set_holds(name: str) -> None:
    F = LAYERS[name]
    x = np.random.default_rng(4).normal(size=(500, F.dim))
    values = F.value(x)
    for value in np.quantile(values, [0.1, 0.5, 1.0]):
        inside = x[values <= value]
        bound = F.bound_on_level_set(float(value)).value
        assert hessian_norms(F, inside, steps=200).max() <= bound * (1 + 1e-6)


def test_level_sets_without_a_penalty_have_no_bound() -> None:
    with pytest.raises(KavgError, match="level sets are bounded if l2 is above 0 only"):
        LAYERS["two"].bound_on_level_set(1.0)


def test_the_least_value_of_two_layers_with_a_penalty() -> None:
    # p = t - l2 = 1.5 for t = 2, and 0 for t = 1/4: l2 (t - l2/2) + t^2/2.
    F = LAYERS["two, l2"]
    assert F.f_star.value == pytest.approx(0.5 * 1.75 + 0.25**2 / 2, rel=1e-15)
    root = np.sqrt(1.5)
    best = np.array([root, 0.0, 0.0, 0.0] * 2)
    assert F.value(best) == pytest.approx(F.f_star.value, rel=1e-14)
    assert np.abs(gradient(F, best)).max() < 1e-14
    x = np.random.default_rng(5).normal(size=(50, 8))
    for _ in range(3000):
        x = x - 0.05 * gradient(F, x)
    assert F.value(x).min() == pytest.approx(F.f_star.value, rel=1e-9)
    assert F.value(x).min() >= F.f_star.value - 1e-14


@each
def test_the_recorded_trace_is_that_of_the_hessian(name: str) -> None:
    F = LAYERS[name]
    x = np.random.default_rng(6).normal(size=(4, F.dim))
    traces = [np.trace(hessian(F, row)) for row in x]
    np.testing.assert_allclose(F.measures["hessian_trace"](x), traces, rtol=1e-7)


def test_the_flat_minimum_is_a_network_of_one_unit() -> None:
    x = np.random.default_rng(7).normal(size=(9, 2))
    curve, network = FlatMinimum(), DeepLinear((1.0,))
    assert np.array_equal(curve.value(x), network.value(x))
    assert np.array_equal(gradient(curve, x), gradient(network, x))
    traces = [F.measures["hessian_trace"](x) for F in (curve, network)]
    np.testing.assert_allclose(traces[0], traces[1], rtol=1e-15)


def test_larger_targets_are_learnt_first() -> None:
    F, x = DeepLinear((3.0, 0.5)), np.array([0.01, 0.0, 0.0, 0.01] * 2)
    learnt = {0: 0, 3: 0}
    for step in range(1, 3000):
        x = x - 0.02 * gradient(F, x)
        for place, target in ((0, 3.0), (3, 0.5)):
            if not learnt[place] and x[place] * x[4 + place] > target / 2:
                learnt[place] = step
    assert 0 < 3 * learnt[0] < learnt[3]


def test_nested_ripples_are_a_sum_of_two_cosines() -> None:
    x = np.linspace(-9.0, 9.0, 60).reshape(20, 3)
    F = NestedRipples(3, lam=2.0, A=1.5, omega=2.0, fine_A=0.2, fine_omega=20.0)
    broad, narrow = Cosine(3, 2.0, 1.5, 2.0), Cosine(3, 0.0, 0.2, 20.0)
    assert np.array_equal(F.value(x), broad.value(x) + narrow.value(x))
    assert np.array_equal(gradient(F, x), gradient(broad, x) + gradient(narrow, x))
    assert F.L.value == 2.0 + 6.0 + 80.0
    plain = NestedRipples(3, lam=2.0, A=1.5, omega=2.0, fine_A=0.0)
    assert np.array_equal(gradient(plain, x), gradient(broad, x))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: CurvedValley(dim=1),
            "dim must be .* got dim=1; a valley needs a floor and a wall",
        ),
        (lambda: CurvedValley(2, condition=0.5), "condition must be .* got condition=0.5"),
        (lambda: CurvedValley(2, bend=-1.0), "bend must be"),
        (lambda: DeepLinear((1.0,), depth=1), "depth must be .* one layer is a quadratic"),
        (lambda: DeepLinear(()), r"len\(targets\) must be .* give a target for each unit"),
        (lambda: DeepLinear((1.0,), l2=-0.1), "l2 must be"),
        (lambda: DeepLinear((1.0,)).bound_on_ball(-1.0), "radius must be"),
        (lambda: NestedRipples(dim=2, lam=1e-20), "lam=1e-20 is too small beside"),
        (lambda: NestedRipples(dim=2, fine_omega=0.0), "fine_omega must be"),
        (
            lambda: NestedRipples(dim=2, fine_omega=1e200),
            r"fine_A\*fine_omega\^2 must be a finite .* got lam .*=inf",
        ),
    ],
)
def test_wrong_numbers_are_refused(make: Any, message: str) -> None:
    with pytest.raises(KavgError, match=message):
        make()
