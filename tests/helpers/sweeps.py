"""Sweeps of one small settings file, right or wrong."""

from __future__ import annotations

import pytest

from kavg.errors import KavgError
from kavg.sweeps import parse_sweep

BASE = """
rounds = 8
replicas = 2
seed = 5
objective = { kind = "cosine", dim = 2 }
oracle = { kind = "gaussian", sigma2 = 1.0 }
[[algorithm]]
name = "K-AVG"
P = 4
K = 2
gamma = 0.1
outer = { kind = "averaging" }
[[algorithm]]
name = "M-AVG"
P = 4
K = 2
gamma = 0.1
outer = { kind = "block_momentum", mu = 0.5 }
"""


def sweep_of(more="", grids=(), without="", base=BASE):
    """The sweep of the settings with more lines, or without those that begin with a text."""
    return parse_sweep(settings_with(more, without, base), (), grids)


def settings_with(more="", without="", base=BASE):
    lines = [line for line in base.split("\n") if not (without and line.startswith(without))]
    return "\n".join([*lines, more])


def sweep_errors(more="", grids=(), without="", base=BASE):
    """The errors of a sweep, line by line."""
    with pytest.raises(KavgError) as caught:
        parse_sweep(settings_with(more, without, base), (), grids)
    return str(caught.value).split("\n")


def labels(sweep):
    return [point.label for point in sweep.points]
