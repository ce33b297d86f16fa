"""Problems of every kind whose digests are compared where instructions differ: each runs."""

from __future__ import annotations

import pytest

from experiments.reliability.machines import problems
from kavg import Algorithm, objectives, oracles, outer, simulate

PROBLEMS = problems()


def test_every_kind_has_its_problem():
    kinds = {f"objective {kind}" for kind in objectives.KINDS}
    assert set(PROBLEMS) == kinds | {f"oracle {kind}" for kind in oracles.KINDS}


@pytest.mark.parametrize("name", PROBLEMS)
def test_it_runs(name):
    method = Algorithm(P=3, K=2, gamma=0.01, outer=outer.Averaging())
    assert simulate(PROBLEMS[name], method, rounds=1, seed=1).rounds[-1] == 1
