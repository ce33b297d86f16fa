"""Names that carry settings, ticks that stand apart, and bounds on one line."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from helpers.figure_samples import a_run
from hypothesis import given
from hypothesis import strategies as st

from kavg.reports.figures.bound_lines import group_bounds, name_line
from kavg.reports.figures.run_names import name_runs
from kavg.reports.figures.sweeps.setting_axis import GAP, choose_ticks
from kavg.reports.figures.ticks import MOST, format_settings, format_ticks, log_ticks

pytest.importorskip("matplotlib")


@given(st.floats(-90, 90), st.floats(1e-3, 120))
def test_a_logarithmic_axis_has_two_ticks_or_more_and_few(exponent, decades):
    low = 10.0**exponent
    high = low * 10.0**decades
    ticks = log_ticks(low, high)
    assert 2 <= len(ticks) <= MOST + 1
    assert ticks == sorted(set(ticks))
    assert all(low * (1 - 1e-6) <= x <= high * (1 + 1e-6) for x in ticks)
    labels = format_ticks(ticks)
    assert len(set(labels)) == len(ticks)


@given(st.lists(st.floats(0.05, 1.0), min_size=1, max_size=40), st.floats(0.1, 7.0))
def test_labels_of_settings_stand_apart(sizes, inches):
    places = np.linspace(0.0, inches, len(sizes))
    kept = choose_ticks(places, sizes)
    assert kept[0] == 0
    for a, b in pairwise(kept):
        assert places[b] - places[a] >= (sizes[a] + sizes[b]) / 2 + GAP


def test_values_of_settings_are_spelled_briefly():
    assert format_settings([0.3, 0.5, 0.85]) == ["0.3", "0.5", "0.85"]
    assert format_settings([1, 1000, 4096]) == ["1", "1000", "4096"]
    assert format_settings([2.0**-12, 1.0]) == ["$2^{-12}$", "$2^{0}$"]
    assert format_settings([1e-5, 0.1]) == ["$10^{-5}$", "$10^{-1}$"]
    assert format_settings([0.0, 1e-5]) == ["0", "$10^{-5}$"]
    assert format_settings([True, "a"]) == ["True", "a"]


def test_names_carry_what_differs_and_the_note_what_is_shared():
    rules = [{"kind": "block_momentum", "mu": mu} for mu in (0.5, 0.75)]
    runs = [a_run("M-AVG"), a_run("M-AVG", K=8)]
    known = [replace(run, outer=rule) for run, rule in zip(runs, rules, strict=True)]
    names, note = name_runs(known)
    assert names == ["M-AVG, K=2, μ=0.5", "M-AVG, K=8, μ=0.75"]
    assert note == "P=4, B=1, γ=0.25"
    assert name_runs(runs) == (["M-AVG, K=2", "M-AVG, K=8"], "P=4, B=1, γ=0.25")


def test_a_name_that_says_a_setting_already_does_not_say_it_twice():
    runs = [a_run("K-AVG K=2"), a_run("K-AVG (K = 8)", K=8)]
    assert name_runs(runs)[0] == ["K-AVG K=2", "K-AVG (K = 8)"]


def test_runs_that_are_alike_are_told_apart_by_their_folders():
    runs = [a_run(), a_run()]
    assert name_runs(runs, ["a", "b"])[0] == ["K-AVG, a", "K-AVG, b"]
    assert name_runs(runs)[0] == ["K-AVG", "K-AVG"]


def test_a_schedule_is_named_by_its_ends():
    falling = replace(a_run(), gammas=np.append(np.nan, np.geomspace(1.0, 0.25, 40)))
    assert name_runs([falling])[1] == "P=4, K=2, B=1, γ=1 to 0.25"


def test_bounds_on_one_line_are_drawn_once_the_sharpest():
    N = np.arange(1, 50)
    values = np.outer([1.05, 1.0, 40.0, 41.0, 5.0], 1e3 / N)
    groups = group_bounds(list("abcde"), values, 1 / N)
    assert groups == {"b": ["a"], "e": [], "c": ["d"]}
    other = {"a": []}
    assert name_line("c", [groups], groups) == "c (on this line: d)"
    assert name_line("b", [groups, other], {**groups, **other}) == "b"
    # Lines that cross are two lines.
    crossing = np.array([1e3 / N, 20.0 + 0 * N])
    assert group_bounds(["a", "b"], crossing, 1 / N) == {"b": [], "a": []} or len(
        group_bounds(["a", "b"], crossing, 1 / N)) == 2  # fmt: skip


def test_bounds_without_a_value_are_a_group_of_their_own():
    values = np.array([[1.0, 2.0], [np.inf, np.nan], [0.0, -1.0]])
    assert group_bounds(["a", "b", "c"], values, [0.1, 0.1]) == {"a": [], "b": ["c"]}
