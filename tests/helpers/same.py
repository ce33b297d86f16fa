"""Equality of bits."""

import numpy as np


def same_bits(one, other) -> bool:
    """Are two trajectories the same in every recorded number, to the last bit?"""
    names = set(one.series) == set(other.series)
    # A measure may be NaN where it has no value, as at the start.
    series = all(
        np.array_equal(one.series[name], other.series[name], equal_nan=True) for name in one.series
    )
    series = series and np.array_equal(one.measure_memory, other.measure_memory, equal_nan=True)
    states = np.array_equal(one.w, other.w) and np.array_equal(one.v, other.v)
    states = states and np.array_equal(one.slots, other.slots)
    states = states and np.array_equal(one.steps, other.steps)
    return names and series and states and np.array_equal(one.rounds, other.rounds)


def same_run(one, other) -> bool:
    """Are two trajectories the same in everything but the time they took?"""
    names = ("name", "P", "K", "B", "done", "diverged_at", "not_finite", "arithmetic")
    facts = all(getattr(one, name) == getattr(other, name) for name in names)
    numbers = (np.array_equal(one.gammas, other.gammas, equal_nan=True),
               np.array_equal(one.exponents, other.exponents))  # fmt: skip
    states = [same_state(*pair) for pair in zip(one.states, other.states, strict=False)]
    count = len(one.states) == len(other.states)
    return facts and all(numbers) and count and all(states) and same_bits(one, other)


def same_state(one, other) -> bool:
    """Are two states of a run the same?"""
    pairs = [(one.w, other.w), (one.v, other.v), (one.exponents, other.exponents)]
    return one.n == other.n and all(np.array_equal(*pair, equal_nan=True) for pair in pairs)
