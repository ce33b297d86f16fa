"""Checkpoints that a run writes on its way: after a crash, damaged, or on a full disk."""

from __future__ import annotations

import os
import signal

from helpers.run_folder import RUN_FILES, list_files, read_digest, stored_checkpoints

from kavg.engine.local.local_steps import LocalSteps
from kavg.storage import RunFolder, checkpoint_manager


def test_a_crash_leaves_the_two_last_checkpoints(call, here, strike, monkeypatch, whole):
    honest = LocalSteps.displacement

    def crash(self, learners, start, steps, *rest, **named):
        if steps.n == 5 and len(stored_checkpoints(here / "runs/my")) == 2:
            raise RuntimeError("a fault planted by a test")
        return honest(self, learners, start, steps, *rest, **named)

    with monkeypatch.context() as patch:
        patch.setattr(LocalSteps, "displacement", crash)
        code, *_ = call("run", "my.toml", "-q", "--set", "checkpoint.every=2")
    assert code == 1
    assert list_files(here / "runs/my") == {f"checkpoints/{n:09d}.ckpt" for n in (2, 4)}
    assert call("resume", "runs/my", "-q")[0] == 0
    assert read_digest(here / "runs/my") == whole


def test_a_damaged_checkpoint_is_reported_and_the_one_before_it_loaded(call, here, strike, whole):
    strike(9, signal.SIGTERM)
    call("run", "my.toml", "-q", "--set", "checkpoint.every=4")
    last, before = stored_checkpoints(here / "runs/my")
    last.write_bytes(last.read_bytes()[:-7])
    strike(0)
    code, _, err = call("resume", "runs/my", "-q")
    assert code == 0
    assert err.splitlines() == [
        f"kavg: 'runs/my/checkpoints/{last.name}' is refused: "
        "it is cut off or damaged: its checksum does not fit",
        f"kavg: continuing from the one before it, {before.name}",
    ]
    assert read_digest(here / "runs/my") == whole


def test_how_often_checkpoints_are_written_does_not_change_the_digest(call, here, whole):
    for every in ("1", "3", "1s", "never"):
        call("run", "my.toml", "-q", "--out", every, "--set", f"checkpoint.every={every}")
        assert read_digest(here / every) == whole
        assert list_files(here / every) == RUN_FILES


def test_a_full_disk_ends_the_run_with_one_message(call, here, monkeypatch, whole):
    honest, written = checkpoint_manager.write_checkpoint, []

    def full(folder, checkpoint):
        if len(written) == 3:
            raise OSError(28, os.strerror(28))
        written.append(checkpoint)
        return honest(folder, checkpoint)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint_manager, "write_checkpoint", full)
        code, out, err = call("run", "my.toml", "-q", "--set", "checkpoint.every=2")
    assert (code, out) == (1, "")
    assert err == (
        "kavg: cannot write a checkpoint to 'runs/my/checkpoints': No space left on device; "
        "make room, then kavg resume runs/my continues from 000000006.ckpt\n"
    )
    assert list_files(here / "runs/my") == {f"checkpoints/{n:09d}.ckpt" for n in (4, 6)}
    assert call("resume", "runs/my", "-q")[0] == 0
    assert read_digest(here / "runs/my") == whole


def test_a_full_disk_when_a_signal_comes_is_a_failure(call, here, monkeypatch, strike):
    def full(folder, checkpoint):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(checkpoint_manager, "write_checkpoint", full)
    strike(2, signal.SIGTERM)
    code, _, err = call("run", "my.toml", "-q")
    assert code == 1
    assert err.count("kavg: cannot write a checkpoint") == 1
    assert err.count("\n") == 1


def test_a_full_disk_at_the_end_is_reported(call, here, monkeypatch):
    def full(*given, **options):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(RunFolder, "write", full)
    code, out, err = call("run", "my.toml", "-q")
    assert (code, out) == (1, "")
    cannot = "kavg: cannot write 'runs/my': No space left on device; make room, then "
    assert err == f"{cannot}run again: there is no checkpoint\n"
    code, out, err = call("run", "my.toml", "-q", "--set", "checkpoint.every=5")
    assert (code, out) == (1, "")
    assert err == f"{cannot}kavg resume runs/my continues from 000000011.ckpt\n"
