"""Step sizes as functions of the round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.base import Schedule
from kavg.errors import KavgError
from kavg.schedules import KINDS, ConstantStep, InverseSqrt, Piecewise, WarmUp

GAMMAS = st.floats(1e-6, 1e3)
ROUNDS = st.integers(1, 10**6)
TABLE: dict[str, Schedule] = {
    "constant": ConstantStep(0.3),
    "inverse_sqrt": InverseSqrt(0.3, rounds=10),
    "piecewise": Piecewise(gammas=(0.3, 0.1, 0.2), boundaries=(5, 9)),
    "piecewise, one piece": Piecewise(gammas=(0.3,), boundaries=()),
    "warm_up": WarmUp(rounds=4, then=InverseSqrt(0.3)),
}


def test_the_table_has_every_kind() -> None:
    assert {type(schedule) for schedule in TABLE.values()} == set(KINDS.values())


@pytest.mark.parametrize("name", TABLE)
@given(ROUNDS)
def test_step_sizes_are_positive_numbers_and_functions_of_the_round(name: str, n: int) -> None:
    gamma = TABLE[name](n)
    assert type(gamma) is float
    assert 0 < gamma <= 0.3
    assert TABLE[name](n) == gamma


@given(GAMMAS, ROUNDS)
def test_a_constant_step_is_the_same_in_every_round(gamma: float, n: int) -> None:
    assert ConstantStep(gamma)(n) == gamma


@given(GAMMAS, st.integers(1, 1000), ROUNDS)
def test_inverse_sqrt_falls_as_its_formula(gamma: float, rounds: int, n: int) -> None:
    schedule = InverseSqrt(gamma, rounds=rounds)
    assert schedule(1) == gamma
    assert schedule(n + 1) <= schedule(n)
    assert schedule(n) ** -2 == pytest.approx(gamma**-2 * (rounds + n - 1) / rounds, rel=1e-12)


def test_inverse_sqrt_by_hand() -> None:
    assert [InverseSqrt(1.2)(n) for n in (1, 4, 9)] == pytest.approx([1.2, 0.6, 0.4])
    assert InverseSqrt(1.0, rounds=8)(9) ** 2 == pytest.approx(0.5)


def test_piecewise_changes_after_each_boundary() -> None:
    schedule = Piecewise(gammas=(3.0, 2.0, 1.0), boundaries=(2, 5))
    assert [schedule(n) for n in range(1, 8)] == [3.0, 3.0, 2.0, 2.0, 2.0, 1.0, 1.0]


@given(st.lists(st.integers(1, 50), unique=True, max_size=5), st.integers(1, 60))
def test_piecewise_counts_the_boundaries_behind(boundaries: list[int], n: int) -> None:
    pieces = tuple(float(i + 1) for i in range(len(boundaries) + 1))
    schedule = Piecewise(gammas=pieces, boundaries=tuple(sorted(boundaries)))
    assert schedule(n) == 1 + len([b for b in boundaries if b < n])


def test_warm_up_rises_in_equal_steps_and_then_follows() -> None:
    schedule = WarmUp(rounds=4, then=ConstantStep(1.0))
    assert [schedule(n) for n in range(1, 7)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


@given(st.integers(1, 20), st.integers(1, 100))
def test_warm_up_multiplies_what_it_warms_up(rounds: int, n: int) -> None:
    then = Piecewise(gammas=(0.4, 0.1), boundaries=(7,))
    share = min(1.0, n / rounds)
    assert WarmUp(rounds=rounds, then=then)(n) == pytest.approx(share * then(n))


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "zero": (lambda: ConstantStep(0.0), r"gamma=0\.0"),
    "negative": (lambda: InverseSqrt(-1.0), r"gamma=-1\.0"),
    "nan": (lambda: ConstantStep(float("nan")), "gamma=nan"),
    "rounds": (lambda: InverseSqrt(1.0, rounds=0), "rounds=0; use rounds=1"),
    "a piece": (lambda: Piecewise((1.0, 0.0), (3,)), r"got gammas\[1\]=0\.0"),
    "no piece": (lambda: Piecewise((), ()), "0 gammas and 0 boundaries"),
    "pieces": (lambda: Piecewise((1.0, 2.0), (3, 4)), "2 gammas and 2 boundaries"),
    "order": (lambda: Piecewise((1.0, 2.0, 3.0), (4, 3)), r"that rise, got \(4, 3\)"),
    "twice": (lambda: Piecewise((1.0, 2.0, 3.0), (3, 3)), "that rise"),
    "round 0": (lambda: Piecewise((1.0, 2.0), (0,)), r"at least 1 that rise, got \(0,\)"),
    "no warm-up": (
        lambda: WarmUp(rounds=0, then=ConstantStep(1.0)),
        "rounds=0; leave the warm-up out",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_schedules_are_refused_with_advice(name: str) -> None:
    attempt, message = REFUSED[name]
    with pytest.raises(KavgError, match=message):
        attempt()
