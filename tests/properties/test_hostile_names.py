"""Nothing that a user or a file names reaches a terminal or a spreadsheet as it is."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.launch import LAUNCH_VARIABLES
from helpers.settings import k_avg, settings_text
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kavg.cli import entry_point, results
from kavg.storage import load_trajectories
from kavg.storage.run_folder import RunFolder
from kavg.storage.tables.lines import protect_cell
from kavg.storage.tables.metrics import write_metrics
from kavg.trajectory import Trajectory

EVIL = "\x1b[31m\x07\r\x9b\u202e\u2066\u200b\u2028\x00"
pieces = st.text(st.sampled_from([*EVIL, "\n", "\t", "a", "=", '"', "'", ",", ".", "[", "é", "中"]))
names = st.text(min_size=1, max_size=8) | st.builds("{}{}".format, pieces, pieces)
files = st.builds("f{}".format, names).map(lambda name: name.replace("/", "_").replace("\0", ""))

A_RUN = Trajectory(
    "K-AVG",
    4,
    3,
    2,
    np.arange(2),
    {"F": np.ones((2, 1))},
    np.ones((1, 2)),
    np.empty(0),
    np.zeros(2),
)
RUN = settings_text(rounds=2, replicas=1, figures=False, algorithm=[k_avg(P=2, K=1)])


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch):
    for variable in LAUNCH_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(results, "write_figures", lambda *_: [])


def said_by(monkeypatch, capsys, *words):
    """What a command prints, of which every line must be printable; and its exit code."""
    monkeypatch.setattr(sys, "argv", ["kavg", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        entry_point.main()
    said = capsys.readouterr()
    for stream in said:
        for line in stream.split("\n"):
            assert line.isprintable(), (words, line)
    return left.value.code, said.out + said.err


SLOW = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SLOW
@given(files)
@example(f"f{EVIL[:-1]}\nkavg: all is well")
def test_names_of_files_and_folders_are_escaped_by_every_command(
    tmp_path_factory, monkeypatch, capsys, name
):
    folder = tmp_path_factory.mktemp("hostile")
    monkeypatch.chdir(folder)
    name = name.encode(errors="surrogateescape", encoding="utf-8").decode(errors="replace")
    name = name.encode()[:200].decode(errors="ignore")
    Path(f"{name}.toml").write_text(RUN)

    def say(*words):
        return said_by(monkeypatch, capsys, *words)

    assert say("run", f"./{name}.toml", "--out", f"./{name}")[0] == 0
    (Path(name) / f"{name}.txt").write_text("one more")
    code, said = say("verify", f"./{name}")
    assert code == 1
    assert "was added" in " ".join(said.split())
    assert say("run", f"./{name}.toml", "--out", f"./{name}")[0] == 2
    assert say("resume", f"./{name}")[0] == 0
    assert say("check", f"./{name}")[0] == 0
    assert say("diff", f"./{name}", f"./{name}")[0] == 0
    assert say("diff", f"./{name}", f"./no{name}")[0] == 2
    assert say("bounds", f"./no{name}.toml")[0] == 2
    assert say("exact", f"./{name}.toml")[0] == 2
    assert say("atlas", "--out", f"./{name}.odd")[0] == 2
    Path(f"{name}.toml").write_text(f"rounds = {name}")
    assert say("run", f"./{name}.toml")[0] == 2


@SLOW
@given(names, names)
@example(EVIL, EVIL)
def test_keys_values_options_and_commands_are_escaped(monkeypatch, capsys, tmp_path, key, value):
    path = tmp_path / "my.toml"
    text = settings_text(**{f"{key}x": value, "mean": f"{value}x"})
    path.write_text(text, encoding="utf-8", errors="replace")
    for word in (f"{key}={value}", f"algorithm.{key}.K={value}", f"mean={value}"):
        assert said_by(monkeypatch, capsys, "run", path, f"--set={word}")[0] == 2
    assert said_by(monkeypatch, capsys, f"z{key}")[0] == 2
    assert said_by(monkeypatch, capsys, "run", path, f"--z{key}")[0] == 2
    assert said_by(monkeypatch, capsys, "list", f"z{key}")[0] == 2


@SLOW
@given(names, names)
@example(EVIL, "=cmd")
def test_names_inside_stored_runs_are_escaped(monkeypatch, capsys, tmp_path, name, quantity):
    (tmp_path / "my.toml").write_text(RUN)
    monkeypatch.chdir(tmp_path)
    assert said_by(monkeypatch, capsys, "run", "my.toml", "-q", "--force")[0] == 0
    stored = RunFolder(Path("runs/my")).load()
    series = stored.trajectories[0].series | {f"{quantity}q": stored.trajectories[0].F + 1}
    renamed = replace(stored.trajectories[0], name=f"{name}n", series=series)
    RunFolder(Path("other")).write(replace(stored, trajectories=[renamed]))
    assert load_trajectories(Path("other"))[0].name == f"{name}n"
    assert said_by(monkeypatch, capsys, "diff", "runs/my", "other")[0] == 1
    assert said_by(monkeypatch, capsys, "verify", "other")[0] in (1, 2)
    assert said_by(monkeypatch, capsys, "check", "other")[0] == 2


@settings(deadline=None, max_examples=100)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.sampled_from("=+-@\t\r'＝")
)
def test_a_spreadsheet_sees_text_and_a_program_the_name(tmp_path_factory, name, first):
    path = tmp_path_factory.getbasetemp() / "metrics.csv"
    for each in (name, f"{first}{name}"):
        cell = protect_cell(each)
        assert cell[0] not in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
        assert cell.removeprefix("'") == each
        write_metrics(path, [replace(A_RUN, name=each, series={"F": A_RUN.F, each: A_RUN.F})])
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        assert header[-1].removeprefix("'") == each
        assert {row[0] for row in rows} == {cell}
