"""Locks of folders: one holder at a time, stale ones taken over, nothing left behind."""

from __future__ import annotations

import errno
import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.holder import at_once, held_elsewhere, leave_lock, start_and_end
from helpers.run_folder import list_files

from kavg.errors import FolderInUse, KavgError
from kavg.storage import RunFolder, StoredRun
from kavg.storage.claims import hold_output_folder, hold_run_folder
from kavg.storage.locks import folder_lock, lock_files, processes
from kavg.storage.locks.folder_lock import INSIDE, FolderLock
from kavg.storage.locks.lock_files import LockFile, read_holder
from kavg.storage.locks.processes import has_ended, identify_process
from kavg.storage.recovery import hold_folder

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
RUN = StoredRun("rounds = 5\n", [], {}, {})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# One at a time.


@pytest.mark.parametrize("stale", [False, True])
def test_of_six_that_begin_at_once_one_writes_to_a_folder_that_was_named(tmp_path, stale):
    if stale:
        leave_lock(tmp_path / "run")

    def action():
        with hold_output_folder(tmp_path / "run", force=False, is_default=False) as folder:
            yield folder.name

    found = at_once(6, action)
    assert found.count("run") == 1
    assert sum("' is in use by process " in each for each in found) == 5
    assert names(tmp_path) == []


def test_of_six_that_begin_at_once_each_gets_a_folder_of_its_own(tmp_path):
    def action():
        with hold_output_folder(tmp_path / "runs/my", force=False, is_default=True) as folder:
            yield folder.name

    assert sorted(at_once(6, action)) == ["my", *(f"my-{i}" for i in range(2, 7))]
    assert list_files(tmp_path) == set()


@pytest.mark.parametrize("name", ["run", "x" * 40, "x" * 255, "ä" * 127, "-f", "a\nb", "a.lock"])
def test_a_folder_that_is_held_is_refused_to_all_who_write(tmp_path, monkeypatch, name):
    folder = tmp_path / name
    with held_elsewhere(folder) as pid:
        writers = [
            lambda: hold_output_folder(folder, force=False, is_default=False).__enter__(),
            lambda: hold_output_folder(folder, force=True, is_default=True).__enter__(),
            lambda: hold_folder(folder).__enter__(),
            lambda: RunFolder(folder).write(RUN),
        ]
        monkeypatch.setattr("kavg.storage.run_folder.PATIENCE", 0.1)
        for write in writers:
            with pytest.raises(FolderInUse, match=f"is in use by process {pid} .*since 20"):
                write()
    assert names(tmp_path) != []
    RunFolder(folder).write(RUN)
    assert names(tmp_path) == [name]


