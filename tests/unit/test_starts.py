"""Starting points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kavg.errors import KavgError
from kavg.objectives import Cosine
from kavg.oracles import Noiseless
from kavg.oracles.normals import draw_normals
from kavg.oracles.streams import Purpose
from kavg.problem import Problem
from kavg.starts import KINDS, Normal


def problem(start: Any, dim: int = 3) -> Problem:
    return Problem(Cosine(dim=dim), Noiseless(), start)


@given(st.integers(0, 2**63 - 1), st.integers(1, 5), st.integers(0, 5), st.integers(1, 6))
def test_replicas_are_a_prefix(seed: int, r: int, more: int, dim: int) -> None:
    rule = Normal(scale=2.0, mean=1.0)
    np.testing.assert_array_equal(rule.draw(seed, r, dim), rule.draw(seed, r + more, dim)[:r])


def test_replicas_and_seeds_differ() -> None:
    drawn = np.concatenate([Normal().draw(seed, 50, 2) for seed in range(4)])
    assert len(np.unique(drawn, axis=0)) == 200


@given(st.floats(0, 1e6), st.floats(-1e6, 1e6))
def test_scale_and_mean_act_on_one_draw(scale: float, mean: float) -> None:
    drawn = Normal(scale=scale, mean=mean).draw(3, 4, 5)
    np.testing.assert_array_equal(drawn, mean + scale * Normal().draw(3, 4, 5))


def test_draws_are_normal() -> None:
    """Kolmogorov and Smirnov's test at level 1e-5, seed fixed."""
    drawn = Normal(scale=0.5, mean=-2.0).draw(1, 2000, 10)
    assert stats.kstest(drawn.ravel(), stats.norm(-2.0, 0.5).cdf).pvalue > 1e-5


@pytest.mark.parametrize(
    "start", [2, 2.0, (2.0, 2.0, 2.0), [2, 2, 2], np.full(3, 2.0), np.float64(2.0)]
)
def test_numbers_stand_for_every_replica(start: Any) -> None:
    w = problem(start).first_iterate(seed=1, R=4)
    np.testing.assert_array_equal(w, np.full((4, 3), 2.0))
    assert w.dtype == np.float64
    w[0, 0] = 7.0
    assert w[1, 0] == 2.0


def test_coordinates_stay_in_order() -> None:
    w = problem((1.0, 2.0, 3.0)).first_iterate(seed=1, R=2)
    np.testing.assert_array_equal(w, [[1.0, 2.0, 3.0]] * 2)


def test_the_start_given_is_not_shared() -> None:
    start = np.zeros(3)
    problem(start).first_iterate(seed=1, R=1)[...] = 1.0
    assert np.all(start == 0)


def test_draws_have_a_purpose_of_their_own() -> None:
    for seed in (1, 2):
        expected = draw_normals(seed, Purpose.START, 3, 4, range(1))[0]
        np.testing.assert_array_equal(Normal().draw(seed, 3, 4), expected)


def test_a_law_draws_the_start() -> None:
    w = problem(Normal(scale=3.0)).first_iterate(seed=8, R=5)
    np.testing.assert_array_equal(w, Normal(scale=3.0).draw(8, 5, 3))
    assert dict(KINDS) == {"normal": Normal}


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ((1.0, 2.0), r"3 of them .*got \(1\.0, 2\.0\) of shape \(2,\)"),
        (np.zeros((3, 3)), r"got start=array\(\[\[0"),
        ((), r"of shape \(0,\)"),
        (float("nan"), "must be a finite number, got start=nan"),
        ((1.0, float("inf"), 0.0), "got .*inf"),
    ],
)
def test_other_shapes_and_infinities_are_refused(start: Any, message: str) -> None:
    with pytest.raises(KavgError, match=message):
        problem(start).first_iterate(seed=1, R=2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale": -1.0}, r"scale=-1\.0"),
        ({"scale": float("inf")}, "scale=inf"),
        ({"mean": float("nan")}, "mean=nan"),
    ],
)
def test_starts_refuse_wrong_values(settings: dict[str, float], message: str) -> None:
    with pytest.raises(KavgError, match=message):
        Normal(**settings)
