"""Addressed words: they are functions of their address, and each bit is fair."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.addressed import MASK, stream_by_hand, unmixed, word_by_hand
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kavg.errors import KavgError
from kavg.oracles import streams as noise
from kavg.oracles.block_draws import BLOCK, steps_ahead
from kavg.oracles.streams import (
    PLACES,
    Purpose,
    Streams,
    hash_parts,
    mix_words,
    odd_increments,
    split_words,
)

SIGMAS = 5.0
"""Width of every interval below, in standard errors: a false alarm in two million, seeds fixed."""
WORDS = st.integers(0, MASK)
SEEDS = st.integers(0, 2**63 - 1)
STEPS = st.integers(0, PLACES - 1)


def streams(R: int = 2, tile: int = 3, W: int = 4, seed: int = 1, purpose: int = 1) -> Streams:
    return Streams(seed=seed, purpose=Purpose(purpose), R=R, tile=tile, W=W)


def words(learners: range, step: int, **settings: int) -> NDArray[np.uint64]:
    planned = streams(tile=len(learners), **settings)
    planned.select(learners)
    return planned.words(step).copy()


# --- addresses


@given(SEEDS, st.sampled_from(list(Purpose)), st.integers(0, 2**40), STEPS, st.integers(1, 5))
def test_words_are_those_of_the_formula(seed: int, purpose: int, j: int, step: int, W: int) -> None:
    drawn = words(range(j, j + 2), step, R=2, W=W, seed=seed, purpose=purpose)
    expected = [
        [[word_by_hand(seed, purpose, i, step, r * W + k) for k in range(W)] for r in range(2)]
        for i in (j, j + 1)
    ]
    assert drawn.tolist() == expected


def test_golden_words() -> None:
    assert words(range(1), 0, seed=1, R=1, W=2)[0, 0].tolist() == [
        7758046191400022354,
        12320661207393315203,
    ]
    assert words(range(7, 8), 10, seed=1, R=4, W=2)[0, 3].tolist() == [
        8506600398625598273,
        10058124576709191322,
    ]
    assert words(range(10**6, 10**6 + 1), 10**9, seed=2**63 - 1, R=2, W=2)[0, 1].tolist() == [
        18052373055128914626,
        9056924099822550193,
    ]
    assert int(hash_parts(1, 2, 3)) == 17281550289527850393


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


@given(
    st.lists(st.tuples(st.sampled_from([0, 0, 0, 1]), st.integers(0, 2)), min_size=2, max_size=12),
    st.sampled_from([1, 2, 4]),
)
def test_blocks_in_turn_are_those_of_any_order(moves: list[tuple[int, int]], ahead: int) -> None:
    """A block is made of the one before it where it follows it, for the same learners."""
    planned = Streams(seed=1, purpose=Purpose.NOISE, R=2, tile=3, W=4, ahead=ahead)
    learners, step = range(3), 0
    for other, skipped in moves:
        if other:
            learners = range(1, 4) if learners == range(3) else range(3)
        planned.select(learners)
        np.testing.assert_array_equal(planned.block(step)[0], words(learners, step))
        step += ahead * (1 + skipped // 2)


@given(st.integers(0, PLACES - 8), st.integers(1, 8))
def test_several_steps_at_once_are_those_steps(step: int, ahead: int) -> None:
    planned = Streams(seed=1, purpose=Purpose.NOISE, R=2, tile=3, W=4, ahead=ahead)
    block = planned.block(step).copy()
    for i in range(ahead):
        np.testing.assert_array_equal(block[i], words(range(3), step + i))


@given(st.integers(1, 5), st.integers(0, 4), STEPS)
def test_replicas_are_a_prefix(r: int, more: int, step: int) -> None:
    np.testing.assert_array_equal(
        words(range(3), step, R=r), words(range(3), step, R=r + more)[:, :r]
    )


def test_all_addresses_differ() -> None:
    drawn = [
        words(range(50), step, R=10, seed=seed, purpose=purpose)
        for step in (0, 1, 2, 3, PLACES - 1)
        for seed in (0, 1, 2**62)
        for purpose in Purpose
    ]
    every = np.concatenate(drawn, axis=None)
    assert len(np.unique(every)) == every.size


def test_counters_of_all_steps_and_places_differ() -> None:
    """Undone, words of one learner are a progression in the counter, so none can come again."""
    key, odd = stream_by_hand(1, 1, 0)
    for step, place in [(0, 0), (0, 7), (1, 0), (5, 3), (PLACES - 1, 7)]:
        word = int(words(range(1), step, R=2, W=4)[0].reshape(-1)[place])
        counter = (unmixed(word) - key) * pow(odd, -1, 2**64) & MASK
        assert divmod(counter, PLACES) == (step, place)


@pytest.mark.parametrize("step", [-1, PLACES, 2**64])
def test_steps_without_an_address_are_refused(step: int) -> None:
    with pytest.raises(KavgError, match=f"addresses for 2\\^32 local steps, got step {step}"):
        streams().words(step)


def test_words_without_an_address_are_refused() -> None:
    with pytest.raises(KavgError, match=f"must be at most 2\\^32, got {PLACES + 1};"):
        streams(R=1, tile=0, W=PLACES + 1)


@given(st.integers(0, 10**7))
def test_steps_at_once_are_a_power_of_2_and_no_more_numbers_than_a_tile(numbers: int) -> None:
    ahead = steps_ahead(numbers)
    assert PLACES % ahead == 0
    assert ahead == 1 or ahead * numbers <= BLOCK
    assert ahead == 64 or 2 * ahead * numbers > BLOCK


# --- the parts of a word


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("part", [np.uint8, np.uint16, np.uint32])
@given(st.lists(WORDS, min_size=4, max_size=4))
def test_parts_are_those_that_shifts_make_on_machines_of_either_order(
    part: Any, order: str, given_words: list[int]
) -> None:
    bits = 8 * np.dtype(part).itemsize
    expected = [
        [word >> i & (2**bits - 1) for word in pair for i in range(0, 64, bits)]
        for pair in (given_words[:2], given_words[2:])
    ]
    array: Any = np.array(given_words, f"{order}u8").reshape(2, 2)
    assert split_words(array, part).tolist() == expected


# --- the mixer


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
        "BOOTSTRAP": 8,
    }
