"""``kavg check``, ``kavg bounds`` and ``kavg exact``: what they say, write and leave with."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.run_folder import RUN_FILES, list_files, read_summary
from helpers.settings import k_avg, write_settings

from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.base import Constant
from kavg.cli import environment
from kavg.cli import execution as jobs
from kavg.cli import output as pictures
from kavg.config import load_config
from kavg.objectives import TriangularWave
from kavg.portability import ARITHMETIC
from kavg.storage import load_trajectories, manifest
from kavg.storage.trajectories import write_trajectories

WAVE = {
    "rounds": 30,
    "replicas": 8,
    "start": 0.6,
    "objective": {"kind": "triangular_wave", "dim": 3},
    "oracle": {"kind": "gaussian", "sigma2": 0.01},
    "algorithm": [
        k_avg(P=2, gamma=0.2),
        k_avg(name="Nesterov", P=2, gamma=0.2, outer={"kind": "nesterov", "mu": 0.5}),
    ],
}
BOWL = WAVE | {"objective": {"kind": "quadratic", "spectrum": [0.5, 1.0]}}


@pytest.fixture(autouse=True)
def here(empty, monkeypatch):
    """An empty folder with two settings files; no launcher, no pictures unless asked for."""
    monkeypatch.setattr(
        pictures, "installed_version", lambda name: None if name == "matplotlib" else "1"
    )
    write_settings(empty / "my.toml", **WAVE)
    write_settings(empty / "bowl.toml", **BOWL)
    return empty


@pytest.fixture
def wrong_L(monkeypatch):
    """The wave claims half its curvature, which lets twice the step through."""
    monkeypatch.setattr(TriangularWave, "L", Constant(0.5, "exact"))


def verdicts(folder):
    return json.loads((Path(folder) / "verdicts.json").read_text())


def outcomes(folder):
    return {(v["algorithm"], v["bound"]): v["outcome"] for v in verdicts(folder)["verdicts"]}


# check


def test_a_settings_file_is_run_and_judged(call, here):
    code, out, err = call("check", "my.toml")
    assert code == 0
    assert list_files("runs/my") == RUN_FILES | {"verdicts.json"}
    assert outcomes("runs/my")["K-AVG", "theorem_1"] == "HOLDS"
    assert {o for (name, _), o in outcomes("runs/my").items() if name == "Nesterov"} == {
        "NOT APPLICABLE"
    }
    assert "8 replicas, 30 rounds" in out
    assert "no theorem here covers the outer rule nesterov" in out
    assert max(map(len, out.splitlines())) <= 100
    assert "round 30 of 30" in err
    call("run", "my.toml", "-q", "--out", "plain")
    assert read_summary("runs/my") == read_summary("plain")


def test_the_file_holds_every_number_of_the_table(call):
    call("check", "my.toml", "-q", "--level", "0.01")
    found = verdicts("runs/my")
    assert (found["level"], found["rounds"], found["replicas"], found["looks"]) == (0.01, 30, 8, 1)
    one = found["verdicts"][0]
    run = load_trajectories("runs/my")[0]
    measured = run.grad_norm2[:30].mean(axis=0)
    assert one["measured"]["mean"] == pytest.approx(measured.mean(), rel=1e-14)
    assert one["ratio"]["mean"] == pytest.approx(measured.mean() / one["value"]["total"])
    parts = [one["value"][name] for name in ("optimization", "noise", "drift")]
    assert one["value"]["total"] == pytest.approx(sum(parts))
    assert one["conditions"][0]["met"] is True
    assert one["conditions"][0]["left"] < one["conditions"][0]["right"] == 1
    assert one["largest_gamma"] > 0.2
    assert one["rests_on_estimated"] == []


@pytest.mark.parametrize("extra", [[], ["--until-decided", "--budget", "16"]])
def test_a_violated_bound_leaves_with_3(call, wrong_L, extra):
    fast = ["--set", "algorithm.0.gamma=2", "--set", "algorithm.0.K=1"]
    code, out, _ = call("check", "my.toml", "-q", *fast, *extra)
    assert code == 3
    assert outcomes("runs/my")["K-AVG", "theorem_1"] == "VIOLATED"
    assert " VIOLATED," in out
    assert call("check", "runs/my")[0] == 3


@pytest.mark.parametrize("arithmetic", [1, ARITHMETIC])
def test_a_run_of_another_problem_by_another_arithmetic_is_said_to_be(call, here, arithmetic):
    call("run", "my.toml", "-q")
    folder = here / "runs/my"
    # In place of another rotation of a quadratic.
    runs = [
        replace(run, arithmetic=arithmetic, series=run.series | {"F": 2 * run.F})
        for run in load_trajectories(folder)
    ]
    write_trajectories(folder / "trajectory.npz", runs)
    code, _, err = call("check", "runs/my", "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "by this problem; " in err
    said = f"the run has arithmetic 1 and this kavg {ARITHMETIC}, by which a rotation, for instance"
    assert (said in err) == (arithmetic == 1)
    assert ("give runs in the order of their algorithms" in err) == (arithmetic == ARITHMETIC)


def test_a_run_folder_is_judged_without_running(call, here, monkeypatch):
    call("run", "my.toml", "-q")
    others = RUN_FILES - {manifest.NAME}
    before = {name: Path("runs/my", name).read_bytes() for name in others}
    monkeypatch.setattr(jobs, "complete_run", None)
    code, out, err = call("check", "runs/my")
    assert (code, err) == (0, "")
    assert out.endswith("\nfolder  runs/my\n")
    assert list_files("runs/my") == RUN_FILES | {"verdicts.json"}
    assert before == {name: Path("runs/my", name).read_bytes() for name in others}
    assert manifest.list_changes(Path("runs/my")) == []
    assert outcomes("runs/my")["K-AVG", "theorem_1"] == "HOLDS"
    code, out, _ = call("check", "runs/my", "--out", "elsewhere/deep", "--level", "0.2")
    assert list_files("elsewhere") == {"deep/verdicts.json"}
    assert verdicts("elsewhere/deep")["level"] == 0.2
    assert verdicts("runs/my")["level"] == 0.05


def test_replicas_are_added_until_decided(call, here):
    # At gamma = 1, K = 1 the theorem is attained but for 1/N of the noise.
    tight = ["--set", "algorithm.0.gamma=1", "--set", "algorithm.0.K=1", "--set", "replicas=2"]
    code, out, _ = call("check", "my.toml", "-q", *tight, "--until-decided", "--budget", "512")
    found = verdicts("runs/my")
    assert code == 0
    assert found["looks"] > 2
    assert found["replicas"] == 2 ** found["looks"] <= 512
    assert set(outcomes("runs/my").values()) == {"HOLDS", "NOT APPLICABLE"}
    assert f"over {found['looks']} looks" in out
    stored = tomllib.loads(Path("runs/my/config.toml").read_text())
    assert stored["replicas"] == found["replicas"]
    # What is left is the plain run of that many replicas.
    call("run", "runs/my/config.toml", "-q", "--out", "plain")
    assert read_summary("runs/my") == read_summary("plain")
    # With the first replicas alone nothing would have been said.
    call("check", "my.toml", "-q", *tight, "--out", "once")
    assert outcomes("once")["K-AVG", "theorem_1"] == "INCONCLUSIVE"
    assert "more replicas decide" in verdicts("once")["verdicts"][0]["reason"]


def test_a_budget_is_not_exceeded(call):
    code, *_ = call("check", "my.toml", "-q", "--set", "replicas=1", "--until-decided",
                    "--budget", "1")  # fmt: skip
    found = verdicts("runs/my")
    assert (code, found["replicas"], found["looks"]) == (0, 1, 1)
    assert outcomes("runs/my")["K-AVG", "theorem_1"] == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["my.toml", "--level", "0"], "--level must lie between 0 and 1, got 0.0"),
        (["my.toml", "--budget", "9"], "--budget needs --until-decided"),
        (["my.toml", "--until-decided", "--budget", "7"], "at least replicas=8, got budget=7"),
        (
            ["my.toml", "--until-decided", "--budget", "0"],
            "budget must be a whole number of at least",
        ),
        (["my.toml", "--set", "algorithm.0.lr=1"], "there is no key 'lr' here; use 'gamma'"),
        (["gone.toml"], "cannot read the settings"),
        (["empty"], "cannot read the settings 'empty/config.toml'"),
        (["done", "--set", "rounds=3"], "is a finished run"),
        (["done", "--until-decided"], "is a finished run"),
        (["mixed"], "are not of one run; run the settings again"),
        (["done", "--out", "my.toml/x"], "cannot write"),
        (["my.toml", "--out", "done"], "exists already; use --force"),
    ],
)
def test_wrong_input_leaves_with_2_and_writes_nothing(call, here, words, said):
    (here / "empty").mkdir()
    call("run", "my.toml", "-q", "--out", "done")
    call("run", "my.toml", "-q", "--out", "mixed")
    stored = here / "mixed/config.toml"
    stored.write_text(stored.read_text().replace("rounds = 30", "rounds = 29"))
    before = list_files(here)
    code, out, err = call("check", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("kavg: ") == 1
    assert list_files(here) == before


def test_an_older_folder_is_replaced_by_force(call):
    call("check", "my.toml", "-q")
    code, *_ = call("check", "my.toml", "-q", "--force", "--set", "rounds=12")
    assert (code, verdicts("runs/my")["rounds"]) == (0, 12)


def test_the_picture_of_verdicts(call, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(pictures, "installed_version", environment.installed_version)
    call("check", "my.toml", "-q")
    wanted = {"bounds.png", "bounds.svg", "trajectory.png", "trajectory.svg"}
    assert list_files("runs/my/figures") == wanted
    call("check", "runs/my", "--out", "again")
    assert list_files("again/figures") == {"bounds.png", "bounds.svg"}
    again = Path("again/figures/bounds.svg").read_bytes()
    assert again == Path("runs/my/figures/bounds.svg").read_bytes()
    # Where no bound applies there is nothing to draw, and that is no fault.
    code, _, err = call("check", "my.toml", "-q", "--out", "none", "--set", "algorithm.0.gamma=9")
    assert code == 0
    assert err.startswith("kavg: ")
    assert "above its start" in err
    assert list_files("none/figures") == {"trajectory.png", "trajectory.svg"}


def test_a_run_without_figures_gets_none_from_a_check(call, monkeypatch):
    monkeypatch.setattr(pictures, "installed_version", environment.installed_version)
    assert call("run", "my.toml", "-q", "--set", "figures=false", "--out", "plain")[0] == 0
    assert call("check", "plain", "-q")[0] == 0
    assert list_files("plain") == RUN_FILES | {"verdicts.json"}


def test_diverged_runs_are_drawn_and_violated(call, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(pictures, "installed_version", environment.installed_version)
    monkeypatch.setattr("kavg.objectives.Quadratic.L", Constant(1e-3, "exact"))
    slow = [f"--set=algorithm.*.{place}" for place in ("gamma=9", "K=1")]
    code, out, _ = call("check", "bowl.toml", "-q", *slow, "--set", "rounds=900")
    assert code == 3
    assert "the mean is infinite" in out
    assert "bounds.png" in list_files("runs/bowl/figures")


# bounds


def test_bounds_prints_conditions_and_value_of_each_theorem(call, here):
    before = list_files(here)
    code, out, err = call("bounds", "bowl.toml", "--set", "algorithm.0.gamma=0.3")
    assert (code, err) == (0, "")
    assert list_files(here) == before
    assert max(map(len, out.splitlines())) <= 100
    assert "Cong and Liu (2020), which could not be read" in " ".join(out.split())
    assert "met  C1: 0.69 <= 1" in out
    assert "NOT met  C1S: 0.6 > 0.25" in out
    assert "value, which is no bound here:" in out
    assert "pl=0.5" in out
    assert "no theorem here covers the outer rule nesterov" in out
    trends = [line.split() for line in out.splitlines() if line.startswith("      P = ")]
    assert [line[2] for line in trends] == ["2", "4", "8"]
    mus = [float(line[3]) for line in trends]
    assert mus == sorted(mus)


def test_bounds_of_a_random_start_and_of_gradients_without_a_bound(call, here):
    code, out, _ = call("bounds", "bowl.toml", "--set", 'start={ kind = "normal" }')
    assert code == 0
    assert "the mean over 8 replicas" in out
    data = {"kind": "regression", "examples": 8, "features": 2}
    objective = {"kind": "robust_regression", "data": data}
    sums = WAVE | {"objective": objective, "oracle": {"kind": "minibatch", "B": 2}}
    write_settings(here / "data.toml", **sums)
    code, out, _ = call("bounds", "data.toml")
    assert code == 0
    assert "none: sigma2 is unknown" in out
    code, out, err = call("bounds", "gone.toml")
    assert (code, out, err.count("kavg: ")) == (2, "", 1)


# exact


def test_exact_moments_beside_a_run(call):
    code, out, _ = call("exact", "bowl.toml", "-q", "--set", "replicas=200")
    assert code == 0
    assert list_files("runs/bowl") == RUN_FILES
    rows = [line.split() for line in out.splitlines() if line.startswith("  ||grad F||^2")]
    assert len(rows) == 2
    config, run = load_config("bowl.toml"), load_trajectories("runs/bowl")[1]
    moments = exact_trajectory(config.problem, config.algorithms[1], config.rounds)
    assert float(rows[1][2]) == pytest.approx(moments.grad_norm2[-1], rel=1e-5)
    assert float(rows[1][3].strip("[],")) == pytest.approx(run.grad_norm2[-1].mean(), rel=0.05)
    # A mean of 200 exponential numbers or nearly so: five standard deviations.
    assert run.grad_norm2[-1].mean() == pytest.approx(moments.grad_norm2[-1], rel=0.4)


def test_the_pictures_of_exact(call, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(pictures, "installed_version", environment.installed_version)
    call("exact", "bowl.toml", "-q", "--set", "record.every=7")
    assert {"exact.png", "exact.svg"} <= list_files("runs/bowl/figures")
    code, out, _ = call("atlas", "1", "3", "--out", "maps/map.png")
    assert (code, out.split()) == (0, ["maps/map.png", "maps/map.svg"])


def test_exact_of_a_run_that_diverges(call):
    code, out, _ = call("exact", "bowl.toml", "-q", "--set", "algorithm.*.gamma=1e9",
                        "--set", "rounds=40", "--set", "record.every=3")  # fmt: skip
    assert code == 0
    last = [int(run.rounds[-1]) for run in load_trajectories("runs/bowl")]
    assert f"K-AVG, the last before it diverged: round {last[0]}\n" in out
    assert f"Nesterov, the last before it diverged: round {last[1]}\n" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("exact my.toml", "need a Quadratic or Linear objective, got TriangularWave"),
        ("exact", "Missing argument"),
        ("exact bowl.toml --atlas", "No such option"),
        ("atlas x", "Invalid value"),
        ("atlas 2 0", "Invalid value"),
        ("atlas --out map.pdf", "an atlas is written as .png and .svg"),
        ("atlas --out my.toml/map.png", "cannot write"),
        ("check my.toml --until decided", "No such option: --until"),
    ],
)
def test_wrong_options_are_reported_and_nothing_is_written(call, here, words, said, monkeypatch):
    monkeypatch.setattr(jobs, "complete_run", None)
    before = list_files(here)
    code, out, err = call(*words.split())
    assert (code, out) == (2, "")
    assert said in err
    assert list_files(here) == before


def test_a_panel_holds_the_bound_at_every_N():
    from kavg import Algorithm, Problem, objectives, oracles, outer, simulate
    from kavg.analysis.bounds.theorem_1 import Theorem1
    from kavg.analysis.comparison import compare_with_bound
    from kavg.reports.figures.verdicts import verdict_panels

    problem = Problem(objectives.Quadratic((1.0,)), oracles.Gaussian(sigma2=1.0), 3.0)
    method = Algorithm(P=2, K=2, gamma=0.1, outer=outer.Averaging(), name="K-AVG")
    run = simulate(problem, method, rounds=20, replicas=4, seed=1)
    found = compare_with_bound(problem, method, run, 20, Theorem1())
    (shown,) = verdict_panels([found], [run])
    assert (shown.N[0], shown.N[-1]) == (1, 20)
    assert shown.bound_values[0, -1] == pytest.approx(found.measurement.allowed.mean())
    one = Theorem1().value(found.setting.replace(N=1)).total
    assert shown.bound_values[0, 0] == pytest.approx(one)
    assert one > 10 * shown.bound_values[0, -1]
    assert shown.measured.mean[-1] == pytest.approx(found.measurement.measured.mean())
    np.testing.assert_allclose(shown.measured.mean[0], 9.0)
    assert shown.smoothness == pytest.approx(9.0)


def test_exact_names_the_objective_before_the_folder(call):
    Path("runs/my").mkdir(parents=True)
    Path("runs/my/notes.txt").touch()
    code, _, err = call("exact", "my.toml", "-q", "--set", "objective={kind='cosine', dim=2}")
    assert code == 2
    assert "exact moments need a Quadratic or Linear objective, got Cosine" in err
    assert "runs/my" not in err


def test_one_of_a_thing_is_no_plural(call):
    code, out, _ = call("check", "my.toml", "--set", "replicas=1", "--set", "rounds=1")
    assert code == 0
    assert "1 replica, 1 round\n" in out
    assert "1 rounds" not in out
    _, out, _ = call("diff", "runs/my", "runs/my")
    assert "2 rounds and 1 replica in common" in out
    _, out, _ = call("resume", "runs/my")
    assert "is finished, 1 round;" in out
