"""docs/notation.md says of kavg's rules what they do, and its gains are right."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from helpers.exact import AnchoredLookAhead

import kavg
from kavg import optimizers
from kavg.aggregations import (
    ElasticAveraging,
    Gossip,
    GroupedLearners,
    OwnSteps,
    SampledLearners,
    StaleGradients,
)
from kavg.outer import BlockMomentum, NesterovMomentum, SlowMo

PAGE = Path(__file__).parents[1] / "docs" / "notation.md"
COLUMNS = [(8, 0.5), (4, 0.75), (8, 0.875)]
"""P and mu of the columns of the table."""
GAMMA = 0.25


def steady_step(rule, displacement=1.0):
    """The step of w in the end, if the mean displacement is the same in every round."""
    w, v, before = np.zeros((3, 1, 1))
    for _ in range(400):
        before = w.copy()
        rule.step(w, v, np.full((1, 1), displacement), GAMMA)
    return float((w - before)[0, 0])


OF_KAVG = {
    "M-AVG": [lambda mu, P: BlockMomentum(mu), lambda mu, P: SlowMo(mu, alpha=1.0)],
    "Nesterov, anchor": [lambda mu, P: NesterovMomentum(mu)],
    "CNTK, classical": [lambda mu, P: SlowMo(mu, alpha=(1 - mu) * P)],
    "early fairseq BMUF, classical": [lambda mu, P: SlowMo(mu, alpha=1 - mu)],
}
"""The rules of kavg that a row of the table describes, or that translate it."""
OF_OTHERS = {
    'CNTK, "Nesterov"': lambda mu, P: (1 - mu) * P,
    'early fairseq BMUF, "Nesterov"': lambda mu, P: 1 - mu,
    'late fairseq BMUF, "Nesterov"': lambda mu, P: 1.0,
}
"""The factor of the displacement, where the look-ahead is kept as the next anchor."""
FORMULAS = {
    "M-AVG": lambda mu, P: 1 / (1 - mu),
    "Nesterov, anchor": lambda mu, P: 1 / (1 - mu),
    "CNTK, classical": lambda mu, P: P,
    'CNTK, "Nesterov"': lambda mu, P: (1 + mu) * P,
    "early fairseq BMUF, classical": lambda mu, P: 1,
    'early fairseq BMUF, "Nesterov"': lambda mu, P: 1 + mu,
    'late fairseq BMUF, "Nesterov"': lambda mu, P: (1 + mu) / (1 - mu),
}


def printed_gains(name):
    """The numbers in the row of a convention."""
    table = PAGE.read_text().split("\n## ")[2].splitlines()
    (row,) = [row for row in table if row.startswith(f"| {name}")]
    return [float(cell) for cell in row.split("|")[-4:-1]]


@pytest.mark.parametrize("name", OF_KAVG)
def test_the_printed_gains_are_those_of_the_rules_of_kavg(name):
    for rule in OF_KAVG[name]:
        gains = [steady_step(rule(mu, P)) for P, mu in COLUMNS]
        assert printed_gains(name) == pytest.approx(gains, rel=1e-9)


@pytest.mark.parametrize("name", OF_OTHERS)
def test_the_printed_gains_are_those_of_rules_that_keep_the_look_ahead(name):
    factor = OF_OTHERS[name]
    gains = [steady_step(AnchoredLookAhead(mu), factor(mu, P)) for P, mu in COLUMNS]
    assert printed_gains(name) == pytest.approx(gains, rel=1e-9)


@pytest.mark.parametrize("name", FORMULAS)
def test_the_printed_gains_are_those_of_the_formulas(name):
    gains = [FORMULAS[name](mu, P) for P, mu in COLUMNS]
    assert printed_gains(name) == pytest.approx(gains, rel=1e-12)


def round_of(rule, w, v, displacement):
    """Where the learners of a round start, and w and v after it."""
    w, v, start = w.copy(), v.copy(), np.empty_like(w)
    rule.start(w, v, start)
    rule.step(w, v, displacement.copy(), GAMMA)
    return start, w, v


def test_the_rules_of_kavg_are_those_written_in_the_table():
    w, v, d = np.random.default_rng(1).normal(size=(3, 2, 5))
    mu = 0.75
    start, after, memory = round_of(BlockMomentum(mu), w, v, d)
    np.testing.assert_array_equal(start, w)
    np.testing.assert_allclose(memory, mu * v + d, rtol=1e-12)
    np.testing.assert_allclose(after, w + mu * v + d, rtol=1e-12)
    y, after, _ = round_of(NesterovMomentum(mu), w, v, d)
    np.testing.assert_allclose(y, w + mu * v, rtol=1e-12)
    np.testing.assert_allclose(after, y + d, rtol=1e-12)


def test_slowmo_divides_its_memory_by_gamma():
    w, v, d = np.random.default_rng(2).normal(size=(3, 2, 5))
    _, after, memory = round_of(BlockMomentum(0.75), w, v, d)
    _, slow, u = round_of(SlowMo(0.75, alpha=1.0), w, -v / GAMMA, d)
    np.testing.assert_allclose(-GAMMA * u, memory, rtol=1e-12)
    np.testing.assert_allclose(slow, after, rtol=1e-12)


def method_of(rule=None, **parts):
    sizes = {"P": 4, "K": 8, "gamma": 2.0**-10}
    return kavg.Algorithm(**sizes, outer=rule or kavg.outer.Averaging(), **parts)


def inside(optimizer, *states):
    return [method_of(optimizer=optimizer(0.5, at_average=state)) for state in states]


def averaged_as(*rules):
    return [method_of(aggregation=rule) for rule in rules]


ALPHA, MU = 0.7, 0.75
METHODS = {
    "averaging with": [method_of(kavg.outer.Averaging(ALPHA))],
    "block momentum with": [method_of(BlockMomentum(MU, ALPHA))],
    "Nesterov, anchored": [
        method_of(rule(MU, ALPHA)) for rule in (NesterovMomentum, kavg.outer.NesterovLookAhead)
    ],
    "quasi-hyperbolic": [method_of(kavg.outer.QuasiHyperbolic(MU, nu=0.6, alpha=ALPHA))],
    "heavy ball inside, kept": inside(optimizers.HeavyBall, "kept", "averaged"),
    "heavy ball inside, reset": inside(optimizers.HeavyBall, "reset"),
    "Nesterov inside, kept": inside(optimizers.NesterovSteps, "kept", "averaged"),
    "Nesterov inside, reset": inside(optimizers.NesterovSteps, "reset"),
    "elastic": [method_of(kavg.outer.Averaging(0.5), aggregation=ElasticAveraging(0.125))],
    "gossip": averaged_as(Gossip(), GroupedLearners(K1=2, groups=2), SampledLearners(m=3)),
    "own numbers": averaged_as(OwnSteps((2, 4, 8, 8)), OwnSteps((2, 4, 8, 8), "fednova")),
    "asynchronous, a round": averaged_as(StaleGradients()),
}
"""The methods of the rows of the second table of gains."""


def measured_gain(method):
    """The displacement of the last of many rounds on a slope, over that of K plain steps."""
    slope = kavg.Problem(kavg.objectives.Linear(dim=1), kavg.oracles.Noiseless(), 0.0)
    last, end = islice(kavg.meta_iterations(slope, method), 199, 201)
    return float((last.w - end.w).item()) / (8 * method.gamma)


@pytest.mark.parametrize("name", METHODS)
def test_the_printed_gain_of_a_method_is_what_it_settles_at(name):
    (row,) = [row for row in PAGE.read_text().splitlines() if row.startswith(f"| {name}")]
    printed = float(row.split("|")[-2])
    for method in METHODS[name]:
        assert measured_gain(method) == pytest.approx(printed, abs=5e-5)


def test_every_row_of_gains_is_measured():
    table = PAGE.read_text().split("### Gains")[1].split("\n## ")[0].splitlines()
    rows = [row for row in table if row.startswith("| ")][1:]
    assert len(rows) == len(METHODS)
