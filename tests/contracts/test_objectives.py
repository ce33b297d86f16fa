"""The contract every analytic objective keeps, over one table of instances.

A small instance of each kind is in the table by itself; instances with other parameters are
entered by hand.  An objective whose minimiser is not 0 needs an entry in ``MINIMISERS``.
"""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from helpers.memory import measure_peak
from helpers.strategies import analytic_kinds, small_objective
from hypothesis import given, settings
from hypothesis import strategies as st
from templates.objective import FlatBowl

from kavg.base import Floats, Objective
from kavg.elementary.block_function import BLOCK
from kavg.gradients import has_gradient_plan
from kavg.objectives import (
    Cosine,
    CurvedValley,
    DeepLinear,
    DoubleWell,
    FlatMinimum,
    Himmelblau,
    Linear,
    LogSpectrum,
    NestedRipples,
    Quadratic,
    Rosenbrock,
    SineBowl,
    TriangularWave,
)

# Five dimensions where there is a choice: rows of one number would hide mistakes.
TABLE: dict[str, Any] = {
    kind: small_objective(cls, dim=5) for kind, cls in analytic_kinds().items()
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
    "curved valley, sharp": CurvedValley(dim=2, condition=1e4, bend=3.0),
    "curved valley, straight": CurvedValley(dim=130, bend=0.0),
    "deep linear, penalty": DeepLinear((2.0, 0.25), l2=0.5),
    "deep linear, one unit": DeepLinear((1.0,)),
    "nested ripples, narrow": NestedRipples(dim=4, lam=0.3, fine_omega=40.0),
}
MINIMISERS: dict[str, list[float]] = {
    "double_well": [TABLE["double_well"].well * sign for sign in (1, -1, 1, 1, -1)],
    "double well, deep": [TABLE["double well, deep"].well] * 3,
    "cosine, without bowl": [2 * np.pi / 0.7, 0.0, -4 * np.pi / 0.7],
    "triangular wave, three": [0.0, 4.0, -8.0],
    "rosenbrock": [1.0, 1.0],
    "himmelblau": [3.0, 2.0],
    "flat_minimum": [1.0, 1.0],
    "deep_linear": [0.1**0.5, 0.0, 0.0, 1.0] * 2,
    "deep linear, penalty": [1.5**0.5, 0.0, 0.0, 0.0] * 2,
    "deep linear, one unit": [2.0, 0.5],
}
"""Where F is least, if not at 0: a number for each coordinate of the instance in ``TABLE``."""
SMOOTH = [name for name, F in TABLE.items() if np.isfinite(F.L.value)]
SHARP = [name for name in SMOOTH if TABLE[name].L.how == "exact"]
BOUNDED = [name for name, F in TABLE.items() if np.isfinite(F.f_star.value)]
ATTAINED = [name for name in BOUNDED if TABLE[name].f_star.how == "exact"]
UNBOUNDED = [name for name, F in TABLE.items() if np.isinf(F.f_star.value)]
LOJASIEWICZ = [name for name, F in TABLE.items() if hasattr(F, "pl") and F.pl.how != "unknown"]
PLANNED = [name for name, F in TABLE.items() if has_gradient_plan(F)]
PLANE = Rosenbrock | Himmelblau | FlatMinimum
IN_PLACE = [name for name, F in TABLE.items() if not isinstance(F, PLANE)]
WORKSPACE = 80 * BLOCK
"""Bytes that a gradient may need for a block of its numbers, two sines at most."""
SEEDS = st.integers(0, 2**32 - 1)
SCALES = st.sampled_from([1e-6, 0.1, 1.0, 5.0])


def points(F: Objective, shape: tuple[int, ...], seed: int, scale: float = 1.0) -> Floats:
    return scale * np.random.Generator(np.random.PCG64(seed)).normal(size=(*shape, F.dim))


def gradient(F: Objective, x: Floats) -> Floats:
    return F.grad(x, np.full_like(x, np.nan))


