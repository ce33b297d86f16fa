"""What a signal does to a run, and that ``kavg resume`` completes it to the same digest."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from helpers.run_folder import (
    RUN_FILES,
    list_files,
    read_digest,
    read_environment,
    read_summary,
    stored_checkpoints,
)

from kavg.cli import execution as jobs
from kavg.cli import results
from kavg.cli import supervisor as supervising
from kavg.mpi import signals
from kavg.storage.checkpoints import read_checkpoint

CODES = [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
BATCH_CODES = [(signal.SIGUSR1, 138), (signal.SIGUSR2, 140), (signal.SIGXCPU, 152)]


@pytest.mark.parametrize(("number", "code"), CODES)
@pytest.mark.parametrize("at", [1, 6, 7, 12])
def test_a_signal_leaves_a_checkpoint_and_resume_gives_the_same_digest(
    call, here, strike, whole, at, number, code
):
    strike(at, number)
    left, out, err = call("run", "my.toml", "-q")
    name, n = ("K-AVG", at) if at <= 6 else ("M-AVG", at - 6)
    assert (left, out) == (code, "")
    assert err == (
        f"kavg: stopped by {signal.Signals(number).name} after round {n} of {name}; "
        "kavg resume runs/my continues\n"
    )
    assert list_files(here / "runs") == {f"my/checkpoints/{at:09d}.ckpt"}
    strike(0)
    code, out, err = call("resume", "runs/my")
    assert code == 0, err
    assert f"digest  {whole}\nfolder  runs/my\n" in out
    assert list_files(here / "runs/my") == RUN_FILES
    assert read_summary(here / "runs/my") == read_summary(here / "whole")
    assert sorted(p.name for p in (here / "runs").iterdir()) == ["my"]


@pytest.mark.parametrize(("number", "code"), BATCH_CODES)
def test_signals_of_batch_systems_leave_a_checkpoint_too(call, here, strike, number, code):
    strike(3, number)
    assert call("run", "my.toml", "-q")[0] == code
    assert list_files(here / "runs") == {"my/checkpoints/000000003.ckpt"}


def test_a_run_stopped_several_times_has_the_same_digest(call, here, strike, whole):
    strike(2, signal.SIGTERM)
    call("run", "my.toml", "-q", "--out", "a b")
    for done in (5, 8, 11):
        strike(3, signal.SIGINT)
        code, _, err = call("resume", "a b", "-q")
        assert code == 130
        assert "kavg resume 'a b' continues" in err
        assert len(stored_checkpoints(here / "a b")) == 2
        assert read_checkpoint(stored_checkpoints(here / "a b")[0]).done == done
    strike(0)
    assert call("resume", "a b", "-q")[0] == 0
    assert read_digest(here / "a b") == whole
    earlier = read_environment(here / "a b")["earlier"]
    assert [session["ranks"] for session in earlier] == [1] * 4


def test_an_algorithm_that_diverged_stays_so(call, here, strike):
    diverging = ["--set", "algorithm.0.gamma=1e120"]
    call("run", "my.toml", "-q", "--out", "whole", *diverging)
    strike(5, signal.SIGTERM)
    assert call("run", "my.toml", "-q", *diverging)[0] == 143
    strike(0)
    assert call("resume", "runs/my", "-q")[0] == 0
    assert read_summary(here / "runs/my") == read_summary(here / "whole")
    assert read_summary(here / "whole")["algorithms"]["K-AVG"]["diverged_at"] is not None


def test_both_signals_at_once_are_one_end(call, here, strike, whole):
    """timeout(1) sends its signal twice."""
    strike(4, signal.SIGINT, signal.SIGINT, signal.SIGINT)
    assert call("run", "my.toml", "-q")[0] == 130
    strike(0)
    call("resume", "runs/my", "-q")
    assert read_digest(here / "runs/my") == whole


def test_a_later_signal_ends_at_once(call, here, strike, monkeypatch):
    monkeypatch.setattr(signals, "REPEAT_SECONDS", -1.0)
    strike(4, signal.SIGTERM, signal.SIGTERM)
    code, out, err = call("run", "my.toml", "-q")
    assert (code, out) == (143, "")
    assert err == "kavg: ended by SIGTERM; no half-written folder is left\n"
    assert list_files(here) == {"my.toml"}


def test_a_later_signal_ends_the_writing_of_a_checkpoint(call, here, strike, monkeypatch):
    monkeypatch.setattr(signals, "REPEAT_SECONDS", -1.0)
    honest = np.savez

    def slow(file, **arrays):
        honest(file, **arrays)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(np, "savez", slow)
    strike(4, signal.SIGTERM)
    code, _, err = call("run", "my.toml", "-q")
    assert code == 143
    assert "ended by SIGTERM" in err
    assert list_files(here) == {"my.toml"}


def test_without_checkpoints_a_signal_leaves_no_file(call, here, strike):
    strike(4, signal.SIGTERM)
    code, _, err = call("run", "my.toml", "-q", "--set", "checkpoint.every=never")
    assert code == 143
    assert err.endswith(
        "after round 4 of K-AVG; checkpoint.every is 'never', so no checkpoint was written\n"
    )
    assert list_files(here) == {"my.toml"}
    assert not (here / "runs").exists()


@pytest.mark.parametrize(("number", "code"), CODES)
@pytest.mark.parametrize("command", ["check", "exact"])
def test_other_commands_end_in_order_too(call, here, strike, command, number, code):
    quadratic = 'objective={ kind = "quadratic", spectrum = [1.0, 0.5] }'
    strike(2, number)
    left, out, err = call(command, "my.toml", "-q", "--set", quadratic)
    assert (left, out) == (code, "")
    assert err.endswith("after round 2 of K-AVG; this command writes no checkpoints\n")
    assert list_files(here) == {"my.toml"}


@pytest.mark.parametrize(("number", "code"), CODES)
def test_before_the_rounds_a_signal_ends_at_once(call, here, monkeypatch, number, code):
    def load(*given):
        os.kill(os.getpid(), number)

    monkeypatch.setattr(jobs, "load_config", load)
    left, out, err = call("run", "my.toml")
    assert (left, out) == (code, "")
    assert err == (
        f"kavg: ended by {signal.Signals(number).name}; no half-written folder is left\n"
    )
    assert list_files(here) == {"my.toml"}


@pytest.mark.parametrize(("number", "code"), CODES)
def test_while_the_folder_is_written_a_signal_leaves_a_checkpoint(
    call, here, monkeypatch, whole, number, code
):
    def draw(*given):
        os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(results, "write_figures", draw)
        left, out, err = call("run", "my.toml", "-q")
    assert (left, out) == (code, "")
    assert "no half-written folder is left" in err
    assert list_files(here / "runs") == {"my/checkpoints/000000012.ckpt"}
    assert call("resume", "runs/my", "-q")[0] == 0
    assert read_digest(here / "runs/my") == whole


def test_a_signal_that_came_after_the_last_round_was_summed_up(call, here, monkeypatch, whole):
    """It is found when all ranks ask once more; without that the run would go on."""
    honest = supervising.Supervisor.finish

    def finish(self, run):
        honest(self, run)
        if self.finished == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(supervising.Supervisor, "finish", finish)
        code, _, err = call("run", "my.toml", "-q")
    assert code == 143
    assert "stopped by SIGTERM after round 6 of M-AVG; kavg resume runs/my continues" in err
    assert call("resume", "runs/my", "-q")[0] == 0
    assert read_digest(here / "runs/my") == whole


@pytest.mark.parametrize("number", signals.SIGNALS)
def test_a_signal_that_was_ignored_stays_ignored(call, here, strike, whole, monkeypatch, number):
    """As nohup and shells ask of jobs in the background."""
    strike(2, number)
    monkeypatch.setattr(signal, "default_int_handler", signal.SIG_IGN)
    assert call("run", "my.toml", "-q")[0] == 0
    assert read_digest(here / "runs/my") == whole
