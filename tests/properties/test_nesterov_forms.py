"""Both forms of Nesterov outside are one method: the look-ahead of one is w of the other."""

from itertools import islice

import numpy as np
import pytest

import kavg

PROBLEM = kavg.Problem(
    kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), (2.0, -1.0, 0.5)
)


def rounds(rule, P=3, K=4):
    method = kavg.Algorithm(P, K, 0.02, rule)
    return list(islice(kavg.meta_iterations(PROBLEM, method, replicas=4, seed=3), 21))


@pytest.mark.parametrize(("mu", "alpha"), [(0.9, 0.7), (0.5, 1.0), (0.0, 1.3)])
def test_the_look_ahead_of_the_anchored_form_is_the_iterate_of_pytorchs(mu, alpha):
    anchored = rounds(kavg.outer.NesterovMomentum(mu, alpha))
    ahead = rounds(kavg.outer.NesterovLookAhead(mu, alpha))
    for one, other in zip(anchored, ahead, strict=True):
        np.testing.assert_allclose(one.w + alpha * mu * one.v, other.w, rtol=0, atol=1e-12)
        np.testing.assert_allclose(one.v, other.v, rtol=0, atol=1e-12)
    # After one round, from the same start, only rounding is between them.
    first = anchored[1].w + alpha * mu * anchored[1].v
    assert np.abs(first - ahead[1].w).max() <= 4.5e-16


def test_what_is_recorded_differs():
    anchored = rounds(kavg.outer.NesterovMomentum(0.9, 0.7))[-1]
    ahead = rounds(kavg.outer.NesterovLookAhead(0.9, 0.7))[-1]
    assert np.abs(anchored.w - ahead.w).max() > 0.01
