"""The contract of the outer rules: what is done with the mean displacement.

A small instance of each kind is tested by itself.  What only some rules do, such as settling at a
known displacement, is tested for those that are named.
"""

from __future__ import annotations

import dataclasses
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.reference import rounds as reference_rounds
from hypothesis import given
from hypothesis import strategies as st
from templates.outer_rule import ScaledAveraging

from kavg.base import Floats, Outer
from kavg.base.outer_rules import memory_shape
from kavg.errors import KavgError
from kavg.objectives.instances import small_settings
from kavg.outer import (
    KINDS,
    Averaging,
    BlockMomentum,
    FedAdagrad,
    FedAdam,
    NesterovLookAhead,
    NesterovMomentum,
    QuasiHyperbolic,
    SlowMo,
)
from kavg.outer.outer_step import move_along

MUS = st.floats(0, 0.99)
GAMMAS = st.floats(1e-3, 10.0)
Make = Callable[[float], Outer]


MOMENTUM = {cls for cls in KINDS.values() if any(f.name == "mu" for f in dataclasses.fields(cls))}


def maker(cls: type) -> Make:
    """A function from mu to a rule; one without momentum ignores it."""
    given = small_settings(cls)
    return lambda mu: cls(**given | ({"mu": mu} if cls in MOMENTUM else {}))


RULES: dict[str, Make] = {kind: maker(cls) for kind, cls in KINDS.items()}
RULES["template"] = maker(ScaledAveraging)
WITH_MOMENTUM = [kind for kind, cls in KINDS.items() if cls in MOMENTUM]
ALPHAS = st.floats(0.1, 2.0)
WITH_ALPHA = [
    kind for kind, cls in KINDS.items() if any(f.name == "alpha" for f in dataclasses.fields(cls))
]
LINEAR = [kind for kind, cls in KINDS.items() if cls not in (FedAdagrad, FedAdam)]
DISPLACEMENTS = st.lists(st.floats(-10, 10), min_size=1, max_size=8)


def walk(
    rule: Outer, displacements: Any, gammas: Any = 1.0, w: float = 0.0
) -> list[tuple[float, float]]:
    """``(start, w)`` of each round, in one coordinate."""
    at = np.array([[w]])
    v, start = np.zeros(memory_shape(rule, 1, 1)), np.empty_like(at)
    path = []
    steps = np.broadcast_to(gammas, len(displacements))
    for d, gamma in zip(displacements, steps, strict=True):
        rule.start(at, v, start)
        rule.step(at, v, np.array([[float(d)]]), float(gamma))
        path.append((float(start[0, 0]), float(at[0, 0])))
    return path


def meta_iterates(*arguments: Any, **named: Any) -> Floats:
    return np.array([w for _, w in walk(*arguments, **named)])


@pytest.mark.parametrize("kind", RULES)
def test_is_a_value_with_a_worked_step(kind: str) -> None:
    rule = RULES[kind](0.5)
    assert rule == RULES[kind](0.5)
    assert hash(rule) == hash(RULES[kind](0.5)), f"{kind} must be @dataclass(frozen=True)"
    doc = type(rule).__doc__ or ""
    assert ".step(" in doc or ".start(" in doc, "the docstring must have a round by hand"


