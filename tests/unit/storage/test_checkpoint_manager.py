"""The manager of checkpoints: when one is due, written whole or not at all, the last two remain."""

from __future__ import annotations

import os
import re

import pytest
from helpers.checkpoint import WHOLE, run_of
from helpers.holder import held_elsewhere
from helpers.run_folder import list_files

from kavg.config.settings_file import EXAMPLE, parse_config, to_toml
from kavg.errors import FolderInUse, KavgError
from kavg.storage import atomic as files
from kavg.storage import checkpoints
from kavg.storage.checkpoint_manager import CheckpointManager, CheckpointPolicy
from kavg.storage.checkpoints import (
    Checkpoint,
    list_checkpoints,
    read_checkpoint,
    write_checkpoint,
)
from kavg.storage.locks.folder_lock import FolderLock

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def manager_of(folder, every=1, **more):
    start = Checkpoint(WHOLE.settings, "", (), [])
    return CheckpointManager(folder / "run", CheckpointPolicy(every), start,
                             owns_folder=False, **more)  # fmt: skip


def test_the_two_last_checkpoints_remain(tmp_path):
    manager = manager_of(tmp_path)
    for rounds in range(1, 5):
        manager.update(0, run_of(0, rounds))
        manager.save()
        kept = range(max(1, rounds - 1), rounds + 1)
        assert list_files(tmp_path) == {f"run/checkpoints/{i:09d}.ckpt" for i in kept}
    assert read_checkpoint(manager.latest).done == 4


def test_points_of_a_sweep_are_kept_with_what_was_there_at_its_start(tmp_path):
    start = Checkpoint(WHOLE.settings, "", (), [], {"done": 0, "table": "csv"})
    manager = CheckpointManager(tmp_path / "run", CheckpointPolicy(50), start, owns_folder=False)
    assert manager.is_due_for_sweep
    manager.update_sweep([run_of(0, 3)], {"done": 3, "runs": [7]})
    manager.save()
    found = read_checkpoint(manager.latest)
    assert (found.sweep, len(found.runs)) == ({"done": 3, "table": "csv", "runs": [7]}, 1)


@pytest.mark.parametrize(("every", "due"), [("never", False), ("9d", False), (10**6, True)])
def test_a_sweep_saves_after_each_batch_or_by_time(tmp_path, every, due):
    assert manager_of(tmp_path, every).is_due_for_sweep == due


def test_a_damaged_one_is_not_counted_among_the_two(folder):
    good, bad = reversed(list_checkpoints(folder / checkpoints.FOLDER))
    bad.write_bytes(b"x")
    manager = CheckpointManager(folder, CheckpointPolicy(1), WHOLE, owns_folder=True, latest=good)
    manager.update(1, run_of(1, 2))
    manager.save()
    assert [p.name for p in list_checkpoints(folder / checkpoints.FOLDER)] == [
        "000000008.ckpt", "000000007.ckpt",
    ]  # fmt: skip


FAULTS = {"No space left on device": OSError(28, os.strerror(28)), "odd": OSError("odd"),
          "Permission denied": PermissionError(13, os.strerror(13))}  # fmt: skip


