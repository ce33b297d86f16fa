"""Commands on runs whose K changes: what they print, write, repeat, continue, and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.run_folder import read_digest, read_summary
from helpers.settings import k_avg, write_settings

from kavg.config.settings_file import parse_config
from kavg.storage import load_trajectories

PIECES = {"kind": "piecewise", "Ks": [1, 4], "boundaries": [3]}
QSR = {"kind": "qsr", "alpha": 0.1, "least": 2}
CONTROL = {"kind": "dispersion", "spread": 0.02}
FALLING = {"kind": "piecewise", "gammas": [0.05, 0.025], "boundaries": [4]}
METHODS = [
    k_avg(K=4, name="constant"),
    k_avg(K=PIECES, name="post-local"),
    k_avg(K={"kind": "warm_up", "rounds": 2, "then": QSR}, gamma=FALLING, name="QSR"),
    k_avg(K=CONTROL, name="control"),
]
STEPS = {"constant": 32, "post-local": 23, "QSR": 74}


@pytest.fixture(autouse=True)
def here(empty, no_figures):
    """An empty folder with the settings of one run; no launcher, no figures."""
    write_settings(empty / "my.toml", algorithm=METHODS)
    return empty


def test_the_settings_come_back_as_they_were(run):
    run("a")
    config = parse_config(Path("a/config.toml").read_text())
    assert config.algorithms == parse_config(Path("my.toml").read_text()).algorithms
    assert [type(each.K).__name__ for each in config.algorithms] == [
        "int", "PiecewisePeriod", "WarmUpPeriod", "DispersionControl",
    ]  # fmt: skip


def test_a_summary_says_what_K_was_and_how_many_steps_were_taken(call):
    code, out, _ = call("run", "my.toml", "--out", "a")
    assert code == 0
    assert "post-local  8 rounds, K 1 to 4, 3 replicas" in out
    assert "constant    8 rounds, 3 replicas" in out
    found = read_summary(Path("a"))["algorithms"]
    runs = {run.name: run for run in load_trajectories("a")}
    for name, steps in STEPS.items():
        assert runs[name].steps[-1] == steps
        assert found[name].get("local_steps", 32) == steps
    assert (found["QSR"]["K"], found["QSR"]["least_K"], found["QSR"]["most_K"]) == (16, 1, 16)
    assert "least_K" not in found["constant"]
    assert found["control"]["gradients"] == 7 * int(runs["control"].Ks[1:].sum())


@pytest.mark.parametrize("how", [[], ["--sample", "9"], ["--files"]])
def test_a_run_is_verified_to_the_bit(call, run, how):
    run("a", "--set", "record.every=3")
    code, out, _ = call("verify", "a", "-q", *how)
    assert code == 0, out
    assert "unchanged" in out.splitlines()[0]


def test_a_run_is_made_longer_and_differs_nowhere(call, run):
    run("a", "--set", "rounds=5")
    run("b")
    assert call("resume", "a", "--rounds", "8", "-q")[0] == 0
    assert read_digest(Path("a")) == read_digest(Path("b"))
    code, out, _ = call("diff", "a", "b")
    assert code == 0, out


def test_another_period_is_a_difference_of_settings(call, run):
    run("a")
    run("b", "--set", "algorithm.1.K.boundaries=[4]")
    code, out, _ = call("diff", "a", "b")
    assert code == 1
    assert "algorithm.1.K.boundaries.0" in out


def test_methods_are_compared_at_equal_gradients_and_time(call, run):
    run("a", "--set", "replicas=8")
    for axis, amount in (("gradients", 60), ("communications", 6), ("time", 10)):
        words = ("--at", f"{axis}={amount}", "--quantity", "F", "--json", "found.json")
        words += ("--clock", "step=1,communication=1") if axis == "time" else ()
        code, _, err = call("compare", "a", *words)
        assert code == 0, err
        (group,) = json.loads(Path("found.json").read_text())["groups"]
        assert [each["settings"]["K"] for each in group["methods"]] == [
            4, "piecewise", "warm_up", "dispersion",
        ]  # fmt: skip
        assert all(each["used"] <= amount for each in group["methods"])


def test_theorems_are_not_said_of_a_K_that_changes(call):
    code, out, _ = call("check", "my.toml", "-q", "--out", "c")
    assert code == 0
    for words in ("K changes from round to round", "K adapts to the run", "gamma changes"):
        assert words in " ".join(out.split()), words


def test_exact_moments_of_periods_that_are_known(call, here):
    bowl = {"kind": "quadratic", "spectrum": [0.5, 1.0]}
    write_settings(here / "bowl.toml", objective=bowl, algorithm=METHODS[:3], replicas=50)
    code, _, err = call("exact", "bowl.toml", "-q", "--out", "e")
    assert code == 0, err
    write_settings(here / "control.toml", objective=bowl, algorithm=METHODS[3:])
    code, _, err = call("exact", "control.toml", "-q", "--out", "f")
    assert code == 2
    assert "exact moments need a K that is known beforehand" in err
    write_settings(here / "all.toml", objective=bowl, algorithm=METHODS)
    code, _, err = call("exact", "all.toml", "-q", "--out", "f")
    assert code == 2
    assert f"{METHODS[3]['name']}: exact moments need a K that is known beforehand" in err
    write_settings(here / "all.toml", algorithm=METHODS)
    err = call("exact", "all.toml", "-q", "--out", "f")[2]
    assert not any(each["name"] in err for each in METHODS), err


WARNED = {
    "most": (
        k_avg(K=QSR | {"most": 8}, gamma=FALLING, name="QSR"),
        "QSR: most = 8 is its K from round 5 on at the latest, where the rule gives 16",
    ),
    "a warm-up of gamma": (
        k_avg(
            K=QSR,
            gamma={"kind": "warm_up", "rounds": 4, "then": {"kind": "constant", "gamma": 0.05}},
            name="QSR",
        ),
        "QSR: K begins with 64 local steps, as gamma is small at first, and falls to 4; wait for "
        "gamma: K = { kind = 'warm_up', rounds = 4, ... }",
    ),
    "a piece beyond the end": (
        k_avg(K=PIECES | {"boundaries": [8]}, name="post-local"),
        "post-local: K changes after round 8, which these 8 rounds do not reach; change it earlier",
    ),
    "a warm-up that does not end": (
        k_avg(K={"kind": "warm_up", "rounds": 9, "then": 4}, name="warm-up"),
        "warm-up: K changes after round 9, which these 8 rounds do not reach",
    ),
    "a method by name that does not switch": (
        {"method": "post_local_sgd", "P": 2, "K": 4, "gamma": 0.1},
        "post_local_sgd: K changes after round 100, which these 8 rounds do not reach",
    ),
    "one learner has no dispersion": (
        k_avg(K={"kind": "dispersion", "spread": 0.1, "most": 4}, P=1, name="alone"),
        "alone: one learner has no dispersion, so K doubles in every round until it is 4; use",
    ),
}


@pytest.mark.parametrize("case", WARNED)
def test_what_is_unlikely_to_be_meant_is_said_before_the_run(call, here, case):
    algorithm, line = WARNED[case]
    write_settings(here / "w.toml", algorithm=[algorithm])
    code, _, err = call("run", "w.toml", "-q", "--out", "w")
    assert code == 0
    assert line in " ".join(err.split())


def test_sound_periods_are_run_without_a_warning(call):
    assert call("run", "my.toml", "-q", "--out", "a")[2] == ""


WRONG = {
    "text": ("algorithm.0.K=qsr", "algorithm.0.K: needs a number or a table, got 'qsr'"),
    "a kind": ("algorithm.1.K.kind=cosine", "algorithm.1.K"),
    "missing": ("algorithm.0.K={kind='qsr'}", "algorithm.0.K.alpha: is missing"),
    "boundaries": (
        "algorithm.1.K.boundaries=[3,5]",
        "algorithm.1.K: Ks needs one number more than boundaries, got 2 Ks and 2 boundaries",
    ),
    "beyond noise": (
        "algorithm.2.K.then.alpha=1e5",
        "are more than 2^32 local steps, for which there is no noise",
    ),
    "beyond noise, if it comes to its most": (
        "algorithm.3.K.most=1000000000",
        "are more than 2^32 local steps, for which there is no noise",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_periods_are_one_clear_error(call, case):
    change, message = WRONG[case]
    code, _, err = call("run", "my.toml", "-q", "--out", "a", "--set", change)
    assert code == 2
    assert message in " ".join(err.split())


def test_periods_are_listed(call):
    code, out, _ = call("list", "periods")
    assert code == 0
    for kind in ("dispersion(", "piecewise(", "qsr(", "warm_up("):
        assert f"  {kind}" in out


# Sweeps.

GRID = {"grid": {"algorithm.*.K": [1, 4, PIECES]}}


def test_periods_are_values_of_a_sweep(call, here):
    write_settings(here / "s.toml", algorithm=[k_avg()], sweep=GRID)
    code, _, err = call("sweep", "s.toml", "-q", "--out", "s")
    assert code == 0, err
    found = json.loads(Path("s/sweep.json").read_text())
    assert [point["K"] for point in found["points"]] == [1, 4, PIECES]
    runs = load_trajectories("s")
    assert [run.steps[-1] for run in runs] == [8, 32, 23]
    lines = Path("s/points.csv").read_text().splitlines()
    assert lines[0].startswith("point,algorithm,rule,P,K,B,mu,setting.K,replica")
    assert len({line.split(",")[4] for line in lines[1:]}) == 2
    code, out, _ = call("verify", "s", "-q")
    assert code == 0, out


def test_a_sweep_gives_periods_one_budget(call, here):
    sweep = GRID | {"budget": {"gradients": 7 * 20}}
    write_settings(here / "s.toml", algorithm=[k_avg()], sweep=sweep, rounds=None)
    code, _, err = call("sweep", "s.toml", "-q", "--out", "s")
    assert code == 0, err
    assert [int(run.rounds[-1]) for run in load_trajectories("s")] == [20, 5, 7]


def test_an_adaptive_K_has_a_budget_of_communications_alone(call, here):
    sweep = {"grid": {"algorithm.*.K": [4, CONTROL]}, "budget": {"gradients": 100.0}}
    write_settings(here / "s.toml", algorithm=[k_avg()], sweep=sweep, rounds=None)
    code, _, err = call("sweep", "s.toml", "-q", "--out", "s")
    assert code == 2
    assert "gradients of an adaptive K are known to the run alone" in " ".join(err.split())
    sweep["budget"] = {"communications": 6}
    write_settings(here / "s.toml", algorithm=[k_avg()], sweep=sweep, rounds=None)
    code, _, err = call("sweep", "s.toml", "-q", "--out", "s")
    assert code == 0, err
    assert [int(run.rounds[-1]) for run in load_trajectories("s")] == [6, 6]


def test_a_period_with_an_effective_step(call, here):
    sweep = {
        "grid": {"algorithm.*.K": [2, PIECES]},
        "tune": {"algorithm.*.effective_step": [0.05, 0.1]},
    }
    write_settings(here / "s.toml", algorithm=[k_avg()], sweep=sweep)
    code, _, err = call("sweep", "s.toml", "-q", "--out", "s")
    assert code == 0, err
    assert np.isfinite(load_trajectories("s")[0].w).all()
    assert Path("s/best.toml").exists()
    assert parse_config(Path("s/best.toml").read_text()).algorithms


def test_progress_is_that_of_local_steps(call):
    _, _, err = call("run", "my.toml", "--out", "a")
    shown = [line for line in err.splitlines() if line.startswith("QSR")]
    # The last four of eight rounds have 64 of 74 local steps.
    assert "round 8 of 8" in shown[-1]
    assert all(f"{100 * 1 // 74} %" in line for line in shown if "round 1 of 8" in line)
