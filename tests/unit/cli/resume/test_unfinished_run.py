"""The folder of an unfinished run, and what other commands make of it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from helpers.run_folder import RUN_FILES, list_files, read_digest, stored_checkpoints

from kavg.cli import environment
from kavg.cli import execution as jobs
from kavg.engine.local.local_steps import LocalSteps
from kavg.portability import ARITHMETIC
from kavg.storage import checkpoints


def test_a_run_does_not_touch_an_unfinished_one(call, here, stop):
    stop()
    before = stored_checkpoints(here / "runs/my")[0].read_bytes()
    code, out, err = call("run", "my.toml")
    assert (code, out) == (2, "")
    assert err == (
        "kavg: an unfinished run is in 'runs/my': kavg resume runs/my continues it; "
        "--force starts again\n"
    )
    assert stored_checkpoints(here / "runs/my")[0].read_bytes() == before


def test_force_starts_again_and_drops_the_old_checkpoints(call, here, stop, whole):
    stop("--set", "seed=2", at=9)
    stop("--force", at=2)
    assert [path.name for path in stored_checkpoints(here / "runs/my")] == ["000000002.ckpt"]
    assert call("resume", "runs/my", "-q")[0] == 0
    assert read_digest(here / "runs/my") == whole


def test_a_forced_run_drops_old_checkpoints_before_it_has_its_own(
    call, here, stop, monkeypatch, whole
):
    def crash(*given):
        raise RuntimeError("a fault planted by a test")

    stop("--set", "seed=2")
    with monkeypatch.context() as patch:
        patch.setattr(LocalSteps, "displacement", crash)
        assert call("run", "my.toml", "-q", "--force")[0] == 1
    code, _, err = call("resume", "runs/my")
    assert code == 2
    assert "there is no run in 'runs/my'" in err


def test_where_nothing_can_be_written_a_run_is_not_resumed(call, here, stop, monkeypatch):
    stop()
    for place in (here / "runs/my", here / "runs"):
        monkeypatch.setattr(
            os,
            "access",
            lambda path, mode, bad=place: not mode & os.W_OK or Path(path).resolve() != bad,
        )
        code, out, err = call("resume", "runs/my")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "', where the run is to continue" in err


@pytest.mark.parametrize(
    "left", [(), (".000000002.ckpt.5f2e.partial",), (".000000002.ckpt.01235f2e.partial",)]
)
def test_force_starts_again_after_a_first_checkpoint_that_failed(call, here, left, whole):
    folder = here / "runs/my/checkpoints"
    folder.mkdir(parents=True)
    for name in left:
        (folder / name).write_text("half")
    # A folder with a file that this version does not write is not touched without --force.
    assert call("run", "my.toml", "-q")[0] == (2 if ".5f2e" in str(left) else 0)
    assert call("run", "my.toml", "-q", "--force")[0] == 0
    assert read_digest(here / "runs/my") == whole
    assert not folder.exists()


def test_force_does_not_replace_checkpoints_of_something_else(call, here):
    folder = here / "runs/my/checkpoints"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_text("of another program")
    code, _, err = call("run", "my.toml", "-q", "--force")
    assert code == 2
    assert "is not a run folder of kavg and is not overwritten" in err
    assert (folder / "model.bin").exists()


def test_beside_a_finished_run_the_unfinished_one_is_resumed(call, here, stop, whole):
    """With --force the old run stays until the new one is whole."""
    call("run", "my.toml", "-q", "--set", "seed=2")
    old = read_digest(here / "runs/my")
    stop("--force")
    assert read_digest(here / "runs/my") == old
    assert call("resume", "runs/my", "-q")[0] == 0
    assert read_digest(here / "runs/my") == whole != old
    assert list_files(here / "runs/my") == RUN_FILES


def test_two_runs_at_once_keep_their_checkpoints_apart(call, here, strike, whole, monkeypatch):
    honest = jobs.run_algorithms

    def meanwhile(*given, **named):
        (here / "runs/my").mkdir(parents=True)
        return honest(*given, **named)

    strike(3, signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "run_algorithms", meanwhile)
        code, _, err = call("run", "my.toml", "-q")
    assert code == 143
    assert "kavg resume runs/my-2 continues" in err
    strike(0)
    assert call("resume", "runs/my-2", "-q")[0] == 0
    assert read_digest(here / "runs/my-2") == whole
    assert list((here / "runs/my").iterdir()) == []


def test_files_of_the_user_in_the_folder_stay(call, here, stop):
    stop()
    (here / "runs/my/notes.md").write_text("years of work")
    (here / "runs/my/old").mkdir()
    (here / "runs/my/old/figure.png").write_text("a picture")
    assert call("resume", "runs/my", "-q")[0] == 0
    assert call("resume", "runs/my", "-q", "--rounds", "9")[0] == 0
    assert list_files(here / "runs/my") == RUN_FILES | {"notes.md", "old/figure.png"}
    assert sorted(p.name for p in (here / "runs").iterdir()) == ["my"]


def test_a_folder_behind_a_link_is_resumed(call, here, stop, whole):
    (here / "disk").mkdir()
    (here / "link").symlink_to(here / "disk" / "run")
    stop("--out", "disk/run")
    assert call("resume", "link", "-q")[0] == 0
    assert (here / "link").is_symlink()
    assert read_digest(here / "disk/run") == whole


@pytest.fixture
def stop_earlier_kavg(call, stop, monkeypatch):
    """A run whose two checkpoints are as kavg 0.3.0 left them, in its format."""

    def stop_earlier_kavg():
        with monkeypatch.context() as patch:
            patch.setattr(environment, "ARITHMETIC", 1)
            patch.setattr(environment, "__version__", "0.3.0")
            patch.setattr(checkpoints, "__version__", "0.3.0")
            patch.setattr(checkpoints, "FORMAT", 1)
            stop("--set", "checkpoint.every=2", at=4)

    return stop_earlier_kavg


def test_a_run_of_another_arithmetic_is_refused_once(call, here, stop_earlier_kavg):
    stop_earlier_kavg()
    assert len(stored_checkpoints(here / "runs/my")) == 2
    assert call("resume", "runs/my", "-q") == (
        2,
        "",
        "kavg: the run in 'runs/my' was made with arithmetic 1 of kavg 0.3.0; this kavg has "
        f"arithmetic {ARITHMETIC}, so other numbers are possible; install kavg==0.3.0 to complete "
        "it\n",
    )


def test_the_advice_for_a_run_of_another_arithmetic_names_the_version(call, stop_earlier_kavg):
    stop_earlier_kavg()
    advice = "kavg 0.3.0 alone continues it: pip install kavg==0.3.0, then kavg resume runs/my"
    for words, said in (
        (["run", "my.toml"], f"an unfinished run is in 'runs/my': {advice}; --force starts again"),
        (["verify", "runs/my"], f"the run in 'runs/my' is not finished; {advice}"),
    ):
        assert call(*words) == (2, "", f"kavg: {said}\n")


@pytest.mark.parametrize("words", [["verify"], ["verify", "--files"], ["check"], ["plot"],
                                   ["diff", "whole"]])  # fmt: skip
def test_results_that_are_not_there_yet_are_not_read(call, here, stop, whole, words):
    stop()
    code, out, err = call(*words, "runs/my")
    assert (code, out) == (2, "")
    assert err == ("kavg: the run in 'runs/my' is not finished; kavg resume runs/my continues it\n")
