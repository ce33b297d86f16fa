"""``kavg resume``, and what a signal does to a run: in this process, at rounds that are chosen."""

from __future__ import annotations

import os
import signal
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from helpers.run_folder import (
    RUN_FILES,
    change_environment,
    list_files,
    read_digest,
    read_environment,
    read_summary,
    renew_manifest,
)
from helpers.settings import k_avg, m_avg, write_settings

from kavg.cli import environment, results
from kavg.cli import execution as jobs
from kavg.cli import saved_run as resuming
from kavg.cli import supervisor as supervising
from kavg.engine.local_steps import LocalSteps
from kavg.mpi import signals
from kavg.storage import RunFolder, checkpoint_manager, load_trajectories, manifest
from kavg.storage.checkpoints import FOLDER, list_checkpoints, read_checkpoint

CODES = [(signal.SIGTERM, 143), (signal.SIGINT, 130)]


@pytest.fixture(autouse=True)
def here(empty, no_figures):
    """An empty folder with one settings file; no figures; signals as they were, behind a test."""
    algorithm = [k_avg(P=4), m_avg(P=3)]
    write_settings(empty / "my.toml", rounds=6, record={"every": 4}, algorithm=algorithm)
    before = {number: signal.getsignal(number) for number in signals.SIGNALS}
    # A background job may have been told to ignore SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield empty
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def call(call, monkeypatch):
    """The same, with signals and the real stderr as in a process of its own."""

    def call_anew(*words):
        for number in signals.SIGNALS:
            signal.signal(number, signal.default_int_handler)
        monkeypatch.setattr(sys, "__stderr__", sys.stderr)  # what abort speaks to
        return call(*words)

    return call_anew


@pytest.fixture
def strike(monkeypatch):
    """``strike(3, SIGTERM)`` sends that signal to this process in the third round from then."""
    honest = LocalSteps.displacement

    def strike(at, *numbers):
        rounds = []

        def displacement(self, learners, start, gamma, n):
            if not rounds or rounds[-1] != (id(self), n):
                rounds.append((id(self), n))
                if len(rounds) == at:
                    for number in numbers:
                        os.kill(os.getpid(), number)
            return honest(self, learners, start, gamma, n)

        monkeypatch.setattr(LocalSteps, "displacement", displacement)

    return strike


@pytest.fixture
def whole(call, here):
    """The digest of the uninterrupted run."""
    assert call("run", "my.toml", "-q", "--out", "whole")[0] == 0
    return read_digest(here / "whole")


# Stopped and resumed.


@pytest.mark.parametrize(("number", "code"), CODES)
@pytest.mark.parametrize("at", [1, 3, 6, 7, 10, 12])
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


def test_several_signals_on_the_way(call, here, strike, whole):
    strike(2, signal.SIGTERM)
    call("run", "my.toml", "-q", "--out", "a b")
    for done in (5, 8, 11):
        strike(3, signal.SIGINT)
        code, _, err = call("resume", "a b", "-q")
        assert code == 130
        assert "kavg resume 'a b' continues" in err
        assert len(list_checkpoints(here / "a b" / FOLDER)) == 2
        assert read_checkpoint(list_checkpoints(here / "a b" / FOLDER)[0]).done == done
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


def test_nothing_is_kept_where_nothing_is_to_be(call, here, strike):
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


def test_what_is_ignored_stays_ignored(call, here, strike, whole, monkeypatch):
    """As nohup and shells ask of jobs in the background."""
    strike(2, signal.SIGINT)
    monkeypatch.setattr(signal, "default_int_handler", signal.SIG_IGN)
    assert call("run", "my.toml", "-q")[0] == 0
    assert read_digest(here / "runs/my") == whole


# Checkpoints on the way.


