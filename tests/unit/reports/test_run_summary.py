"""Summaries and tables: JSON without NaN, nothing cut off, words for what has no number."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kavg.analysis.estimate import Estimate, mean_interval, paired_difference
from kavg.errors import KavgError
from kavg.reports import summary, table
from kavg.reports.labels import format_estimate, run_labels
from kavg.reports.text import cell_width
from kavg.trajectory import Trajectory


def a_run(name="K-AVG", R=8, rounds=3, shift=0.0, diverged_at=None, extra=()):
    noise = np.random.default_rng(5).standard_normal((rounds + 1, R))
    noise[:, R // 2 :] += 0.5
    series = {"F": noise + shift, "grad_norm2": 1e-5 * noise**2, "dispersion": noise**2}
    series |= dict.fromkeys(extra, noise)
    if diverged_at is not None:
        series = {key: np.where(np.arange(R) % 2, np.nan, np.inf) + x for key, x in series.items()}
    w = np.zeros((R, 2))
    n = np.arange(rounds + 1)
    return Trajectory(name, 4, 2, 1, n, series, w, w, n / 10, diverged_at)


names = st.text(max_size=120)
values = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(
    st.lists(st.tuples(names, st.integers(1, 3), st.none() | st.just(3)), min_size=1, max_size=4)
)
def test_any_names_fit_the_width_and_remain_distinct(given_runs):
    runs = [a_run(name, R, diverged_at=at) for name, R, at in given_runs]
    text = table(runs, width=72)
    assert all(cell_width(line) <= 72 for line in text.split("\n"))
    assert text.replace("\n", "").isprintable()
    assert len(set(run_labels(runs))) == len(runs)
    facts = json.loads(json.dumps(summary(runs), allow_nan=False))
    assert list(facts["algorithms"]) == run_labels(runs)


@given(st.text(alphabet="ab中 ", min_size=100, max_size=300))
def test_no_character_of_a_name_is_cut_off(name):
    squeezed = re.sub(r"\s", "", table([a_run(name)]))
    assert squeezed.count(name.replace(" ", "")) >= 4 or not name.strip()


@given(values, st.floats(0, 1e300))
def test_the_interval_decides_the_digits(mean, half):
    low, high = mean - half, mean + half
    if not (math.isfinite(low) and math.isfinite(high)):
        return
    shown = format_estimate(Estimate(*map(np.asarray, (mean, low, high)), 0.95, 9))
    assert len(shown) <= 50
    printed = [float(x) for x in re.findall(r"-?\d[\d.]*(?:e[+-]\d+)?", shown)]
    assert printed[1] <= printed[0] <= printed[2]
    for exact, seen in zip((mean, low, high), printed, strict=True):
        assert abs(seen - exact) <= 0.0501 * (high / 2 - low / 2) + 1e-6 * abs(exact)


@pytest.mark.parametrize(
    ("mean", "half", "shown"),
    [
        (0.12346, 0.0021, "0.1235 [0.1214, 0.1256]"),
        (9.96, 1.5, "10.0 [8.5, 11.5]"),
        (123456.0, 2300.0, "1.235e+05 [1.212e+05, 1.258e+05]"),
        (3940.0, 120.0, "3940 [3820, 4060]"),
        (30.0, 4000.0, "0 [-4000, 4000]"),
        (12345.0, 2300.0, "12300 [10000, 14600]"),
        (3.4e-7, 2.2e-8, "3.40e-07 [3.18e-07, 3.62e-07]"),
        (0.0, 0.5, "0 [-0.50, 0.50]"),
        (0.5, 0.0, "0.5 [0.5, 0.5]"),
        (0.5, math.inf, "0.5 (no interval)"),
    ],
)
def test_estimates_are_formatted_as_by_hand(mean, half, shown):
    limits = map(np.asarray, (mean, mean - half, mean + half))
    assert format_estimate(Estimate(*limits, 0.95, 5)) == shown


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (7.25, math.inf, "8 [7.25, inf]"),
        (-math.inf, 9.0, "8 [-inf, 9]"),
        (math.nan, math.inf, "8 (no interval)"),
        (7.0, math.nan, "8 (no interval)"),
    ],
)
def test_an_interval_with_one_end_shows_it(low, high, shown):
    assert format_estimate(Estimate(*map(np.asarray, (8.0, low, high)), 0.95, 5)) == shown


def test_summary_holds_the_estimates():
    first, second = a_run(), a_run("M-AVG", shift=0.25)
    facts = summary([first, second], level=0.9)
    final = mean_interval(second.F[-1], 0.9)
    gap = paired_difference(second.F[-1], first.F[-1], 0.9)
    assert facts["first"] == "K-AVG"
    assert facts["algorithms"]["M-AVG"]["final"]["F"]["low"] == float(final.low)
    assert facts["algorithms"]["M-AVG"]["minus_first"]["F"]["high"] == float(gap.high)
    assert facts["algorithms"]["K-AVG"]["minus_first"] is None
    assert facts["algorithms"]["K-AVG"]["gradients"] == 3 * 2 * 4


def test_a_difference_says_where_zero_lies():
    text = table([a_run(), a_run("lower", shift=-0.25), a_run("same")])
    section = text.split("\nF\n")[1].split("\n\n")[0]
    assert re.search(r"lower +-0.25 \[-0.25, -0.25\]  zero outside", section)
    assert re.search(r"same +0 \[0, 0\]  zero inside", section)


def test_divergence_and_runs_that_cannot_be_paired_are_explained():
    text = table([a_run(), a_run("bad", diverged_at=3), a_run("few", R=4), a_run("x", extra="z")])
    assert "diverged at round 3" in text
    assert "not paired: 4 replicas against 8" in text
    assert "not recorded by the first" in text
    assert "nan" not in text
    assert "the first diverged" in table([a_run("bad", diverged_at=3), a_run()])


def test_one_replica_has_no_interval():
    text = table([a_run(R=1), a_run("M-AVG", R=1)])
    assert "(one replica: no interval)" in text
    assert "zero" not in text
    assert summary([a_run(R=1)])["algorithms"]["K-AVG"]["final"]["F"]["low"] is None


@pytest.mark.parametrize("nothing", [[], a_run()])
def test_a_table_needs_a_list_of_runs(nothing):
    with pytest.raises(KavgError, match="list of one or more"):
        table(nothing)


def test_too_narrow_is_refused():
    with pytest.raises(KavgError, match="width=40"):
        table([a_run()], width=40)
