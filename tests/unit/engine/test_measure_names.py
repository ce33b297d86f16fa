"""Names of recorded quantities: those that are taken, and those that nobody can read."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

import kavg
from kavg.errors import KavgError

PROBLEM = kavg.Problem(kavg.objectives.Cosine(dim=2), kavg.oracles.Gaussian(1.0), 2.0)
METHOD = kavg.Algorithm(2, 1, 0.1, kavg.outer.BlockMomentum(0.5))


def norm(n, w):
    return np.vecdot(w, w)


def run(record, objective=PROBLEM.objective):
    problem = kavg.Problem(objective, PROBLEM.oracle, 2.0)
    return kavg.simulate(problem, METHOD, rounds=2, record=record)


TAKEN = ["F", "grad_norm2", "dispersion", "steps", "axis", "replicas", "__doc__", "__x", "round"]
TAKEN += [field.name for field in fields(kavg.Trajectory)]


@pytest.mark.parametrize("name", TAKEN)
def test_a_name_that_is_taken_is_refused(name):
    with pytest.raises(KavgError, match=f"the name '{name}' in record is taken"):
        run({name: norm})


@pytest.mark.parametrize("name", [3, None, "", " ", " a", "a\n", "\x1b[1m", b"a", ("a",)])
def test_a_name_is_readable_text(name):
    with pytest.raises(KavgError, match="names in record must be readable text such as"):
        run({name: norm})


@pytest.mark.parametrize("name", ["test", "log10(F)", "distance to w", "F_2", "größe", "norm/2"])
def test_other_names_are_recorded(name):
    np.testing.assert_array_equal(run({name: norm}).series[name][-1], norm(0, run(None).w))


@pytest.mark.parametrize("record", [norm, "F", 3, {"norm", "F"}])
def test_record_is_a_dict(record):
    with pytest.raises(KavgError, match="record must be a dict such as"):
        run(record)


def test_a_measure_is_a_function():
    with pytest.raises(KavgError, match=r"record\['x'\] must be a function such as lambda n, w"):
        run({"x": 3})


class Measuring:
    def __init__(self, **measures):
        self.inner, self.measures = PROBLEM.objective, measures

    def __getattr__(self, name):
        return getattr(self.inner, name)


def test_an_objective_takes_no_name_either():
    assert run(None, Measuring(size=lambda w: norm(0, w))).size.shape == (3, 1)
    with pytest.raises(KavgError, match=r"the name 'F' in objective\.measures is taken"):
        run(None, Measuring(F=lambda w: norm(0, w)))
    with pytest.raises(KavgError, match="the name 'size' in record is taken"):
        run({"size": norm}, Measuring(size=lambda w: norm(0, w)))


class Log(list):
    """Empty, and so false, until it is called."""

    def __call__(self, now):
        self.append(now.n)

    def on_round(self, running):
        self.append(running.last.n)

    def request(self):
        return 0


@pytest.mark.parametrize("place", ["on_round", "callback"])
def test_what_is_empty_is_called_all_the_same(place):
    log = Log()
    kavg.simulate(PROBLEM, METHOD, rounds=3, **{place: log})
    assert log == [1, 2, 3]
