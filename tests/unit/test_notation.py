"""The outer gains of docs/notation.md, by iterating every rule."""

from __future__ import annotations

from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "notation.md"
COLUMNS = [(8, 0.5), (4, 0.75), (8, 0.875)]


def gain(mu, scale, look):
    """Steady displacement of ``v' = mu v + scale``, ``w' = w + look v'``."""
    v = 0.0
    for _ in range(2000):
        v = mu * v + scale
    return look * v


def nesterov_gain(mu):
    """Learners start at ``y = w + mu v`` and move by 1."""
    w = v = moved = 0.0
    for _ in range(2000):
        y = w + mu * v
        w, moved, v = y + 1, y + 1 - w, mu * v + 1
    return moved


RULES = {
    "M-AVG": (lambda mu, P: gain(mu, 1, 1), lambda mu, P: 1 / (1 - mu)),
    "Nesterov, anchor": (lambda mu, P: nesterov_gain(mu), lambda mu, P: 1 / (1 - mu)),
    "CNTK, classical": (lambda mu, P: gain(mu, (1 - mu) * P, 1), lambda mu, P: P),
    'CNTK, "Nesterov"': (
        lambda mu, P: gain(mu, (1 - mu) * P, 1 + mu),
        lambda mu, P: (1 + mu) * P,
    ),
    "early fairseq BMUF, classical": (lambda mu, P: gain(mu, 1 - mu, 1), lambda mu, P: 1),
    'early fairseq BMUF, "Nesterov"': (
        lambda mu, P: gain(mu, 1 - mu, 1 + mu),
        lambda mu, P: 1 + mu,
    ),
    'late fairseq BMUF, "Nesterov"': (
        lambda mu, P: gain(mu, 1, 1 + mu),
        lambda mu, P: (1 + mu) / (1 - mu),
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_the_table_of_gains_is_what_the_rules_do(name):
    rule, formula = RULES[name]
    table = PAGE.read_text().split("\n## ")[2].splitlines()
    (row,) = [row for row in table if row.startswith(f"| {name}")]
    printed = [float(cell) for cell in row.split("|")[-4:-1]]
    assert printed == pytest.approx([rule(mu, P) for P, mu in COLUMNS], rel=1e-9)
    assert printed == pytest.approx([formula(mu, P) for P, mu in COLUMNS], rel=1e-9)
