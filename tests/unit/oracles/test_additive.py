"""Additive noise has its variance wherever it is accepted, and is refused elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from kavg import KavgError, objectives, oracles

D, R = 4, 2000
LAWS = [oracles.Gaussian, oracles.Rademacher, oracles.Sphere]
KINDS = [*LAWS, oracles.StudentT]


def draw_noise(oracle):
    """Gradients of a bowl at its minimum are noise alone, ``(R, D)``."""
    objective = objectives.Quadratic((1.0,) * D)
    sampler = oracle.plan(objective, seed=3, P=1, R=R, tile=1)
    x, out = np.zeros((1, R, D)), np.empty((1, R, D))
    sampler.select(range(1))
    sampler(x, 0, out)
    return out[0]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("variance", [1.01e-37, 1e-30, 1.0, 1e30, 0.99e36])
def test_the_smallest_and_the_largest_variance_are_as_stated(law, variance):
    unit = draw_noise(law(sigma2=1.0 * D))
    scaled = draw_noise(law(sigma2=variance * D))
    ratio = np.sqrt(np.mean((scaled / variance**0.5) ** 2) / np.mean(unit**2))
    assert abs(ratio - 1) < 1e-5


@pytest.mark.parametrize("law", KINDS)
@pytest.mark.parametrize("variance", [5e-324, 1e-50, 1e-45, 0.9e-37, 1.1e36, 1e50, 1e300])
def test_a_variance_that_float32_cannot_hold_is_refused(law, variance):
    with pytest.raises(KavgError, match=r"sigma2 / \(B d\) must be 0 or from 1e-37 to 1e\+36"):
        draw_noise(law(sigma2=variance * D))


@pytest.mark.parametrize("law", KINDS)
def test_no_variance_is_no_noise(law):
    assert not draw_noise(law(sigma2=0.0)).any()