def test_two_paths_to_one_folder_have_one_lock(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to("run")
    with held_elsewhere(tmp_path / "run"):
        for path in ("link", "../" + tmp_path.name + "/run", "run/."):
            with pytest.raises(FolderInUse):
                FolderLock(tmp_path / path).acquire()


def test_folders_whose_names_resemble_each_other_do_not_share_a_lock(tmp_path):
    like = ["run", "run.lock", "run.lock.01234567", "run.lock.01234567.draft",
            "x" * 41, "x" * 42]  # fmt: skip
    locks = [FolderLock(tmp_path / name) for name in like]
    for lock in locks:
        lock.acquire()
    assert len(names(tmp_path)) == len(like)
    for lock in locks:
        lock.release()
    assert names(tmp_path) == []


def test_python_writes_through_the_same_lock(tmp_path, monkeypatch):
    monkeypatch.setattr("kavg.storage.run_folder.PATIENCE", 0.1)
    RunFolder(tmp_path / "run").write(RUN)
    with held_elsewhere(tmp_path / "run"):
        with pytest.raises(FolderInUse):
            RunFolder(tmp_path / "run").write(RUN)
        with pytest.raises(FolderInUse):
            RunFolder(tmp_path / "run").add(lambda stage: (stage / "a").touch())
        assert RunFolder(tmp_path / "run").load().config == RUN.config
    assert not (tmp_path / "run" / "a").exists()


def test_who_adds_files_waits_for_another_who_does(tmp_path):
    RunFolder(tmp_path / "run").write(RUN)

    def action():
        RunFolder(tmp_path / "run").add(lambda stage: (stage / str(os.getpid())).touch())
        yield os.getpid()

    pids = at_once(4, action)
    assert {str(pid) for pid in pids} <= set(names(tmp_path / "run"))


# Left by no end, and taken over from who left it.


@pytest.mark.parametrize("error", [KavgError("no"), KeyboardInterrupt(), SystemExit(1)])
def test_no_lock_is_left_behind(tmp_path, error):
    for hold in (
        lambda: hold_output_folder(tmp_path / "a/b/c", force=False, is_default=False),
        lambda: hold_folder(tmp_path / "a/b/c"),
    ):
        with pytest.raises(type(error)), hold():  # noqa: PT012
            assert (tmp_path / "a/b/.c.lock").exists()
            raise error
        assert names(tmp_path) == []


def test_the_lock_of_a_process_that_was_killed_is_taken_over_with_a_word(tmp_path, capsys):
    leave_lock(tmp_path / "run")
    assert names(tmp_path) == [".run.lock"]
    with hold_folder(tmp_path / "run"):
        pass
    said = capsys.readouterr().err
    assert said.startswith(f"kavg: took over the lock of '{tmp_path}/run' from process ")
    assert said.count("\n") == 1
    assert names(tmp_path) == []


def test_a_fork_does_not_release_the_lock_of_its_parent(tmp_path):
    with hold_folder(tmp_path / "run"):
        lock = FolderLock(tmp_path / "other")
        lock.acquire()
        if not (pid := os.fork()):
            lock.release()
            os._exit(0)
        os.waitpid(pid, 0)
        assert names(tmp_path) == [".other.lock", ".run.lock"]
        lock.release()


def change_holder(folder, **facts):
    """Change what a lock says of its holder."""
    content = json.loads((folder / ".run.lock").read_text())
    (folder / ".run.lock").write_text(json.dumps(content | facts))


@pytest.mark.parametrize(
    ("facts", "ended"),
    [
        ({}, True),
        ({"pid": os.getpid()}, True),  # of another start
        ({"pid": 2**40}, True),
        ({"boot": "another", "pid": 1}, True),
        ({"boot": "another", "namespace": "another"}, True),
        ({"boot": ""}, None),
        ({"host": "node7"}, None),
        ({"host": "node7", "boot": "another"}, None),
        ({"machine": "another", "boot": "another"}, None),
        ({"namespace": "pid:[1]"}, None),
    ],
)
def test_a_holder_is_judged_by_what_it_was(tmp_path, facts, ended):
    leave_lock(tmp_path / "run")
    change_holder(tmp_path, **facts)
    assert has_ended(read_holder(tmp_path / ".run.lock").process) is ended
    if ended:
        with hold_folder(tmp_path / "run"):
            pass
        assert names(tmp_path) == []
        return
    where = " on 'node7'" if "host" in facts else ""
    said = rf"in use by process \d+{where} .* since 20.*; if that process is gone, rm .*\.run\.lock"
    with pytest.raises(FolderInUse, match=said):
        FolderLock(tmp_path / "run").acquire()


@pytest.mark.parametrize(
    ("boot", "pid", "ended"),
    [("another", 0, None), ("", 0, None), (None, 0, False), (None, 1, True)],
)
def test_without_an_identifier_of_the_machine_another_boot_proves_nothing(
    monkeypatch, boot, pid, ended
):
    me = replace(identify_process(), machine="")
    monkeypatch.setattr(processes, "identify_process", lambda: me)
    other = me if boot is None else replace(me, boot=boot)
    assert has_ended(replace(other, pid=start_and_end() if pid else me.pid)) is ended


def test_processes_are_told_apart():
    me = identify_process()
    assert has_ended(me) is False
    assert has_ended(replace(me, pid=start_and_end())) is True
    assert has_ended(replace(me, started="")) is False
    assert has_ended(replace(me, pid=1, started="")) is False
    zombie = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT)
    assert has_ended(replace(me, pid=zombie, started="")) is True
    os.waitpid(zombie, 0)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x"}', "\0" * 9, "x" * 2**17])
def test_a_lock_that_cannot_be_read_is_refused_and_said(tmp_path, monkeypatch, text):
    monkeypatch.setattr(lock_files, "SETTLING", 0.05)
    (tmp_path / ".run.lock").write_text(text)
    said = "a process that its lock does not name.*rm .*run.lock"
    with pytest.raises(FolderInUse, match=said):
        FolderLock(tmp_path / "run").acquire()
    assert names(tmp_path) == [".run.lock"]


