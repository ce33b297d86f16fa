"""Run folders are claimed from the start of a command to its end, and read without trust."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest
from helpers.holder import held_elsewhere, leave_lock
from helpers.run_folder import list_files, read_digest
from helpers.settings import k_avg, write_settings

from kavg.cli import exact_moments, results, theorem_check
from kavg.cli import execution as jobs
from kavg.errors import FolderInUse
from kavg.storage import checkpoints, run_folder
from kavg.storage.changes.replacement import STAGE
from kavg.storage.checkpoints import Checkpoint, write_checkpoint
from kavg.storage.locks.folder_lock import FolderLock

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture(autouse=True)
def here(empty, no_figures, monkeypatch):
    """An empty folder with one settings file; figures are empty files."""

    def draw_one(_, stage, stem, formats):
        (stage / "trajectory.png").touch()

    monkeypatch.setattr("kavg.cli.plots.drawing.write_figure", draw_one)
    monkeypatch.setattr(theorem_check, "draw_if_possible", lambda draw: None)
    write_settings(empty / "my.toml", rounds=4, algorithm=[k_avg()])
    return empty


def hidden(folder):
    return sorted(path.name for path in folder.rglob(".*"))


# Claimed from the start.


@pytest.mark.parametrize("command", ["run", "check", "exact"])
def test_a_folder_in_use_is_refused_before_any_work(call, here, monkeypatch, command):
    monkeypatch.setattr(jobs, "complete_run", None)
    monkeypatch.setattr(theorem_check, "run_algorithms", None)
    if command == "exact":
        write_settings(here / "my.toml", algorithm=[k_avg()], objective=QUADRATIC)
    for folder, words in (("out", ["--out", "out"]), ("runs/my", ["--force"]),
                          ("out", ["--force", "--out", "out"])):  # fmt: skip
        with held_elsewhere(here / folder) as pid:
            code, out, err = call(command, "my.toml", *words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"kavg: '{folder}' is in use by process {pid} (")
        assert err.endswith("; wait until it ends, or use another folder\n")
    assert list_files(here) - {"my.toml"} == {".out.lock", "runs/.my.lock"}


QUADRATIC = {"kind": "quadratic", "spectrum": [1.0, 2.0]}


@pytest.mark.parametrize("command", ["run", "run with checkpoints", "check", "exact"])
def test_a_name_taken_because_another_came_is_held_too(call, here, monkeypatch, command):
    every = 1 if "with" in command else "never"
    write_settings(
        here / "my.toml", algorithm=[k_avg()], objective=QUADRATIC, checkpoint={"every": every}
    )
    honest, held = jobs.run_algorithms, []

    def meanwhile(*given, **named):
        (here / "runs/my").mkdir(parents=True)
        return honest(*given, **named)

    def draw(results, figures):
        try:
            FolderLock(here / "runs/my-2").acquire()
        except FolderInUse:
            held.append(figures.parent)

    for module in (jobs, theorem_check, exact_moments):
        monkeypatch.setattr(module, "run_algorithms", meanwhile)
    monkeypatch.setattr(results, "_draw_figures", draw)
    code, out, _ = call(*command.split()[:1], "my.toml", "-q")
    assert code in (0, 3)
    assert "folder  runs/my-2\n" in out
    assert len(held) == 1
    assert hidden(here) == []


def test_a_run_whose_default_folder_is_in_use_takes_the_next(call, here):
    (here / "runs/my-2").mkdir(parents=True)
    with held_elsewhere(here / "runs/my"):
        code, out, err = call("run", "my.toml", "-q")
        assert code == 0
        assert err == "kavg: 'runs/my' is in use, so this run is 'runs/my-3'\n"
        assert "folder  runs/my-3\n" in out
        assert hidden(here) == [".my.lock"]
    code, out, err = call("run", "my.toml", "-q")
    assert code == 0
    assert err.startswith("kavg: took over the lock of 'runs/my' from process ")
    assert "folder  runs/my\n" in out
    assert hidden(here) == []


def test_a_run_is_not_resumed_twice_at_once(call, run, here):
    run("a")
    with held_elsewhere(here / "a") as pid:
        code, out, err = call("resume", "a", "--rounds", "9")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert f"'a' is in use by process {pid}" in err
    assert call("resume", "a", "--rounds", "9", "-q")[0] == 0
    assert hidden(here) == []


@pytest.mark.parametrize("words", [["check", "a"], ["plot", "a"], ["check", "a", "--out", "b"],
                                   ["plot", "a", "--out", "b"]])  # fmt: skip
def test_who_adds_to_a_folder_waits_briefly_and_says_for_whom(call, run, here, monkeypatch, words):
    monkeypatch.setattr(run_folder, "PATIENCE", 0.1)
    run("a")
    before = list_files(here / "a")
    with held_elsewhere(here / words[-1]) as pid:
        code, out, err = call(*words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert f"is in use by process {pid}" in err
    assert list_files(here / "a") == before


def test_a_folder_in_use_is_read(call, run, here):
    run("a")
    run("b")
    with held_elsewhere(here / "a"):
        assert call("verify", "a", "-q")[0] == 0
        assert call("verify", "a", "--files")[0] == 0
        assert call("diff", "a", "b")[0] == 0
        assert call("resume", "a")[0] == 0 or "in use" in call("resume", "a")[2]


@pytest.mark.parametrize("command", ["run", "check", "exact", "resume", "plot", "verify"])
@pytest.mark.parametrize("fine", [True, False])
def test_no_command_leaves_a_lock(call, run, here, command, fine):
    write_settings(here / "my.toml", algorithm=[k_avg()], objective=QUADRATIC)
    run("a")
    words = ["my.toml", "--out", "c"] if command in ("run", "check", "exact") else ["a"]
    words += ["--rounds", "9"] if command == "resume" else []
    if not fine:
        words += {"resume": ["--rounds", "1"], "plot": ["--axis", "up"]}.get(command, ["--bad"])
    assert (call(command, *words)[0] == 0) == fine
    assert hidden(here) == []
    assert (here / "c").exists() == (fine and "c" in words)


def test_two_runs_at_once_get_two_folders(here):
    """The real race, of processes of their own."""
    write_settings(here / "my.toml", rounds=3000, record={"every": 3000}, algorithm=[k_avg()])
    command = [sys.executable, "-m", "kavg", "run", "my.toml", "-q", "--set", "figures=false"]
    both = [
        subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [each.communicate(timeout=60) for each in both]
    assert sorted(each.returncode for each in both) in ([0, 0], [0, 2]), said
    assert hidden(here) == []
    folders = sorted(path.name for path in (here / "runs").iterdir())
    if [each.returncode for each in both] == [0, 0]:
        assert folders == ["my", "my-2"]
        assert read_digest(here / "runs/my") == read_digest(here / "runs/my-2")
    else:  # one had ended when the other began
        assert folders == ["my"]
        assert b"exists already" in said[0][1] + said[1][1]


# Left by a process that was killed.


@pytest.mark.parametrize("command", ["verify a --files", "check a", "plot a", "diff a b",
                                     "resume a", "run my.toml -q --force --out a"])  # fmt: skip
@pytest.mark.parametrize("name", ["a", "x" * 60])
def test_every_command_that_opens_a_folder_mends_it_first(call, run, here, command, name):
    run(name)
    run("b")
    (here / name / "notes.md").write_text("mine")
    leave_lock(here / name)
    (lock,) = hidden(here)
    stem = lock.removesuffix(".lock")
    (here / name).rename(here / f"{stem}.0123abcd.old")
    (here / f"{stem}.0123abcd.partial").mkdir()
    (here / f"{stem}.0123abcd.partial/config.toml").write_text("half")
    (here / f"{stem}.0123abcd.partial" / STAGE).write_text("0123abcd")
    words = [name if word == "a" else word for word in command.split()]
    code, _, err = call(*words)
    assert code in (0, 1), err
    assert f"kavg: took over the lock of '{name}' from process " in err
    assert f"kavg: a command that was stopped left '{name}' half-written: " in err
    assert (here / name / "notes.md").read_text() == "mine"
    assert hidden(here) == []


# Read without trust.


FILES = ("config.toml", "metrics.csv", "summary.json", "trajectory.npz", "environment.json",
         "manifest.sha256")  # fmt: skip
COMMANDS = ("verify a", "verify a --files", "check a", "plot a", "diff a b", "diff b a",
            "resume a --rounds 9")  # fmt: skip


def put_in_place(path, kind):
    """Put something that is no file in the place of one."""
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path.name)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "loop"])
@pytest.mark.timeout(60)
def test_no_command_waits_for_what_is_no_file(call, run, here, kind):
    run("a")
    run("b")
    shutil.copytree("a", "whole")
    for name in FILES if kind == "pipe" else ("config.toml", "metrics.csv"):
        put_in_place(here / "a" / name, kind)
        for command in COMMANDS:
            code, _, err = call(*command.split())
            assert code in (0, 1, 2)
            assert "Traceback" not in err
            assert err.count("kavg: ") <= 1
            assert hidden(here) == []
        shutil.rmtree("a")
        shutil.copytree("whole", "a")


def test_a_checkpoint_larger_than_it_can_be_is_refused_unread(call, here, monkeypatch):
    config = jobs.load_config(here / "my.toml")
    start = Checkpoint(jobs.to_toml(config), jobs.hash_data(config), (), [])
    path = write_checkpoint(here / "a" / checkpoints.FOLDER, start)
    whole = path.stat().st_size
    monkeypatch.setattr(checkpoints, "CHUNK", 2**62)  # reading it would need as much memory
    for size in (2**32, 2**44):
        try:
            os.truncate(path, size)
        except OSError:
            continue  # more than this file system allows
        code, _, err = call("resume", "a")
        assert code == 2
        assert re.search("is refused: (it is cut off or damaged|it has .* are allowed)", err)
    os.truncate(path, whole)
    monkeypatch.undo()
    os.chdir(here)
    assert call("resume", "a", "-q")[0] == 0


def test_checkpoints_behind_a_link_are_neither_written_nor_removed(call, run, here):
    run("a")
    config = jobs.load_config(here / "my.toml")
    start = Checkpoint(jobs.to_toml(config), jobs.hash_data(config), (), [])
    write_checkpoint(here / "elsewhere", start)
    (here / "a/checkpoints").symlink_to(here / "elsewhere")
    before = list_files(here / "elsewhere")
    code, _, err = call("resume", "a", "-q")
    assert code == 2
    assert "checkpoints' is a link, and kavg writes through no link in a run folder" in err
    assert call("run", "my.toml", "-q", "--force", "--out", "a")[0] == 0
    assert list_files(here / "elsewhere") == before
    assert not (here / "a/checkpoints").exists()


# Deep and long.


@pytest.mark.parametrize("command", ["run my.toml", "check my.toml", "plot a", "check a"])
def test_a_path_of_many_parts_is_refused_in_one_line(call, run, here, command):
    run("a")
    before = sorted(os.walk(here))
    for path in ("d/" * 250, "d/" * 1000 + "d", "d/" * 2000 + "d"):
        code, out, err = call(*command.split(), "--out", path)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert sorted(os.walk(here)) == before


def test_a_folder_with_300_folders_in_folders_is_answered(call, run, here):
    run("a")
    run("b")
    folder = os.open(here / "a", os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=folder)
        inner = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    for command in (*COMMANDS, "run my.toml --force --out a"):
        code, _, err = call(*command.split())
        assert "Traceback" not in err
        assert err.count("kavg: ") <= 1
    assert code == 2
    assert "nested more than 100 folders deep" in err
