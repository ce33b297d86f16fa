"""Outer rules of users: written in place, along the displacement, and no state but w and v."""

import re

import numpy as np
import pytest
from helpers.user_code import Rule, changed, run

import kavg


def rebinds_w(self, w, v, displacement, gamma):
    v[...] = self.mu * v + displacement
    w = w + v


def rebinds_both(self, w, v, displacement, gamma):
    v = self.mu * v + displacement
    w = w + v


def returns_both(self, w, v, displacement, gamma):
    v = self.mu * v + displacement
    return w + v, v


def returns_w(self, w, v, displacement, gamma):
    v[...] = self.mu * v + displacement
    return w + v


def against(self, w, v, displacement, gamma):
    v[...] = self.mu * v - displacement
    w += v


def subtracts_v(self, w, v, displacement, gamma):
    v[...] = self.mu * v + displacement
    w -= v


def counts(self, w, v, displacement, gamma):
    self.t = getattr(self, "t", 0) + 1
    v[...] = self.mu * v + displacement
    w += v / (1 - self.mu**self.t)


def keeps_v_itself(self, w, v, displacement, gamma):
    self.kept = self.mu * getattr(self, "kept", 0.0) + displacement
    w += self.kept


def couples(self, w, v, displacement, gamma):
    w += displacement / np.linalg.norm(displacement)


WRONG_STEPS = {
    "w is bound to a new array": (rebinds_w, "got the same w in 4 rounds; write in place"),
    "both are bound to new arrays": (rebinds_both, "binds the name to a new array"),
    "new arrays are returned": (returns_both, "return nothing, got several values"),
    "a new w is returned": (returns_w, "return nothing, got ndarray that it returned"),
    "wrong sign": (against, "got a move against it; add it: w \\+= displacement"),
    "w minus v": (subtracts_v, "got a move against it"),
    "nothing": (lambda self, w, v, d, gamma: None, "got the same w"),
    "a counter": (counts, "must keep no state but w and v"),
    "a momentum of its own": (keeps_v_itself, "must keep no state but w and v"),
    "a norm over replicas": (couples, "must treat each replica by itself"),
}


@pytest.mark.parametrize("name", WRONG_STEPS)
def test_a_wrong_step_is_refused_before_the_first_round(name):
    step, words = WRONG_STEPS[name]
    with pytest.raises(kavg.KavgError, match=words):
        run(outer=changed(Rule, step=step))


def start_to_w(self, w, v, out):
    w += v
    out[...] = w


WRONG_STARTS = {
    "a new array": (lambda self, w, v, out: w + v, "Mine.start must write to out, got a new array"),
    "nothing": (lambda self, w, v, out: None, "got 6 of 6 left"),
    "one coordinate": (lambda self, w, v, out: np.copyto(out[:, :1], w[:, :1]), "got 4 of 6 left"),
    "w itself is moved": (start_to_w, "start_to_w .* must not write to the arrays"),
}


@pytest.mark.parametrize("name", WRONG_STARTS)
def test_a_wrong_start_is_refused(name):
    start, words = WRONG_STARTS[name]
    with pytest.raises(kavg.KavgError, match=words):
        run(outer=changed(Rule, start=start))


def test_a_rule_that_uses_v_must_say_so():
    with pytest.raises(kavg.KavgError, match="set memory = True if the rule uses v"):
        run(outer=changed(Rule, memory=False))


@pytest.mark.parametrize("message", ["gamma is too small", "shapes (2,3) (2,) do not fit"])
def test_an_error_of_a_rule_without_v_is_its_own(message):
    def step(self, w, v, displacement, gamma):
        raise ValueError(message)

    with pytest.raises(ValueError, match="^" + re.escape(message)) as caught:
        run(outer=changed(Rule, memory=False, step=step))
    assert not isinstance(caught.value, kavg.KavgError)
    assert caught.value.__notes__[0].startswith("kavg called it in Mine.step with x of shape")


def a_round_late(self, w, v, displacement, gamma):
    w += v
    v[...] = displacement


def with_decay(self, w, v, displacement, gamma):
    w *= 0.5
    w += displacement


def signs(self, w, v, displacement, gamma):
    w += gamma * np.sign(displacement)


def small_ones_only(self, w, v, displacement, gamma):
    w += np.where(np.abs(displacement) < 1e-3, displacement, 0.0)


def large_ones_only(self, w, v, displacement, gamma):
    w += np.where(np.abs(displacement) > 5.0, displacement, 0.0)


def chained(self, w, v, displacement, gamma):
    w += displacement
    return w


def chained_both(self, w, v, displacement, gamma):
    w += displacement
    return w, v


def scratch(self, w, v, displacement, gamma):
    np.multiply(displacement, 0.5, out=displacement)
    w += displacement


RIGHT = [
    a_round_late,
    with_decay,
    signs,
    small_ones_only,
    large_ones_only,
    chained,
    chained_both,
    scratch,
]


@pytest.mark.parametrize("step", RIGHT, ids=lambda step: step.__name__)
@pytest.mark.parametrize("start", [2.0, 0.0, 1e12])
def test_a_right_rule_passes(step, start):
    if step is small_ones_only and start > 1e9:  # where it can never move
        return
    run(outer=changed(Rule, step=step), start=start, gamma=1e-3)


def test_a_rule_of_a_user_is_the_rule_of_kavg():
    mine = run(outer=Rule(0.5), rounds=6)
    assert np.array_equal(mine.w, run(outer=kavg.outer.BlockMomentum(0.5), rounds=6).w)


def test_a_rule_that_returns_arrays_later_is_found_later():
    def step(self, w, v, displacement, gamma):
        if np.abs(w).max() > 1.5:
            w += displacement
            return None
        return w + displacement

    with pytest.raises(kavg.KavgError, match="must write to w and v in place and return nothing"):
        run(outer=changed(Rule, step=step), rounds=30)


def test_a_continued_run_is_checked_from_its_own_state():
    rule = Rule(0.9)
    short = run(outer=rule, rounds=3)
    assert np.array_equal(run(outer=rule, extends=short, rounds=6).w, run(outer=rule, rounds=6).w)