def test_a_crash_leaves_the_two_last_checkpoints(call, here, strike, monkeypatch, whole):
    honest = LocalSteps.displacement

    def crash(self, learners, start, gamma, n):
        if n == 5 and len(stored_here(here)) == 2:
            raise RuntimeError("a fault planted by a test")
        return honest(self, learners, start, gamma, n)

    with monkeypatch.context() as patch:
        patch.setattr(LocalSteps, "displacement", crash)
        code, *_ = call("run", "my.toml", "-q", "--set", "checkpoint.every=2")
    assert code == 1
    assert list_files(here / "runs/my") == {f"checkpoints/{n:09d}.ckpt" for n in (2, 4)}
    assert call("resume", "runs/my", "-q")[0] == 0
    assert read_digest(here / "runs/my") == whole


def stored_here(here):
    folder = here / "runs/my" / FOLDER
    return list_checkpoints(folder) if folder.exists() else []


def test_one_that_is_damaged_is_said_and_the_one_before_it_taken(call, here, strike, whole):
    strike(9, signal.SIGTERM)
    call("run", "my.toml", "-q", "--set", "checkpoint.every=4")
    last, before = list_checkpoints(here / "runs/my" / FOLDER)
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


def test_a_full_disk_at_the_end_is_said(call, here, monkeypatch):
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


# The folder of an unfinished run.


def stop(call, strike, *words, at=4):
    strike(at, signal.SIGTERM)
    assert call("run", "my.toml", "-q", *words)[0] == 143
    strike(0)


def test_a_run_does_not_touch_an_unfinished_one(call, here, strike):
    stop(call, strike)
    before = stored_here(here)[0].read_bytes()
    code, out, err = call("run", "my.toml")
    assert (code, out) == (2, "")
    assert err == (
        "kavg: an unfinished run is in 'runs/my': kavg resume runs/my continues it; "
        "--force starts again\n"
    )
    assert stored_here(here)[0].read_bytes() == before


def test_force_starts_anew_and_forgets_the_old_checkpoints(call, here, strike, whole):
    stop(call, strike, "--set", "seed=2", at=9)
    stop(call, strike, "--force", at=2)
    assert [path.name for path in stored_here(here)] == ["000000002.ckpt"]
    assert call("resume", "runs/my", "-q")[0] == 0
    assert read_digest(here / "runs/my") == whole


def test_forced_a_run_forgets_old_checkpoints_before_it_has_any(
    call, here, strike, monkeypatch, whole
):
    def crash(*given):
        raise RuntimeError("a fault planted by a test")

    stop(call, strike, "--set", "seed=2")
    with monkeypatch.context() as patch:
        patch.setattr(LocalSteps, "displacement", crash)
        assert call("run", "my.toml", "-q", "--force")[0] == 1
    code, _, err = call("resume", "runs/my")
    assert code == 2
    assert "there is no run in 'runs/my'" in err


def test_where_nothing_can_be_written_a_run_is_not_resumed(call, here, strike, monkeypatch):
    stop(call, strike)
    for place in (here / "runs/my", here / "runs"):
        monkeypatch.setattr(
            os,
            "access",
            lambda path, mode, bad=place: not mode & os.W_OK or Path(path).resolve() != bad,
        )
        code, out, err = call("resume", "runs/my")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "', where the run is to continue" in err


@pytest.mark.parametrize("left", [(), (".000000002.ckpt.5f2e.partial",)])
def test_force_starts_anew_after_a_first_checkpoint_that_failed(call, here, left, whole):
    folder = here / "runs/my/checkpoints"
    folder.mkdir(parents=True)
    for name in left:
        (folder / name).write_text("half")
    assert call("run", "my.toml", "-q")[0] == 2
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


def test_beside_a_finished_run_the_unfinished_one_is_resumed(call, here, strike, whole):
    """With --force the old run stays until the new one is whole."""
    call("run", "my.toml", "-q", "--set", "seed=2")
    old = read_digest(here / "runs/my")
    stop(call, strike, "--force")
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


def test_what_the_user_keeps_in_the_folder_stays(call, here, strike):
    stop(call, strike)
    (here / "runs/my/notes.md").write_text("years of work")
    (here / "runs/my/old").mkdir()
    (here / "runs/my/old/figure.png").write_text("a picture")
    assert call("resume", "runs/my", "-q")[0] == 0
    assert call("resume", "runs/my", "-q", "--rounds", "9")[0] == 0
    assert list_files(here / "runs/my") == RUN_FILES | {"notes.md", "old/figure.png"}
    assert sorted(p.name for p in (here / "runs").iterdir()) == ["my"]


