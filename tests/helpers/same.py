"""Equality of bits."""

import numpy as np


def same_bits(one, other) -> bool:
    """Are two trajectories the same in every recorded number, to the last bit?"""
    names = set(one.series) == set(other.series)
    series = all(np.array_equal(one.series[name], other.series[name]) for name in one.series)
    states = np.array_equal(one.w, other.w) and np.array_equal(one.v, other.v)
    return names and series and states and np.array_equal(one.rounds, other.rounds)
