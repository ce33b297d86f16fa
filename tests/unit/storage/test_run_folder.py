"""The run folder: written whole or not at all, and what its files contain."""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from kavg.cli.results import summarize_runs
from kavg.config.settings_file import EXAMPLE, parse_config, to_toml
from kavg.errors import KavgError
from kavg.storage import (
    RunFolder,
    StoredRun,
    atomic,
    joint_digest,
    load_trajectories,
    manifest,
)
from kavg.storage.atomic import write_atomically
from kavg.storage.changes import replacement
from kavg.storage.changes.replacement import replace_folder
from kavg.storage.recovery import is_own_file, recover_folder
from kavg.trajectory import Trajectory

ANY = st.floats(width=64)


def a_run(name="K-AVG", R=2):
    series = {"F": np.arange(3.0 * R).reshape(3, R) / 7, "grad_norm2": np.ones((3, R))}
    rounds = np.array([0, 2, 5])
    return Trajectory(name, 4, 3, 2, rounds, series, np.ones((R, 2)), np.empty(0), np.zeros(3))


def write(folder, runs=None, draw=lambda figures: None):
    runs = runs or [a_run()]
    run = StoredRun("rounds = 5\n", runs, summarize_runs(runs), {"time": "now"})
    RunFolder(folder).write(run, draw)


# Whole or not at all.


class Broken(BaseException):
    """Neither an Exception nor a KeyboardInterrupt."""


def fail_with(error):
    def fail(figures):
        (figures / "half.png").write_bytes(b"half")
        raise error

    return fail


def content(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt(), Broken()])
def test_a_failure_leaves_nothing(tmp_path, error):
    with pytest.raises(type(error)):
        write(tmp_path / "deep" / "run", draw=fail_with(error))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt(), Broken()])
def test_a_failure_leaves_the_old_run(tmp_path, error):
    write(tmp_path / "run")
    before = content(tmp_path)
    with pytest.raises(type(error)):
        write(tmp_path / "run", [a_run("another")], draw=fail_with(error))
    assert content(tmp_path) == before


def without_exchange(monkeypatch):
    """A file system that renames one name at a time."""
    monkeypatch.setattr(replacement, "exchange_paths", lambda a, b: False)


