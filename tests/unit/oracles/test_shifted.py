"""The shifts that make learners differ: they add up to nothing and belong to the problem."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.objectives import Quadratic
from kavg.oracles import Shifted
from kavg.oracles.normals import draw_normals
from kavg.oracles.shifted import shifts
from kavg.oracles.streams import Purpose, Streams


@pytest.mark.parametrize("learners", range(2, 10))
@pytest.mark.parametrize("zeta2", [0.0, 1e-8, 3.0])
def test_shifts_sum_to_zero_and_have_mean_square_zeta2(learners: int, zeta2: float) -> None:
    b = shifts(zeta2, seed=4, P=learners, dim=5, learners=range(learners))
    assert np.all(np.add.reduce(b, axis=0) == 0)
    assert np.square(b).sum() / learners == pytest.approx(zeta2, rel=1e-14)
    assert len(np.unique(b, axis=0)) == (1 if zeta2 == 0 else learners - (learners % 2))


@pytest.mark.parametrize("learners", [2, 5])
@pytest.mark.parametrize("words", [0, 3067 + (64704 << 16), 2**64 - 1])
def test_in_one_dimension_a_shift_is_a_sign(
    learners: int, words: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the normal is 0, as those of 46 of the 2^32 pairs of lanes are."""
    monkeypatch.setattr(Streams, "block", lambda self, step: np.full_like(self.out, words))
    z = draw_normals(1, Purpose.SHIFT, 1, 1, range(1))
    assert (z == 0.0) == (0 < words < 2**63)
    b = shifts(4.0, seed=1, P=learners, dim=1, learners=range(learners))
    assert np.all(np.abs(b[: learners - learners % 2 * 3]) == 2.0)
    assert np.add.reduce(b, axis=0) == 0


@given(st.integers(2, 12), st.data())
def test_shifts_do_not_depend_on_the_rank(learners: int, data: st.DataObject) -> None:
    whole = shifts(2.0, seed=1, P=learners, dim=3, learners=range(learners))
    first = data.draw(st.integers(0, learners - 1))
    stop = data.draw(st.integers(first + 1, learners))
    part = shifts(2.0, seed=1, P=learners, dim=3, learners=range(first, stop))
    np.testing.assert_array_equal(part, whole[first:stop])


def test_shifts_belong_to_the_problem_not_to_the_run() -> None:
    x, drawn = np.zeros((6, 8, 3)), np.empty((6, 8, 3))
    for seed in (1, 2):
        gradient = Shifted(zeta2=2.0).plan(Quadratic((0.5, 2.0, 3.0)), seed=seed, P=6, R=8, tile=6)
        gradient.select(range(6))
        gradient(x, seed, drawn)
        np.testing.assert_array_equal(drawn[:, 0], shifts(2.0, 0, 6, 3, range(6)))
