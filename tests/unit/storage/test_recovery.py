"""What a process that was killed leaves of a folder: the next one that comes there mends it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from helpers.holder import held_elsewhere, leave_lock

from kavg.errors import KavgError
from kavg.storage import RunFolder, StoredRun, load_trajectories, manifest
from kavg.storage.atomic import MOST_PARTS, make_folders
from kavg.storage.changes import replacement
from kavg.storage.changes.additions import PENDING
from kavg.storage.changes.replacement import STAGE
from kavg.storage.manifest import DEEPEST, list_files
from kavg.storage.recovery import hold_folder, recover_before_reading

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
CALLS = ("replace", "unlink", "mkdir", "rename")


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def hidden(folder):
    return sorted(path.name for path in folder.rglob(".*"))


def write(folder, draw=lambda figures: None):
    RunFolder(folder).write(StoredRun("rounds = 5\n", [], {}, {}), draw)


class Killed(BaseException):
    """The process is gone: nothing of its own cleaning up is done."""


def kill_at(monkeypatch, at):
    """Let the process end at a call that changes files, and do none from then on."""
    seen = []

    def counted(honest):
        def call(*given, **named):
            seen.append(honest)
            if len(seen) >= at:
                raise Killed
            return honest(*given, **named)

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, counted(getattr(os, name)))
    monkeypatch.setattr("shutil.rmtree", counted(lambda *given, **named: None))
    return seen


def add_two(stage):
    for name in ("figures/new.png", "verdicts.json"):
        (stage / name).parent.mkdir(exist_ok=True)
        (stage / name).write_bytes(b"new")


def test_what_is_added_is_added_whole_or_not_at_all(tmp_path, monkeypatch):
    """Killed at any call: no file that the manifest does not know, no draft."""
    endings = set()
    for at in range(1, 40):
        folder = tmp_path / str(at) / "run"
        write(folder, lambda figures: (figures / "new.png").write_bytes(b"old"))
        (folder / "verdicts.json").write_bytes(b"old")
        (folder / manifest.NAME).write_bytes(manifest.build_manifest(folder))
        with monkeypatch.context() as patch:
            seen = kill_at(patch, at)
            with suppress(Killed):
                RunFolder(folder).add(add_two)
        leave_lock_of_the_dead(folder)
        recover_before_reading(folder)
        found = {(folder / "figures/new.png").read_bytes(), (folder / "verdicts.json").read_bytes()}
        assert len(found) == 1
        endings |= found
        assert manifest.list_changes(folder) == []
        assert hidden(folder.parent) == []
        if len(seen) < at:
            break
    assert endings == {b"old", b"new"}
    assert at > 5


def leave_lock_of_the_dead(folder):
    """The lock of this process, which is taken for one that was killed."""
    for path in folder.parent.glob(".*.lock*"):
        path.unlink()
    leave_lock(folder)


def test_a_link_that_came_meanwhile_is_in_the_way_of_what_is_to_be_added(tmp_path):
    folder = tmp_path / "run"
    write(folder)
    (tmp_path / "outside").mkdir()
    (folder / PENDING / "figures").mkdir(parents=True)
    (folder / PENDING / "figures/new.png").write_bytes(b"new")
    (folder / "figures").symlink_to(tmp_path / "outside")
    recover_before_reading(folder)
    assert content(tmp_path / "outside") == {}
    assert "new.png" in hidden_files(folder)
    (folder / "figures").unlink()
    recover_before_reading(folder)
    assert content(folder / "figures") == {"new.png": b"new"}
    assert hidden(tmp_path) == []


def hidden_files(folder):
    return {path.name for path in (folder / PENDING).rglob("*")}


@pytest.mark.parametrize("name", ["figures/new.png", "verdicts.json", "manifest.sha256"])
def test_a_folder_in_the_place_of_an_added_file_is_said_before_anything_is_moved(tmp_path, name):
    folder = tmp_path / "run"
    write(folder)
    (folder / name).unlink(missing_ok=True)
    (folder / name).mkdir(parents=True)
    before = content(folder)
    with pytest.raises(KavgError, match=rf"cannot add '{name}': .* is a folder.*--out"):
        RunFolder(folder).add(lambda stage: add_two(stage) if "man" not in name else lay(
            stage, [name, "a.txt"]))  # fmt: skip
    assert content(folder) == before
    assert hidden(folder.parent) == []


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_moved(tmp_path, monkeypatch):
    folder, honest = tmp_path / "run", os.access
    write(folder, lambda figures: (figures / "old.png").write_bytes(b"old"))
    before = content(folder)
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path).name != "figures" and honest(path, mode)
    )
    with pytest.raises(KavgError, match=r"cannot add 'figures/new.png': .* not a writable folder"):
        RunFolder(folder).add(add_two)
    assert content(folder) == before
    assert hidden(folder.parent) == []


def test_a_file_that_cannot_be_moved_first_undoes_the_addition(tmp_path, monkeypatch):
    folder, path = tmp_path / "run", type(tmp_path)
    write(folder)
    before, honest = content(folder), path.replace

    def replace(self, target):
        if self.name == "new.png":
            raise PermissionError(13, "no")
        return honest(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(path, "replace", replace)
        with pytest.raises(PermissionError):
            RunFolder(folder).add(add_two)
    assert content(folder) == before
    assert hidden(folder.parent) == []


@pytest.mark.parametrize("way", ["read", "held", "added", "written"])
def test_an_addition_that_cannot_be_finished_blocks_nothing(tmp_path, capsys, way):
    folder = tmp_path / "run"
    write(folder)
    lay(folder, [f"{PENDING}/figures/a.png", f"{PENDING}/summary.txt"])
    (folder / "figures/a.png").mkdir(parents=True)
    if way == "read":
        recover_before_reading(folder)
    elif way == "held":
        with hold_folder(folder):
            pass
    elif way == "added":
        RunFolder(folder).add(add_two)
        assert manifest.list_changes(folder) == []
    else:
        write(folder)
        assert manifest.list_changes(folder) == []
    assert (folder / PENDING).exists() == (way in ("read", "held"))
    assert not (folder / "summary.txt").exists()
    assert "stay in '.kavg.pending': cannot add 'figures/a.png': " in capsys.readouterr().err


DRAFTS = [
    ".run.0123abcd.partial/trajectory.npz",
    "run/.add.0123abcd.partial/figures/a.png",
    "run/.manifest.sha256.0123abcd.partial",
    "run/figures/.bounds.png.0123abcd.partial",
    "run/figures/.bounds.png.637",
    "run/checkpoints/.000000007.ckpt.0123abcd.partial",
]
MINE = [
    "run/.download.partial",
    "run/figures/.x.0123abcd.partial",
    "run/checkpoints/.mine.0123abcd.partial",
    "run/.git/config",
    "run/.notes.md.0123abcd.partial",
    "run/.hidden",
    "run/figures/.hidden.png",
    ".run.0123abcd",
    ".run.backup.partial",
    ".runs.0123abcd.partial/a",
    ".run.0123ABCD.partial",
]


def lay(place, names):
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(name)
        for folder in (place / name).relative_to(place).parents:
            if folder.name.count(".") > 2 and folder.suffix in (".partial", ".old"):
                (place / folder / STAGE).write_text(folder.name.split(".")[-2])


@pytest.mark.parametrize("how", ["read", "written", "loaded", "gone"])
def test_drafts_are_cleared_and_said_and_other_files_are_not_touched(tmp_path, capsys, how):
    write(tmp_path / "run")
    if how == "gone":
        RunFolder(tmp_path / "other").write(StoredRun("", [], {}, {}))
    lay(tmp_path, DRAFTS + MINE)
    folder = tmp_path / "run"
    if how == "read":
        recover_before_reading(folder)
    elif how == "written":
        write(folder)
    else:
        load_trajectories(folder)
    left = {name for name in DRAFTS + MINE if (tmp_path / name).exists()}
    assert not left & set(DRAFTS)
    assert {name for name in MINE if "/figures/" not in name and "checkpoints" not in name} <= left
    said = capsys.readouterr().err
    assert said.startswith(f"kavg: a command that was stopped left '{folder}' half-written: ")
    assert (said.count("\n"), said.count("and 3 more")) == (1, 1)


def test_what_a_living_process_writes_is_not_touched(tmp_path):
    write(tmp_path / "run")
    lay(tmp_path, DRAFTS)
    with held_elsewhere(tmp_path / "run"):
        recover_before_reading(tmp_path / "run")
        load_trajectories(tmp_path / "run")
        assert all((tmp_path / name).exists() for name in DRAFTS)
    recover_before_reading(tmp_path / "run")
    assert hidden(tmp_path) == []


def test_a_folder_that_was_moved_aside_is_put_back_by_who_reads_it(tmp_path):
    write(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / ".run.0123abcd.old")
    lay(tmp_path, [".run.0123abcd.partial/trajectory.npz"])
    assert load_trajectories(tmp_path / "run") == []
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


# Names prove nothing.

SIMILAR = [
    ".run.20240131.old/trajectory.npz",
    ".run.20240131.partial/trajectory.npz",
    ".run.deadbeef.old",
    ".run.deadbeef.partial",
]


def come(folder, way):
    if way == "read":
        recover_before_reading(folder)
    elif way == "held":
        with hold_folder(folder):
            pass
    else:
        write(folder)


@pytest.mark.parametrize("way", ["read", "held", "written"])
@pytest.mark.parametrize("is_there", [True, False])
def test_backups_and_files_of_temporary_names_are_left_alone(tmp_path, capsys, way, is_there):
    if is_there:
        write(tmp_path / "run")
    for name in SIMILAR:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    come(tmp_path / "run", way)
    assert {name for name in SIMILAR if (tmp_path / name).read_text() == name} == set(SIMILAR)
    assert (tmp_path / "run").exists() == (is_there or way == "written")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("way", ["read", "held", "written"])
@pytest.mark.parametrize("name", [".run.deadbeef.old", ".run.deadbeef.partial",
                                  "run/.add.deadbeef.partial", "run/.kavg.pending"])  # fmt: skip
def test_links_of_temporary_names_are_not_followed(tmp_path, way, name):
    data = tmp_path / "data"
    data.mkdir()
    for file in (STAGE, "mine.csv", "trajectory.npz"):
        (data / file).write_text("deadbeef")
    before = content(data)
    write(tmp_path / "run")
    (tmp_path / name).symlink_to(data)
    come(tmp_path / "run", way)
    assert content(data) == before
    assert not (tmp_path / "run/mine.csv").exists()


@pytest.mark.parametrize("way", ["read", "held", "added"])
def test_drafts_of_others_in_a_folder_of_no_run_are_left_alone(tmp_path, way):
    paper = tmp_path / "paper"
    mine = [".download.partial", "figures/.x.0123abcd.partial", "figures/.a.png.0123abcd.partial",
            ".config.toml.0123abcd.partial", "checkpoints/.epoch.0123abcd.partial",
            "figures/.b.svg.12", "checkpoints/last.pt"]  # fmt: skip
    for name in mine:
        (paper / name).parent.mkdir(parents=True, exist_ok=True)
        (paper / name).write_text(name)
    lay(paper, [".add.0123abcd.partial/a.png"])
    (paper / ".add.4567abcd.partial").mkdir()
    (paper / ".add.4567abcd.partial/mine").touch()
    write(tmp_path / "run")
    if way == "added":
        RunFolder(tmp_path / "run").add(add_two, paper)
    else:
        come(paper, way)
    assert all((paper / name).read_text() == name for name in mine)
    assert (paper / ".add.4567abcd.partial/mine").exists()
    assert not (paper / ".add.0123abcd.partial").exists()


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_run_killed_at_any_call_leaves_the_old_or_the_new_one(
    tmp_path, monkeypatch, is_there, can_exchange
):
    if not can_exchange:
        monkeypatch.setattr(replacement, "exchange_paths", lambda a, b: False)
    endings = set()
    for at in range(1, 60):
        folder = tmp_path / str(at) / "run"
        if is_there:
            RunFolder(folder).write(StoredRun("old", [], {}, {}))
            (folder / "notes.md").write_text("years of work")
        with monkeypatch.context() as patch:
            seen = kill_at(patch, at)
            with suppress(Killed):
                write(folder)
        folder.parent.mkdir(exist_ok=True)
        leave_lock_of_the_dead(folder)
        recover_before_reading(folder)
        assert hidden(folder.parent) == []
        if folder.exists():
            endings.add((folder / "config.toml").read_text())
            changes = manifest.list_changes(folder)
            assert changes == (["'notes.md' was added"] if is_there else [])
        assert folder.exists() or not is_there
        if len(seen) < at:
            break
    assert endings == ({"old", "rounds = 5\n"} if is_there else {"rounds = 5\n"})
    assert at > 8


def test_what_was_done_is_said(tmp_path, capsys):
    write(tmp_path / "run")
    lay(tmp_path, [".run.0123abcd.old/config.toml"])
    recover_before_reading(tmp_path / "run")
    said = capsys.readouterr().err
    assert "half-written: removed '.run.0123abcd.old', which was not in its place yet" in said
    lay(tmp_path, [".run.0123abcd.old/config.toml"])
    (tmp_path / ".run.0123abcd.old" / STAGE).rename(tmp_path / "run" / STAGE)
    recover_before_reading(tmp_path / "run")
    assert "removed '.run.0123abcd.old', which the run in its" in capsys.readouterr().err
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("path", ["nowhere", "a\0b", "x" * 300, "y/" * 3000, "", "a/b/c"])
def test_nothing_is_mended_where_nothing_is(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    recover_before_reading(Path(path))
    assert list(tmp_path.iterdir()) == []


# Folders in folders.


def nest(folder, depth):
    """Make folders in folders."""
    folder.mkdir()
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)


@pytest.mark.parametrize(
    ("depth", "fine"), [(DEEPEST - 1, True), (DEEPEST + 1, False), (300, False)]
)
def test_folders_in_folders_are_read_to_a_depth(tmp_path, depth, fine):
    write(tmp_path / "run")
    nest(tmp_path / "run/mine", depth)
    if fine:
        assert list_files(tmp_path / "run")
        assert manifest.list_changes(tmp_path / "run") == []
    else:
        with pytest.raises(KavgError, match="nested more than 100 folders deep"):
            list_files(tmp_path / "run")
        assert len(manifest.list_changes(tmp_path / "run")) == 1


@pytest.mark.parametrize("path", ["d/" * 250, "d/" * 3000, "a/" + "x" * 300, "note/d/e"])
def test_folders_that_cannot_be_created_leave_none(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "note").touch()
    with pytest.raises(OSError, match=f"than {MOST_PARTS} parts|too long|Not a directory"):
        make_folders(tmp_path / path)
    assert [each.name for each in tmp_path.iterdir()] == ["note"]