@pytest.mark.parametrize("error", [OSError("quota"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_failure_between_the_renames_leaves_the_old_run(tmp_path, monkeypatch, error, at):
    without_exchange(monkeypatch)
    write(tmp_path / "run")
    before = content(tmp_path)
    path, moves = type(tmp_path), []
    honest = path.replace

    def replace_or_fail(self, target):
        moves.append(self)
        if len(moves) == at:
            raise error
        return honest(self, target)

    with pytest.raises(type(error)), replace_folder(tmp_path / "run", is_own_file) as stage:  # noqa: PT012
        (stage / "summary.json").write_text("new")
        monkeypatch.setattr(path, "replace", replace_or_fail)
    assert content(tmp_path) == before


NAMES = ["run", "a.b [c]*", "x" * 40, "x" * 41, "x" * 250, "ä" * 120, "-f"]


def killed(*given, **named):
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_killed_between_the_renames_the_old_run_is_put_back(tmp_path, monkeypatch, name, at):
    folder = tmp_path / name
    write(folder)
    (folder / "notes.md").write_text("years of work")
    before = content(tmp_path)
    path = type(tmp_path)
    with monkeypatch.context() as patch:
        without_exchange(patch)
        honest, moves = path.replace, []
        patch.setattr(path, "replace", lambda a, b: honest(a, b) if not moves.append(a) and
                      len(moves) < at else killed())  # fmt: skip
        patch.setattr(replacement, "remove_tree", killed)
        patch.setattr(replacement, "settle_replacement", killed)
        with pytest.raises(KeyboardInterrupt), replace_folder(folder, is_own_file):
            pass
    assert len(list(tmp_path.iterdir())) > 1 or not folder.exists()
    for _ in range(2):
        recover_folder(folder)
        assert content(tmp_path) == before
        assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_killed_behind_the_exchange_the_new_run_gets_the_files_of_the_user(
    tmp_path, monkeypatch, name
):
    folder = tmp_path / name
    write(folder)
    (folder / "notes.md").write_text("years of work")
    with monkeypatch.context() as patch:
        patch.setattr(replacement, "settle_replacement", killed)
        patch.setattr(replacement, "remove_tree", killed)
        with pytest.raises(KeyboardInterrupt):
            write(folder, [a_run("another")])
    assert folder.is_dir()
    recover_folder(folder)
    assert [run.name for run in load_trajectories(folder)] == ["another"]
    assert (folder / "notes.md").read_text() == "years of work"
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_at_no_moment_is_there_no_folder(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    if not replacement.exchange_paths(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system renames one name at a time")
    folder, path = tmp_path / "run", type(tmp_path)
    write(folder)
    honest, seen = path.replace, []

    def replace_and_look(self, target):
        moved = honest(self, target)
        seen.append((folder / "summary.json").exists())
        return moved

    monkeypatch.setattr(path, "replace", replace_and_look)
    write(folder, [a_run("another")])
    assert seen
    assert all(seen)


def test_of_two_folders_that_were_moved_aside_none_is_put_back(tmp_path):
    for name in (".run.0123abcd.old", ".run.4567abcd.old", ".other run.0123abcd.old"):
        (tmp_path / name).mkdir()
    recover_folder(tmp_path / "run")
    assert len([*tmp_path.iterdir()]) == 3


def test_a_folder_for_figures_is_left_only_with_figures_in_it(tmp_path):
    write(tmp_path / "none")
    write(tmp_path / "one", draw=lambda figures: (figures / "a.png").write_bytes(b"a"))
    assert [(tmp_path / name / "figures").exists() for name in ("none", "one")] == [False, True]


def test_a_new_run_takes_the_place_of_the_old_one_and_leaves_no_trace(tmp_path):
    write(tmp_path / "run", draw=lambda figures: (figures / "old.png").write_bytes(b"old"))
    write(tmp_path / "run", [a_run("another")])
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    assert [run.name for run in load_trajectories(tmp_path / "run")] == ["another"]
    assert not (tmp_path / "run" / "figures" / "old.png").exists()


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "big disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "big disk" / "run")
    for name in ("first", "second"):
        write(tmp_path / "run", [a_run(name)])
        assert (tmp_path / "run").is_symlink()
        assert load_trajectories(tmp_path / "run")[0].name == name
    assert sorted(p.name for p in tmp_path.rglob("*") if p.name.startswith(".")) == []


@pytest.mark.parametrize("name", ["x" * 250, "ä" * 120, "with space", "a.b.c", "-dash"])
def test_a_run_folder_may_have_any_name(tmp_path, name):
    write(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), write_atomically(path) as file:  # noqa: PT012
        file.write(b"half")
        raise RuntimeError
    assert content(tmp_path) == {path.relative_to(tmp_path): b"old"}
    with write_atomically(path) as file:
        file.write(b"new")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["new"]


# What others left.


def archive(path, **changes):
    """A stored run with some of its parts changed, or left out where None."""
    write(path.parent / "good")
    with np.load(path.parent / "good" / "trajectory.npz") as stored:
        arrays = dict(stored) | changes
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})


ABOUT = {"name": "a", "P": 1, "K": 1, "B": 1, "diverged_at": None}


def with_rule(text):
    """A run whose outer rule is this text of JSON."""
    return {"about": np.array(json.dumps([ABOUT]).replace("}", f', "outer": {text}}}'))}


HOSTILE = {
    "objects": {"0.w": np.array([print, {}], dtype=object)},
    "no about": {"about": None},
    "no w": {"0.w": None},
    "no rounds": {"0.rounds": None},
    "about is no JSON": {"about": np.array("{")},
    "about is a number": {"about": np.array("3")},
    "about is text": {"about": np.array('["x"]')},
    "about is deep": {"about": np.array("[" * 100_000)},
    "a field too many": {"about": np.array(json.dumps([ABOUT | {"__class__": "x"}]))},
    "a field too few": {"about": np.array(json.dumps([{"name": "a"}]))},
    "more runs than arrays": {"about": np.array(json.dumps([ABOUT, ABOUT]))},
    "series of another shape": {"0.series.F": np.zeros((7, 7))},
    "one number for a series": {"0.series.F": np.float64(1.0)},
    "a name that is a list": {"about": np.array(json.dumps([ABOUT | {"name": ["a"]}]))},
    "P is text": {"about": np.array(json.dumps([ABOUT | {"P": "1"}]))},
    "K is zero": {"about": np.array(json.dumps([ABOUT | {"K": 0}]))},
    "B is true": {"about": np.array(json.dumps([ABOUT | {"B": True}]))},
    "more gradients than numbers": {"about": np.array(json.dumps([ABOUT | {"P": 2**62}]))},
    "diverged at text": {"about": np.array(json.dumps([ABOUT | {"diverged_at": "x"}]))},
    "no rounds at all": {"0.rounds": np.zeros(0, np.int64)},
    "rounds of another type": {"0.rounds": np.arange(3, dtype=np.int8)},
    "rounds of another shape": {"0.rounds": np.zeros((3, 1), np.int64)},
    "rounds that fall": {"0.rounds": np.array([0, 5, 2])},
    "rounds below 0": {"0.rounds": np.array([-1, 0, 1])},
    "text for seconds": {"0.seconds": np.array(["a", "b", "c"])},
    "seconds of another shape": {"0.seconds": np.zeros(4)},
    "gammas of another shape": {"0.gammas": np.zeros(4)},
    "w of another shape": {"0.w": np.zeros((2, 2, 2))},
    "w of whole numbers": {"0.w": np.zeros((2, 2), np.int64)},
    "no coordinates": {"0.w": np.zeros((2, 0))},
    "v of another shape": {"0.v": np.zeros((2, 3))},
    "series of text": {"0.series.F": np.full((3, 2), "a")},
    "a rule that is a list": with_rule('["mu"]'),
    "a rule of text": with_rule('{"mu": "0.5"}'),
    "a rule with a kind that is none": with_rule('{"kind": 3.0}'),
    "a rule that is infinite": with_rule('{"mu": 1e999}'),
    "a rule of whole numbers": with_rule('{"mu": 1}'),
    "about is no text": {"about": np.array([1, 2])},
    "about is no letters": {"about": np.frombuffer(b"\xff" * 8, "<U2")},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_archives_that_kavg_did_not_write_are_refused(tmp_path, name):
    archive(tmp_path / "bad.npz", **HOSTILE[name])
    with pytest.raises(KavgError, match=r"bad.npz' is not a trajectory that kavg wrote: "):
        load_trajectories(tmp_path / "bad.npz")


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "array", "flipped", "stub"])
def test_damaged_files_are_refused(tmp_path, damage):
    write(tmp_path / "run")
    path = tmp_path / "run" / "trajectory.npz"
    whole = path.read_bytes()
    middle = len(whole) // 3
    np.save(tmp_path / "array.npy", np.zeros(3))
    path.write_bytes({
        "cut": whole[:middle],
        "text": b"hello",
        "empty": b"",
        "array": (tmp_path / "array.npy").read_bytes(),
        "flipped": whole[:60] + bytes(255 - x for x in whole[60:middle]) + whole[middle:],
        "stub": b"PK\x03\x04",
    }[damage])  # fmt: skip
    with pytest.raises(KavgError, match="is not a trajectory that kavg wrote"):
        load_trajectories(tmp_path / "run")


def test_a_missing_run_is_reported(tmp_path):
    for path in (tmp_path / "gone", tmp_path, tmp_path / ("x" * 300)):
        with pytest.raises(
            KavgError, match=r"there is no .*; give the folder that kavg run or kavg sweep wrote"
        ):
            load_trajectories(path)


# What is in the folder.


def test_summary_is_strict_json_whatever_was_recorded(tmp_path):
    wild = np.array([[np.nan, np.inf], [-np.inf, 1e308], [1e308, -1e308]])
    with np.errstate(all="ignore"):
        write(tmp_path / "run", [replace(a_run(), series={"F": wild}), a_run("lone", R=1)])
    text = (tmp_path / "run" / "summary.json").read_text()
    assert not re.search(r"NaN|Infinity", text)
    facts = json.loads(text)
    assert list(facts["algorithms"]) == ["K-AVG", "lone"]
    assert facts["digest"] == joint_digest(load_trajectories(tmp_path / "run"))
    with pytest.raises(ValueError, match="JSON"):
        RunFolder(tmp_path / "nan").write(StoredRun("", [], {"a": float("nan")}, {}))
    assert not (tmp_path / "nan").exists()


def test_names_of_files_that_are_not_utf8_do_not_cost_a_run(tmp_path):
    run = StoredRun("", [], {}, {"command": ["kavg", "\udcff.toml"]})
    RunFolder(tmp_path / "run").write(run)
    stored = json.loads((tmp_path / "run" / "environment.json").read_text(encoding="utf-8"))
    assert stored["command"][1] == "\udcff.toml"


def test_the_folder_holds_what_the_documentation_says(tmp_path):
    config = parse_config(EXAMPLE, ["rounds=2", "replicas=2"])
    run = StoredRun(to_toml(config), [a_run()], {}, {})
    RunFolder(tmp_path / "run").write(run, lambda f: (f / "a.png").touch())
    assert {str(p) for p in content(tmp_path / "run")} == {
        "config.toml", "metrics.csv", "trajectory.npz", "summary.json", "environment.json",
        "figures/a.png", "manifest.sha256",
    }  # fmt: skip
    stored = (tmp_path / "run" / "config.toml").read_text(encoding="utf-8")
    assert parse_config(stored) == config
    assert tomllib.loads(stored)["record"] == {"every": 1, "measures": []}


@pytest.mark.parametrize("verdicts", [None, {"level": 0.05}])
def test_a_stored_run_is_loaded(tmp_path, verdicts):
    runs = [a_run(), a_run("other")]
    run = StoredRun('name = "ü"\n', runs, summarize_runs(runs), {"command": ["\udcff"]}, verdicts)
    RunFolder(tmp_path / "run").write(run)
    back = RunFolder(tmp_path / "run").load()
    assert joint_digest(back.trajectories) == joint_digest(runs)
    for name in ("config", "summary", "environment", "verdicts"):
        assert getattr(back, name) == getattr(run, name)


@pytest.mark.parametrize("name", ["config.toml", "summary.json", "environment.json",
                                  "trajectory.npz"])  # fmt: skip
@pytest.mark.parametrize("damage", [None, b"\xff", b"[1]", b"[" * 100_000, b"", "a pipe"])
def test_a_file_that_is_lost_or_damaged_is_not_loaded(tmp_path, name, damage):
    write(tmp_path / "run")
    path = tmp_path / "run" / name
    path.unlink()
    if damage == "a pipe":
        os.mkfifo(path)
    elif damage is not None:
        path.write_bytes(damage)
    if name == "config.toml" and damage not in (None, b"\xff", "a pipe"):
        return  # any text is one: whether it is TOML, kavg.config decides
    with pytest.raises(KavgError, match=re.escape(name)):
        RunFolder(tmp_path / "run").load()
    if name.endswith(".json"):
        assert RunFolder(tmp_path / "run").read_table(name) == {}


# Added later.


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt(), Broken()])
def test_a_failure_adds_nothing(tmp_path, error):
    write(tmp_path / "run")
    before = content(tmp_path)
    with pytest.raises(type(error)):
        RunFolder(tmp_path / "run").add(fail_with(error))
    assert content(tmp_path) == before
    assert sorted(p.name for p in tmp_path.rglob(".*")) == []


