"""Noise on a sphere: its length, and the edges of its directions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.base import Precision
from kavg.oracles import Rademacher, Sphere
from kavg.oracles.normals import Normals
from kavg.oracles.streams import Streams


def plan(d: int, dtype: Precision = "float64", R: int = 2, tile: int = 3, seed: int = 5) -> Any:
    return Sphere(sigma2=1.0).plan_draws(seed=seed, R=R, tile=tile, d=d, dtype=dtype)


@given(st.integers(1, 70), st.integers(0, 10**9), st.floats(1e-15, 1e15))
def test_every_vector_has_the_length_that_is_asked_for(d: int, step: int, scale: float) -> None:
    for dtype, rtol in (("float64", 1e-15), ("float32", 1e-6)):
        drawn = plan(d, dtype).draw(step, scale).astype(np.float64)
        np.testing.assert_allclose(np.linalg.norm(drawn, axis=-1), scale * d**0.5, rtol=4 * rtol)


def test_in_one_dimension_it_is_rademacher_noise() -> None:
    signs = Rademacher(sigma2=1.0).plan_draws(seed=5, R=2, tile=3, d=1, dtype="float64")
    np.testing.assert_array_equal(plan(1).draw(7, 1.5), signs.draw(7, 1.5))


@pytest.mark.parametrize("words", [0, 2**64 - 1, 0x8000_8000_8000_8000, 0x7FFF_7FFF_7FFF_7FFF])
def test_no_vector_has_length_0(words: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where all lanes look up an entry next to 0, in the middle of the table."""
    monkeypatch.setattr(Streams, "block", lambda self, step: np.full_like(self.out, words))
    for d in (2, 3):
        drawn = plan(d).draw(0, 1.0)
        np.testing.assert_allclose(np.linalg.norm(drawn, axis=-1), d**0.5, rtol=1e-15)


def test_directions_are_those_of_normals() -> None:
    normals = Normals(seed=5, purpose=1, R=2, tile=3, d=7, dtype="float64")  # type: ignore[arg-type]
    z = normals.draw(9, 1.0)
    expected = z / np.linalg.norm(z, axis=-1, keepdims=True)
    np.testing.assert_allclose(plan(7).draw(9, 1.0), expected * 7**0.5, rtol=1e-14)
