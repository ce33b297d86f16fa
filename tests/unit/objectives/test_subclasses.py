"""Objectives that are derived from one of kavg, or wrap one: what they define themselves counts."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.user_code import run

import kavg
from kavg.base import HasGradientPlan
from kavg.gradients import has_gradient_plan
from kavg.objectives import Cosine, DoubleWell, Quadratic, SineBowl

PLANNED = [SineBowl, Cosine, DoubleWell]


def clipped(cls, **members):
    """An objective derived from ``cls`` with a gradient of its own, and other members."""

    class Clipped(cls):
        def grad(self, x, out):
            super().grad(x, out)
            return np.clip(out, -0.5, 0.5, out=out)

    return type("Own", (Clipped,), members)(dim=2)


class Wrapper:
    """An objective with a gradient of its own around one of kavg."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.__dict__["inner"], name)

    def grad(self, x, out):
        return np.clip(self.inner.grad(x, out), -0.5, 0.5, out=out)


class PlansNothing:
    def plan_gradient(self, tile, R, dtype):
        raise AssertionError("a plan of another gradient")


def replaced_on_the_instance(cls):
    own = cls(dim=2)
    vars(own)["grad"] = Wrapper(cls(dim=2)).grad
    return own


def with_a_plan_of_another_class(cls):
    return type("Own", (PlansNothing, type(clipped(cls))), {})(dim=2)


def from_the_protocol(cls):
    """A class that derives from the Protocol of plans, and has none."""

    class Own(HasGradientPlan):
        dim, L, f_star = 2, cls(dim=2).L, cls(dim=2).f_star
        value, grad = cls(dim=2).value, Wrapper(cls(dim=2)).grad

    return Own()


OWN_GRADIENTS = {
    "derived": clipped,
    "derived without a plan": lambda cls: clipped(cls, plan_gradient=None),
    "derived twice": lambda cls: type("Own", (type(clipped(cls)),), {})(dim=2),
    "with a plan of another class": with_a_plan_of_another_class,
    "wrapped": lambda cls: Wrapper(cls(dim=2)),
    "on the instance": replaced_on_the_instance,
    "from the Protocol": from_the_protocol,
}


@pytest.mark.parametrize("cls", PLANNED)
@pytest.mark.parametrize("name", OWN_GRADIENTS)
def test_a_run_uses_the_gradient_that_an_objective_has_of_its_own(name, cls):
    own, twin = OWN_GRADIENTS[name](cls), clipped(cls, plan_gradient=lambda self, *_: self.grad)
    assert not has_gradient_plan(own)
    assert has_gradient_plan(twin)
    # The first checks are at a start where the two gradients agree.
    runs = [run(each, kavg.oracles.Gaussian(4.0), start=0.01, rounds=20) for each in (own, twin)]
    np.testing.assert_array_equal(runs[0].w, runs[1].w)
    np.testing.assert_array_equal(runs[0].grad_norm2, runs[1].grad_norm2)
    other = run(cls(dim=2), kavg.oracles.Gaussian(4.0), start=0.01, rounds=20)
    assert not np.array_equal(runs[0].w, other.w)


def test_a_penalty_on_a_quadratic_is_not_left_out():
    class Penalised(Quadratic):
        def grad(self, x, out):
            super().grad(x, out)
            return np.add(out, 0.5 * x, out=out)

        def value(self, x):
            return super().value(x) + 0.25 * np.square(x).sum(axis=-1)

    own, plain = Penalised((1.0, 2.0)), Quadratic((1.5, 2.5))
    np.testing.assert_allclose(run(own).w, run(plain).w, rtol=1e-14)


def test_a_plan_counts_where_grad_is_inherited_or_both_are_replaced():
    class Planner(SineBowl):
        def plan_gradient(self, tile, R, dtype):
            return self.grad

    assert has_gradient_plan(Planner(dim=2))
    assert has_gradient_plan(type("Named", (SineBowl,), {})(dim=2))
    own = SineBowl(dim=2)
    vars(own).update(grad=own.grad, plan_gradient=lambda *_: own.grad)
    assert has_gradient_plan(own)


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
