"""Addressed draws: they are functions of their address, and they have the laws they claim."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from kavg.oracles import streams as noise
from kavg.oracles.normals import Normals, UniformPairs, draw_normals
from kavg.oracles.streams import Purpose, Streams, hash_parts, mix_words, odd_increments
from kavg.oracles.student_t import mean_power

SIGMAS = 5.0
"""Width of every interval below, in standard errors: a false alarm in two million, seeds fixed."""
LEVEL = 1e-5
"""Level of every test by p-value, seeds fixed."""
MASK = 2**64 - 1
WORDS = st.integers(0, MASK)
SEEDS = st.integers(0, 2**63 - 1)
STEPS = st.integers(0, 10**12)


def streams(R: int = 2, tile: int = 3, W: int = 4, seed: int = 1, purpose: int = 1) -> Streams:
    return Streams(seed=seed, purpose=Purpose(purpose), R=R, tile=tile, W=W)


def words(learners: range, step: int, **settings: int) -> NDArray[np.uint64]:
    planned = streams(tile=len(learners), **settings)
    planned.select(learners)
    return planned.words(step).copy()


@pytest.fixture(scope="module")
def z() -> NDArray[np.float32]:
    """A million normals, ``(step, learner, replica, coordinate)``."""
    normals = Normals(seed=11, purpose=Purpose.NOISE, R=25, tile=20, d=40)
    drawn: NDArray[np.float32] = np.stack([normals.draw(step, 1.0).copy() for step in range(50)])
    return drawn


# --- addresses


def mixed(word: int) -> int:
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)


def hashed_by_hand(*parts: int) -> int:
    word = 0
    for part in parts:
        word = mixed(((word + part + 1) * 0x9E3779B97F4A7C15) & MASK)
    return word


def word_by_hand(seed: int, purpose: int, r: int, j: int, counter: int) -> int:
    odd = hashed_by_hand(seed, purpose, r, j, 1) | 1
    if (odd ^ (odd >> 1)).bit_count() < 24:
        odd ^= 0xAAAAAAAAAAAAAAAA
    return mixed((hashed_by_hand(seed, purpose, r, j, 0) + counter * odd) & MASK)


@given(SEEDS, st.sampled_from(list(Purpose)), st.integers(0, 2**40), STEPS, st.integers(1, 5))
def test_words_are_those_of_the_formula(seed: int, purpose: int, j: int, step: int, W: int) -> None:
    drawn = words(range(j, j + 2), step, R=2, W=W, seed=seed, purpose=purpose)
    expected = [
        [[word_by_hand(seed, purpose, r, i, step * W + k) for k in range(W)] for r in range(2)]
        for i in (j, j + 1)
    ]
    assert drawn.tolist() == expected


def test_golden_words() -> None:
    assert words(range(1), 0, seed=1, R=1, W=2)[0, 0].tolist() == [
        16624487503295812109,
        8036854529028527058,
    ]
    assert words(range(7, 8), 10, seed=1, R=4, W=2)[0, 3].tolist() == [
        10758709036900085353,
        5793021416887611903,
    ]
    assert words(range(10**6, 10**6 + 1), 10**9, seed=2**63 - 1, R=2, W=2)[0, 1].tolist() == [
        6109579193091092886,
        8838783578775697498,
    ]
    assert int(hash_parts(1, 2, 3)) == 17281550289527850393


def test_golden_normals() -> None:
    normals = Normals(seed=1, purpose=Purpose.NOISE, R=1, tile=1, d=5)
    cosines = [0.162761, 1.216197, -0.033011, 0.767057, 1.156500]
    sines = [-0.426065, -0.427277, -2.936510, 0.897975, 0.722702]
    np.testing.assert_allclose(normals.draw(0, 1.0)[0, 0], cosines, atol=2e-6)
    np.testing.assert_allclose(normals.draw(1, 1.0)[0, 0], sines, atol=2e-6)


@given(st.data(), st.integers(1, 12), STEPS)
def test_any_tile_gives_the_same_words(data: st.DataObject, P: int, step: int) -> None:
    whole = words(range(P), step)
    first = data.draw(st.integers(0, P - 1))
    learners = range(first, data.draw(st.integers(first + 1, P)))
    planned = streams(tile=P)
    for other in data.draw(st.lists(st.integers(0, P - 1), max_size=3)):
        planned.select(range(other, P))
    planned.select(learners)
    np.testing.assert_array_equal(planned.words(step), whole[learners.start : learners.stop])


@given(st.lists(STEPS, min_size=1, max_size=6))
def test_earlier_draws_do_not_matter(steps: list[int]) -> None:
    planned = streams()
    for step in steps:
        drawn = planned.words(step).copy()
    np.testing.assert_array_equal(drawn, words(range(3), steps[-1]))


@given(st.integers(1, 5), st.integers(0, 4), STEPS)
def test_replicas_are_a_prefix(r: int, more: int, step: int) -> None:
    np.testing.assert_array_equal(
        words(range(3), step, R=r), words(range(3), step, R=r + more)[:, :r]
    )


@pytest.mark.parametrize("d", [1, 2, 5, 8])
def test_normals_keep_their_bits_in_any_tile(d: int) -> None:
    whole = draw_normals(3, Purpose.SHIFT, 4, d, range(9))
    for first, stop in [(0, 1), (2, 5), (8, 9), (1, 9)]:
        part = draw_normals(3, Purpose.SHIFT, 4, d, range(first, stop))
        np.testing.assert_array_equal(part, whole[first:stop])
    np.testing.assert_array_equal(draw_normals(3, Purpose.SHIFT, 2, d, range(9)), whole[:, :2])


def test_all_addresses_differ() -> None:
    drawn = [
        words(range(50), step, R=10, seed=seed, purpose=purpose)
        for step in range(5)
        for seed in (0, 1, 2**62)
        for purpose in Purpose
    ]
    every = np.concatenate(drawn, axis=None)
    assert len(np.unique(every)) == every.size


@given(st.data(), st.integers(1, 9), st.integers(1, 5), st.integers(1, 4))
def test_normals_do_not_know_how_many_steps_are_made_at_once(data, d, R, P) -> None:
    """One learner alone is made dozens of steps at a time, a tile of 5000 one pair at a time."""
    step = data.draw(st.integers(0, 300))
    alone = Normals(seed=3, purpose=Purpose.NOISE, R=R, tile=1, d=d)
    crowd = Normals(seed=3, purpose=Purpose.NOISE, R=R, tile=5000 // (R * d), d=d)
    assert alone.pairs > crowd.pairs == 1
    j = data.draw(st.integers(0, P))
    alone.streams.select(range(j, j + 1))
    crowd.streams.select(range(j, j + 3))
    for other in data.draw(st.lists(st.integers(0, 300), max_size=3)):
        alone.draw(other, 1.0)
    np.testing.assert_array_equal(alone.draw(step, 1.5)[0], crowd.draw(step, 1.5)[0])


# --- the mixer


def unxorshift(word: int, shift: int) -> int:
    undone = word
    for _ in range(64 // shift):
        undone = word ^ (undone >> shift)
    return undone


def unmixed(word: int) -> int:
    word = unxorshift(word, 31)
    word = unxorshift((word * pow(0x94D049BB133111EB, -1, 2**64)) & MASK, 27)
    return unxorshift((word * pow(0xBF58476D1CE4E5B9, -1, 2**64)) & MASK, 30)


@given(WORDS)
def test_mix_has_an_inverse(word: int) -> None:
    array = np.array([word], np.uint64)
    mix_words(array, np.empty_like(array))
    assert unmixed(int(array[0])) == word


@given(st.lists(WORDS, min_size=1))
def test_increments_are_odd_and_move_many_bits(given_words: list[int]) -> None:
    g = odd_increments(np.array(given_words, np.uint64))
    assert np.all(g & np.uint64(1) == 1)
    assert np.all(np.bitwise_count(g ^ (g >> np.uint64(1))) >= 24)


@given(SEEDS, st.integers(0, 9), st.integers(0, 9))
def test_hashed_broadcasts_and_minds_the_order(seed: int, a: int, b: int) -> None:
    table = hash_parts(seed, np.arange(10), np.arange(10)[:, None])
    assert table[b, a] == hash_parts(seed, a, b)
    assert len(np.unique(table)) == 100


def test_each_bit_of_the_words_is_fair() -> None:
    drawn = words(range(20), 0, R=50, W=100).ravel()
    bits = np.unpackbits(drawn.view(np.uint8).reshape(-1, 8), axis=1)
    deviations = (bits.mean(axis=0) - 0.5) * 2 * np.sqrt(len(drawn))
    assert np.abs(deviations).max() < SIGMAS


# --- the laws


@pytest.mark.parametrize(
    ("power", "mean", "variance"), [(1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)]
)
def test_moments_of_normals(z: Any, power: int, mean: float, variance: float) -> None:
    samples = z.astype(np.float64).ravel() ** power
    assert abs(samples.mean() - mean) < SIGMAS * np.sqrt(variance / samples.size)


def test_normals_pass_kolmogorov_and_smirnov(z: Any) -> None:
    assert stats.kstest(z.ravel().astype(np.float64), "norm").pvalue > LEVEL


def test_uniforms_and_angles_pass_kolmogorov_and_smirnov() -> None:
    uniform, angle, _ = UniformPairs(streams(R=50, tile=50, W=100)).draw(3)
    turn = angle / (2 * np.pi) + 0.5
    for half in (uniform, turn):
        assert stats.kstest(half.ravel().astype(np.float64), "uniform").pvalue > LEVEL


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


def test_the_two_steps_of_a_word_are_uncorrelated(z: Any) -> None:
    cosines, sines = z[0::2], z[1::2]
    assert correlation_in_sigmas(cosines, sines) < SIGMAS
    assert correlation_in_sigmas(np.square(cosines) - 1, np.square(sines) - 1) < SIGMAS


@pytest.mark.parametrize("other", [{"seed": 12, "purpose": 1}, {"seed": 11, "purpose": 2}])
def test_seeds_and_purposes_are_uncorrelated(z: Any, other: dict[str, int]) -> None:
    seed, purpose = other["seed"], Purpose(other["purpose"])
    normals = Normals(seed=seed, purpose=purpose, R=25, tile=20, d=40)
    theirs = np.stack([normals.draw(step, 1.0).copy() for step in range(50)])
    assert correlation_in_sigmas(z, theirs) < SIGMAS


def test_the_scale_is_the_standard_deviation() -> None:
    normals = Normals(seed=1, purpose=Purpose.NOISE, R=3, tile=2, d=6)
    unit = normals.draw(5, 1.0).copy()
    np.testing.assert_allclose(normals.draw(5, 2.5), 2.5 * unit, rtol=1e-6)
    np.testing.assert_array_equal(normals.draw(5, 0.0), 0.0 * unit)


class ExtremeWords:
    """Streams whose upper 31 bits and lower 32 bits are the smallest and the largest there are."""

    def __init__(self) -> None:
        uppers = np.array([0, 1, 2**31 - 1, 2**31 - 64, 2**31 - 65, 2**30], np.uint64)
        lowers = np.array([0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**30], np.uint64)
        self.learners = range(1)
        self.out = ((uppers << np.uint64(33)) | lowers)[None, None, None]
        self.spare = np.empty_like(self.out)

    def block(self, step: int) -> NDArray[np.uint64]:
        return self.out


def test_uniforms_lie_strictly_between_0_and_1_and_angles_in_a_turn() -> None:
    planned: Any = ExtremeWords()
    uniform, angle, _ = UniformPairs(planned).draw(0)
    assert uniform.min() > 0
    assert uniform.max() < 1
    np.testing.assert_allclose(uniform[0, 0, 0, :2], [2.0**-32, 3 * 2.0**-32], rtol=2e-7)
    degrees = angle[0, 0, 0].astype(np.float64) / np.pi
    np.testing.assert_allclose(degrees, [0, 2.0**-31, 1, -1, -(2.0**-31), 0.5], rtol=2e-7)
    assert np.sqrt(-2 * np.log(uniform.min())) == pytest.approx(6.66, abs=0.005)


@given(st.floats(-0.99, -0.01), st.integers(1001, 20_000))
def test_mean_power_is_the_sum_over_the_grid(power: float, count: int) -> None:
    grid = (np.arange(count) + 0.5) / count
    assert mean_power(power, float(count)) == pytest.approx((grid**power).mean(), rel=1e-9)


# --- the workspace


def test_a_draw_allocates_nothing_of_the_size_of_a_tile() -> None:
    normals = Normals(seed=1, purpose=Purpose.NOISE, R=16, tile=512, d=64)
    normals.streams.select(range(3, 515))
    normals.draw(0, 1.0)
    tracemalloc.start()
    normals.draw(2, 1.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < normals.streams.out.nbytes / 8


def test_purposes_are_numbered_once_and_for_all() -> None:
    numbers = {p.name: int(p) for p in noise.Purpose}
    assert numbers == {
        "NOISE": 1,
        "BATCH": 2,
        "SHUFFLE": 3,
        "START": 4,
        "SHIFT": 5,
        "PARTITION": 6,
        "ROTATION": 7,
    }
