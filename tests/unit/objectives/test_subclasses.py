"""Objectives that are derived from one of kavg, or wrap one: what they define themselves counts."""

from __future__ import annotations

import numpy as np
import pytest

import kavg
from kavg.objectives import Cosine, DoubleWell, SineBowl

PLANNED = [SineBowl, Cosine, DoubleWell]


def clipped(cls, **members):
    """An objective derived from ``cls`` with a gradient of its own, and other members."""

    class Clipped(cls):
        def grad(self, x, out):
            super().grad(x, out)
            return np.clip(out, -0.5, 0.5, out=out)

    return type("Own", (Clipped,), members)(dim=2)


@pytest.mark.parametrize("cls", PLANNED)
def test_a_gradient_of_ones_own_may_call_that_of_the_base_whatever_the_plan(cls):
    x = np.array([[3.0, 0.1], [0.2, -9.0]])
    expected = np.clip(cls(dim=2).grad(x, np.empty_like(x)), -0.5, 0.5)

    def plans_grad(self, tile, R, dtype):
        return self.grad

    for members in ({}, {"plan_gradient": None}, {"plan_gradient": plans_grad}):
        own = clipped(cls, **members)
        np.testing.assert_array_equal(own.grad(x, np.empty_like(x)), expected)


@pytest.mark.parametrize("cls", PLANNED)
def test_grad_takes_any_number_of_numbers(cls):
    x = np.linspace(-3.0, 3.0, 15).reshape(5, 3)
    expected = [cls(dim=1).grad(x[i, j : j + 1], np.empty(1))[0] for i, j in np.ndindex(5, 3)]
    for dim in (1, 2, 3):
        own = cls(dim=dim)
        assert own.grad(x, np.empty_like(x)).ravel().tolist() == expected
        assert own.grad(x.ravel(), np.empty(15)).tolist() == expected


@pytest.mark.parametrize("cls", PLANNED)
def test_grad_converts_numbers_of_other_types(cls):
    own, x = cls(dim=2), np.array([1.0, 2.0])
    expected = own.grad(x, np.empty(2))
    assert own.grad(np.array([1, 2]), np.empty(2)).tolist() == expected.tolist()
    for dtype in (np.float16, np.longdouble, ">f8"):
        found = own.grad(x.astype(dtype), np.empty(2, dtype))
        assert found.tolist() == expected.astype(dtype).tolist()
    with pytest.raises(kavg.KavgError, match="must have one shape"):
        own.grad(x, np.empty((3, 2)))
