"""Which states a run keeps, and that each is enough to go on from."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from helpers.strategies import algorithms, problems
from hypothesis import given
from hypothesis import strategies as st

import kavg
from kavg.engine.snapshots import BYTES, MOST, Snapshots, get_latest_state, max_snapshots
from kavg.storage.trajectories import stack_states, unstack_states
from kavg.trajectory import State


def a_state(n):
    return State(n, np.full((2, 3), float(n)), np.empty(0), np.array([n, -n]))


def numbers(states):
    return [state.n for state in states]


@given(rounds=st.integers(0, 300), most=st.integers(1, 20))
def test_they_are_spread_and_not_too_many(rounds, most):
    kept = Snapshots(most)
    for n in range(rounds + 1):
        kept.add(a_state(n))
    found = numbers(kept.states)
    stride = next(2**i for i in range(20) if rounds // 2**i <= most)
    assert found == list(range(stride, rounds + 1, stride))
    assert rounds < most or len(found) > (most - 1) / 2


@given(done=st.integers(1, 200), more=st.integers(0, 200), most=st.integers(0, 20))
def test_taken_up_anywhere_they_are_those_of_one_run(done, more, most):
    whole, before, after = Snapshots(most), Snapshots(most), Snapshots(most)
    for n in range(done + more + 1):
        whole.add(a_state(n))
    for n in range(done + 1):
        before.add(a_state(n))
    rest = (a_state(n) for n in range(done + 1, done + more + 1))
    for state in (*(s for s in before.states if s.n < done), a_state(done), *rest):
        after.add(state)
    assert numbers(after.states) == numbers(whole.states)


@given(R=st.integers(1, 10**4), d=st.integers(1, 10**6))
def test_together_they_stay_small(R, d):
    most = max_snapshots(R, d)
    assert 0 <= most <= MOST
    assert most * 16 * R * d <= BYTES < (most + 1) * 16 * R * d or most == MOST


@given(problems(), algorithms(), st.integers(1, 40), st.data())
def test_a_run_continues_from_any_snapshot_as_it_did(problem, algorithm, rounds, data):
    settings = {"replicas": 2, "seed": 3}
    run = kavg.simulate(problem, algorithm, rounds=rounds, every=rounds, **settings)
    assert numbers(run.states) == [n for n in numbers(run.states) if 0 < n < run.done]
    if run.diverged_at is None and run.states:
        state = data.draw(st.sampled_from(run.states))
        rest = kavg.meta_iterations(problem, algorithm, state=state, **settings)
        *_, last = islice(rest, rounds - state.n)
        assert last.w.tobytes() == run.w.tobytes()


def test_the_latest_state_before_a_round():
    states = [a_state(n) for n in (4, 8, 12)]
    assert [get_latest_state(states, n) for n in (0, 4)] == [None, None]
    assert [get_latest_state(states, n).n for n in (5, 8, 9, 99)] == [4, 4, 8, 12]


@given(st.lists(st.integers(1, 99), max_size=4))
def test_stacked_they_come_back(rounds):
    back = unstack_states(stack_states([a_state(n) for n in rounds]))
    assert numbers(back) == rounds
    for state in back:
        for name in ("w", "v", "exponents"):
            one, other = getattr(state, name), getattr(a_state(state.n), name)
            assert (one.dtype, one.shape, one.tobytes()) == (
                other.dtype, other.shape, other.tobytes(),
            )  # fmt: skip


def test_a_part_that_is_missing_is_an_error():
    arrays = stack_states([a_state(4), a_state(8)])
    with pytest.raises(KeyError):
        unstack_states({name: arrays[name] for name in ("n", "w", "v")})
    with pytest.raises(ValueError, match="zip"):
        unstack_states(arrays | {"v": arrays["v"][:1]})