def norms(x: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(x, axis=-1)
    return lengths


def minimiser(name: str) -> Floats:
    return np.array(MINIMISERS.get(name, np.zeros(TABLE[name].dim)))


def curvature_at(F: Objective, x: Floats, h: float = 1e-6) -> float:
    """The largest difference quotient of the gradient along a coordinate."""
    steps = h * np.eye(F.dim)
    return float(np.abs(gradient(F, x + steps) - gradient(F, x - steps)).max() / (2 * h))


def misaligned(x: Floats) -> Floats:
    """An equal array that starts four bytes off."""
    raw = np.empty(x.nbytes + 4, np.uint8)[4:].view(np.float64).reshape(x.shape)
    raw[...] = x
    return raw


@pytest.mark.parametrize("name", TABLE)
def test_is_an_objective_and_a_value(name: str) -> None:
    F = TABLE[name]
    assert is_dataclass(F)
    assert F.__dataclass_params__.frozen, f"{name} must be @dataclass(frozen=True)"
    twin = replace(F)
    assert twin == F
    assert hash(twin) == hash(F)
    with pytest.raises(AttributeError):
        F.dim = 3
    assert isinstance(F, Objective)


@pytest.mark.parametrize("name", TABLE)
def test_constants_say_how_they_were_obtained(name: str) -> None:
    F = TABLE[name]
    for each in ("L", "f_star", "pl"):
        constant = getattr(F, each, None)
        if constant is None:
            continue
        assert constant.source, f"{each} must have a source, which says why it is {constant.value}"
        assert type(constant.value) is float, f"{each} must be a float, got {constant.value!r}"
        assert (constant.how == "unknown") == np.isnan(constant.value), (
            f"{each} must have no value if it is unknown (unknown_constant of kavg.base), and an "
            f"infinite one is exact; got {constant}"
        )
    assert F.L.how == "unknown" or F.L.value >= 0, f"L must be at least 0, got {F.L.value}"


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, scale=SCALES)
def test_gradient_is_the_derivative(name: str, seed: int, scale: float) -> None:
    F, h = TABLE[name], 1e-6
    x = points(F, (), seed, scale)
    ahead, behind = F.value(x + h * np.eye(F.dim)), F.value(x - h * np.eye(F.dim))
    # |central difference - F'| <= L h / 2 for any L-smooth F, the kinked wave included.
    least = min(1 + 2 * curvature_at(F, x), 1300 * (1 + np.abs(x).max()) ** 2)
    curvature = F.L.value if np.isfinite(F.L.value) else least
    rounding = 1e-14 * (1 + np.abs(F.value(x)) + F.dim * curvature * np.abs(x).max() ** 2) / h
    slope, grad = (ahead - behind) / (2 * h), gradient(F, x)
    assert np.all(np.abs(slope - grad) <= curvature * h + rounding), (
        f"grad must be the derivative of value, {slope} by differences at {x}, got {grad}"
    )


@pytest.mark.parametrize("name", SMOOTH)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, scale=SCALES, distance=st.sampled_from([1e-5, 0.1, 1.0, 30.0]))
def test_gradient_is_lipschitz(name: str, seed: int, scale: float, distance: float) -> None:
    F = TABLE[name]
    a = points(F, (50,), seed, scale)
    b = a + points(F, (50,), seed + 1, distance)
    rounding = 1e-13 * (1 + F.L.value) * (1 + norms(a) + norms(b))
    steepness, apart = norms(gradient(F, a) - gradient(F, b)), norms(a - b)
    i = (steepness - F.L.value * apart).argmax()
    assert np.all(steepness <= F.L.value * apart + rounding), (
        f"L must be at least {steepness[i] / apart[i]:.6g}, the change of grad per distance from "
        f"{a[i]} to {b[i]}, got {F.L.value}; it is infinite if no number is enough"
    )


@pytest.mark.parametrize("name", SHARP)
def test_L_is_attained(name: str) -> None:
    F = TABLE[name]
    directions = F.rotation.T if isinstance(F, Quadratic) else np.eye(F.dim)[:1]
    t = np.linspace(-20.0, 20.0, 4001)[:, None, None]
    g = gradient(F, t * directions)
    steepness = norms(np.diff(g, axis=0)) / norms(np.diff(t * directions, axis=0))
    assert steepness.max() >= 0.99 * F.L.value, (
        f"L must be attained if it is exact, got {F.L.value}; the gradient changes by at most "
        f"{steepness.max():.6g} per distance along an axis: lower L, or call it an upper bound"
    )


