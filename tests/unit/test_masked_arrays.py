"""Arrays with masked entries are refused: NumPy's conversions take the numbers beneath the mask."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.user_code import Bowl, changed, run

import kavg
from kavg.objectives.data import Data
from kavg.oracles import Partition

X, Y = [[1.0], [2.0]], [0, 1]
METHOD = kavg.Algorithm(3, 2, 0.1, kavg.outer.BlockMomentum(0.5))
PROBLEM = kavg.Problem(Bowl(), kavg.oracles.Gaussian(1.0), 2.0)


def masked(numbers):
    """The numbers with the last of them masked."""
    array = np.ma.array(numbers)
    array[(-1,) * array.ndim] = np.ma.masked
    return array


def begin(**parts):
    rounds = kavg.meta_iterations(PROBLEM, METHOD)
    state = replace([next(rounds) for _ in range(3)][-1].state)
    wrong = {name: masked(getattr(state, name)) for name in parts}
    return next(kavg.meta_iterations(PROBLEM, METHOD, state=replace(state, **wrong)))


def extend(*names):
    settings = {"outer": kavg.outer.BlockMomentum(0.5)}
    short = run(rounds=2, **settings)
    wrong = {name: masked(getattr(short, name)) for name in names}
    return run(extends=replace(short, **wrong), **settings)


class Law:
    def draw(self, seed, R, dim):
        return masked(np.full((R, dim), 2.0))


REFUSED = {
    "features": lambda: Data(masked(X), Y),
    "labels": lambda: Data(X, masked(Y)),
    "labels in a column": lambda: Data(X, masked([[0], [1]])),
    "labels that are text": lambda: Data(X, masked(["a", "b"])),
    "whole features": lambda: Data(masked([[1], [2]]), Y),
    "a row of a list": lambda: Data([[1.0], masked([2.0])], Y),
    "a number of a list": lambda: Data([[1.0], [np.ma.masked]], Y),
    "labels to deal": lambda: Partition().deal(masked([0, 1, 0, 1]), 2),
    "a measure": lambda: run(record={"mine": lambda n, w: masked(w[:, 0])}),
    "a value": lambda: run(changed(Bowl, value=lambda self, x: masked(np.vecdot(x, x)))),
    "a law of starts": lambda: run(start=Law()),
    "w of a state": lambda: begin(w=True),
    "v of a state": lambda: begin(v=True),
    "exponents of a state": lambda: begin(exponents=True),
    "w of a run that is extended": lambda: extend("w"),
    "v of a run that is extended": lambda: extend("v"),
    "step sizes of a run that is extended": lambda: extend("gammas"),
}


@pytest.mark.filterwarnings("ignore:Warning. converting a masked element")
@pytest.mark.parametrize("name", REFUSED)
def test_masked_entries_are_refused(name):
    with pytest.raises(
        kavg.KavgError, match=r"must have no masked entries, got \d; remove or fill"
    ):
        REFUSED[name]()


def test_a_masked_array_without_masked_entries_is_an_array():
    whole = Data(np.ma.array(X), np.ma.array(Y))
    assert (whole.features.tolist(), whole.labels.tolist()) == (X, Y)
    assert type(whole.features) is np.ndarray
    measured = run(record={"mine": lambda n, w: np.ma.array(w[:, 0])})
    assert measured.mine.shape == (5, 2)
