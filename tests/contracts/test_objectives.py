"""The contract every analytic objective keeps, over one table of instances.

A small instance of each kind is in the table by itself; instances with other parameters are
entered by hand.  An objective whose minimiser is not 0 needs an entry in ``MINIMISERS``.
"""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from templates.objective import FlatBowl

from kavg import objectives
from kavg.base import Floats, Objective
from kavg.objectives import (
    KINDS,
    Cosine,
    DoubleWell,
    Himmelblau,
    Linear,
    LogSpectrum,
    Quadratic,
    Rosenbrock,
    SineBowl,
    TriangularWave,
)
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.objectives.instances import small_settings


def small_instance(cls: Any) -> Any:
    """In five dimensions where there is a choice: rows of one number would hide mistakes."""
    given = small_settings(cls)
    return cls(**given | ({"dim": 5} if "dim" in given else {}))


TABLE: dict[str, Any] = {
    kind: small_instance(cls) for kind, cls in KINDS.items() if not issubclass(cls, EmpiricalRisk)
} | {
    "template": FlatBowl(dim=5),
    "quadratic, diagonal": Quadratic((0.5, 2.0, 3.0)),
    "quadratic, rotated": Quadratic(LogSpectrum(0.01, 4.0, dim=7), rotation_seed=3),
    "quadratic, indefinite": Quadratic((-5.0, 0.0, 1.0, 2.0), rotation_seed=0),
    "quadratic, flat directions": Quadratic((0.0, 0.3, 2.0), rotation_seed=1),
    "cosine, without bowl": Cosine(dim=3, lam=0.0, A=2.0, omega=0.7),
    "cosine, without ripples": Cosine(dim=2, lam=1.7, A=0.0),
    "cosine, narrow": Cosine(dim=4, lam=0.3, A=0.2, omega=9.0),
    "cosine, wide": Cosine(dim=130),
    "double well, one well": DoubleWell(dim=2, a=0.5, b=1.2),
    "double well, deep": DoubleWell(dim=3, a=2.0, b=3.0),
    "triangular wave, three": TriangularWave(dim=3),
    "triangular wave, narrow": TriangularWave(dim=10, slope=2.5, period=0.9),
    "linear, downhill": Linear(dim=4, slope=-1.5),
    "linear, level": Linear(dim=2, slope=0.0),
    "sine bowl, wide": SineBowl(dim=100),
}
MINIMISERS: dict[str, list[float]] = {
    "double_well": [TABLE["double_well"].well * sign for sign in (1, -1, 1, 1, -1)],
    "double well, deep": [TABLE["double well, deep"].well] * 3,
    "cosine, without bowl": [2 * np.pi / 0.7, 0.0, -4 * np.pi / 0.7],
    "triangular wave, three": [0.0, 4.0, -8.0],
    "rosenbrock": [1.0, 1.0],
    "himmelblau": [3.0, 2.0],
}
"""Where F is least, if not at 0."""
SMOOTH = [name for name, F in TABLE.items() if np.isfinite(F.L.value)]
SHARP = [name for name in SMOOTH if TABLE[name].L.how == "exact"]
BOUNDED = [name for name, F in TABLE.items() if np.isfinite(F.f_star.value)]
LOJASIEWICZ = [name for name, F in TABLE.items() if hasattr(F, "pl") and F.pl.how != "unknown"]
IN_PLACE = [name for name, F in TABLE.items() if not isinstance(F, Rosenbrock | Himmelblau)]
SEEDS = st.integers(0, 2**32 - 1)
SCALES = st.sampled_from([1e-6, 0.1, 1.0, 5.0])


def points(F: Objective, shape: tuple[int, ...], seed: int, scale: float = 1.0) -> Floats:
    return scale * np.random.Generator(np.random.PCG64(seed)).normal(size=(*shape, F.dim))


def gradient(F: Objective, x: Floats) -> Floats:
    return F.grad(x, np.full_like(x, np.nan))


