"""The contract of theorems: what every module of kavg.analysis.bounds must satisfy to be listed."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from math import isfinite
from pathlib import Path
from typing import get_args

import pytest
from templates.theorem import OneStep

import kavg.analysis.bounds
from kavg.analysis.bounds import BOUNDS, Quantity, Setting, Status
from kavg.outer import KINDS

FOLDER = Path(kavg.analysis.bounds.__file__).parent
HEADINGS = re.findall(
    r"^#+ (\d(?:\.\d(?: \([a-d]\))?)?) ",
    (FOLDER.parents[2] / "docs" / "theory.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
SETTING = Setting(2, 3, 4, 50, 0.01, 0.0, L=2.0, Delta=1.5, sigma2=3.0, pl=0.5)
"""Within the assumptions of every theorem that is about averaging: K = 3, but equal learners."""
every_bound = pytest.mark.parametrize("bound", [*BOUNDS, OneStep()], ids=lambda bound: bound.name)


def is_bound(value, module):
    """True for a class of this module with the methods of a theorem."""
    return inspect.isclass(value) and value.__module__ == module and hasattr(value, "largest_gamma")


def bound_classes():
    """Every class of a theorem in the package, by the name of its module."""
    for path in sorted(FOLDER.glob("*.py")):
        module = importlib.import_module(f"kavg.analysis.bounds.{path.stem}")
        for value in vars(module).values():
            if is_bound(value, module.__name__) and not getattr(value, "_is_protocol", False):
                yield path.stem, value


def test_every_theorem_is_listed_once_under_the_name_of_its_module():
    listed = {bound.name: type(bound) for bound in BOUNDS}
    assert len(listed) == len(BOUNDS)
    forgotten = {module for module, cls in bound_classes() if listed.get(module) is not cls}
    assert not forgotten, f"{forgotten} must be in BOUNDS, with the module's name as their name"
    assert listed == dict(bound_classes())


@every_bound
def test_a_theorem_names_its_quantity_its_rules_and_its_source(bound):
    assert bound.quantity in get_args(Quantity)
    assert bound.status in get_args(Status)
    assert set(bound.outer_rules) <= set(KINDS)
    assert bound.outer_rules
    sections = re.findall(r"\d\.\d(?: \([a-d]\))?", bound.source.partition("theory.md")[2])
    assert sections
    assert set(sections) <= set(HEADINGS)


@every_bound
def test_a_docstring_states_the_theorem_and_gives_a_number(bound):
    text = inspect.getdoc(type(bound))
    assert "docs/theory.md" in text
    assert re.search(r"upper bound", text, re.IGNORECASE)
    examples = doctest.DocTestParser().get_examples(text)
    assert any(re.search(r"\d", example.want) for example in examples)
    # Either its own terms, or those of the theorem of which it is a variant.
    assert "::" in text


@every_bound
def test_a_theorem_covers_something_and_only_the_step_can_fail(bound):
    setting = SETTING.replace(K=1) if bound.exclusion(SETTING) else SETTING
    assert bound.exclusion(setting) is None
    largest = bound.largest_gamma(setting)
    assert 0 < largest < 10
    within, beyond = setting.replace(gamma=0.99 * largest), setting.replace(gamma=1.01 * largest)
    assert all(condition.met for condition in bound.conditions(within))
    assert not all(condition.met for condition in bound.conditions(beyond))
    assert all(condition.formula for condition in bound.conditions(within))


@every_bound
def test_a_value_is_a_sum_of_three_parts_that_are_not_negative(bound):
    setting = SETTING.replace(K=1) if bound.exclusion(SETTING) else SETTING
    value = bound.value(setting.replace(gamma=0.5 * bound.largest_gamma(setting)))
    for part in (value.optimization, value.noise, value.drift):
        assert isfinite(part)
        assert part >= 0
    assert value.total == pytest.approx(value.optimization + value.noise + value.drift)
    assert value.optimization > 0
