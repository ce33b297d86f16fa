"""The exact mean against rational arithmetic, in any order, tiling and number of ranks."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, get_args

import numpy as np
import pytest
from helpers.ranks import CountingComm, run_ranks
from hypothesis import given, settings
from hypothesis import strategies as st

from kavg.base import Floats
from kavg.engine.communicator import SerialComm, assign_learners
from kavg.engine.exact_mean import ExactMean
from kavg.engine.exact_sums import (
    HIGHEST,
    LOWEST,
    choose_exponents,
    make_grids,
    split_columns,
    split_limbs,
)
from kavg.engine.means import MEANS, PlainMean
from kavg.engine.options import MeanName

SEEDS = st.integers(0, 2**32 - 1)


def averaged(
    x: Floats,
    *,
    pilot: Floats | None = None,
    order: Iterable[int] | None = None,
    tile: int = 4,
    comm: Any = None,
    mean: Any = None,
    kind: Any = ExactMean,
    request: int = 0,
) -> tuple[Any, int]:
    """A round as the engine makes it: the mean, and how often the round was run again.

    A ``mean`` has had a round before; else the round is the first, of a mean of this ``kind``.
    """
    P, R, d = x.shape
    comm = comm or SerialComm()
    own = np.array(list(order or range(P)))[assign_learners(P, comm.Get_size(), comm.Get_rank())]
    repeats = 0
    with np.errstate(over="ignore", invalid="ignore"):
        if mean is None:
            mean = kind(comm, P, R, d)
            exponents = mean.first_exponents(padded(x[:1] if pilot is None else pilot))
        else:
            exponents = mean.exponents
        while True:
            mean.begin(exponents)
            for first in range(0, len(own), tile):
                mean.fold(padded(x[own[first : first + tile]]))
            if mean.finish(request):
                return mean, repeats
            exponents, repeats = mean.exponents, repeats + 1
            assert repeats < 5, "the round is run again without end"


def padded(x: Floats) -> Floats:
    """A copy with a last column for the squared norms."""
    return np.concatenate([x, np.full((*x.shape[:-1], 1), np.nan)], axis=-1)


def bits(mean: Any) -> bytes:
    return bytes(mean.mean.tobytes() + mean.square.tobytes() + mean.exponents.tobytes())


def displacements(seed: int, P: int, R: int, d: int, spread: int = 20) -> Floats:
    """Coordinates within ``2^-spread`` of the largest, replicas of any magnitude."""
    random = np.random.Generator(np.random.PCG64(seed))
    x = random.uniform(0.5, 1.0, (P, R, d)) * random.choice([-1.0, 1.0], (P, R, d))
    x *= np.ldexp(1.0, random.integers(-spread, 1, (R, d)))
    scaled: Floats = x * 10.0 ** random.integers(-130, 130, (R, 1))
    return scaled


def rational_mean(column: Floats) -> Fraction:
    return sum(map(Fraction, column.tolist()), Fraction(0)) / len(column)


def last_places(value: float, exact: Fraction, dropped: float = 0.0) -> float:
    """Distance to the correctly rounded value in units in the last place, and what was dropped."""
    nearest = float(exact)
    unit = np.spacing(max(abs(nearest), abs(value))) + dropped
    return float(abs(Fraction(value) - Fraction(nearest)) / Fraction(float(unit)))


# --- exact


@given(SEEDS, st.sampled_from([1, 2, 3, 5, 16, 17, 100]), st.integers(1, 3), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_one_last_place_from_the_correctly_rounded_mean(seed: int, P: int, R: int, d: int) -> None:
    x = np.abs(displacements(seed, P, R, d))
    mean, _ = averaged(x)
    for r in range(R):
        for i in range(d):
            assert last_places(mean.mean[r, i], rational_mean(x[:, r, i])) <= 1
        squares = np.array([np.vecdot(row, row) for row in x[:, r]])
        assert last_places(mean.square[r], rational_mean(squares)) <= 1


@given(SEEDS, st.integers(2, 40), st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_cancellation_leaves_what_the_grid_drops(seed: int, P: int, spread: int) -> None:
    x = displacements(seed, P, 1, 2, spread)
    mean, _ = averaged(x)
    largest = float(np.linalg.norm(x, axis=-1).max())
    dropped = largest * 2.0**-102 * (P**2 + 4)
    for i in range(2):
        assert last_places(mean.mean[0, i], rational_mean(x[:, 0, i]), dropped) <= 1


@pytest.mark.parametrize(("R", "d"), [(1, 150_000), (100, 2500), (3, 40_000), (70_000, 2)])
def test_large_sums_travel_in_chunks_and_keep_their_bits(R: int, d: int) -> None:
    x = displacements(3, 3, R, d, spread=10)
    counting = CountingComm(SerialComm())
    mean, repeats = averaged(x, comm=counting, tile=2)
    parts = len(split_columns(R, d + 1))
    assert counting.calls["Allreduce"] == parts * (1 + repeats)
    assert parts > 1 or d < 1024
    for on_rank, _ in run_ranks(2, lambda comm: averaged(x, comm=comm, tile=1)):
        assert bits(on_rank) == bits(mean)
    plain = averaged(x, kind=PlainMean)[0]
    np.testing.assert_allclose(mean.mean, plain.mean, rtol=1e-9, atol=0)
    np.testing.assert_allclose(mean.square, plain.square, rtol=1e-12)


def test_requests_of_ranks_are_added_up() -> None:
    def requested(comm: Any, kind: Any) -> int:
        request = 10 ** comm.Get_rank()
        mean, _ = averaged(np.ones((2, 1, 1)), comm=comm, kind=kind, request=request)
        return int(mean.requested)

    for kind in (ExactMean, PlainMean):
        assert run_ranks(3, lambda comm, kind=kind: requested(comm, kind)) == [111, 111, 111]


def test_the_mean_of_a_thousand_learners_is_exact() -> None:
    x = displacements(1, 1000, 2, 2)
    mean, _ = averaged(x, tile=64)
    largest = np.linalg.norm(x, axis=-1).max(axis=0)
    for r, i in np.ndindex(2, 2):
        exact = rational_mean(x[:, r, i])
        assert last_places(mean.mean[r, i], exact, largest[r] * 2.0**-102 * 1000**2) <= 1


def test_a_sum_that_plain_addition_gets_wrong() -> None:
    x = np.array([1.0, 2.0**-60, -1.0, 2.0**-60]).reshape(4, 1, 1)
    assert averaged(x)[0].mean[0, 0] == 2.0**-61
    assert averaged(x, kind=PlainMean)[0].mean[0, 0] != 2.0**-61


# --- the same bits


@given(st.data(), SEEDS, st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_order_and_tiles_change_no_bit(data: st.DataObject, seed: int, P: int) -> None:
    x = displacements(seed, P, 2, 3, spread=80)
    order = data.draw(st.permutations(range(P)))
    tile = data.draw(st.integers(1, P))
    pilot = x[:1].copy()
    expected, repeats = averaged(x, pilot=pilot)
    mean, again = averaged(x, pilot=pilot, order=order, tile=tile)
    assert bits(mean) == bits(expected)
    assert repeats == again


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("P", [1, 3, 7, 16])
@pytest.mark.parametrize("pilot", [1.0, 1e-12])
def test_ranks_change_no_bit(size: int, P: int, pilot: float) -> None:
    x = displacements(P, P, 3, 4, spread=60)
    guess = x[:1] * pilot
    expected, repeats = averaged(x, pilot=guess)
    assert (repeats > 0) == (pilot < 1)
    for mean, again in run_ranks(size, lambda comm: averaged(x, pilot=guess, tile=2, comm=comm)):
        assert bits(mean) == bits(expected)
        assert again == repeats


@given(SEEDS, st.integers(1, 12), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_replicas_are_a_prefix(seed: int, P: int, r: int) -> None:
    x = displacements(seed, P, 4, 2, spread=60)
    whole, part = averaged(x)[0], averaged(np.ascontiguousarray(x[:, :r]))[0]
    np.testing.assert_array_equal(part.mean, whole.mean[:r])
    np.testing.assert_array_equal(part.square, whole.square[:r])
    np.testing.assert_array_equal(part.exponents, whole.exponents[:r])


# --- the grid


@given(SEEDS, st.integers(1, 20), st.integers(3, 140))
@settings(max_examples=40, deadline=None)
def test_a_guess_too_small_is_widened_once(seed: int, P: int, tens: int) -> None:
    random = np.random.Generator(np.random.PCG64(seed))
    x = random.uniform(0.5, 1.0, (P, 2, 3))
    good, none = averaged(x)
    widened, once = averaged(x, pilot=x[:1] * 10.0**-tens)
    assert (none, once) == (0, 1)
    for name in ("mean", "square"):
        theirs, ours = getattr(good, name), getattr(widened, name)
        assert np.all(np.abs(ours - theirs) <= np.spacing(np.abs(theirs)))
    assert averaged(x, mean=widened)[1] == 0


def test_one_learner_far_beyond_the_others() -> None:
    x = np.ones((9, 2, 1))
    x[7, 1] = 2.0**40
    mean, repeats = averaged(x)
    assert repeats == 1
    assert mean.mean[:, 0].tolist() == [1.0, (8 + 2.0**40) / 9]
    assert mean.exponents[0] == averaged(x[:, :1].copy())[0].exponents[0]


def test_only_the_replicas_beyond_get_a_wider_grid() -> None:
    x = np.full((4, 2, 1), 2.0)
    x[3, 1] = 2.0**40
    mean = ExactMean(SerialComm(), 4, 2, 1)
    mean.begin(mean.first_exponents(padded(np.ones((1, 2, 1)))))
    mean.fold(padded(x))
    assert not mean.finish()
    assert mean.exponents.tolist() == [3, 43]


@given(st.integers(-44, 300))
def test_the_next_grid_follows_the_mean_square(exponent: int) -> None:
    # A fall by 2^-49 at once would leave the square below its grid, and the grid where it was.
    mean, _ = averaged(np.ones((3, 1, 1)))
    assert mean.exponents.tolist() == [3]
    averaged(np.full((3, 1, 1), np.ldexp(1.0, exponent)), mean=mean)
    assert mean.exponents.tolist() == [exponent + 3]


def test_a_learner_at_the_bound_is_beyond_and_just_below_is_not() -> None:
    for height, expected in [(8.0, 1), (np.nextafter(8.0, 0.0), 0)]:
        x = np.array([1.0, height]).reshape(2, 1, 1)
        assert choose_exponents(np.ones(1), np.zeros(1, np.int64)).tolist() == [3]
        assert averaged(x)[1] == expected


@given(st.floats(1e-140, 1e140))
def test_the_guess_leaves_room_above_the_norm(norm: float) -> None:
    e = choose_exponents(np.array([norm**2]), np.zeros(1, np.int64))
    assert 4 * norm < 2.0 ** float(e[0]) <= 16 * norm


@pytest.mark.parametrize("square", [0.0, float("inf"), float("nan")])
def test_the_guess_falls_back_where_there_is_no_norm(square: float) -> None:
    assert choose_exponents(np.array([square]), np.array([17])).tolist() == [17]


@given(
    st.integers(1, 10**6),
    st.integers(LOWEST, HIGHEST),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.integers(0, 110),
)
def test_limbs_lie_on_their_grids(P: int, e: int, fraction: int, below: int) -> None:
    x = np.array([np.ldexp(float(fraction), e - 53 - below)])
    high, low = limbs = np.empty((2, 1))
    split_limbs(x, make_grids(np.array([e]), P), limbs)
    b = max(2, (P - 1).bit_length())
    u1, u2 = Fraction(2) ** (e + b - 53), Fraction(2) ** (e + 2 * b - 107)
    exact, hi, lo = (Fraction(float(a[0])) for a in (x, high, low))
    assert hi % u1 == 0
    assert lo % u2 == 0
    assert P * abs(hi) <= 2**53 * u1
    assert P * abs(lo) <= 2**53 * u2
    assert abs(exact - hi - lo) <= u2 / 2


# --- what is not a number, and nothing at all


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e200])
@pytest.mark.parametrize("learner", [0, 3])
@pytest.mark.parametrize("size", [1, 3])
def test_a_replica_that_is_lost_leaves_the_others_alone(
    bad: float, learner: int, size: int
) -> None:
    x = displacements(4, 5, 3, 2)
    expected = averaged(x)[0]
    lost = x.copy()
    lost[learner, 1, 0] = bad
    for mean, _ in run_ranks(size, lambda comm: averaged(lost, comm=comm)):
        assert np.isnan(mean.mean[1]).all()
        assert np.isnan(mean.square[1])
        for r in (0, 2):
            np.testing.assert_array_equal(mean.mean[r], expected.mean[r])
            assert mean.exponents[r] == expected.exponents[r]


@pytest.mark.parametrize("size", [1, 2])
def test_a_lost_replica_does_not_keep_another_from_a_wider_grid(size: int) -> None:
    x = np.full((4, 2, 1), 0.1)
    x[3, 0], x[2, 1] = 2.0**70, np.inf
    alone = averaged(x[:, :1].copy())[0]
    for mean, repeats in run_ranks(size, lambda comm: averaged(x, comm=comm)):
        assert repeats == 1
        assert mean.mean[0] == alone.mean[0]
        assert mean.exponents[0] == alone.exponents[0]
        assert np.isnan(mean.mean[1, 0])


def test_no_displacement_at_all() -> None:
    mean, repeats = averaged(np.zeros((5, 2, 3)))
    assert repeats == 0
    assert np.all(mean.mean == 0)
    assert np.all(mean.square == 0)
    one = np.ones((5, 2, 3))
    again, repeats = averaged(one, mean=mean)
    np.testing.assert_array_equal(again.mean, one[0])
    assert repeats <= 1


def test_too_small_for_a_grid_is_lost_below_the_lowest_unit() -> None:
    x = np.full((3, 1, 1), 1e-200)
    mean, _ = averaged(x)
    assert abs(mean.mean[0, 0] - 1e-200) < 2.0**-100
    small = np.full((3, 1, 1), 2.0 ** (LOWEST + 3))
    assert averaged(small)[0].mean[0, 0] == small[0, 0, 0]


# --- collectives, and the plain mean


def test_one_allreduce_a_round_and_one_allgather_when_widened() -> None:
    x = displacements(2, 6, 2, 2)
    comm = CountingComm(SerialComm())
    mean, _ = averaged(x, comm=comm)
    assert dict(comm.calls) == {"Allreduce": 1}
    averaged(x, comm=comm, mean=mean)
    assert dict(comm.calls) == {"Allreduce": 2}
    comm.calls.clear()
    averaged(x, comm=comm, pilot=x[:1] * 1e-9)
    assert dict(comm.calls) == {"Allreduce": 2, "Allgather": 1}


@given(SEEDS, st.integers(1, 20), st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_the_plain_mean_agrees_to_rounding(seed: int, P: int, tile: int) -> None:
    x = displacements(seed, P, 2, 3)
    comm = CountingComm(SerialComm())
    plain, repeats = averaged(x, tile=tile, comm=comm, kind=PlainMean)
    exact, _ = averaged(x)
    scale = np.abs(x).max(axis=0)
    assert np.all(np.abs(plain.mean - exact.mean) <= 1e-15 * P * scale)
    np.testing.assert_allclose(plain.square, exact.square, rtol=1e-13)
    assert dict(comm.calls) == {"Allreduce": 1}
    assert repeats == 0


@given(SEEDS, st.integers(1, 40), st.integers(1, 3), st.integers(1, 4), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_the_plain_mean_adds_learners_one_after_another(
    seed: int, P: int, R: int, d: int, tile: int
) -> None:
    x = displacements(seed, P, R, d)
    total = x[0].copy()
    for one in x[1:]:
        total += one
    plain, _ = averaged(x, tile=tile, kind=PlainMean)
    np.testing.assert_array_equal(plain.mean, total / P)


@pytest.mark.parametrize("kind", MEANS)
def test_every_round_leaves_choose_exponents_the_next(kind: str) -> None:
    x = displacements(1, 3, 2, 2)
    first, _ = averaged(x, kind=MEANS[kind])
    assert first.exponents.shape == (2,)
    expected = bits(first)
    mean, repeats = averaged(x, mean=first)
    assert repeats == 0
    assert bits(mean) == expected


def test_grids_are_set_again_when_the_exponents_change() -> None:
    x = displacements(2, 3, 2, 2)
    small = np.ldexp(x, -60)
    mean, _ = averaged(x)
    for _ in range(3):  # as many rounds as the grids need to follow
        mean, _ = averaged(small, mean=mean)
    assert bits(mean) == bits(averaged(small, mean=averaged(small)[0])[0])


def test_the_names_of_means_are_those_of_the_options() -> None:
    assert set(MEANS) == set(get_args(MeanName))


@pytest.mark.parametrize("size", [1, 3])
def test_plain_ranks_agree_with_each_other(size: int) -> None:
    x = displacements(3, 7, 2, 2)

    def plain(comm: Any) -> Any:
        return averaged(x, comm=comm, kind=PlainMean)[0].mean

    means = run_ranks(size, plain)
    for mean in means:
        np.testing.assert_array_equal(mean, means[0])
