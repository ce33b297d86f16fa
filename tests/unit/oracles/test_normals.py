"""Normals from a table: functions of their address, with the law they claim."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from helpers.addressed import part_by_hand
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from kavg.base import Floats, Precision
from kavg.oracles.normals import Normals, draw_normals
from kavg.oracles.quantiles import normal_quantiles
from kavg.oracles.streams import PLACES, Purpose

SIGMAS = 5.0
"""Width of every interval below, in standard errors: a false alarm in two million, seeds fixed."""
LEVEL = 1e-5
"""Level of every test by p-value, seeds fixed."""
DIMENSIONS = [1, 2, 3, 10, 63, 64, 1000]


def plan(R: int, tile: int, d: int, dtype: Precision = "float32", seed: int = 3) -> Normals:
    return Normals(seed=seed, purpose=Purpose.NOISE, R=R, tile=tile, d=d, dtype=dtype)


@pytest.fixture(scope="module")
def z() -> NDArray[np.float32]:
    """A million normals, ``(step, learner, replica, coordinate)``."""
    normals = plan(R=25, tile=20, d=40, seed=11)
    return np.stack([normals.draw(step, 1.0).astype(np.float32) for step in range(50)])


# --- addresses


def vector_by_hand(j: int, r: int, step: int, d: int, scale: float) -> NDArray[np.float32]:
    """The normals of one learner, replica and step, from lanes that shifts make."""
    table = (0.8 * scale * normal_quantiles().astype(np.float64)).astype(np.float32)
    pairs = (d + 1) // 2
    z = np.empty((pairs, 2), np.float32)
    for i in range(pairs):
        first = 2 * (r * pairs + i)
        A, B = (table[part_by_hand((3, 1, j, step), 16, first + k)] for k in (0, 1))
        z[i] = A + np.float32(0.75) * B, np.float32(0.75) * A - B
    return z.reshape(-1)[:d]


@given(
    st.integers(0, 2**40),
    st.integers(0, PLACES - 1),
    st.integers(1, 4),
    st.sampled_from(DIMENSIONS[:-1]),
    st.sampled_from(["float32", "float64"]),
    st.floats(1e-15, 1e15),
)
def test_a_plain_twin_has_the_same_bits(
    j: int, step: int, R: int, d: int, dtype: Precision, scale: float
) -> None:
    normals = plan(R, tile=2, d=d, dtype=dtype)
    normals.streams.select(range(j, j + 2))
    drawn = normals.draw(step, scale)
    assert drawn.shape == (2, R, d)
    assert drawn.dtype == dtype
    np.testing.assert_array_equal(drawn[1, -1], vector_by_hand(j + 1, R - 1, step, d, scale))


@pytest.mark.parametrize(
    ("R", "d", "words"), [(1, 1, 1), (4, 1, 2), (3, 2, 2), (4, 3, 4), (1, 1000, 250)]
)
def test_replicas_share_the_words_of_a_learner(R: int, d: int, words: int) -> None:
    planned = plan(R, tile=1, d=d)
    assert words == planned.streams.W


def test_golden_normals() -> None:
    drawn = draw_normals(1, Purpose.NOISE, 1, 5, range(1))[0, 0]
    assert [float(each).hex() for each in drawn] == [
        "-0x1.13ee840000000p-1",
        "0x1.e9affa0000000p-2",
        "-0x1.12b4360000000p+0",
        "-0x1.1bc6cc0000000p-1",
        "-0x1.6375400000000p+0",
    ]


@pytest.mark.parametrize("d", DIMENSIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_tile_and_number_of_replicas_keeps_the_bits(d: int, dtype: Precision) -> None:
    large = plan(4, tile=9, d=d, dtype=dtype)
    whole = large.draw(70, 1.5).copy()
    for first, stop, R in [(0, 1, 4), (2, 5, 1), (8, 9, 3), (1, 9, 2)]:
        large.streams.select(range(first, stop))
        np.testing.assert_array_equal(large.draw(70, 1.5), whole[first:stop])
        small = plan(R, tile=stop - first, d=d, dtype=dtype)
        small.streams.select(range(first, stop))
        np.testing.assert_array_equal(small.draw(70, 1.5), whole[first:stop, :R])


@given(st.data(), st.integers(1, 9), st.integers(1, 5), st.integers(1, 4))
def test_steps_may_come_in_any_order_and_any_number_at_once(
    data: st.DataObject, d: int, R: int, P: int
) -> None:
    """One learner alone is made dozens of steps at a time, a large tile one step at a time."""
    step = data.draw(st.integers(0, 300))
    alone, crowd = plan(R, tile=1, d=d), plan(R, tile=20_000 // (R * d), d=d)
    assert alone.streams.ahead > crowd.streams.ahead == 1
    j = data.draw(st.integers(0, P))
    alone.streams.select(range(j, j + 1))
    crowd.streams.select(range(j, j + 3))
    for other in data.draw(st.lists(st.integers(0, 300), max_size=3)):
        alone.draw(other, 1.0)
    np.testing.assert_array_equal(alone.draw(step, 1.5)[0], crowd.draw(step, 1.5)[0])


def test_a_vector_of_many_parts_is_made_as_one_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = plan(2, tile=3, d=1001, dtype="float64").draw(1, 1.0).copy()
    monkeypatch.setattr("kavg.oracles.normals.PART", 1024)
    parted = plan(2, tile=3, d=1001, dtype="float64")
    np.testing.assert_array_equal(parted.draw(1, 1.0), whole)
    assert len(parted.parts) > 5
    assert parted.indices.size == 1024


@pytest.mark.parametrize("d", DIMENSIONS)
def test_both_precisions_have_the_same_numbers(d: int) -> None:
    single, double = (plan(3, tile=2, d=d, dtype=dtype) for dtype in ("float32", "float64"))
    np.testing.assert_array_equal(single.draw(5, 0.3), double.draw(5, 0.3))


# --- the law


def test_the_sum_of_a_pair_that_has_only_65536_values() -> None:
    """What is wrong with the two normals of a pair: the rotation can be undone."""
    z = plan(1, tile=1000, d=2).draw(0, 1.0).astype(np.float64)[:, 0]
    for undone in (0.8 * z[:, 0] + 0.6 * z[:, 1], 0.6 * z[:, 0] - 0.8 * z[:, 1]):
        table = normal_quantiles().astype(np.float64)
        nearest = np.abs(table[:, None] - undone[:20]).min(axis=0)
        assert nearest.max() < 1e-6


@pytest.mark.parametrize(
    ("power", "mean", "variance"),
    [(1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96), (6, 15, 10_170), (8, 105, 2_016_000)],
)
def test_moments_of_normals(z: Any, power: int, mean: float, variance: float) -> None:
    samples = z.astype(np.float64).ravel() ** power
    assert abs(samples.mean() - mean) < SIGMAS * np.sqrt(variance / samples.size)


def test_normals_pass_kolmogorov_and_smirnov(z: Any) -> None:
    for part in (z, z[..., 0::2], z[..., 1::2]):
        assert stats.kstest(part.ravel().astype(np.float64), "norm").pvalue > LEVEL


def test_the_length_and_the_angle_of_a_pair_pass_kolmogorov_and_smirnov(z: Any) -> None:
    a, b = z[..., 0::2].astype(np.float64).ravel(), z[..., 1::2].astype(np.float64).ravel()
    assert stats.kstest(a * a + b * b, stats.chi2(2).cdf).pvalue > LEVEL
    assert stats.kstest(np.arctan2(a, b) / np.pi, stats.uniform(-1, 2).cdf).pvalue > LEVEL


def correlation_in_sigmas(a: Any, b: Any) -> float:
    products = a.astype(np.float64) * b
    return float(abs(products.sum()) / np.sqrt(np.square(products).sum()))


@pytest.mark.parametrize("axis", [0, 1, 2, 3], ids=["steps", "learners", "replicas", "coordinates"])
@pytest.mark.parametrize("lag", [1, 2, 7])
def test_neighbours_are_uncorrelated(z: Any, axis: int, lag: int) -> None:
    along = np.moveaxis(z, axis, 0)
    assert correlation_in_sigmas(along[lag:], along[:-lag]) < SIGMAS
    squares = np.square(along) - 1
    assert correlation_in_sigmas(squares[lag:], squares[:-lag]) < SIGMAS


def test_the_two_normals_of_a_pair_are_uncorrelated(z: Any) -> None:
    first, second = z[..., 0::2], z[..., 1::2]
    assert correlation_in_sigmas(first, second) < SIGMAS
    assert correlation_in_sigmas(np.square(first) - 1, np.square(second) - 1) < SIGMAS
    assert correlation_in_sigmas(first**3, second) < SIGMAS


@pytest.mark.parametrize("other", [{"seed": 12, "purpose": 1}, {"seed": 11, "purpose": 2}])
def test_seeds_and_purposes_are_uncorrelated(z: Any, other: dict[str, int]) -> None:
    seed, purpose = other["seed"], Purpose(other["purpose"])
    normals = Normals(seed=seed, purpose=purpose, R=25, tile=20, d=40)
    theirs = np.stack([normals.draw(step, 1.0).copy() for step in range(50)])
    assert correlation_in_sigmas(z, theirs) < SIGMAS


def test_the_scale_is_the_standard_deviation() -> None:
    normals = plan(3, tile=2, d=6)
    unit = normals.draw(5, 1.0).copy()
    np.testing.assert_allclose(normals.draw(5, 2.5), 2.5 * unit, rtol=1e-6)
    np.testing.assert_array_equal(normals.draw(5, 0.0), 0.0 * unit)
    np.testing.assert_array_equal(normals.draw(5, 1.0), unit)


@pytest.mark.parametrize("scale", [1.0, 1 / 3, 0.1, 7e-19])
def test_the_variance_of_all_pairs_is_that_of_the_scale(scale: float) -> None:
    """Over all 2^32 pairs of lanes: two sums over the table, as A and B are independent."""
    normals = plan(1, tile=1, d=2)
    normals.draw(0, scale)
    A = normals.table.astype(np.float64) / scale
    B = (normals.table * np.float32(0.75)).astype(np.float64) / scale
    assert np.all(-A[::-1] == A)
    assert abs(np.mean(A * A) + np.mean(B * B) - 1) < 2e-9


# --- the workspace


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("R", "tile", "d"), [(16, 512, 64), (1, 8, 10)])
def test_a_draw_allocates_nothing(R: int, tile: int, d: int, dtype: Precision) -> None:
    normals = plan(R, tile=tile, d=d, dtype=dtype)
    normals.streams.select(range(3, 3 + tile))
    scale = 1.0
    for step in (0, 1, 64):
        normals.draw(step, scale)
    tracemalloc.start()
    for step in range(65, 200):
        normals.draw(step, scale)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2000


def test_draws_are_given_out_where_they_are_made() -> None:
    normals = plan(2, tile=3, d=4, dtype="float64")
    drawn: Floats = normals.draw(0, 1.0)
    assert normals.draw(1, 1.0) is not drawn
    assert normals.draw(0, 1.0) is drawn
