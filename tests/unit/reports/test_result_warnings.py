"""Warnings at the end of a run: F above its start, F huge, a gradient that vanished."""

from __future__ import annotations

import pytest
from helpers.settings import k_avg, m_avg, write_settings

from kavg import Algorithm, Problem, objectives, oracles, outer, simulate
from kavg.reports.result_warnings import list_result_warnings

QUIET = oracles.Noiseless()
UNIT = objectives.Quadratic((1.0,))


def warnings_of(objective, oracle=QUIET, start=1.0, gamma=0.1, rounds=20, replicas=1):
    problem = Problem(objective, oracle, start=start)
    method = Algorithm(2, 1, gamma, outer.Averaging(), name="SGD")
    run = simulate(problem, method, rounds=rounds, replicas=replicas, seed=1)
    return list_result_warnings(objective, [run])


SUSPECT = {
    "a step too long": (UNIT, {"gamma": 2.01}, "SGD: F ended at 0.7444, above its start at 0.5; "),
    "a step far too long": (
        UNIT,
        {"gamma": 2.6, "rounds": 240},
        "SGD: F grew from 0.5 to 4.749e+97: the run diverges, though its numbers are still ",
    ),
    "with noise": (
        objectives.Quadratic((1.0, 1.0)),
        {"oracle": oracles.Gaussian(sigma2=1.0), "gamma": 2.05, "replicas": 20, "rounds": 40},
        "SGD: F ended at ",
    ),
    "a plateau": (objectives.Saturating(dim=1), {"start": 1e9}, "SGD: the gradient has vanished, "),
    "a saddle": (objectives.DoubleWell(dim=1), {"start": 0.0}, "SGD: the gradient has vanished, "),
    "from a minimum": (
        UNIT,
        {"start": 1e-150, "gamma": 3.1, "rounds": 700},
        "SGD: F grew from 5e-301",
    ),
}


@pytest.mark.parametrize("name", SUSPECT)
def test_a_run_that_is_no_result_is_warned_of(name):
    objective, given, words = SUSPECT[name]
    (line,) = warnings_of(objective, **given)
    assert line.startswith(words)


GOOD = {
    "a run that converges": (UNIT, {}),
    "one that has converged": (UNIT, {"rounds": 2000, "gamma": 0.5}),
    "noise from a minimum": (
        UNIT,
        {"oracle": oracles.Gaussian(sigma2=1.0), "start": 0.0, "replicas": 8},
    ),
    "noise near a minimum": (
        UNIT,
        {"oracle": oracles.Gaussian(sigma2=1.0), "start": 1e-4, "replicas": 8},
    ),
    "one that diverged": (UNIT, {"gamma": 1e200, "rounds": 3}),
    "no infimum": (objectives.Linear(dim=2), {}),
    "an ill-conditioned bowl": (objectives.Quadratic((1e-6, 1.0)), {"gamma": 1.0, "rounds": 400}),
    "noise in a wave": (
        objectives.Cosine(dim=2),
        {"oracle": oracles.Gaussian(sigma2=1.0), "start": 2.0, "gamma": 0.05},
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_run_as_it_should_be_is_not(name):
    objective, given = GOOD[name]
    assert warnings_of(objective, **given) == []


def test_the_command_says_it_in_a_line_each(call, empty, no_figures):
    runs = [k_avg(gamma=2.6), m_avg(gamma=0.01)]
    bowl = {"kind": "quadratic", "spectrum": [1.0]}
    path = write_settings(
        empty / "my.toml", objective=bowl, oracle={"kind": "none"}, algorithm=runs
    )
    code, _, err = call("run", path, "-q")
    assert code == 0
    assert [line for line in err.splitlines() if "F ended" in line] == [
        "kavg: K-AVG: F ended at 6.806e+06, above its start at 2; reduce gamma"
    ]