def norms(x: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(x, axis=-1)
    return lengths


def misaligned(x: Floats) -> Floats:
    """An equal array that starts four bytes off."""
    raw = np.empty(x.nbytes + 4, np.uint8)[4:].view(np.float64).reshape(x.shape)
    raw[...] = x
    return raw


def test_the_face_exports_every_kind() -> None:
    assert all(getattr(objectives, cls.__name__) is cls for cls in KINDS.values())


@pytest.mark.parametrize("name", TABLE)
def test_is_an_objective_and_a_value(name: str) -> None:
    F = TABLE[name]
    twin = replace(F)
    assert twin == F
    assert hash(twin) == hash(F)
    for constant in (F.L, F.f_star, *([F.pl] if hasattr(F, "pl") else [])):
        assert constant.source
        assert type(constant.value) is float
    with pytest.raises(AttributeError):
        F.dim = 3
    assert isinstance(F, Objective)


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, scale=SCALES)
def test_gradient_is_the_derivative(name: str, seed: int, scale: float) -> None:
    F, h = TABLE[name], 1e-6
    x = points(F, (), seed, scale)
    ahead, behind = F.value(x + h * np.eye(F.dim)), F.value(x - h * np.eye(F.dim))
    # |central difference - F'| <= L h / 2 for any L-smooth F, the kinked wave included.
    curvature = F.L.value if np.isfinite(F.L.value) else 1300 * (1 + np.abs(x).max()) ** 2
    rounding = 1e-14 * (1 + np.abs(F.value(x)) + F.dim * curvature * np.abs(x).max() ** 2) / h
    error = np.abs((ahead - behind) / (2 * h) - gradient(F, x))
    assert np.all(error <= curvature * h + rounding)


@pytest.mark.parametrize("name", SMOOTH)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, scale=SCALES, distance=st.sampled_from([1e-5, 0.1, 1.0, 30.0]))
def test_gradient_is_lipschitz(name: str, seed: int, scale: float, distance: float) -> None:
    F = TABLE[name]
    a = points(F, (50,), seed, scale)
    b = a + points(F, (50,), seed + 1, distance)
    rounding = 1e-13 * (1 + F.L.value) * (1 + norms(a) + norms(b))
    steepness = norms(gradient(F, a) - gradient(F, b))
    assert np.all(steepness <= F.L.value * norms(a - b) + rounding)


@pytest.mark.parametrize("name", SHARP)
def test_L_is_attained(name: str) -> None:
    F = TABLE[name]
    directions = F.rotation.T if isinstance(F, Quadratic) else np.eye(F.dim)[:1]
    t = np.linspace(-20.0, 20.0, 4001)[:, None, None]
    g = gradient(F, t * directions)
    steepness = norms(np.diff(g, axis=0)) / norms(np.diff(t * directions, axis=0))
    assert steepness.max() >= 0.99 * F.L.value


@pytest.mark.parametrize("name", BOUNDED)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, scale=SCALES)
def test_never_below_f_star(name: str, seed: int, scale: float) -> None:
    F = TABLE[name]
    near = np.array(MINIMISERS.get(name, np.zeros(F.dim)))
    x = np.concatenate([points(F, (50,), seed, scale), near + points(F, (50,), seed, 0.1 * scale)])
    assert np.all(F.value(x) >= F.f_star.value - 1e-14 * (1 + abs(F.f_star.value)))


@pytest.mark.parametrize("name", BOUNDED)
def test_f_star_is_attained(name: str) -> None:
    F = TABLE[name]
    x = np.array(MINIMISERS.get(name, np.zeros(F.dim)))
    advice = f"F({x}) is not f_star; enter a minimiser of {name!r} in MINIMISERS"
    assert F.value(x) == pytest.approx(F.f_star.value, rel=1e-14, abs=1e-14), advice
    assert np.all(np.abs(gradient(F, x)) <= 1e-13)


@pytest.mark.parametrize("name", [name for name in TABLE if name not in BOUNDED])
def test_unbounded_below_where_it_says_so(name: str) -> None:
    F = TABLE[name]
    direction = F.rotation[:, 0] if isinstance(F, Quadratic) else np.full(F.dim, 1.0)
    assert min(F.value(1e6 * direction), F.value(-1e6 * direction)) < -1e6