@pytest.mark.parametrize("name", BOUNDED)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, scale=SCALES)
def test_never_below_f_star(name: str, seed: int, scale: float) -> None:
    F = TABLE[name]
    near = minimiser(name) + points(F, (50,), seed, 0.1 * scale)
    x = np.concatenate([points(F, (50,), seed, scale), near])
    least = F.value(x).argmin()
    assert np.all(F.value(x) >= F.f_star.value - 1e-14 * (1 + abs(F.f_star.value))), (
        f"f_star must be at most {F.value(x[least])}, the value at {x[least]}, got {F.f_star.value}"
    )


@pytest.mark.parametrize("name", ATTAINED)
def test_f_star_is_attained(name: str) -> None:
    F, x = TABLE[name], minimiser(name)
    entry = "change" if name in MINIMISERS else "add"
    assert F.value(x) == pytest.approx(F.f_star.value, rel=1e-14, abs=1e-14), (
        f"f_star must be F({x}) = {F.value(x)} if it is exact and {x} the minimiser, got "
        f"{F.f_star.value}; {entry} the entry of {name!r} in MINIMISERS, {F.dim} numbers, or f_star"
    )
    # A minimiser is rounded to the next float, and the gradient there not 0 but its curvature's.
    room = 1e-13 + 1e-15 * np.abs(x).max() * curvature_at(F, x)
    assert np.all(np.abs(gradient(F, x)) <= room), (
        f"grad must be 0 at the minimiser {x}, got {gradient(F, x)}"
    )


@pytest.mark.parametrize("name", UNBOUNDED)
def test_an_objective_of_infinite_f_star_is_unbounded_below(name: str) -> None:
    F = TABLE[name]
    direction = F.rotation[:, 0] if isinstance(F, Quadratic) else np.full(F.dim, 1.0)
    least = min(F.value(1e6 * direction), F.value(-1e6 * direction))
    assert least < -1e6, f"f_star must be a number if F is bounded below, got {F.f_star.value}"


@pytest.mark.parametrize("name", LOJASIEWICZ)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, scale=SCALES)
def test_the_polyak_lojasiewicz_inequality_holds(name: str, seed: int, scale: float) -> None:
    F = TABLE[name]
    x = points(F, (200,), seed, scale)
    excess = F.value(x) - F.f_star.value
    room = norms(gradient(F, x)) ** 2 - 2 * F.pl.value * excess * (1 - 1e-9)
    assert np.all(room >= 0), f"pl must be less at {x[room.argmin()]}, got {F.pl.value}"


