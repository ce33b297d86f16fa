"""The table of experiments/sweeps/batched.py, small."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from helpers.experiment import experiment

import kavg

batched = experiment("sweeps/batched")


def small(case):
    return replace(case, rounds=2, replicas=2, points=case.points[:3])


def test_every_case_has_one_problem_and_several_points():
    names = [case.name for case in batched.cases()]
    assert len(set(names)) == len(names)
    assert all(len(case.points) >= 10 for case in batched.cases())


def test_a_case_is_timed_alone_and_batched():
    (case, *_) = map(small, batched.cases())
    assert all(seconds > 0 for seconds in batched.compare(case, "float32", 1))
    assert len(batched.time_sizes(case, (1, 2), "float64", 1)) == 2


def test_other_bits_are_no_result(monkeypatch):
    (case, *_) = map(small, batched.cases())
    others = partial(kavg.simulate_batch, seed=1)
    monkeypatch.setattr(kavg, "simulate_batch", others)
    with pytest.raises(AssertionError, match="F differs"):
        batched.compare(case, "float64", 1)


def test_turns_leave_the_first_one_out():
    calls = []
    assert len(batched.time_turns((lambda: calls.append(0), lambda: calls.append(1)), 2)) == 2
    assert calls == [0, 1] * 3
