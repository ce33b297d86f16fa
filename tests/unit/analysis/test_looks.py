"""Planned looks: their levels add up, and a run stops at the first that is enough."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.analysis.estimate import Estimate, mean_interval
from kavg.analysis.looks import estimate_until, is_decided, is_narrow, plan_looks
from kavg.errors import KavgError


@given(st.integers(2, 100), st.integers(0, 5000), st.floats(0.5, 0.999))
def test_looks_double_up_to_the_budget_and_spend_the_level(replicas, more, level):
    looks = plan_looks(replicas, replicas + more, level)
    counts = [look.replicas for look in looks]
    assert counts[0] == replicas
    assert counts[-1] == replicas + more
    assert all(b == 2 * a for a, b in pairwise(counts[:-1]))
    assert len(counts) == 1 or counts[-2] < counts[-1] <= 2 * counts[-2]
    spent = [1 - look.level for look in looks]
    assert sum(spent) == pytest.approx(1 - level)
    assert spent[-1] >= 0.5 * (1 - level) - 1e-12
    assert [look.number for look in looks] == list(range(1, len(looks) + 1))


def test_one_look_has_the_whole_level():
    (look,) = plan_looks(16, 16, 0.95)
    assert (look.replicas, look.level) == (16, 0.95)


def interval(low, high):
    middle = (np.asarray(low) + high) / 2
    return Estimate(middle, np.asarray(low), np.asarray(high), 0.95, 8)


def test_the_first_look_that_is_enough_ends_it():
    asked = []

    def look(R, level):
        asked.append((R, level))
        return mean_interval(10 + np.sin(np.arange(R)), level)

    looks = plan_looks(4, 100)
    found = estimate_until(look, lambda e: is_narrow(e, 0.1), looks)
    assert asked == [(each.replicas, each.level) for each in looks[: found.look.number]]
    assert found.met
    assert found.look.replicas < 100
    assert found.estimate.level == found.look.level
    assert found.level == pytest.approx(0.95)
    last = estimate_until(look, lambda e: is_narrow(e, 1e-9), looks)
    assert (last.met, last.look) == (False, looks[-1])


def test_narrow_and_decided():
    assert is_narrow(interval(0.95, 1.05), 0.1 + 1e-9)
    assert not is_narrow(interval(0.95, 1.06), 0.1)
    assert is_narrow(interval(-1.05, -0.95), 0.11)
    assert not is_narrow(interval([0.99, 0.0], [1.01, 1.0]), 0.1)
    assert is_decided(interval([1.1, 0.2], [3.0, 0.9]), 1.0)
    assert not is_decided(interval([1.1, 0.2], [3.0, 1.0]), 1.0)
    nan = interval(np.nan, np.nan)
    assert not is_narrow(nan, 0.1)
    assert not is_decided(nan, 1.0)
    assert not is_narrow(interval(2.0, np.inf), 0.1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plan_looks(1, 8), "got replicas=1"),
        (lambda: plan_looks(9, 8), "up to the budget of 8, got replicas=9"),
        (lambda: plan_looks(4, 8, level=1.0), "level=1"),
        (lambda: estimate_until(lambda R, a: interval(0, 1), lambda e: True, []), "one look"),
        (lambda: is_narrow(interval(0, 1), 0.0), "width must be"),
    ],
)
def test_wrong_arguments_are_refused(call, words):
    with pytest.raises(KavgError, match=words):
        call()
