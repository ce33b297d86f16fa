"""Data files and the command: what is said of them, and runs whose data or folder were moved."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from helpers.raw_settings import write_data
from helpers.settings import k_avg, write_settings

from kavg.config.settings_file import load_config

OBJECTIVE = {"kind": "logistic_regression", "data": "my.npz"}
MINIBATCH = {"kind": "minibatch", "B": 2}
SMALL = {"start": 0.0, "oracle": MINIBATCH, "algorithm": [k_avg()]}


@pytest.fixture
def project(empty, no_figures):
    """A project in a folder of its own, with settings and a file of data; it is not current."""
    folder = empty / "project"
    folder.mkdir()
    write_data(folder)
    write_settings(folder / "my.toml", objective=OBJECTIVE, **SMALL)
    return folder


def run_in(call, project, *more):
    assert call("run", project / "my.toml", "-q", "--out", project / "runs/s", *more)[0] == 0
    return project / "runs/s"


def test_a_run_goes_with_its_project(call, project, empty):
    run_in(call, project)
    moved = project.rename(empty / "elsewhere") / "runs/s"
    for words in (["verify", moved], ["verify", moved, "--files"], ["check", moved],
                  ["resume", moved, "--rounds", "12"], ["verify", moved, "--sample", "2"],
                  ["plot", moved], ["diff", moved, moved]):  # fmt: skip
        code, out, err = call(*words)
        assert code == 0, (words, out, err)


def test_a_run_folder_alone_can_be_moved(call, project, empty):
    folder = run_in(call, project)
    (empty / "archive/2026").mkdir(parents=True)
    moved = folder.rename(empty / "archive/2026/s")
    assert call("verify", moved, "-q")[0] == 0


def test_data_that_were_moved_are_named(call, project, empty):
    folder = run_in(call, project)
    data = (project / "my.npz").rename(empty / "other name.NPZ")
    assert call("verify", folder, "--files")[:2] == (0, "files        unchanged\n")
    for words in (["verify", folder], ["check", folder], ["resume", folder, "--rounds", "12"]):
        code, out, err = call(*words)
        assert (code, out) == (2, "")
        assert "my.npz: no such file" in err
        assert "--data PATH" in err
        assert call(*words, "--data", data)[0] == 0
    # The longer run remembers where its data lay.
    assert call("verify", folder, "-q")[0] == 0


def test_other_data_in_the_place_are_refused_by_their_digest(call, project, empty):
    folder = run_in(call, project)
    wanted = json.loads((folder / "environment.json").read_text())["data"]
    write_data(project, shift=1.0)
    write_data(empty, "wrong.npz", shift=2.0)
    for words in (["verify", folder], ["check", folder], ["resume", folder, "--rounds", "12"],
                  ["verify", folder, "--data", empty / "wrong.npz"]):  # fmt: skip
        code, out, err = call(*words)
        assert (code, out) == (2, "")
        assert f"and the run read {wanted[:12]}...; give the right file with --data PATH" in err
    write_data(empty, "right.npz")
    assert call("verify", folder, "--data", empty / "right.npz")[0] == 0
    assert call("verify", folder, "--files")[0] == 0


def test_a_checkpoint_goes_with_its_project(call, project, empty, monkeypatch):
    # Ended after the first checkpoint, as by a signal.
    from kavg.cli import execution

    def stop(*args, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(execution, "write_results", stop)
    more = ("--set", "checkpoint.every=2")
    code, _, _ = call("run", project / "my.toml", "-q", "--out", project / "runs/s", *more)
    assert code != 0
    monkeypatch.undo()
    monkeypatch.chdir(empty)
    moved = project.rename(empty / "elsewhere") / "runs/s"
    assert (moved / "checkpoints").is_dir()
    assert call("resume", moved, "-q")[0] == 0
    assert call("verify", moved, "-q")[0] == 0


def test_data_elsewhere_keep_their_absolute_path(call, project, empty, monkeypatch):
    # The home folder is no project: what lies beside a project in it does not move with it.
    monkeypatch.setenv("HOME", str(empty))
    data = (project / "my.npz").rename(empty / "my.npz")
    folder = run_in(call, project, "--set", f"objective.data={data}")
    assert f'data = "{data}"' in (folder / "config.toml").read_text()
    assert call("verify", folder, "-q")[0] == 0


def test_the_stored_path_is_relative(call, project):
    folder = run_in(call, project)
    assert 'data = "../../my.npz"' in (folder / "config.toml").read_text()
    assert load_config(folder / "config.toml").objective.data == str(project / "my.npz")


def test_data_are_asked_for_only_where_there_are_some(call, project, empty):
    write_settings(empty / "plain.toml")
    assert call("run", "plain.toml", "-q", "--out", "plain")[0] == 0
    code, _, err = call("verify", "plain", "--data", "x.csv")
    assert (code, "read no file of data; leave --data out" in err) == (2, True)
    code, _, err = call("check", "plain.toml", "--data", "x.csv")
    assert (code, "use --set objective.data=PATH" in err) == (2, True)


IRIS = ",length,id,species\n" + "".join(
    f"{i},{i % 7},{i},{('no', 'yes', 'no')[i % 3]}\n" for i in range(30)
)


def test_what_was_read_is_said_and_kept(call, project):
    (project / "my.csv").write_text(IRIS)
    sets = ["--set", "objective.data=my.csv", "--set", "objective.held_out=0.2"]
    code, _, err = call("run", project / "my.toml", "--out", project / "a", *sets)
    assert code == 0
    said = [line for line in err.splitlines() if line.startswith("kavg: my.csv")]
    assert said[0] == (
        "kavg: my.csv: 30 examples (6 held out), 2 features up to 29, labels no = 0, yes = 1; "
        "with an intercept; column 0 is an index of the rows and is left out (ignore = [] keeps it)"
    )
    assert "the feature 'id' counts the rows" in said[1]
    kept = json.loads((project / "a/summary.json").read_text())["data"]
    assert kept["classes"] == {"no": 0, "yes": 1}
    assert (kept["examples"], kept["features"], kept["held_out"]) == (30, 2, 6)
    assert kept["counts_rows"] == ["'id'"]


def test_columns_are_chosen_in_settings(call, project):
    (project / "my.csv").write_text(IRIS)
    data = {"path": "my.csv", "kind": "file", "label": "species", "ignore": ["id"]}
    write_settings(project / "my.toml", objective=OBJECTIVE | {"data": data}, **SMALL)
    folder = run_in(call, project)
    assert load_config(folder / "config.toml").objective.split.train.names == ()
    assert load_config(folder / "config.toml").objective.dim == 2
    assert Path("project").exists()
    shutil.move(project, project.with_name("moved"))
    assert call("verify", project.with_name("moved") / "runs/s", "-q")[0] == 0
    code, _, err = call("run", "moved/my.toml", "--set", "objective.data.label=specie")
    assert (code, "the closest is 'species'" in err) == (2, True)


def test_diff_compares_data_and_not_where_they_lie(call, project, empty):
    first = run_in(call, project)
    (project / "sub").mkdir()
    settings = write_settings(project / "sub/my.toml", objective=OBJECTIVE, **SMALL)
    shutil.copy(project / "my.npz", project / "sub")
    assert call("run", settings, "-q", "--out", empty / "same")[0] == 0
    code, out, _ = call("diff", first, empty / "same")
    assert (code, "objective.data" in out, "data  " in out) == (0, False, False)
    write_data(project / "sub", shift=3.0)
    assert call("run", settings, "-q", "--out", empty / "other")[0] == 0
    code, out, _ = call("diff", first, empty / "other")
    assert code == 1
    assert "data      digest: " in out