@pytest.fixture
def other_disk():
    """A folder on another file system, if this machine has one in memory."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as name:
        yield Path(name)


def draw(stage):
    (stage / "figures").mkdir(exist_ok=True)
    (stage / "figures" / "a.png").write_bytes(b"new")


def test_a_link_in_a_run_folder_is_not_followed(tmp_path, other_disk):
    """Neither by what is added to the folder or to its figures, nor by what replaces it."""
    write(tmp_path / "run")
    (other_disk / "a.png").write_bytes(b"of another")
    (tmp_path / "run" / "figures").symlink_to(other_disk)
    (tmp_path / "link").symlink_to(tmp_path / "run")
    before = content(tmp_path / "run")
    for folder in ("run", "link"):
        run = RunFolder(tmp_path / folder)
        for into in (None, run.path / "figures", run.path / "figures" / "deep"):
            with pytest.raises(KavgError, match=r"is a link, .*; put a folder in its place"):
                run.add(draw, into)
    assert content(other_disk) == {Path("a.png"): b"of another"}
    assert content(tmp_path / "run") == before
    write(tmp_path / "run", [a_run("another")], draw=lambda figures: (figures / "b.png").touch())
    assert content(other_disk) == {Path("a.png"): b"of another"}
    assert not (tmp_path / "run" / "figures").is_symlink()


@pytest.mark.parametrize("name", ["a.png", "verdicts.json", "manifest.sha256", "metrics.csv"])
def test_a_link_in_the_place_of_a_file_is_replaced(tmp_path, other_disk, name):
    write(tmp_path / "run")
    (other_disk / "mine").write_bytes(b"mine")
    place = tmp_path / "run" / ("figures" if name == "a.png" else "")
    place.mkdir(exist_ok=True)
    (place / name).unlink(missing_ok=True)
    (place / name).symlink_to(other_disk / "mine")

    def add(stage):
        draw(stage)
        (stage / "verdicts.json").write_text("{}")

    RunFolder(tmp_path / "run").add(add)
    assert content(other_disk) == {Path("mine"): b"mine"}
    assert not (tmp_path / "run" / "figures" / "a.png").is_symlink()
    write(tmp_path / "run", [a_run("another")])
    assert content(other_disk) == {Path("mine"): b"mine"}
    assert manifest.list_changes(tmp_path / "run") == []


def test_a_temporary_name_that_exists_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic.secrets, "token_hex", lambda size: "01234567")
    (tmp_path / "mine").write_text("mine")
    (tmp_path / ".a.txt.01234567.partial").symlink_to("mine")
    with pytest.raises(FileExistsError), write_atomically(tmp_path / "a.txt") as file:
        file.write(b"new")
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "a.txt").exists()


def test_added_files_have_the_permissions_of_others(tmp_path):
    write(tmp_path / "run")
    (added,) = RunFolder(tmp_path / "run").add(lambda f: (f / "notes.txt").touch(mode=0o600))
    assert added.stat().st_mode == (tmp_path / "run" / "config.toml").stat().st_mode
    assert manifest.list_changes(tmp_path / "run") == []
