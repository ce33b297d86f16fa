"""Objectives: values one can check by hand, and what their constructors refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from kavg.base import Objective
from kavg.errors import KavgError
from kavg.objectives import (
    Cosine,
    CurvedValley,
    DeepLinear,
    DoubleWell,
    FlatMinimum,
    Himmelblau,
    Linear,
    Logarithm,
    LogSpectrum,
    NestedRipples,
    Quadratic,
    Rosenbrock,
    Saturating,
    SineBowl,
    TriangularWave,
)
from kavg.objectives.rotation import haar_rotation

PI, ROOT = np.pi, np.sqrt(3.0)


@pytest.mark.parametrize(
    ("F", "x", "value", "grad"),
    [
        (Quadratic((2.0, -4.0)), [3.0, 1.0], 7.0, [6.0, -4.0]),
        (Cosine(2, lam=2.0, A=3.0, omega=1.0), [PI / 2, 0.0], PI**2 / 4 + 3, [PI + 3, 0.0]),
        (Cosine(1, lam=0.0, A=1.5, omega=2.0), [PI / 2], 3.0, [0.0]),
        (DoubleWell(1, a=1.0, b=1.0), [np.log(2.0)], np.log(2) ** 2 / 2 - np.log(1.25), None),
        (DoubleWell(1, a=2.0, b=3.0), [200.0], 20000 - 2 * (600 - np.log(2)), [194.0]),
        (Saturating(2), [1.0, 2.0], 1.3, [0.5, 4 / 25]),
        (Saturating(1), [1e200], 1.0, None),
        (Logarithm(2), [1.0, -3.0], np.log(20.0), [1.0, -0.6]),
        (TriangularWave(1), [0.5], 0.125, [0.5]),
        (TriangularWave(1), [1.0], 0.5, [1.0]),
        (TriangularWave(1), [2.0], 1.0, [0.0]),
        (TriangularWave(1), [-1.5], 0.875, [-0.5]),
        (TriangularWave(2, slope=3.0, period=8.0), [7.0, 13.0], 1.5 + 10.5, [-3.0, -3.0]),
        (Linear(3, slope=2.0), [1.0, 2.0, -4.0], -2.0, [2.0, 2.0, 2.0]),
        (SineBowl(2), [PI / 2, 0.0], PI**2 / 4 + 3, [PI, 0.0]),
        (Rosenbrock(), [-1.0, 2.0], 104.0, [396.0, 200.0]),
        (Himmelblau(), [1.0, 1.0], 106.0, [-46.0, -38.0]),
        (FlatMinimum(), [3.0, 1.0], 2.0, [2.0, 6.0]),
        (DeepLinear((1.0,), depth=3), [1.0, 2.0, 3.0], 12.5, [30.0, 15.0, 10.0]),
        # W_2 W_1 = [[1, 2], [1, 3]], E = [[-1, 2], [1, 2]]; E W_1^T = [[3, 2], [5, 2]].
        (
            DeepLinear((2.0, 1.0), l2=0.5),
            [1.0, 2.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0],
            5 + 2.25,
            [0.5, 5.0, 1.0, 2.5, 3.5, 2.0, 5.5, 2.5],
        ),
        # psi(sqrt 3) = 1 and psi'(sqrt 3) = sqrt(3)/2.
        (
            CurvedValley(2, condition=4.0, bend=0.5),
            [ROOT, 0.5 + ROOT],
            3 / 8 + 1,
            [ROOT / 4 - 0.375, ROOT / 2],
        ),
        (
            CurvedValley(3, condition=4.0, bend=0.5),
            [0.0, ROOT, 0.5 + ROOT],
            2.0,
            [0.0, ROOT / 2 - 0.375, ROOT / 2],
        ),
        (
            NestedRipples(1, lam=2.0, A=1.5, omega=2.0, fine_A=0.5, fine_omega=4.0),
            [PI / 2],
            PI**2 / 4 + 3,
            [PI],
        ),
    ],
)
def test_values_and_gradients_by_hand(
    F: Objective, x: list[float], value: float, grad: list[float] | None
) -> None:
    point = np.array(x)
    assert F.value(point) == pytest.approx(value, rel=1e-14, abs=1e-15)
    if grad is not None:
        assert F.grad(point, np.empty(F.dim)) == pytest.approx(grad, rel=1e-14, abs=1e-14)


@pytest.mark.parametrize(
    ("F", "L", "f_star"),
    [
        (Quadratic((1.0, -3.0)), 3.0, -np.inf),
        (Quadratic((0.0, 2.0)), 2.0, 0.0),
        (Cosine(7, lam=1.0, A=2.0, omega=3.0), 19.0, 0.0),
        (Cosine(7, lam=0.0, A=1.0, omega=2.0), 4.0, 0.0),
        (DoubleWell(3, a=0.5, b=1.0), 1.0, 0.0),
        (DoubleWell(3, a=1.0, b=3.0), 8.0, None),
        (Saturating(9), 2.0, 0.0),
        (Logarithm(9), 2.0, 0.0),
        (TriangularWave(9, slope=0.3), 0.3, 0.0),
        (Linear(2, slope=-1.0), 0.0, -np.inf),
        (Linear(2, slope=0.0), 0.0, 0.0),
        (SineBowl(4), 8.0, 0.0),
        (Rosenbrock(), np.inf, 0.0),
        (Himmelblau(), np.inf, 0.0),
        (FlatMinimum(), np.inf, 0.0),
        (DeepLinear((1.0, 2.0), depth=3), np.inf, 0.0),
        (NestedRipples(5), 15.0, 0.0),
    ],
)
def test_constants_by_hand(F: Objective, L: float, f_star: float | None) -> None:
    assert (F.L.value, F.L.how, F.f_star.how) == (L, "exact", "exact")
    assert f_star is None or F.f_star.value == f_star


@settings(max_examples=200, deadline=None)
@given(
    excess=st.floats(1e-9, 200.0) | st.sampled_from([3e-16, 1e-15, 1e-12]), b=st.floats(0.1, 10.0)
)
def test_double_well_finds_its_wells(excess: float, b: float) -> None:
    F = DoubleWell(dim=3, a=(1.0 + excess) / b / b, b=b)
    c = F.a * b * b
    if c > 1 + 1e-9:
        u = brentq(lambda u: u - c * np.tanh(u), 0.5 * np.sqrt(min(c - 1, 1.0)), 2 * c, xtol=1e-15)
        assert F.well == pytest.approx(u / b, rel=1e-6)
        assert F.f_star.value < 0
    near = F.well * np.linspace(0.0, 2.0, 401)[:, None] * np.ones(3)
    assert F.value(near).min() == pytest.approx(F.f_star.value, rel=1e-13, abs=1e-15 * F.a)


@pytest.mark.parametrize("a", [1e15, 1e16, 1e100, 1e150])
def test_steep_double_wells_are_at_a_b(a: float) -> None:
    F = DoubleWell(dim=1, a=a, b=2.0)
    assert F.well == 2.0 * a
    assert F.f_star.value == pytest.approx(-2.0 * a * a, rel=1e-14)


def test_a_cosine_of_a_huge_omega_has_a_gradient() -> None:
    F = Cosine(dim=2, lam=0.0, A=1e-310, omega=1e305)
    found = F.grad(np.array([0.0, 1e-306]), np.empty(2))
    assert found == pytest.approx([0.0, 1e-5 * np.sin(0.1)], rel=1e-10)
    bowl = Cosine(dim=2, lam=1.0, A=0.0, omega=1e305)
    assert bowl.grad(np.array([0.5, 1.0]), np.empty(2)).tolist() == [0.5, 1.0]


def test_double_well_sums_its_wells() -> None:
    assert DoubleWell(5).f_star.value == 5 * DoubleWell(1).f_star.value


def test_sine_bowl_constant_is_the_least_ratio() -> None:
    F = SineBowl(1)

    def ratio(w: float) -> float:
        x = np.array([w])
        return float(F.grad(x, np.empty(1))[0] ** 2 / (2 * F.value(x)))

    best = minimize_scalar(ratio, bounds=(1.5, 2.5), method="bounded", options={"xatol": 1e-12})
    assert F.pl.value == pytest.approx(best.fun, rel=1e-12)
    assert F.pl.value == pytest.approx(0.1755, abs=5e-5)


def test_sine_bowl_is_a_cosine() -> None:
    x = np.linspace(-9.0, 9.0, 60).reshape(20, 3)
    F, twin = SineBowl(3), Cosine(3, lam=2.0, A=1.5, omega=2.0)
    assert F.value(x) == pytest.approx(twin.value(x), rel=1e-13)
    assert F.grad(x, np.empty_like(x)) == pytest.approx(twin.grad(x, np.empty_like(x)), abs=1e-13)


def test_triangular_wave_stays_in_range_where_floats_are_coarse() -> None:
    x = np.logspace(0, 300, 3001)
    for F in (TriangularWave(3001), TriangularWave(3001, slope=3.0, period=0.7)):
        assert np.abs(F.grad(x, np.empty_like(x))).max() <= F.slope * F.period / 4
        assert F.value(x) <= F.dim * F.slope * F.period**2 / 16


def test_rotation_keeps_the_spectrum() -> None:
    plain, turned = Quadratic((-1.0, 0.5, 4.0)), Quadratic((-1.0, 0.5, 4.0), rotation_seed=5)
    assert np.linalg.eigvalsh(turned.hessian) == pytest.approx(plain.eigenvalues)
    assert np.array_equal(turned.hessian, turned.hessian.T)
    assert np.abs(turned.hessian - plain.hessian).max() > 0.1
    x = np.array([1.0, -2.0, 0.5])
    assert turned.value(turned.rotation @ x) == pytest.approx(float(plain.value(x)))
    assert turned.eigen_coordinates(turned.rotation @ x) == pytest.approx(x)


def test_rotation_depends_on_the_seed_alone() -> None:
    assert np.array_equal(haar_rotation(4, seed=2), haar_rotation(4, seed=2))
    assert np.abs(haar_rotation(4, seed=2) - haar_rotation(4, seed=3)).max() > 0.01


def test_rotation_is_uniform() -> None:
    # Each entry is symmetric about 0 with variance 1/d.  4.5 standard errors: level 1e-5 each.
    Q = np.array([haar_rotation(3, seed) for seed in range(2000)])
    assert np.all(np.abs(Q.mean(axis=0)) < 4.5 / np.sqrt(3 * 2000))
    assert np.all(np.abs((Q**2).mean(axis=0) - 1 / 3) < 4.5 * np.sqrt(4 / 45 / 2000))


def test_derived_arrays_cannot_be_changed() -> None:
    F = Quadratic((1.0, 2.0), rotation_seed=1)
    for array in (F.eigenvalues, F.rotation, F.hessian):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_lojasiewicz_constant_of_quadratics() -> None:
    assert Quadratic((3.0, 0.5)).pl.value == 0.5
    assert Quadratic((0.0, 0.5)).pl.value == 0.5
    assert Quadratic((-1.0, 0.5)).pl.how == "unknown"
    assert Quadratic((0.0, 0.0)).pl.how == "unknown"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Cosine(dim=0), r"dim must be .* at least 1, got dim=0"),
        (lambda: Cosine(dim=1, lam=-1.0), "lam must be .* at least 0, got lam=-1.0"),
        (lambda: Cosine(dim=1, A=-2.0), "A must be .* at least 0, got A=-2.0"),
        (lambda: Cosine(dim=1, omega=0.0), "omega must be .* above 0"),
        (lambda: Cosine(dim=1, omega=1e200), r"lam \+ A\*omega\^2 must be a finite"),
        (lambda: Cosine(dim=1, lam=1e-20), "lam=1e-20 is too small beside .* or lam=0"),
        (lambda: DoubleWell(dim=2.0), r"dim must be a whole number .* got dim=2.0"),  # type: ignore[arg-type]
        (lambda: DoubleWell(dim=1, a=0.0), "a must be .* above 0"),
        (lambda: DoubleWell(dim=1, b=np.inf), "b must be a finite"),
        (lambda: DoubleWell(dim=1, b=1e200), r"a\*b\^2 must be a finite"),
        (lambda: Saturating(dim=-1), "got dim=-1"),
        (lambda: Logarithm(dim=0), "got dim=0"),
        (lambda: SineBowl(dim=0), "got dim=0"),
        (lambda: TriangularWave(dim=0), "got dim=0"),
        (lambda: TriangularWave(dim=1, slope=0.0), "slope must be .* above 0"),
        (lambda: TriangularWave(dim=1, period=np.nan), "period must be .* got period=nan"),
        (lambda: Linear(dim=0), "got dim=0"),
        (lambda: Linear(dim=1, slope=np.inf), "slope must be a finite number, got slope=inf"),
        (lambda: Quadratic(()), r"len\(spectrum\) must be .* give an eigenvalue"),
        (lambda: Quadratic((1.0, np.nan)), r"finite number, got spectrum\[1\]=nan"),
        (
            lambda: Quadratic((1.0,), rotation_seed=-1),
            "rotation_seed must .* got rotation_seed=-1; use None",
        ),
        (lambda: LogSpectrum(0.0, 1.0, 2), "low must be .* above 0"),
        (lambda: LogSpectrum(1.0, np.inf, 2), "high must be a finite"),
        (lambda: LogSpectrum(2.0, 1.0, 2), "low must not exceed high"),
        (lambda: LogSpectrum(1.0, 2.0, 1), "one eigenvalue needs low equal to high"),
        (lambda: LogSpectrum(1.0, 2.0, 0), "got dim=0"),
    ],
)
def test_constructors_refuse_wrong_values(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(KavgError, match=message):
        make()