@pytest.mark.parametrize("words", FAULTS)
@pytest.mark.parametrize("at", ["os.fsync", "pathlib.Path.replace", "numpy.savez"])
def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one_whole(
    tmp_path, monkeypatch, words, at
):
    def fail(*given, **options):
        raise FAULTS[words]

    manager = manager_of(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(at, fail)
        with pytest.raises(KavgError, match=f"{words}; make room, then run again") as caught:
            manager.save()
    assert caught.value.code == 1
    assert list(tmp_path.iterdir()) == []  # not even a folder that looks like a run
    manager = manager_of(tmp_path)
    manager.update(0, run_of(0, 2))
    manager.save()
    before = manager.latest.read_bytes()
    monkeypatch.setattr(at, fail)
    manager.update(0, run_of(0, 3))
    said = r"cannot write a checkpoint to '.*run/checkpoints': .*kavg resume .*run continues from"
    with pytest.raises(KavgError, match=said):
        manager.save()
    assert list_files(tmp_path) == {"run/checkpoints/000000002.ckpt"}
    assert manager.latest.read_bytes() == before


def test_a_folder_that_became_a_file_is_reported(tmp_path):
    manager = manager_of(tmp_path)
    manager.save()
    (tmp_path / "run" / "checkpoints" / "000000000.ckpt").unlink()
    (tmp_path / "run" / "checkpoints").rmdir()
    (tmp_path / "run" / "checkpoints").write_text("x")
    manager.update(0, run_of(0, 1))
    with pytest.raises(KavgError, match="cannot write a checkpoint to"):
        manager.save()


def test_each_run_takes_a_folder_of_its_own(tmp_path):
    one, other = manager_of(tmp_path), manager_of(tmp_path)
    for manager in (one, other, one, other):
        manager.save()
    assert (one.folder.name, other.folder.name) == ("run", "run-2")


def test_a_run_that_takes_another_name_holds_the_lock_of_that(tmp_path):
    manager = manager_of(tmp_path)
    (tmp_path / "run").mkdir()
    with held_elsewhere(tmp_path / "run-2"):
        manager.save()
    assert manager.folder.name == "run-3"
    with pytest.raises(FolderInUse):
        FolderLock(tmp_path / "run-3").acquire()
    manager.release()
    FolderLock(tmp_path / "run-3").acquire()


def test_a_name_that_cannot_be_claimed_is_not_held(tmp_path, monkeypatch):
    manager = manager_of(tmp_path)
    (tmp_path / "run").mkdir()

    def rename(self, target):
        raise PermissionError(13, "no")

    with monkeypatch.context() as patch:
        patch.setattr(type(tmp_path), "rename", rename)
        with pytest.raises(KavgError, match="cannot write a checkpoint"):
            manager.save()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_everything_is_flushed_before_it_has_its_name(tmp_path, monkeypatch):
    """The file, then the rename, then the folder."""
    calls = []
    fsync, replace = os.fsync, type(tmp_path).replace

    def flushed(descriptor):
        calls.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    def renamed(self, target):
        calls.append(f"rename to {target.name}")
        return replace(self, target)

    if not os.path.exists("/proc/self/fd"):
        pytest.skip("needs /proc to tell which file is flushed")
    write_checkpoint(tmp_path / "c", WHOLE)
    monkeypatch.setattr(files.os, "fsync", flushed)
    monkeypatch.setattr(type(tmp_path), "replace", renamed)
    write_checkpoint(tmp_path / "c", WHOLE)
    *_, partial, rename, last = calls
    assert re.fullmatch(r"\.000000009\.ckpt\.\w{8}\.partial", partial)
    assert (rename, last) == ("rename to 000000009.ckpt", "c")


# When one is due.


def test_a_checkpoint_is_due_after_a_number_of_rounds(tmp_path):
    manager = manager_of(tmp_path, every=3)
    assert [n for n in range(1, 10) if manager.is_due(n)] == [3, 6, 9]


def test_a_checkpoint_is_due_after_a_time(tmp_path, monkeypatch):
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    manager = manager_of(tmp_path, every="1.5m")
    due = []
    for step in range(8):
        now = 100.0 + 40.0 * step
        due.append(manager.is_due(step))
        if due[-1]:
            manager.save()
    assert due == [False, False, False, True, False, False, True, False]


def test_never_means_no_checkpoint(tmp_path):
    manager = manager_of(tmp_path, every="never")
    assert not any(manager.is_due(n) for n in range(100))
    manager.save()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("every", "seconds"),
    [("30s", 30), ("5m", 300), ("5 min", 300), ("1h", 3600), ("0.5s", 0.5), ("2d", 172800)],
)
def test_intervals_are_parsed_to_seconds(every, seconds):
    assert CheckpointPolicy(every).seconds == seconds
    assert parse_config(EXAMPLE, [f"checkpoint.every={every}"]).checkpoint == CheckpointPolicy(
        every
    )


@pytest.mark.parametrize("every", ["0s", "0.0h", "soon", "", "30", "-3s", "1e3s", " 3s", "3s\n"])
def test_intervals_that_are_no_time_are_refused(every):
    with pytest.raises(KavgError, match="a time such as '30s'"):
        CheckpointPolicy(every)


def test_wrong_intervals_in_a_settings_file_are_refused():
    for given_value, words in (
        ("0", "checkpoint.every: every must be a whole number of at least 1"),
        ("1.5", "checkpoint.every: needs a whole number"),
        ("true", "checkpoint.every: needs a number or a text"),
        ("'soon'", "checkpoint: every must be a number of rounds, a time such as '30s'"),
    ):
        with pytest.raises(KavgError, match=words):
            parse_config(EXAMPLE + f"[checkpoint]\nevery = {given_value}")
    with pytest.raises(KavgError, match="use 'checkpoint'"):
        parse_config("checkpoints = { every = 3 }\n" + EXAMPLE)


def test_checkpoints_are_on_by_default_and_stored_in_the_settings():
    assert parse_config(EXAMPLE).checkpoint == CheckpointPolicy("60s")
    for every in (7, "30s", "never"):
        config = parse_config(EXAMPLE, [f"checkpoint.every={every}"])
        assert parse_config(to_toml(config)) == config
