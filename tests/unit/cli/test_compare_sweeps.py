"""``kavg compare`` of sweep folders: winners by cell, their tuning, and the target of the sweep."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.settings import k_avg, m_avg, write_settings

from kavg.storage import load_trajectories

TUNE = {"algorithm.*.gamma": [0.05, 0.1]}
TARGET = {"quantity": "F", "fraction": 0.5}


@pytest.fixture(autouse=True)
def here(empty, no_figures):
    """An empty folder, no figures."""
    return empty


@pytest.fixture
def sweep(call, here):
    """``sweep("a", tune=...)``: a finished sweep of small settings in the folder ``a``."""

    def sweep(folder, *, algorithms=None, **tables):
        methods = algorithms or [k_avg(P=3), m_avg(P=3)]
        path = write_settings(
            here / "sweep.toml", rounds=8, replicas=8, figures=False,
            algorithm=methods, sweep=tables,
        )  # fmt: skip
        code, _, err = call("sweep", path, "-q", "--out", folder)
        assert code == 0, err
        return Path(folder)

    return sweep


@pytest.fixture
def compare(call):
    """``compare("a", ...) -> (stdout, stderr, JSON)`` of a comparison that succeeds."""

    def compare(*words):
        code, out, err = call("compare", *words, "--json", "found.json")
        assert code == 0, err
        return out, err, json.loads(Path("found.json").read_text())

    return compare


def labels(group):
    return [each["label"] for each in group["methods"]]


def test_the_winners_of_each_cell_are_compared_with_what_their_tuning_took(compare, sweep):
    sweep("a", grid={"algorithm.*.K": [1, 2]}, tune=TUNE, target=TARGET)
    out, _, found = compare("a", "--at", "communications")
    assert [each["cell"] for each in found["groups"]] == [{"K": 1}, {"K": 2}]
    assert [labels(each) for each in found["groups"]] == [["K-AVG", "M-AVG"]] * 2
    assert found["target"]["text"] == "F at 0.5 of its start"
    runs = load_trajectories("a")
    winners = json.loads(Path("a/sweep.json").read_text())["winners"]
    # The sweep lists all cells of an algorithm before the next algorithm.
    methods = [found["groups"][cell]["methods"][i] for i in (0, 1) for cell in (0, 1)]
    for winner, run, each in zip(winners, runs, methods, strict=True):
        assert each["mean"] == run.F[-1].mean()
        assert each["settings"]["gamma"] == winner["settings"]["gamma"]
        assert each["tuning"] == {"trials": 2, "gradients": winner["gradients"], "rivals": 1}
    # Judged on fresh noise, which both have in common.
    assert all(c["paired"] for group in found["groups"] for c in group["contrasts"])
    assert found["groups"][0]["contrast_level"] == pytest.approx(1 - 0.05 / 6)
    assert f"chosen of 2 trials, {winners[0]['gradients']} gradients" in out
    assert "\nK = 2\n" in out


def test_all_cells_together_have_labels_of_their_own(compare, sweep):
    sweep("a", grid={"algorithm.*.K": [1, 2]})
    _, _, found = compare("a", "--together")
    (group,) = found["groups"]
    assert labels(group) == ["K-AVG, K = 1", "K-AVG, K = 2", "M-AVG, K = 1", "M-AVG, K = 2"]
    assert [each["round"] for each in group["methods"]] == [8, 4, 8, 4]
    assert {each["tuning"] for each in group["methods"]} == {None}


def test_cells_of_one_algorithm_are_compared_with_each_other(compare, sweep):
    sweep("a", algorithms=[k_avg()], grid={"algorithm.*.K": [1, 2, 4]})
    _, _, found = compare("a")
    assert [labels(each) for each in found["groups"]] == [
        ["K-AVG, K = 1", "K-AVG, K = 2", "K-AVG, K = 4"]
    ]


def test_what_only_some_algorithms_vary_is_in_their_labels(compare, sweep):
    grid = {"algorithm.*.K": [1, 2], "algorithm.M-AVG.outer.mu": [0.25, 0.5]}
    sweep("a", grid=grid, algorithms=[m_avg(P=3), k_avg(P=3)])
    _, _, found = compare("a", "--baseline", "K-AVG")
    assert [each["cell"] for each in found["groups"]] == [{"K": 1}, {"K": 2}]
    assert labels(found["groups"][1]) == ["M-AVG, mu = 0.25", "M-AVG, mu = 0.5", "K-AVG"]


def test_a_plain_run_is_in_every_cell(compare, sweep, call, here):
    sweep("a", grid={"algorithm.*.K": [1, 2]})
    write_settings(here / "my.toml", rounds=8, replicas=8, algorithm=[k_avg(P=3, name="plain")])
    assert call("run", "my.toml", "-q", "--out", "b")[0] == 0
    _, _, found = compare("a", "b")
    assert [labels(each) for each in found["groups"]] == [["K-AVG", "M-AVG", "plain"]] * 2


def test_unequal_tuning_is_a_warning(compare, sweep, call, here):
    sweep("a", tune=TUNE | {"algorithm.M-AVG.outer.mu": [0.3, 0.5, 0.7]}, target=TARGET)
    _, err, _ = compare("a")
    assert "tuning took 2 trials for K-AVG and 6 for M-AVG: more trials find more" in err
    write_settings(here / "my.toml", rounds=8, replicas=8, algorithm=[m_avg(P=3, name="plain")])
    assert call("run", "my.toml", "-q", "--out", "b")[0] == 0
    _, err, found = compare("a", "b")
    assert "K-AVG was tuned and plain was not" in err
    # The winners were judged on the noise of the second stage, seed 2.
    assert [each["unshared"] for each in found["groups"][0]["contrasts"]] == [[], ["seed"]]


def test_a_warning_about_many_cells_is_one_line(compare, sweep):
    sweep("a", grid={"algorithm.*.gamma": [0.05, 0.1, 0.2]})
    _, err, found = compare("a")
    assert err.count("\n") == 1
    (warning,) = found["warnings"]
    assert "the same gamma = 0.05, with mu = 0 and 0.5" in warning
    assert warning.endswith(" (and 2 more cells like it)")


def test_a_choice_on_the_noise_that_judges_is_a_warning(compare, sweep):
    sweep("a", tune=TUNE, stage=[{"replicas": 8}])
    _, err, found = compare("a")
    assert found["groups"][0]["methods"][0]["tuning"]["rivals"] == 2
    assert "K-AVG is the best of 2 on the noise that it is judged on" in err


def test_the_target_of_the_command_goes_before_that_of_the_sweep(compare, sweep):
    sweep("a", tune=TUNE, target=TARGET)
    _, _, found = compare("a", "--target", "grad_norm2=1.0")
    assert (found["quantity"], found["target"]["text"]) == ("grad_norm2", "grad_norm2 <= 1")


def test_a_floor_is_that_of_the_sweep_and_times_are_the_same(compare, call, here):
    tune = {"algorithm.*.gamma": [0.1, 0.2]}
    target = {"quantity": "grad_norm2", "floor": 3.0}
    write_settings(
        here / "sweep.toml", rounds=40, replicas=8, figures=False,
        objective={"kind": "quadratic", "spectrum": [1.0, 2.0]},
        algorithm=[k_avg(P=3), m_avg(P=3)], sweep={"tune": tune, "target": target},
    )  # fmt: skip
    assert call("sweep", "sweep.toml", "-q", "--out", "a")[0] == 0
    _, _, found = compare("a")
    winners = json.loads(Path("a/sweep.json").read_text())["winners"]
    assert [each["time"]["mean"] for each in found["groups"][0]["methods"]] == [
        each["time"]["mean"] for each in winners
    ]


def test_a_damaged_sweep_is_refused_in_a_sentence(call, sweep):
    folder = sweep("a", tune=TUNE)
    content = json.loads((folder / "sweep.json").read_text())
    content["winners"] = [{"run": 7}]
    (folder / "sweep.json").write_text(json.dumps(content))
    code, out, err = call("compare", "a")
    assert (code, out) == (2, "")
    assert err == "kavg: 'a/sweep.json' lists no winners of its points\n"