@pytest.mark.parametrize("name", LOJASIEWICZ)
def test_pl_is_attained(name: str) -> None:
    F = TABLE[name]
    directions = F.rotation.T if isinstance(F, Quadratic) else np.eye(F.dim)[:1]
    steps = np.linspace(-5.0, 5.0, 4001)[:, None, None] * directions
    x = minimiser(name) + steps.reshape(-1, F.dim)
    excess = F.value(x) - F.f_star.value
    seen = excess > 1e-9 * (1 + abs(F.f_star.value))
    least = (norms(gradient(F, x[seen])) ** 2 / (2 * excess[seen])).min()
    assert least == pytest.approx(F.pl.value, rel=1e-4), f"pl must be attained, got {F.pl}"


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_writes_out_and_nothing_else(name: str, seed: int) -> None:
    F = TABLE[name]
    x = points(F, (4, 3), seed)
    before, canary = x.copy(), np.full((6, 5, F.dim + 2), 7.0)
    out = canary[1:5, 1:4, 1:-1]
    x.flags.writeable = False  # NumPy refuses to write to it
    try:
        value, grad = F.value(x), F.grad(x, out)
    except ValueError as error:
        pytest.fail(f"value and grad must leave x as it is: {error}")
    assert grad is out, "grad must write to out and return it, got another array"
    assert value.shape == (4, 3), f"value must have shape (4, 3), got {value.shape}"
    assert np.array_equal(x, before), "value and grad must leave x as it is"
    assert np.array_equal(out, gradient(F, x)), "grad must write every number of out"
    out[...] = 7.0
    assert np.all(canary == 7.0), "grad must write to out alone"


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, scale=SCALES, t=st.integers(1, 9), R=st.integers(1, 5), tile=st.integers(1, 9))
def test_rows_do_not_see_each_other(
    name: str, seed: int, scale: float, t: int, R: int, tile: int
) -> None:
    F = TABLE[name]
    x = points(F, (t, R), seed, scale)
    value, grad = F.value(x), gradient(F, x)
    tiles = [slice(first, first + tile) for first in range(0, t, tile)]
    for rows in (*tiles, *np.ndindex(t, R)):
        where = f"at a row must have the same bits whatever rows are beside it, differs for {rows}"
        assert np.array_equal(F.value(x[rows]), value[rows]), f"value {where}"
        assert np.array_equal(gradient(F, x[rows]), grad[rows]), f"grad {where}"


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, t=st.integers(1, 40), R=st.integers(1, 5))
def test_layout_does_not_matter(name: str, seed: int, t: int, R: int) -> None:
    F = TABLE[name]
    x = points(F, (t, R), seed)
    value, grad = F.value(x), gradient(F, x)
    for same in (misaligned(x), np.asfortranarray(x), x[::-1, ::-1].copy()[::-1, ::-1]):
        assert np.array_equal(F.value(same), value), "value must not depend on strides"
        wide = np.empty((t, 2 * R, F.dim))[:, ::2]
        for out in (misaligned(np.full_like(grad, np.nan)), wide):
            assert np.array_equal(F.grad(same, out), grad), "grad must not depend on strides"


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


@pytest.mark.parametrize("name", TABLE)
def test_whole_numbers_have_the_value_of_floats(name: str) -> None:
    F = TABLE[name]
    # The square of the largest is beyond an int64.
    for whole in (np.arange(-2, F.dim - 2), np.full((2, F.dim), 4_000_000_000)):
        assert np.array_equal(F.value(whole), F.value(whole.astype(np.float64))), (
            "value must take integers as the numbers they are; convert x by as_floats"
        )


@pytest.mark.parametrize("name", IN_PLACE)
def test_gradient_allocates_nothing(name: str) -> None:
    F = TABLE[name]
    x = points(F, (500_000 // F.dim, 2), seed=1)
    out = gradient(F, x)
    peak = measure_peak(lambda: F.grad(x, out))
    assert peak < x.nbytes / 20 + WORKSPACE, (
        f"grad must allocate nothing of the size of x, {x.nbytes} bytes, got {peak}; give every "
        "operation its out=, as the template does"
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", PLANNED)
def test_a_planned_gradient_is_that_of_grad(name: str, dtype: Any) -> None:
    F, tile, R = TABLE[name], 700, 9
    planned = F.plan_gradient(tile, R, dtype)
    for t in (1, tile, 2):
        x = points(F, (t, R), seed=t, scale=3.0).astype(dtype)
        x[0, 0, 0], x[-1, -1, -1] = -0.0, 1e30
        wide = np.full((t, R, F.dim + 1), 7.0, dtype)
        out = np.full_like(x, np.nan)
        x.flags.writeable = False
        planned(x, out)
        planned(x, wide[..., :-1])
        assert gradient(F, x).tobytes() == out.tobytes(), "a plan must have the bits of grad"
        assert wide[..., :-1].tobytes() == out.tobytes(), "a plan must not depend on strides"
        assert (wide[..., -1] == 7.0).all(), "a plan must write to out alone"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", PLANNED)
def test_a_planned_gradient_allocates_nothing(name: str, dtype: Any) -> None:
    F = TABLE[name]
    planned = F.plan_gradient(700, 9, dtype)
    x = points(F, (700, 9), seed=1).astype(dtype)
    out = np.empty_like(x)
    planned(x, out)
    peak = measure_peak(lambda: planned(x, out))
    # Views of blocks, and nothing of the size of one.
    assert peak < 4000, f"a planned gradient must allocate nothing, got {peak} bytes"
