"""Which examples a batch holds, and which examples a learner has."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kavg.base import Indices
from kavg.errors import KavgError
from kavg.oracles import Partition, Shifted
from kavg.oracles.samplers import SAMPLERS, scale_halves

LEVEL = 1e-5
"""Level of every chi-square test, seeds fixed."""


def sampler(kind: str, *, B: int, n: int, R: int = 3, tile: int = 2, seed: int = 1) -> Any:
    return SAMPLERS[kind](seed=seed, R=R, tile=tile, B=B, n=n)


def batches(kind: str, *, B: int, n: int, steps: range, R: int = 500) -> Indices:
    """Many batches, ``(batches, B)``, each sorted."""
    planned = sampler(kind, B=B, n=n, R=R, tile=20)
    drawn = np.concatenate([planned.draw(step).copy().reshape(-1, B) for step in steps])
    return np.sort(drawn, axis=1)


@pytest.mark.parametrize("kind", SAMPLERS)
@given(st.integers(1, 30), st.data(), st.integers(0, 10**9))
def test_indices_lie_below_n(kind: str, n: int, data: st.DataObject, step: int) -> None:
    B = data.draw(st.integers(1, n))
    drawn = sampler(kind, B=B, n=n).draw(step)
    assert drawn.shape == (2, 3, B)
    assert drawn.dtype == np.intp
    assert drawn.min() >= 0
    assert drawn.max() < n


@pytest.mark.parametrize("kind", ["without_replacement", "reshuffle"])
@given(st.integers(1, 30), st.data(), st.integers(0, 10**9))
def test_a_batch_is_distinct(kind: str, n: int, data: st.DataObject, step: int) -> None:
    B = data.draw(st.integers(1, n))
    drawn = np.sort(sampler(kind, B=B, n=n).draw(step), axis=-1)
    assert np.all(np.diff(drawn, axis=-1) > 0)


@pytest.mark.parametrize("kind", SAMPLERS)
@pytest.mark.parametrize(("n", "B"), [(1, 1), (7, 3), (10, 10), (13, 1)])
def test_each_example_is_equally_likely(kind: str, n: int, B: int) -> None:
    epoch = n // B
    planned = sampler(kind, B=B, n=n, R=500, tile=20)
    for place in {0, epoch - 1}:
        steps = [place + epoch * k for k in range(3)]
        drawn = np.concatenate([planned.draw(step).copy() for step in steps], axis=None)
        counts = np.bincount(drawn, minlength=n)
        assert np.all(counts == counts[0]) or stats.chisquare(counts).pvalue > LEVEL


@pytest.mark.parametrize("kind", ["without_replacement", "reshuffle"])
@pytest.mark.parametrize(("n", "B"), [(3, 2), (5, 2), (5, 3), (6, 4), (6, 1)])
def test_each_subset_is_equally_likely(kind: str, n: int, B: int) -> None:
    drawn = batches(kind, B=B, n=n, steps=range(0, 4 * (n // B), n // B))
    subsets = list(combinations(range(n), B))
    codes = (drawn @ n ** np.arange(B)).tolist()
    counts = [codes.count(int(np.array(s) @ n ** np.arange(B))) for s in subsets]
    assert sum(counts) == len(drawn)
    assert stats.chisquare(counts).pvalue > LEVEL


def test_batches_with_replacement_are_pairs_of_independent_indices() -> None:
    drawn = sampler("with_replacement", B=2, n=4, R=500, tile=20).draw(2).reshape(-1, 2)
    assert stats.chisquare(np.bincount(drawn @ np.array([1, 4]), minlength=16)).pvalue > LEVEL


@given(st.integers(1, 12), st.data())
def test_an_epoch_visits_each_example_once(n: int, data: st.DataObject) -> None:
    B = data.draw(st.integers(1, n))
    epoch = data.draw(st.integers(0, 1000))
    planned, steps = sampler("reshuffle", B=B, n=n), n // B
    seen = [planned.draw(epoch * steps + place).copy() for place in range(steps)]
    visits = np.sort(np.concatenate(seen, axis=-1), axis=-1)
    assert np.all(np.diff(visits, axis=-1) > 0)
    if n % B == 0:
        np.testing.assert_array_equal(visits, np.broadcast_to(np.arange(n), visits.shape))


def test_the_orders_of_epochs_are_equally_likely_and_differ() -> None:
    planned = sampler("reshuffle", B=3, n=3, R=500, tile=20)
    orders = np.concatenate([planned.draw(epoch).copy().reshape(-1, 3) for epoch in range(3)])
    codes = (orders @ np.array([1, 3, 9])).tolist()
    counts = [codes.count(int(np.array(p) @ np.array([1, 3, 9]))) for p in permutations(range(3))]
    assert stats.chisquare(counts).pvalue > LEVEL
    long = sampler("reshuffle", B=30, n=30)
    assert not np.array_equal(long.draw(0).copy(), long.draw(1))


def test_the_largest_word_stays_below_the_limit() -> None:
    halves = np.array([0, 2**32 - 1], np.uint32).view(np.uint64)
    out = np.empty(2, np.uint64)
    scale_halves(halves, np.uint64(1797), out)
    assert out.tolist() == [0, 1796]


# --- parts


@st.composite
def dealt(draw: st.DrawFn) -> tuple[Partition, Any, int]:
    P, share = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    partition = Partition(skew=draw(st.floats(0, 1)), seed=draw(st.integers(0, 2**40)))
    n = P * share
    labels = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    return partition, np.array(labels), P


@given(dealt())
def test_parts_are_equal_disjoint_and_cover(case: tuple[Partition, Any, int]) -> None:
    partition, labels, P = case
    parts = partition.deal(labels, P)
    assert parts.shape == (P, len(labels) // P)
    assert parts.dtype == np.intp
    np.testing.assert_array_equal(np.sort(parts, axis=None), np.arange(len(labels)))
    np.testing.assert_array_equal(parts, partition.deal(labels, P))


@given(dealt())
def test_the_skewed_share_is_dealt_in_the_order_of_labels(
    case: tuple[Partition, Any, int],
) -> None:
    partition, labels, P = case
    parts = partition.deal(labels, P)
    skewed = round(partition.skew * parts.shape[1])
    by_label = labels[parts[:, :skewed].ravel()]
    assert np.all(np.diff(by_label) >= 0)


def test_full_skew_gives_each_learner_its_own_label() -> None:
    labels = np.tile(np.arange(4), 10)
    parts = Partition(skew=1.0).deal(labels, 4)
    assert [set(labels[part].tolist()) for part in parts] == [{0}, {1}, {2}, {3}]


def test_half_skew_gives_half_of_each_part_one_label() -> None:
    labels = np.tile(np.arange(4), 1000)
    shares = labels[Partition(skew=0.5).deal(labels, 4)] == np.arange(4)[:, None]
    assert shares[:, :500].mean() > 0.95
    assert abs(shares[:, 500:].mean() - 0.25) < 0.05


def test_no_skew_gives_parts_of_one_law_and_seeds_differ() -> None:
    labels = np.sort(np.tile(np.arange(4), 500))
    parts = Partition().deal(labels, 4)
    table = [np.bincount(labels[part], minlength=4) for part in parts]
    assert stats.chi2_contingency(table).pvalue > LEVEL
    assert not np.array_equal(parts, Partition(seed=1).deal(labels, 4))


@pytest.mark.parametrize("seed", [-1, 2**63, True, 0.5])
def test_seeds_of_a_problem_are_checked_like_those_of_a_run(seed):
    for make in (lambda: Partition(seed=seed), lambda: Shifted(zeta2=1.0, seed=seed)):
        with pytest.raises(KavgError, match="seed must be a whole number"):
            make()
