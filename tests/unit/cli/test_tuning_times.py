"""The times to target of early stages: kept with their intervals, and drawn with them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.launch import run_process
from helpers.sweep import read_sweep, write_sweep

from kavg import simulate
from kavg.analysis.targets import measure_time
from kavg.budgets import measure_progress
from kavg.cli.plots.options import CONTENT, VIEW
from kavg.cli.plots.sweep_values import load_stage
from kavg.reports.figures.sweeps.arrangement import compare_points
from kavg.sweeps import load_sweep
from kavg.sweeps.judgement.trial_times import TrialTime, keep_time, parse_trial_time

SWEEP = {
    "tune": {"algorithm.*.gamma": [1e-4, 0.1, 1e160], "algorithm.M-AVG.outer.mu": [0.2, 0.5]},
    "target": {"quantity": "grad_norm2", "fraction": 0.5},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A sweep of two stages with points that diverge, and points that do not arrive."""
    place = tmp_path_factory.mktemp("tuned")
    write_sweep(place / "my.toml", sweep=SWEEP, replicas=4)
    job = run_process(["kavg", "sweep", "my.toml", "-q", "--out", "tuned"], cwd=place)
    assert job.returncode == 0, job.stderr
    return place / "tuned"


def test_times_of_the_first_stage_are_those_of_the_points_run_alone(folder):
    stage = read_sweep(folder)["stages"][0]
    points = load_sweep(folder / "config.toml").points
    seen = set()
    for number, reached, found in zip(
        stage["points"], stage["reached"], stage["times"], strict=True
    ):
        config = points[number].config
        (method,) = config.algorithms
        run = simulate(config.problem, method, rounds=6, replicas=4, seed=1)
        if run.diverged_at is not None:
            assert reached is found is None
            seen.add("diverged")
            continue
        value = 0.5 * run.grad_norm2[0].mean()
        time = measure_time(measure_progress(run, "gradients"), run.grad_norm2, value)
        low, high = (float(end) for end in (time.estimate.low, time.estimate.high))
        assert found["low"] == low
        assert found["high"] == (high if np.isfinite(high) else None)
        assert found["censored_at"] == run.gradients[-1]
        times = np.where(time.reached, time.times, np.nan).tolist()
        assert found["times"] == [None if np.isnan(t) else t for t in times]
        seen.add("arrived" if reached is not None else "missing")
    assert seen == {"diverged", "arrived", "missing"}


def test_a_figure_of_the_first_stage_has_intervals_and_contours(folder):
    stage, values = read_sweep(folder)["stages"][0], load_stage(folder, CONTENT, VIEW)
    drawn = values.points
    for point, reached, time in zip(drawn, stage["reached"], stage["times"], strict=True):
        if time is None:
            assert point.has_failed
            continue
        assert point.estimate.low == time["low"]
        assert point.estimate.high == (np.inf if time["high"] is None else time["high"])
        assert point.mean == (np.inf if reached is None else reached)
        assert point.samples.tolist() == [
            time["censored_at"] if each is None else each for each in time["times"]
        ]
    p = list(compare_points(drawn, values.quantity).values())
    assert not np.isnan(p).any()
    best = min(drawn, key=lambda point: point.mean if not point.has_failed else np.inf)
    assert p[[*drawn].index(best)] > 0.05
    assert p[[point.has_failed for point in drawn].index(True)] == 0


def test_a_sweep_that_kept_no_times_is_drawn_without_intervals(folder, tmp_path):
    content = read_sweep(folder)
    for stage in content["stages"]:
        del stage["times"]
    (tmp_path / "sweep.json").write_text(json.dumps(content))
    values = load_stage(tmp_path, CONTENT, VIEW)
    drawn = values.points
    assert len(drawn) == 9
    assert np.isnan(list(compare_points(drawn, values.quantity).values())).all()
    assert all(np.isnan(point.estimate.low) for point in drawn)
    assert any(not point.has_failed for point in drawn)


def test_a_stage_of_tuning_draws_its_intervals(call, empty):
    pytest.importorskip("matplotlib")
    from kavg.reports.figures.sweeps import sweep_figure

    drawn = []

    def keep(figure, *rest):
        drawn.append(figure)
        return []

    write_sweep(empty / "my.toml", sweep=SWEEP, replicas=4, figures=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_figure, "save", keep)
        assert call("sweep", "my.toml", "-q")[0] == 0
    assert "95 % (solid)" in drawn[0].get_suptitle().replace("\n", " ")


@pytest.mark.parametrize("high", [None, 7.0])
def test_an_interval_without_an_end_stays_one(high):
    time = TrialTime(2.0, high, 9.0, (3.0, None))
    assert parse_trial_time(json.loads(json.dumps(vars(time)))) == time
    assert time.to_estimate(4.0).high == (np.inf if high is None else high)
    assert np.isnan(TrialTime(None, None, 9.0, (3.0,)).to_estimate(4.0).high)
    assert keep_time(None) is parse_trial_time(None) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"low": 1.0},
        {"low": "1", "high": None, "censored_at": 1.0, "times": []},
        {"low": 1.0, "high": None, "censored_at": 1.0, "times": [True]},
        {"low": 1.0, "high": None, "censored_at": None, "times": 3},
        {"low": 1.0, "high": None, "censored_at": 1.0, "times": [], "more": 1},
    ],
)
def test_what_is_no_time_is_refused(fields):
    with pytest.raises((ValueError, TypeError, KeyError)):
        parse_trial_time(fields)
