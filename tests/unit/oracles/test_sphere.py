"""Noise on a sphere, at the edges of its generator: directions of almost no length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kavg.base import Floats
from kavg.objectives import Quadratic
from kavg.oracles import Sphere
from kavg.oracles.streams import Streams


def draw(gradient: Any, learners: range, shape: tuple[int, ...], step: int) -> Floats:
    gradient.select(learners)
    out = np.full(shape, np.nan)
    gradient(np.zeros(shape), step, out)
    return out


@pytest.mark.parametrize(("learner", "step"), [(1643, 3971), (2478, 9953), (1157, 25646)])
def test_a_uniform_next_to_1_still_has_a_direction(learner: int, step: int) -> None:
    planned = Sphere(sigma2=1.0).plan(Quadratic((1.0,)), seed=0, P=3000, R=1, tile=1)
    drawn = draw(planned, range(learner, learner + 1), (1, 1, 1), step)
    np.testing.assert_allclose(np.abs(drawn), 1.0, rtol=3e-7)


def test_a_sine_of_0_gives_no_noise_instead_of_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Streams, "block", lambda self, step: np.zeros_like(self.out))
    planned = Sphere(sigma2=1.0).plan(Quadratic((1.0,)), seed=0, P=3, R=2, tile=3)
    for step, expected in ((0, 1.0), (1, 0.0)):
        drawn = draw(planned, range(3), (3, 2, 1), step)
        np.testing.assert_allclose(np.abs(drawn), expected, rtol=3e-7)
