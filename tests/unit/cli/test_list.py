"""``kavg list``: everything that settings can name, with constants."""

from __future__ import annotations

import re

import pytest

from kavg.cli.catalogue import list_kinds
from kavg.config.kinds import FAMILIES
from kavg.errors import KavgError
from kavg.objectives import KINDS
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk

OVER_DATA = [kind for kind, cls in KINDS.items() if issubclass(cls, EmpiricalRisk)]


@pytest.mark.parametrize("section", FAMILIES)
def test_a_section_lists_its_kinds_and_nothing_else(section):
    text = list_kinds(section)
    assert text.startswith(f"{section}\n")
    assert re.findall(r"^  (\w+)\(", text, re.MULTILINE) == list(FAMILIES[section])
    assert text in list_kinds()


@pytest.mark.parametrize("kind", KINDS)
def test_an_objective_is_listed_with_its_constants_and_their_sources(kind):
    entry = list_kinds("objectives").split(f"\n  {kind}(")[1].split("\n\n")[0]
    for name in ("L", "f_star"):
        assert re.search(rf"^      {name} = \S+ \((exact|upper bound|estimated|unknown)\)",
                         entry, re.MULTILINE)  # fmt: skip


@pytest.mark.parametrize("section", ["objectives", "oracles"])
def test_a_kind_is_listed_with_where_its_bits_are_the_same(section):
    for kind in FAMILIES[section]:
        entry = list_kinds(section).split(f"\n  {kind}(")[1].split("\n\n")[0]
        rests_on_blas = kind in OVER_DATA
        promise = "one kind of machine" if rests_on_blas else "any machine"
        if kind == "minibatch":
            promise = "as the objective's"
        assert entry.endswith(f"\n    same bits: {promise}")


def test_the_constants_are_those_of_the_sample():
    entry = list_kinds("objectives").split("\n  quadratic(")[1].split("\n\n")[0]
    assert "with spectrum=[0.1, 1.0]:" in entry
    assert "L = 1 (exact)" in entry
    assert "pl = 0.1 (exact)" in entry


def test_lines_fit_a_terminal_and_nothing_is_nan_without_a_word():
    for line in list_kinds().splitlines():
        assert len(line) <= 100
        assert line == line.rstrip()
        assert "nan" not in line or "unknown" in line


def test_an_unknown_section_is_refused():
    with pytest.raises(
        KavgError, match="no list of 'noise'; use all, objectives, oracles, aggregations"
    ):
        list_kinds("noise")