@pytest.mark.parametrize("target", ["nowhere", ".run.lock", "no/such/folder", "a\nb", "file/x"])
def test_a_link_that_leads_nowhere_is_a_lock_that_cannot_be_read(tmp_path, monkeypatch, target):
    monkeypatch.setattr(lock_files, "SETTLING", 0.1)
    honest, creations = LockFile._create, []

    def create(self):
        creations.append(self)
        assert len(creations) < 12, "it does not pause"
        return honest(self)

    monkeypatch.setattr(LockFile, "_create", create)
    (tmp_path / "file").touch()
    (tmp_path / ".run.lock").symlink_to(target)
    with pytest.raises(FolderInUse, match=r"its lock does not name.*rm .*run\.lock"):
        FolderLock(tmp_path / "run").acquire()
    assert names(tmp_path) == [".run.lock", "file"]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt(), MemoryError()]
)
def test_without_hard_links_a_lock_that_cannot_be_completed_is_removed(
    tmp_path, monkeypatch, error
):
    def refuse(*given, **named):
        raise OSError(errno.EPERM, "no links")

    honest, synced = os.fsync, []

    def fsync(descriptor):
        synced.append(descriptor)
        if len(synced) == 2:  # the first is of the draft
            raise error
        honest(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", refuse)
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(type(error)):
            LockFile(tmp_path / ".run.lock").acquire()
        assert names(tmp_path) == []
        with hold_folder(tmp_path / "run"):
            pass


def test_a_lock_that_came_in_the_other_place_meanwhile_is_respected(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    inside, honest = LockFile(tmp_path / "run" / INSIDE), LockFile.acquire
    lock = FolderLock(tmp_path / "run")

    def acquire(self):
        honest(inside)
        return honest(self)

    with monkeypatch.context() as patch:
        patch.setattr(LockFile, "acquire", acquire)
        with pytest.raises(FolderInUse, match=r"in use by process"):
            lock.acquire()
    assert (names(tmp_path), names(tmp_path / "run")) == (["run"], [INSIDE])
    inside.release()
    lock.acquire()
    lock.release()


def test_a_stale_lock_in_the_other_place_is_removed_unless_another_took_it_over(
    tmp_path, monkeypatch
):
    (tmp_path / "run").mkdir()
    leave_lock(tmp_path / "run")
    (tmp_path / ".run.lock").rename(tmp_path / "run" / INSIDE)
    inside, honest = LockFile(tmp_path / "run" / INSIDE), folder_lock.read_holder
    read = []

    def read_and_let_another_in(path):
        holder = honest(path)
        read.append(path)
        if len(read) == 2:
            inside.acquire()
        return holder

    with monkeypatch.context() as patch:
        patch.setattr(folder_lock, "read_holder", read_and_let_another_in)
        with pytest.raises(FolderInUse):
            FolderLock(tmp_path / "run").acquire()
    assert (names(tmp_path), names(tmp_path / "run")) == (["run"], [INSIDE])
    inside.release()
    leave_lock(tmp_path / "run")
    (tmp_path / ".run.lock").rename(tmp_path / "run" / INSIDE)
    with hold_folder(tmp_path / "run"):
        assert names(tmp_path / "run") == []


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_hard_links_has_locks_too(tmp_path, monkeypatch, code):
    def refuse(*given, **named):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    with hold_folder(tmp_path / "run"):
        with pytest.raises(FolderInUse):
            FolderLock(tmp_path / "run").acquire()
        assert names(tmp_path) == [".run.lock"]
    assert names(tmp_path) == []


def test_where_the_parent_cannot_be_written_the_lock_is_in_the_folder(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
        lock = FolderLock(tmp_path / "run")
        lock.acquire()
    assert names(tmp_path / "run") == [INSIDE]
    with pytest.raises(FolderInUse):
        FolderLock(tmp_path / "run").acquire()
    lock.release()
    assert names(tmp_path / "run") == []
    with hold_run_folder(tmp_path / "run"):
        assert names(tmp_path) == [".run.lock", "run"]


def test_drafts_of_processes_that_were_killed_are_cleared(tmp_path):
    for name in (".run.lock.01234567.draft", ".run.lock.01234567", ".run.lock.01234567.89abcdef"):
        (tmp_path / name).write_text("")
    (tmp_path / ".run.lock.mine").write_text("")
    with hold_folder(tmp_path / "run"):
        pass
    assert names(tmp_path) == [".run.lock.mine"]


def test_a_signal_while_a_lock_is_created_leaves_none(tmp_path, monkeypatch):
    honest = os.link

    def link(*given, **named):
        honest(*given, **named)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(os, "link", link)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt), hold_folder(tmp_path / "run"):
        pass
    signal.signal(signal.SIGINT, before)
    assert names(tmp_path) == []
