"""``kavg sweep``: stages, winners, the files of its folder, and wrong input."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from math import inf

import numpy as np
import pytest
from helpers.run_folder import RUN_FILES, list_files, read_digest, read_environment, read_summary
from helpers.sweep import SWEEP, all_digests, read_sweep, write_sweep

import kavg
from kavg.cli.sweeps import command, file_places
from kavg.config import load_config, to_toml
from kavg.storage import digest, load_trajectories, manifest
from kavg.sweeps import load_sweep

SWEEP_FILES = {
    "config.toml",
    "points.csv",
    "schema.json",
    "trajectory.npz",
    "sweep.json",
    "best.toml",
    "summary.json",
    "environment.json",
    "manifest.sha256",
}


@pytest.fixture(autouse=True)
def here(empty):
    """An empty folder with the settings of a small sweep; no launcher."""
    write_sweep(empty / "my.toml")
    return empty


def sweep(call, *words):
    code, out, err = call("sweep", "my.toml", "-q", *words)
    assert code == 0, err
    return out


def test_a_sweep_writes_its_folder(call, here):
    out = sweep(call)
    folder = here / "runs/my"
    assert list_files(folder) == SWEEP_FILES
    assert manifest.list_changes(folder) == []
    found = read_sweep(folder)
    assert out.splitlines() == [
        f"digest  {found['digest']}",
        "best    runs/my/best.toml",
        "table   runs/my/points.csv",
        "folder  runs/my",
    ]
    assert read_summary(folder)["digest"] == found["digest"]
    assert read_environment(folder)["ranks"] == 1
    assert [len(stage["points"]) for stage in found["stages"]] == [12, 4]
    assert [stage["seed"] for stage in found["stages"]] == [1, 2]


def test_each_point_is_what_kavg_run_makes_of_its_settings(call, here):
    sweep(call)
    points, content = load_sweep(here / "my.toml").points, read_sweep(here / "runs/my")
    runs = load_trajectories(here / "runs/my")
    assert [digest(run) for run in runs] == content["stages"][1]["digests"]
    for stage, found in enumerate(content["stages"]):
        for number, expected in zip(found["points"], found["digests"], strict=True):
            config = replace(points[number].config, seed=1 + stage)
            (here / "one.toml").write_text(to_toml(config))
            assert call("run", "one.toml", "-q", "-f", "--out", "one")[0] == 0
            (alone,) = load_trajectories(here / "one")
            assert digest(alone) == expected, points[number].label


def test_a_point_that_diverges_is_a_result(call, here):
    sweep(call)
    first = read_sweep(here / "runs/my")["stages"][0]
    points = load_sweep(here / "my.toml").points
    diverged = [points[n].settings["gamma"] == 1e160 for n in first["points"]]
    assert [at is not None for at in first["diverged_at"]] == diverged
    assert [final is None for final in first["final"]] == diverged
    assert all(
        winner["settings"]["gamma"] < 1 for winner in read_sweep(here / "runs/my")["winners"]
    )


def test_a_sweep_of_which_every_point_diverges_is_finished(call, here):
    write_sweep(here / "my.toml", sweep={"grid": {"algorithm.*.gamma": [1e160, 1e161]}})
    sweep(call)
    found = read_sweep(here / "runs/my")
    assert found["stages"][0]["diverged_at"] == [1] * 4
    assert [winner["value"] for winner in found["winners"]] == [None] * 4
    assert found["stages"][0]["samples"] == [[None] * 3] * 4


def test_the_best_of_each_algorithm_and_cell_is_judged_on_fresh_noise(call, here):
    sweep(call)
    content = read_sweep(here / "runs/my")
    first, last = content["stages"]
    scores = {
        n: (inf if reached is None else reached, inf if final is None else final)
        for n, reached, final in zip(first["points"], first["reached"], first["final"], strict=True)
    }
    best = {}
    for point in content["points"]:
        best.setdefault((point["algorithm"], point["cell"]["K"]), []).append(point["number"])
    chosen = [min(group, key=scores.__getitem__) for group in best.values()]
    assert sorted(chosen) == last["points"]
    assert not set(first["digests"]) & set(last["digests"])
    for winner in content["winners"]:
        assert (winner["trials"], winner["rivals"]) == (3, 1)
        group = best[winner["algorithm"], winner["cell"]["K"]]
        spent = sum(first["gradients"][first["points"].index(n)] for n in group)
        spent += last["gradients"][last["points"].index(winner["point"])]
        assert winner["gradients"] == spent
        run = load_trajectories(here / "runs/my")[winner["run"]]
        assert winner["value"]["mean"] == run.grad_norm2[-1].mean()


def test_the_speed_up_is_that_over_the_first_algorithm_of_the_cell(call, here):
    sweep(call)
    winners = read_sweep(here / "runs/my")["winners"]
    by_key = {(each["algorithm"], each["cell"]["K"]): each for each in winners}
    for K in (1, 2):
        first, other = by_key["K-AVG", K], by_key["M-AVG", K]
        assert first["speed_up"] is None
        assert other["speed_up"]["over"] == first["point"]
        ratio = first["time"]["mean"] / other["time"]["mean"]
        assert other["speed_up"]["mean"] == pytest.approx(ratio)
        assert other["speed_up"]["low"] < ratio < other["speed_up"]["high"]


def test_best_settings_repeat_the_judged_runs(call, here):
    sweep(call)
    content = read_sweep(here / "runs/my")
    runs = [digest(run) for run in load_trajectories(here / "runs/my")]
    assert call("run", "runs/my/best.toml", "-q", "--out", "again")[0] == 0
    again = load_trajectories(here / "again")
    assert [run.name for run in again] == ["K-AVG K=1", "K-AVG K=2", "M-AVG K=1", "M-AVG K=2"]
    assert list(map(digest, again)) == [runs[winner["run"]] for winner in content["winners"]]


def test_winners_of_several_problems_have_a_file_each(call, here):
    sweep_table = SWEEP | {"grid": {"objective.omega": [1.0, 2.0]}}
    write_sweep(here / "my.toml", sweep=sweep_table)
    sweep(call)
    found = []
    for name in ("best/1.toml", "best/2.toml"):
        assert call("run", f"runs/my/{name}", "-q", "-f", "--out", "again")[0] == 0
        found += [digest(run) for run in load_trajectories(here / "again")]
    assert sorted(found) == sorted(map(digest, load_trajectories(here / "runs/my")))
    content = json.loads((here / "runs/my/sweep.json").read_text())
    assert content["problem"] == ["omega"]  # and no tuned setting, nor one of an algorithm


@pytest.mark.parametrize(("fraction", "is_said"), [(0.99, True), (0.5, False)])
def test_a_target_that_the_first_rounds_reach_is_said(call, here, fraction, is_said):
    target = {"quantity": "F", "fraction": fraction}
    write_sweep(here / "my.toml", rounds=40, sweep=SWEEP | {"target": target})
    _, _, err = call("sweep", "my.toml", "-q")
    assert ("is at the target before 3 recorded rounds, in 2 cells" in err) == is_said


def test_names_of_winners_are_those_of_algorithms_where_there_is_one_cell(call, here):
    write_sweep(here / "my.toml", sweep={"tune": {"algorithm.*.gamma": [0.02, 0.1]}})
    sweep(call)
    config = load_config(here / "runs/my/best.toml")
    assert [each.name for each in config.algorithms] == ["K-AVG", "M-AVG"]
    assert config.seed == 2


def test_the_table_has_all_varied_settings(call, here):
    sweep(call)
    table = kavg.load_results(here / "runs/my")
    assert {"K", "gamma", "F", "grad_norm2"} <= set(table)
    assert sorted(set(table["K"].tolist())) == [1, 2]
    assert len(table["F"]) == 4 * 7 * 3
    lines = (here / "runs/my/points.csv").read_text().splitlines()
    assert len(lines) == 1 + 4 * 7 * 3


def test_point_folders_are_run_folders(call, here):
    sweep(call, "--folders")
    content = read_sweep(here / "runs/my")
    folders = sorted(path.name for path in (here / "runs/my/points").iterdir())
    assert folders == [f"{number:04d}" for number in content["stages"][1]["points"]]
    for folder, expected in zip(folders, content["stages"][1]["digests"], strict=True):
        (run,) = load_trajectories(here / "runs/my/points" / folder)
        assert digest(run) == expected
        assert call("verify", f"runs/my/points/{folder}")[0] == 0


def test_run_on_settings_with_a_sweep_does_the_same(call, here):
    sweep(call, "--out", "a")
    assert call("run", "my.toml", "-q", "--out", "b")[0] == 0
    assert all_digests("a") == all_digests("b")
    assert read_digest(here / "a") == read_digest(here / "b")


def test_grids_and_settings_of_the_command_line_count(call, here):
    write_sweep(here / "my.toml", sweep=None)
    sweep(call, "--grid", "algorithm.*.K=1,3", "--set", "replicas=2")
    content = read_sweep(here / "runs/my")
    assert [point["settings"] for point in content["points"]] == [{"K": 1}, {"K": 3}] * 2
    assert content["stages"][0]["replicas"] == 2
    stored = tomllib.loads((here / "runs/my/config.toml").read_text())
    assert stored["sweep"]["grid"] == {"algorithm.*.K": [1, 3]}


def test_successive_halving_has_the_replicas_and_rounds_of_each_stage(call, here):
    stages = [{"replicas": 2, "rounds": 2}, {"keep": 2, "replicas": 3, "share": 0.5}, {"keep": 1}]
    write_sweep(here / "my.toml", sweep=SWEEP | {"stage": stages})
    sweep(call)
    found = read_sweep(here / "runs/my")["stages"]
    assert [len(stage["points"]) for stage in found] == [12, 8, 4]
    assert [stage["replicas"] for stage in found] == [2, 3, 3]
    assert [max(stage["rounds"]) for stage in found] == [2, 3, 6]
    assert len({stage["seed"] for stage in found}) == 3


def test_a_budget_gives_the_rounds(call, here):
    grid = {"grid": {"algorithm.*.K": [1, 4]}, "budget": {"gradients": 7 * 8.0}}
    write_sweep(here / "my.toml", sweep=grid, rounds=None)
    sweep(call)
    content = read_sweep(here / "runs/my")
    assert [point["rounds"] for point in content["points"]] == [8, 2] * 2
    assert content["budget"] == {"gradients": 56.0}


def test_the_table_that_is_printed_says_what_tuning_has_cost(call, here):
    code, out, err = call("sweep", "my.toml")
    assert code == 0, err
    assert "fresh noise, seed 2, 3 replicas" in " ".join(out.split())
    for words in ("K=1", "K=2", "K-AVG", "M-AVG", "best of 3: gamma=0.1;", "gradients in all"):
        assert words in out
    assert max(map(len, out.splitlines())) <= 80
    assert "12 points in 2 stages" in err
    assert "100 %" in err


def test_without_a_target_means_at_the_end_are_compared(call, here):
    write_sweep(here / "my.toml", sweep={key: SWEEP[key] for key in ("grid", "tune")})
    code, out, err = call("sweep", "my.toml")
    assert code == 0, err
    assert "Ratio: mean of K-AVG divided by mean of the other" in " ".join(out.split())
    winners = read_sweep("runs/my")["winners"]
    assert [winner["time"] for winner in winners] == [None] * 4
    for first, other in zip(winners[:2], winners[2:], strict=True):
        ratio = first["value"]["mean"] / other["value"]["mean"]
        assert other["speed_up"]["mean"] == pytest.approx(ratio)


def test_data_are_found_from_every_settings_file_of_the_folder(call, here):
    (here / "d.csv").write_text("".join(f"{i % 7},{i % 5},{i % 2}\n" for i in range(40)))
    write_sweep(
        here / "my.toml",
        objective={"kind": "logistic_regression", "data": "d.csv"},
        oracle={"kind": "minibatch", "B": 4},
        start=0.0,
        sweep={"grid": {"oracle.B": [2, 4]}},
    )
    sweep(call, "--folders")
    runs = sorted(map(digest, load_trajectories(here / "runs/my")))
    found = []
    for name in ("best/1.toml", "best/2.toml"):
        assert call("run", f"runs/my/{name}", "-q", "-f", "--out", "deep/er/again")[0] == 0
        found += map(digest, load_trajectories(here / "deep/er/again"))
    assert sorted(found) == runs
    one = "runs/my/points/0001"
    assert call("run", f"{one}/config.toml", "-q", "--out", "one")[0] == 0
    assert read_digest(here / "one") == read_digest(here / one)
    code, out, err = call("verify", one)
    assert code == 0, out + err
    (here / "d.csv").rename(here / "e.csv")
    assert call("verify", "runs/my", "-q")[0] == 2
    code, out, err = call("verify", "runs/my", "-q", "--data", "e.csv")
    assert code == 0, out + err


def test_a_large_table_is_said(call, here, monkeypatch):
    assert "[record]" not in call("sweep", "my.toml", "-q", "--out", "a")[2]
    monkeypatch.setattr(file_places, "LARGE", 1000)
    err = call("sweep", "my.toml", "-q", "--out", "b")[2]
    assert "points.csv has" in err
    assert "[record] every = n" in err


def test_settings_of_a_sweep_can_come_through_a_pipe(call, here):
    sweep(call, "--out", "a")
    for word in ("sweep", "run"):
        job = subprocess.run(
            [sys.executable, "-m", "kavg", word, "-", "-q", "--out", f"{word}.out"],
            input=(here / "my.toml").read_bytes(), capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert job.returncode == 0, job.stderr
        assert all_digests(f"{word}.out") == all_digests("a")


def test_a_table_that_cannot_be_written_is_refused_before_the_first_round(call, here, monkeypatch):
    monkeypatch.setattr(command, "installed_version", lambda name: None)
    code, out, err = call("sweep", "my.toml", "--table", "parquet")
    assert (code, out) == (2, "")
    assert "pip install 'kavg[table]'" in err
    assert not (here / "runs").exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sweep": {"grid": {"algorithm.*.gama": [1.0]}}}, "gama"),
        ({"sweep": {"grid": {"algorithm.*.K": []}}}, "K"),
        ({"sweep": {"grid": {"algorithm.*.K": [0]}}}, "K"),
        ({"sweep": SWEEP | {"target": {"quantity": "F", "floor": 2.0}}}, "floor"),
        ({"sweep": SWEEP | {"target": {"quantity": "loss", "below": 1.0}}}, "loss"),
    ],
)
def test_wrong_settings_exit_2_and_write_nothing(call, here, changes, reason):
    write_sweep(here / "my.toml", **changes)
    code, out, err = call("sweep", "my.toml")
    assert (code, out) == (2, "")
    assert reason in err
    assert not (here / "runs").exists()


def test_an_existing_folder_needs_force(call, here):
    sweep(call)
    before = read_digest(here / "runs/my")
    code, _, err = call("sweep", "my.toml")
    assert code == 2
    assert "--force" in err
    sweep(call, "--force", "--set", "seed=9")
    assert read_digest(here / "runs/my") != before


def test_figures_show_the_trials_and_the_winners(call, here):
    pytest.importorskip("matplotlib")
    write_sweep(here / "my.toml", figures=True)
    sweep(call)
    figures = {path.name for path in (here / "runs/my/figures").iterdir()}
    assert figures == {"tuning.png", "tuning.svg", "winners.png", "winners.svg"}
    write_sweep(here / "my.toml", figures=True, sweep={"grid": {"algorithm.*.gamma": [0.1, 1e160]}})
    sweep(call, "--force")
    figures = {path.name for path in (here / "runs/my/figures").iterdir()}
    assert figures == {"winners.png", "winners.svg"}
    # The least gamma is the best, but no one searched for it.
    assert "its grid" not in (here / "runs/my/figures/winners.svg").read_text()
    assert call("verify", "runs/my", "--files")[0] == 0


def test_a_sweep_and_a_run_replace_each_other_and_keep_files_of_the_user(call, here):
    assert call("run", "my.toml", "--set", "sweep.grid={'algorithm.*.K'=[1]}", "-q")[0] == 0
    sweep(call, "--force")
    assert list_files(here / "runs/my") == SWEEP_FILES
    (here / "runs/my/notes.txt").write_text("mine")
    write_sweep(here / "my.toml", sweep=None)
    assert call("run", "my.toml", "-q", "--force")[0] == 0
    assert list_files(here / "runs/my") == {*RUN_FILES, "notes.txt"}
    (here / "runs/my/best").mkdir()
    (here / "runs/my/best/mine.toml").write_text("mine")
    assert call("run", "my.toml", "-q", "--force")[0] == 0
    assert list_files(here / "runs/my") == {*RUN_FILES, "notes.txt", "best/mine.toml"}


def test_numbers_of_the_file_are_those_of_the_arrays(call, here):
    sweep(call)
    content = read_sweep(here / "runs/my")
    for number, run in zip(
        content["stages"][1]["points"], load_trajectories(here / "runs/my"), strict=True
    ):
        index = content["stages"][1]["points"].index(number)
        assert content["stages"][1]["samples"][index] == run.grad_norm2[-1].tolist()
        assert content["stages"][1]["final"][index] == float(np.mean(run.grad_norm2[-1]))


def test_sweep_json_has_no_numbers_that_json_lacks(call, here):
    write_sweep(here / "my.toml", replicas=1)
    out = call("sweep", "my.toml")[1]
    assert "nan" not in out
    assert out.count("(one replica: no interval)") == 6
    json.loads(
        (here / "runs/my/sweep.json").read_text(),
        parse_constant=lambda name: pytest.fail(f"{name} is no JSON"),
    )
