"""Small versions of experiments/comparison: a gain in a valley, none on two wells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "experiments" / "comparison"


@pytest.fixture
def compare(call, empty, no_figures):
    """``compare("valley", ...)``: JSON of a sweep, with 8 replicas, at equal communications."""

    def compare(name, *words):
        sets = ("--set", "replicas=8", *words)
        assert call("sweep", FOLDER / f"{name}.toml", "-q", "--out", "a", *sets)[0] == 0
        assert call("compare", "a", "--at", "communications", "--json", "found.json")[0] == 0
        (group,) = json.loads(Path("found.json").read_text())["groups"]
        return group

    return compare


@pytest.mark.parametrize("name", ["valley", "logistic", "double_well", "cosine", "equal_gamma"])
def test_a_comparison_is_one_file_of_at_most_40_lines(name):
    assert (FOLDER / f"{name}.toml").read_text().count("\n") <= 40


def test_both_methods_have_the_same_number_of_trials(compare):
    group = compare("cosine", "--set", "rounds=20")
    assert [each["tuning"]["trials"] for each in group["methods"]] == [25, 25]


def test_block_momentum_accelerates_in_a_valley(compare):
    group = compare("valley", "--set", "rounds=300")
    times = [each["time"]["mean"] for each in group["methods"]]
    assert times == pytest.approx([219, 46], rel=0.03)
    (contrast,) = group["contrasts"]
    # All intervals hold together with 95 %; with these seeds this is no chance.
    assert 4.6 < contrast["speed_up"]["low"] < contrast["speed_up"]["high"] < 5
    assert contrast["paired"]


def test_block_momentum_does_not_accelerate_on_two_wells(compare):
    (contrast,) = compare("double_well", "--set", "replicas=32")["contrasts"]
    assert contrast["speed_up"]["low"] < 1.1
    assert contrast["side"] == "undecided"