@pytest.mark.parametrize("name", LOJASIEWICZ)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, scale=SCALES)
def test_polyak_lojasiewicz(name: str, seed: int, scale: float) -> None:
    F = TABLE[name]
    x = points(F, (200,), seed, scale)
    excess = F.value(x) - F.f_star.value
    assert np.all(norms(gradient(F, x)) ** 2 >= 2 * F.pl.value * excess * (1 - 1e-9))


@pytest.mark.parametrize("name", LOJASIEWICZ)
def test_pl_is_attained(name: str) -> None:
    F = TABLE[name]
    directions = F.rotation.T if isinstance(F, Quadratic) else np.eye(F.dim)[:1]
    x = (np.linspace(0.01, 5.0, 2000)[:, None, None] * directions).reshape(-1, F.dim)
    x = x[F.value(x) > 1e-12]
    least = (norms(gradient(F, x)) ** 2 / (2 * F.value(x))).min()
    assert least == pytest.approx(F.pl.value, rel=1e-4)


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_writes_out_and_nothing_else(name: str, seed: int) -> None:
    F = TABLE[name]
    x = points(F, (4, 3), seed)
    before, canary = x.copy(), np.full((6, 5, F.dim + 2), 7.0)
    out = canary[1:5, 1:4, 1:-1]
    x.flags.writeable = False
    assert F.grad(x, out) is out
    assert F.value(x).shape == (4, 3)
    assert np.array_equal(x, before)
    assert np.array_equal(out, gradient(F, x))
    out[...] = 7.0
    assert np.all(canary == 7.0)


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, scale=SCALES, t=st.integers(1, 9), R=st.integers(1, 5), tile=st.integers(1, 9))
def test_rows_do_not_see_each_other(
    name: str, seed: int, scale: float, t: int, R: int, tile: int
) -> None:
    F = TABLE[name]
    x = points(F, (t, R), seed, scale)
    value, grad = F.value(x), gradient(F, x)
    for first in range(0, t, tile):
        rows = slice(first, first + tile)
        assert np.array_equal(F.value(x[rows]), value[rows])
        assert np.array_equal(gradient(F, x[rows]), grad[rows])
    for index in np.ndindex(t, R):
        assert F.value(x[index]) == value[index]
        assert np.array_equal(gradient(F, x[index]), grad[index])


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, t=st.integers(1, 40), R=st.integers(1, 5))
def test_layout_does_not_matter(name: str, seed: int, t: int, R: int) -> None:
    F = TABLE[name]
    x = points(F, (t, R), seed)
    value, grad = F.value(x), gradient(F, x)
    for same in (misaligned(x), np.asfortranarray(x), x[::-1, ::-1].copy()[::-1, ::-1]):
        assert np.array_equal(F.value(same), value)
        assert np.array_equal(F.grad(same, misaligned(np.full_like(grad, np.nan))), grad)
        assert np.array_equal(F.grad(same, np.empty((t, 2 * R, F.dim))[:, ::2]), grad)


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_large_points_are_harmless(name: str, data: st.DataObject) -> None:
    F = TABLE[name]
    far = st.floats(-1e6, 1e6) | st.sampled_from([-1e6, 1e6])
    x: Floats = np.array(data.draw(st.lists(far, min_size=F.dim, max_size=F.dim)))
    with np.errstate(all="raise", under="ignore"):
        assert np.isfinite(F.value(x))
        assert np.all(np.isfinite(gradient(F, x)))
    for scale in (1e3, 1e10, 1e60, 1e94):
        with np.errstate(over="ignore"):
            assert not np.isnan(F.value(scale * x))
            assert np.all(np.isfinite(gradient(F, scale * x)))


@pytest.mark.parametrize("name", IN_PLACE)
def test_gradient_allocates_nothing(name: str) -> None:
    F = TABLE[name]
    x = points(F, (20_000, 8), seed=1)
    out = gradient(F, x)
    tracemalloc.start()
    F.grad(x, out)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.nbytes / 10