HAND: dict[str, tuple[Outer, list[tuple[float, float]]]] = {
    # d = 1, then 2, then 0; gamma = 1/2, then 1/4, then 1/4; mu = 1/2
    "averaging": (Averaging(), [(0, 1), (1, 3), (3, 3)]),
    "block_momentum": (BlockMomentum(0.5), [(0, 1), (1, 3.5), (3.5, 4.75)]),
    "nesterov": (NesterovMomentum(0.5), [(0, 1), (1.5, 3.5), (4.75, 4.75)]),
    # u = -2, -9, -4.5
    "slowmo": (SlowMo(0.5), [(0, 1), (1, 3.25), (3.25, 4.375)]),
    "slowmo, alpha": (SlowMo(0.5, alpha=2.0), [(0, 2), (2, 6.5), (6.5, 8.75)]),
    "averaging, alpha": (Averaging(0.5), [(0, 0.5), (0.5, 1.5), (1.5, 1.5)]),
    # v = 1, 2.5, 1.25 in all that follow
    "block_momentum, alpha": (BlockMomentum(0.5, 0.5), [(0, 0.5), (0.5, 1.75), (1.75, 2.375)]),
    "nesterov, alpha": (NesterovMomentum(0.5, 0.5), [(0, 0.5), (0.75, 1.75), (2.375, 2.375)]),
    "nesterov_look_ahead": (NesterovLookAhead(0.5), [(0, 1.5), (1.5, 4.75), (4.75, 5.375)]),
    "nesterov_look_ahead, alpha": (
        NesterovLookAhead(0.5, alpha=0.5),
        [(0, 0.75), (0.75, 2.375), (2.375, 2.6875)],
    ),
    "quasi_hyperbolic": (
        QuasiHyperbolic(0.5, nu=0.25, alpha=2.0),
        [(0, 1.75), (1.75, 5.375), (5.375, 5.6875)],
    ),
}


@pytest.mark.parametrize("name", HAND)
def test_paths_by_hand(name: str) -> None:
    rule, path = HAND[name]
    assert walk(rule, [1, 2, 0], [0.5, 0.25, 0.25]) == path


def test_adaptive_rules_by_hand() -> None:
    # m = 1, 1, 0, 0.5, and s = 1 throughout
    adam = FedAdam(alpha=2.0, beta1=0.5, beta2=0.75, tau=1.0)
    assert walk(adam, [2, 1, -1, 1]) == [(0, 1), (1, 2), (2, 2), (2, 2.5)]
    # s = 4, 6.25, with roots 2, 2.5
    assert walk(FedAdagrad(alpha=5.0, tau=0.5), [2, 1.5]) == [(0, 4), (4, 6.5)]
    # m = 1, 1.25
    assert walk(FedAdagrad(alpha=5.0, beta1=0.5, tau=0.5), [2, 1.5])[0] == (0, 2)