def test_a_folder_that_is_a_link(call, here, strike, whole):
    (here / "disk").mkdir()
    (here / "link").symlink_to(here / "disk" / "run")
    stop(call, strike, "--out", "disk/run")
    assert call("resume", "link", "-q")[0] == 0
    assert (here / "link").is_symlink()
    assert read_digest(here / "disk/run") == whole


@pytest.mark.parametrize("words", [["verify"], ["verify", "--files"], ["check"], ["plot"],
                                   ["diff", "whole"]])  # fmt: skip
def test_results_that_are_not_there_yet_are_not_read(call, here, strike, whole, words):
    stop(call, strike)
    code, out, err = call(*words, "runs/my")
    assert (code, out) == (2, "")
    assert err == ("kavg: the run in 'runs/my' is not finished; kavg resume runs/my continues it\n")


# Longer.


@pytest.mark.parametrize(("short", "long"), [(3, 6), (4, 6), (5, 9), (1, 8)])
def test_a_finished_run_is_extended_to_the_digest_of_the_longer_one(call, here, short, long):
    call("run", "my.toml", "-q", "--out", "long", "--set", f"rounds={long}")
    call("run", "my.toml", "-q", "--set", f"rounds={short}")
    code, _, err = call("resume", "runs/my", "-q", "--rounds", str(long))
    assert (code, err) == (0, "")
    assert read_summary(here / "runs/my") == read_summary(here / "long")
    assert tomllib.loads((here / "runs/my/config.toml").read_text())["rounds"] == long
    assert load_trajectories(here / "runs/my")[0].rounds[-1] == long
    assert len(read_environment(here / "runs/my")["earlier"]) == 1


def test_an_extension_that_is_stopped_is_resumed(call, here, strike):
    call("run", "my.toml", "-q", "--out", "long", "--set", "rounds=11")
    call("run", "my.toml", "-q")
    old = read_summary(here / "runs/my")
    strike(7, signal.SIGTERM)
    code, _, err = call("resume", "runs/my", "-q", "--rounds", "11")
    assert code == 143
    assert "after round 8 of M-AVG" in err  # 5 of K-AVG, then 2
    assert read_summary(here / "runs/my") == old
    for words in (["check"], ["plot"], ["diff", "runs/my"]):  # what is finished can be read
        assert call(*words, "runs/my")[0] == 0
    strike(0)
    assert call("resume", "runs/my", "-q")[0] == 0
    assert read_summary(here / "runs/my") == read_summary(here / "long")


def test_an_unfinished_run_may_become_longer_too(call, here, strike):
    call("run", "my.toml", "-q", "--out", "long", "--set", "rounds=11")
    stop(call, strike, at=8)
    assert call("resume", "runs/my", "-q", "--rounds", "11")[0] == 0
    assert read_summary(here / "runs/my") == read_summary(here / "long")


def test_with_a_plain_mean_and_single_precision(call, here, strike):
    settings = ["--set", "mean=allreduce", "--set", "dtype=float32"]
    call("run", "my.toml", "-q", "--out", "whole", *settings)
    stop(call, strike, *settings, at=5)
    assert call("resume", "runs/my", "-q")[0] == 0
    assert read_summary(here / "runs/my") == read_summary(here / "whole")


def test_nothing_to_do_is_no_fault(call, here, whole):
    before = {path: path.read_bytes() for path in (here / "whole").iterdir() if path.is_file()}
    for more in ([], ["--rounds", "6"]):
        code, out, err = call("resume", "whole", *more)
        assert (code, err) == (0, "")
        assert out == "'whole' is finished, 6 rounds; --rounds N extends it\n"
    assert before == {path: path.read_bytes() for path in before}


