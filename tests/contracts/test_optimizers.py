"""The contract of the local optimizers: what a step may read, write and remember.

A small instance of each kind is tested by itself, and so is the template.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from templates.optimizer import SignOfMean

import kavg
from kavg.base import LocalOptimizer
from kavg.objectives.instances import small_settings
from kavg.optimizers import KINDS
from kavg.ranges import check_range

OPTIMIZERS = {kind: cls(**small_settings(cls)) for kind, cls in KINDS.items()}
OPTIMIZERS |= {
    f"{kind}, clipped, with decay": dataclasses.replace(one, clip=1.5, weight_decay=0.3)
    for kind, one in OPTIMIZERS.items()
    if {"clip", "weight_decay"} <= {field.name for field in dataclasses.fields(one)}
}
OPTIMIZERS["template"] = SignOfMean(beta=0.5)
each_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)
PRECISIONS = pytest.mark.parametrize("dtype", ["float64", "float32"])
SHAPE = (3, 2, 5)


def state(optimizer, dtype="float64", shape=SHAPE, seed=0):
    """Iterates, gradients and slots, all of which an optimizer can meet."""
    draws = np.random.default_rng(seed)
    x, g = (draws.normal(size=shape).astype(dtype) for _ in range(2))
    # Not negative, as means of squares are not.
    slots = np.abs(draws.normal(size=(optimizer.slots, *shape))).astype(dtype)
    return x, g, slots


def take(optimizer, x, g, slots, gamma=0.1, age=4, plan_for=None):
    """``x`` and ``slots`` after a step, as new arrays."""
    x, g, slots = x.copy(), g.copy(), slots.copy()
    step = optimizer.plan(*(plan_for or x.shape), str(x.dtype))
    step(x, g, slots, np.asarray(gamma, x.dtype), age)
    return x, slots


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@each_optimizer
def test_it_is_a_local_optimizer(name):
    one = OPTIMIZERS[name]
    assert check_range(LocalOptimizer, "optimizer", one) is one
    assert one.slots >= 0
    assert one.at_average in ("reset", "kept", "averaged")


@each_optimizer
def test_the_first_step_goes_against_the_gradient(name):
    one = OPTIMIZERS[name]
    x, g = np.zeros(SHAPE), np.full(SHAPE, 2.0)
    moved, _ = take(one, x, g, np.zeros((one.slots, *SHAPE)), age=1)
    assert np.all(moved < 0), "from slots of zero, a step must go against the gradient"


@each_optimizer
@PRECISIONS
def test_rows_do_not_depend_on_their_neighbours(name, dtype):
    one = OPTIMIZERS[name]
    x, g, slots = state(one, dtype)
    whole = take(one, x, g, slots)
    for j in range(SHAPE[0]):
        for r in range(SHAPE[1]):
            row = np.s_[j : j + 1, r : r + 1]
            alone = take(one, x[row], g[row], slots[:, *row])
            assert same(alone, (whole[0][row], whole[1][:, *row])), "a row must be on its own"


@each_optimizer
@PRECISIONS
def test_a_plan_serves_fewer_learners_too(name, dtype):
    one = OPTIMIZERS[name]
    x, g, slots = state(one, dtype)
    whole, few = take(one, x, g, slots), np.s_[:2]
    fewer = take(one, x[few], g[few], slots[:, few], plan_for=SHAPE)
    assert same(fewer, (whole[0][few], whole[1][:, few]))


@each_optimizer
def test_a_step_remembers_nothing_but_the_slots(name):
    one = OPTIMIZERS[name]
    step = one.plan(*SHAPE, "float64")
    for age in (1, 7, 2):
        x, g, slots = state(one, seed=age)
        fresh = take(one, x, g, slots, age=age)
        step(x, g, slots, np.array(0.1), age)
        assert same((x, slots), fresh), "a step must depend on its arguments alone"


@each_optimizer
def test_rows_may_have_steps_of_their_own(name):
    one = OPTIMIZERS[name]
    x, g, slots = state(one)
    gammas = np.array([[0.1], [0.4]])
    whole, _ = take(one, x, g, slots, gamma=gammas)
    for r, gamma in enumerate(gammas[:, 0]):
        alone, _ = take(one, x[:, r : r + 1], g[:, r : r + 1], slots[:, :, r : r + 1], gamma)
        assert np.array_equal(whole[:, r : r + 1], alone)


@each_optimizer
@given(st.integers(1, 10**9))
def test_steps_of_any_age_are_finite(name, age):
    one = OPTIMIZERS[name]
    after = take(one, *state(one), age=age)
    assert all(np.isfinite(part).all() for part in after)


@each_optimizer
@PRECISIONS
def test_it_runs(name, dtype):
    problem = kavg.Problem(kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(1.0), 1.0)
    method = kavg.Algorithm(3, 2, 0.05, kavg.outer.Averaging(), optimizer=OPTIMIZERS[name])
    run = kavg.simulate(problem, method, rounds=3, dtype=dtype)
    assert np.isfinite(run.series["F"]).all()
