"""Averaging periods as functions of the round: exact values, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import floor, inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.base import AdaptivePeriod, Period
from kavg.errors import KavgError
from kavg.periods import (
    KINDS,
    DispersionControl,
    PiecewisePeriod,
    QuadraticSynchronization,
    WarmUpPeriod,
)

COUNTS = st.integers(1, 10_000)
GAMMAS = st.floats(1e-3, 10.0)
TABLE: dict[str, Period] = {
    "piecewise": PiecewisePeriod(Ks=(1, 8, 4), boundaries=(5, 9)),
    "piecewise, one piece": PiecewisePeriod(Ks=(3,), boundaries=()),
    "warm_up": WarmUpPeriod(rounds=4, then=8),
    "warm_up, qsr": WarmUpPeriod(rounds=4, then=QuadraticSynchronization(alpha=0.2)),
    "qsr": QuadraticSynchronization(alpha=0.2, least=2, most=50),
    "dispersion": DispersionControl(spread=1.0, first=4),
}


def test_the_table_has_every_kind() -> None:
    assert {type(period) for period in TABLE.values()} == set(KINDS.values())


@pytest.mark.parametrize("name", TABLE)
@given(COUNTS, GAMMAS)
def test_periods_are_counts_and_functions_of_round_and_step_size(
    name: str, n: int, gamma: float
) -> None:
    K = TABLE[name](n, gamma)
    assert type(K) is int
    assert K >= 1
    assert TABLE[name](n, gamma) == K


def test_only_what_is_measured_adapts() -> None:
    adaptive = {name for name, period in TABLE.items() if isinstance(period, AdaptivePeriod)}
    assert adaptive == {"dispersion"}


@pytest.mark.parametrize("name", TABLE)
@given(COUNTS, GAMMAS)
def test_no_period_is_above_the_largest_that_it_states(name: str, n: int, gamma: float) -> None:
    most = getattr(TABLE[name], "most", None)
    assert most is None or TABLE[name](n, gamma) <= most


def test_the_largest_period_is_stated() -> None:
    pieces = PiecewisePeriod(Ks=(1, 8, 4), boundaries=(5, 9))
    assert pieces.most == WarmUpPeriod(rounds=4, then=pieces).most == 8
    assert WarmUpPeriod(rounds=4, then=2).most == 2
    assert WarmUpPeriod(rounds=4, then=QuadraticSynchronization(alpha=0.2)).most is None


# By hand.


def test_piecewise_changes_after_each_boundary() -> None:
    period = PiecewisePeriod(Ks=(1, 8, 4), boundaries=(2, 5))
    assert [period(n, 0.1) for n in range(1, 8)] == [1, 1, 8, 8, 8, 4, 4]


@given(COUNTS, COUNTS, COUNTS)
def test_a_warm_up_is_post_local_sgd(rounds: int, K: int, n: int) -> None:
    piecewise = PiecewisePeriod(Ks=(1, K), boundaries=(rounds,))
    assert WarmUpPeriod(rounds, then=K)(n, 0.1) == piecewise(n, 0.1)


def test_a_period_after_a_warm_up_counts_rounds_from_the_start_of_the_run() -> None:
    period = WarmUpPeriod(rounds=2, then=PiecewisePeriod(Ks=(2, 4), boundaries=(3,)))
    assert [period(n, 0.1) for n in range(1, 6)] == [1, 1, 2, 4, 4]


@pytest.mark.parametrize(
    ("power", "expected"), [(2, [4, 4, 4, 9, 16, 100]), (3, [4, 4, 8, 27, 64, 1000])]
)
def test_qsr_by_hand(power: int, expected: list[int]) -> None:
    period = QuadraticSynchronization(alpha=0.6, least=4, power=power)
    assert [period(1, gamma) for gamma in (1.2, 0.6, 0.3, 0.2, 0.15, 0.06)] == expected


def test_qsr_rounds_down_and_whole_numbers_stay_what_they_are() -> None:
    assert (0.3 / 0.1) ** 2 < 9
    assert QuadraticSynchronization(alpha=0.3)(1, 0.1) == 9
    assert QuadraticSynchronization(alpha=0.3)(1, 0.1000001) == 8
    assert QuadraticSynchronization(alpha=7**0.5)(1, 1.0) == 7
    assert QuadraticSynchronization(alpha=7**0.5, power=3)(1, 1.0) == 18


@given(st.floats(1e-6, 1e3), GAMMAS, st.sampled_from([2, 3]))
def test_qsr_is_the_floor_of_the_exact_power(alpha: float, gamma: float, power: int) -> None:
    exact = (Fraction(alpha) / Fraction(gamma)) ** power
    low, high = (max(1, floor(exact * (1 + e * Fraction(1, 10**13)))) for e in (9, 11))
    K = QuadraticSynchronization(alpha, power=power)(1, gamma)
    # In between lies what is so near to a whole number that either is right.
    assert low <= K <= high


@given(st.integers(1, 1000), st.floats(1e-3, 1e3), st.sampled_from([2, 3]))
def test_qsr_finds_the_whole_number_that_was_meant(ratio: int, gamma: float, power: int) -> None:
    assert QuadraticSynchronization(ratio * gamma, power=power)(1, gamma) == ratio**power


def test_an_upper_limit_holds_qsr_back_and_infinity_too() -> None:
    period = QuadraticSynchronization(alpha=1.0, least=2, most=10)
    assert [period(1, gamma) for gamma in (1.0, 0.5, 0.25, 1e-200, 1e-308)] == [2, 4, 10, 10, 10]
    with pytest.raises(KavgError, match=r"below 2\^63, got \(alpha/gamma\)\^2 = inf .* round 7"):
        QuadraticSynchronization(alpha=1.0)(7, 1e-200)


def test_dispersion_control_by_hand() -> None:
    period = DispersionControl(spread=1.0, first=4, most=12)
    found = [period.adapt(8, np.array([D]), 0.1) for D in (0.2, 0.25, 1.0, 1.1, inf, nan)]
    assert found == [12, 8, 8, 4, 4, 8]
    assert [period.adapt(K, np.array([9.0]), 0.1) for K in (1, 3)] == [1, 1]
    assert period.adapt(3, np.array([0.0]), 0.1) == 6


def test_only_the_first_replica_decides() -> None:
    period = DispersionControl(spread=1.0)
    assert period.adapt(4, np.array([0.1, 9.0, 9.0]), 0.1) == 8
    assert period.adapt(4, np.array([9.0, 0.1, 0.1]), 0.1) == 2


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "zero": (lambda: PiecewisePeriod((0,), ()), r"Ks\[0\]=0; use K=1 for synchronous SGD"),
    "a fraction": (lambda: PiecewisePeriod((1.5,), ()), r"Ks\[0\]"),
    "no piece": (lambda: PiecewisePeriod((), ()), "0 Ks and 0 boundaries"),
    "pieces": (lambda: PiecewisePeriod((1, 2), (3, 4)), "2 Ks and 2 boundaries"),
    "order": (lambda: PiecewisePeriod((1, 2, 3), (4, 3)), r"that rise, got \(4, 3\)"),
    "round 0": (lambda: PiecewisePeriod((1, 2), (0,)), r"at least 1 that rise, got \(0,\)"),
    "no warm-up": (lambda: WarmUpPeriod(0, then=8), "rounds=0; leave the warm-up out"),
    "then 0": (lambda: WarmUpPeriod(1, then=0), "then=0; use K=1 for synchronous SGD"),
    "then adapts": (
        lambda: WarmUpPeriod(1, then=DispersionControl(1.0)),
        r"then must be a whole number of at least 1, .* or periods\.Quadratic",
    ),
    "no alpha": (lambda: QuadraticSynchronization(0.0), r"alpha=0\.0"),
    "power 1": (lambda: QuadraticSynchronization(1.0, power=1), "power=1; 2 is QSR, 3 its cubic"),
    "limits": (
        lambda: QuadraticSynchronization(1.0, least=4, most=3),
        "most must be at least least, got most=3 and least=4; raise most, or leave it out",
    ),
    "no spread": (lambda: DispersionControl(0.0), r"spread=0\.0"),
    "first": (
        lambda: DispersionControl(1.0, first=8, most=4),
        "first must be at most most, got first=8 and most=4; raise most",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_periods_are_refused_with_advice(name: str) -> None:
    attempt, message = REFUSED[name]
    with pytest.raises(KavgError, match=message):
        attempt()