@given(DISPLACEMENTS, st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0.1, 2.0))
def test_adaptive_rules_are_those_of_the_paper(
    d: list[float], beta1: float, beta2: float, tau: float
) -> None:
    """Algorithm 2 of Reddi et al. 2020 in plain numbers, without a correction of bias."""
    w, m, adam, adagrad = [0.0, 0.0], 0.0, 0.0, 0.0
    expected = []
    for x in d:
        m = beta1 * m + (1 - beta1) * x
        adam = beta2 * adam + (1 - beta2) * x**2
        adagrad = adagrad + x**2
        w = [w[0] + 0.5 * m / (adam**0.5 + tau), w[1] + 0.5 * m / (adagrad**0.5 + tau)]
        expected.append(w)
    ours = [FedAdam(0.5, beta1, beta2, tau), FedAdagrad(0.5, beta1, tau)]
    found = np.stack([meta_iterates(rule, d) for rule in ours], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("mu", [0.0, 0.5, 0.9])
def test_steady_displacement(name: str, mu: float) -> None:
    w = meta_iterates(RULES[name](mu), [1.0] * 400)
    expected = 1.0 if name in ("averaging", "quasi_hyperbolic") else 1 / (1 - mu)
    assert w[-1] - w[-2] == pytest.approx(expected, rel=1e-9)


@given(DISPLACEMENTS, GAMMAS, MUS)
def test_slowmo_is_block_momentum_while_gamma_is_constant(
    d: list[float], gamma: float, mu: float
) -> None:
    ours = meta_iterates(BlockMomentum(mu), d)
    np.testing.assert_allclose(meta_iterates(SlowMo(mu), d, gamma), ours, rtol=1e-10, atol=1e-10)


@given(st.floats(0.1, 0.9), st.floats(0.1, 0.9))
def test_slowmo_is_another_method_when_gamma_changes(mu: float, ratio: float) -> None:
    ours = meta_iterates(BlockMomentum(mu), [1.0, 1.0])
    theirs = meta_iterates(SlowMo(mu), [1.0, 1.0], [1.0, ratio])
    assert ours[1] - theirs[1] == pytest.approx(mu * (1 - ratio))


@given(DISPLACEMENTS, st.floats(-10, 10), ALPHAS)
def test_no_momentum_is_averaging_bit_for_bit(d: list[float], w: float, alpha: float) -> None:
    expected = walk(Averaging(alpha), d, w=w)
    assert walk(BlockMomentum(0.0, alpha), d, w=w) == expected
    assert walk(NesterovMomentum(0.0, alpha), d, w=w) == expected
    assert walk(NesterovLookAhead(0.0, alpha), d, w=w) == expected
    theirs = meta_iterates(SlowMo(0.0, alpha), d, 0.3, w=w)
    np.testing.assert_allclose(theirs, [at for _, at in expected], rtol=1e-12, atol=1e-12)


@given(DISPLACEMENTS, st.floats(-10, 10), MUS, ALPHAS)
def test_ends_of_quasi_hyperbolic_momentum_are_other_rules_bit_for_bit(
    d: list[float], w: float, mu: float, alpha: float
) -> None:
    plain, momentum = QuasiHyperbolic(mu, 0.0, alpha), QuasiHyperbolic(mu, 1.0, alpha)
    assert walk(plain, d, w=w) == walk(Averaging(alpha), d, w=w)
    assert walk(momentum, d, w=w) == walk(BlockMomentum(mu, alpha * (1 - mu)), d, w=w)


@given(DISPLACEMENTS, MUS, ALPHAS)
def test_quasi_hyperbolic_momentum_with_nu_of_mu_is_nesterovs(
    d: list[float], mu: float, alpha: float
) -> None:
    ours = meta_iterates(QuasiHyperbolic(mu, mu, alpha), d)
    theirs = meta_iterates(NesterovLookAhead(mu, alpha * (1 - mu)), d)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@given(DISPLACEMENTS, MUS, ALPHAS)
def test_both_forms_of_nesterov_start_learners_at_the_same_points(
    d: list[float], mu: float, alpha: float
) -> None:
    anchored = walk(NesterovMomentum(mu, alpha), d)
    ahead = walk(NesterovLookAhead(mu, alpha), d)
    starts = [[start for start, _ in each] for each in (anchored, ahead)]
    np.testing.assert_allclose(starts[0], starts[1], rtol=1e-12, atol=1e-12)


@given(DISPLACEMENTS, MUS, ALPHAS, GAMMAS)
def test_the_outer_step_of_slowmo_is_that_of_block_momentum_while_gamma_is_constant(
    d: list[float], mu: float, alpha: float, gamma: float
) -> None:
    ours = meta_iterates(BlockMomentum(mu, alpha), d)
    theirs = meta_iterates(SlowMo(mu, alpha), d, gamma)
    np.testing.assert_allclose(theirs, ours, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("cls", [BlockMomentum, NesterovMomentum])
@given(DISPLACEMENTS, MUS)
def test_an_outer_step_of_1_is_no_product(cls: type, d: list[float], mu: float) -> None:
    w, v = 0.0, 0.0
    expected = []
    for x in d:
        v = mu * v + x
        w = w + v
        expected.append(w)
    assert meta_iterates(cls(mu), d).tolist() == expected


@pytest.mark.parametrize("name", LINEAR)
@given(DISPLACEMENTS, st.sampled_from([2.0, -4.0, 0.125]), MUS, GAMMAS)
def test_linear_in_the_displacements(
    name: str, d: list[float], factor: float, mu: float, gamma: float
) -> None:
    once = meta_iterates(RULES[name](mu), d, gamma)
    scaled = meta_iterates(RULES[name](mu), [factor * x for x in d], gamma)
    np.testing.assert_allclose(scaled, factor * once, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", RULES)
@given(st.floats(-100, 100), st.lists(st.integers(-9, 9), min_size=1, max_size=5))
def test_a_shift_of_the_start_shifts_the_path(name: str, w: float, d: list[int]) -> None:
    there, here = (meta_iterates(RULES[name](0.5), d, w=at) for at in (w, 0.0))
    np.testing.assert_allclose(there - w, here, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", LINEAR)
def test_rules_agree_with_the_pseudocode_of_the_papers(name: str) -> None:
    """F' = 1 with a step size that changes: every learner moves by ``-K gamma(n)``."""

    def gamma(n: int) -> float:
        return 1.0 / n

    def slope(w: Floats, learner: int, step: int) -> Floats:
        return np.ones_like(w)

    lines = reference_rounds(slope, np.zeros(1), P=2, K=3, gamma=gamma, rule=name, mu=0.7)
    expected = [float(next(lines)[0][0]) for _ in range(6)]
    gammas = [gamma(n) for n in range(1, 7)]
    ours = meta_iterates(RULES[name](0.7), [-3 * g for g in gammas], gammas)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


def arrays(rule: Outer, *shape: int) -> tuple[Floats, Floats, Floats]:
    """``w``, ``v`` and a displacement, drawn; ``v`` is empty for a rule without memory."""
    generator = np.random.Generator(np.random.PCG64(1))
    w, d = generator.normal(size=(2, *shape))
    # Of one sign, as a memory of squares has.
    return w, np.abs(generator.normal(size=memory_shape(rule, *shape))), d


def part_of_memory(rule: Outer, v: Floats, part: tuple[slice, slice], d: int) -> Floats:
    """Of each array in ``v`` the rows and coordinates of a part, side by side again."""
    if not rule.memory:
        return v
    rows, columns = part
    arrays_of_v = v.reshape(len(v), -1, d)[rows, :, columns]
    return arrays_of_v.reshape(len(arrays_of_v), -1)


@pytest.mark.parametrize("name", RULES)
def test_memory_says_whether_there_is_v(name: str) -> None:
    rule = RULES[name](0.5)
    w, v, d = arrays(rule, 4, 5)
    before = v.copy()
    try:
        rule.start(w, v, np.empty_like(w))
        rule.step(w, v, d, 0.1)
    except ValueError as error:
        if rule.memory:
            raise
        pytest.fail(f"memory must be True if the rule uses v, which is empty otherwise: {error}")
    assert not rule.memory or not np.array_equal(v, before), (
        "step must write to v in place if memory is True, got the same v; with out=v or v[...] ="
    )


@pytest.mark.parametrize("name", RULES)
def test_start_writes_out_and_nothing_else(name: str) -> None:
    rule = RULES[name](0.5)
    w, v, _ = arrays(rule, 4, 5)
    kept_w, kept_v, start = w.copy(), v.copy(), np.full_like(w, np.nan)
    rule.start(w, v, start)
    assert np.isfinite(start).all(), "start must write every number of out, with out[...] ="
    assert np.array_equal(w, kept_w), "start must leave w as it is"
    assert np.array_equal(v, kept_v), "start must leave v as it is"


@pytest.mark.parametrize("name", RULES)
def test_step_writes_in_place_and_returns_nothing(name: str) -> None:
    rule = RULES[name](0.5)
    w, v, d = arrays(rule, 4, 5)
    before = w.copy()
    returned = rule.step(w, v, d, 0.1)  # type: ignore[func-returns-value]
    assert returned is None, "step must return None, got a value"
    assert not np.array_equal(w, before), (
        "step must write to w in place, got the same w; with out=w or w[...] =, as w = w + d binds "
        "the name to a new array"
    )


@pytest.mark.parametrize("name", RULES)
def test_rows_and_coordinates_do_not_see_each_other(name: str) -> None:
    rule = RULES[name](0.5)
    w, v, d = arrays(rule, 4, 5)
    part = (slice(2, 3), slice(1, None))
    alone_w, alone_d = w[part].copy(), d[part].copy()
    alone_v = part_of_memory(rule, v, part, 5).copy()
    start, alone = np.empty_like(w), np.empty_like(alone_w)
    rule.start(w, v, start)
    rule.start(alone_w, alone_v, alone)
    rule.step(w, v, d, 0.1)
    rule.step(alone_w, alone_v, alone_d, 0.1)
    what = "of a replica and a coordinate must not depend on the others: no sums over an axis"
    assert np.array_equal(alone, start[part]), f"start {what}"
    assert np.array_equal(alone_w, w[part]), f"w {what}"
    assert np.array_equal(alone_v, part_of_memory(rule, v, part, 5)), f"v {what}"


@pytest.mark.parametrize("name", RULES)
def test_the_first_round_moves_along_the_displacement(name: str) -> None:
    for d in (1.0, -2.0):
        ((start, w),) = walk(RULES[name](0.5), [d], w=3.0)
        assert start == 3.0, f"learners must start at w while v is 0, got {start} for w = 3"
        assert (w - 3.0) * d > 0, f"step must move w along the displacement {d}, got {w - 3.0}"


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_no_state_but_w_and_v(name: str) -> None:
    rule = RULES[name](0.5)
    before = dict(vars(rule))
    first = meta_iterates(rule, [1.0, 2.0, 3.0])
    assert vars(rule) == before, "a rule must keep nothing but w and v, got new attributes"
    again = meta_iterates(rule, [1.0, 2.0, 3.0])
    assert np.array_equal(first, again), (
        f"a rule must keep nothing but w and v: the same displacements led to {first}, then {again}"
    )


@pytest.mark.parametrize("name", RULES)
def test_a_step_allocates_nothing(name: str) -> None:
    rule = RULES[name](0.5)
    w, v, d = arrays(rule, 4, 100_000)
    tracemalloc.start()
    rule.start(w, v, np.empty_like(w))
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    rule.step(w, v, d, 0.1)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < w.nbytes / 10, (
        f"step must allocate nothing of the size of w, {w.nbytes} bytes, got {peak}; give every "
        "operation its out=: the displacement may be overwritten"
    )


def refusal(make: Make, mu: float) -> str:
    """The message of the error, or what was made instead."""
    try:
        return f"{make(mu)}"
    except KavgError as error:
        return str(error)


@pytest.mark.parametrize("name", WITH_MOMENTUM)
@pytest.mark.parametrize("mu", [1.0, -0.1, 1.5, float("nan"), float("inf")])
def test_mu_outside_0_to_1_is_refused(name: str, mu: float) -> None:
    message = refusal(RULES[name], mu)
    assert message.endswith(f"got mu={mu!r}; use 0 for averaging"), (
        f"mu must be of type Momentum and checked by check_ranges in __post_init__, got {message}"
    )


@pytest.mark.parametrize("kind", WITH_ALPHA)
@pytest.mark.parametrize("alpha", [0.0, -1.0, float("nan")])
def test_alpha_must_be_positive(kind: str, alpha: float) -> None:
    given = small_settings(KINDS[kind]) | {"alpha": alpha}
    with pytest.raises(KavgError, match=f"alpha={alpha!r}"):
        KINDS[kind](**given)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_the_move_is_by_the_outer_step(alpha: float) -> None:
    w, x = np.array([[1.0]]), np.array([[4.0]])
    move_along(w, x, alpha, workspace=x)
    assert w.item() == 1.0 + 4.0 * alpha


def test_every_rule_of_kavg_has_an_outer_step() -> None:
    assert set(WITH_ALPHA) == set(KINDS)
