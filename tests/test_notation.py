"""docs/notation.md says of kavg's outer rules what they do, and its outer gains are right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.exact import AnchoredLookAhead

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