def test_what_resume_cannot_do_is_said(call, here, strike, whole):
    stop(call, strike)
    for words, said in (
        (["whole", "--rounds", "5"], "--rounds must be at least 6, the rounds of this run, got 5"),
        (
            ["runs/my", "--rounds", "5"],
            "--rounds must be at least 6, the rounds of this run, got 5",
        ),
        (["nowhere"], "there is no run in 'nowhere'; give the folder of kavg run"),
        (["my.toml"], "there is no run in 'my.toml'; give the folder of kavg run"),
    ):
        code, out, err = call("resume", *words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"kavg: {said}")
    assert call("resume", "whole", "--rounds", "0")[0] == 2


def test_a_finished_run_whose_files_do_not_belong_together_is_refused(call, here, whole):
    config = here / "whole/config.toml"
    for old, new in (("rounds = 6", "rounds = 7"), ("every = 4", "every = 3"), ("P = 4", "P = 2"),
                     ('"M-AVG"', '"N-AVG"'), ("mu = 0.5", "mu = 0.5\n[outer]")):  # fmt: skip
        honest = config.read_text()
        assert old in honest
        config.write_text(honest.replace(old, new))
        renew_manifest(here / "whole")
        code, _, err = call("resume", "whole", "--rounds", "9")
        assert code == 2, new
        assert "cannot be extended" in err
        assert "was changed" not in err
        config.write_text(honest)
    for name, content in (("environment.json", "{"), ("environment.json", "[]"),
                          ("trajectory.npz", "x")):  # fmt: skip
        honest = (here / "whole" / name).read_bytes()
        (here / "whole" / name).write_text(content)
        renew_manifest(here / "whole")
        code, _, err = call("resume", "whole", "--rounds", "9")
        assert (code, err.count("\n")) == (2, 1)
        assert "was changed" not in err
        (here / "whole" / name).write_bytes(honest)
    renew_manifest(here / "whole")
    assert call("resume", "whole", "--rounds", "9", "-q")[0] == 0


@pytest.mark.parametrize("name", ["config.toml", "trajectory.npz", "environment.json"])
def test_a_finished_run_with_a_flipped_bit_is_refused(call, here, whole, name):
    path = here / "whole" / name
    honest = path.read_bytes()
    for place in range(0, len(honest), len(honest) // 9):
        path.write_bytes(honest[:place] + bytes([honest[place] ^ 4]) + honest[place + 1 :])
        code, out, err = call("resume", "whole", "--rounds", "9")
        words = f"'{name}' was changed: its SHA-256 differs"
        assert (code, out) == (2, "")
        assert err == f"kavg: 'whole' cannot be extended: {words}\n"
    path.write_bytes(honest)
    (here / "whole" / manifest.NAME).unlink()
    assert "manifest.sha256 is missing" in call("resume", "whole", "--rounds", "9")[2]


def test_what_else_lies_in_a_finished_run_is_no_hindrance(call, here, whole):
    (here / "whole/notes.txt").write_text("mine")
    (here / "whole/metrics.csv").unlink()
    assert call("resume", "whole", "--rounds", "9", "-q")[0] == 0
    assert (here / "whole/notes.txt").read_text() == "mine"


def test_other_versions_are_said_once(call, here, strike, monkeypatch):
    stop(call, strike)
    then = environment.describe_versions()
    with monkeypatch.context() as patch:
        patch.setattr(
            resuming, "describe_versions", lambda: then | {"numpy": "9.9", "source": "abc"}
        )
        code, _, err = call("resume", "runs/my", "-q")
    assert code == 0
    assert err == (
        "kavg: the last bits may differ from those of an uninterrupted run: "
        f"numpy {np.__version__} then, 9.9 now; "
        f"source {environment.source_digest()} then, abc now\n"
    )
    call("run", "my.toml", "-q", "--out", "other")
    versions = read_environment(here / "other")["versions"] | {"kavg": "0.0.1"}
    change_environment(here / "other", machine="abacus", versions=versions)
    renew_manifest(here / "other")
    code, _, err = call("resume", "other", "-q", "--rounds", "7")
    assert code == 0
    assert "kavg 0.0.1 then, " in err
    assert "machine abacus then, " in err
    assert err.count("\n") == 1
