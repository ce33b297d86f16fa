"""Sweeps that are stopped at any batch and completed, verified and compared."""

from __future__ import annotations

import os
import shutil
import signal
import sys

import pytest
from helpers.run_folder import (
    change_environment,
    list_files,
    read_environment,
    renew_manifest,
    stored_checkpoints,
)
from helpers.settings import k_avg
from helpers.sweep import SWEEP, all_digests, read_sweep, write_sweep

from kavg.cli.replay import draw_order
from kavg.cli.sweeps import looks
from kavg.cli.sweeps.execution import StageObserver, StageRunner
from kavg.mpi import signals
from kavg.storage.checkpoints import read_checkpoint, write_checkpoint


@pytest.fixture(autouse=True)
def here(empty):
    """An empty folder with the settings of a small sweep; signals as they were, behind a test."""
    write_sweep(empty / "my.toml")
    before = {number: signal.getsignal(number) for number in signals.SIGNALS}
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
        monkeypatch.setattr(sys, "__stderr__", sys.stderr)
        return call(*words)

    return call_anew


@pytest.fixture
def strike(monkeypatch):
    """``strike(3)`` sends SIGTERM after the third round of a batch from then; 0 for never."""
    honest = StageObserver.on_round

    def strike(at, number=signal.SIGTERM):
        rounds = []

        def on_round(self, batch, n):
            rounds.append(n)
            if len(rounds) == at:
                os.kill(os.getpid(), number)
            honest(self, batch, n)

        monkeypatch.setattr(StageObserver, "on_round", on_round)
        return rounds

    return strike


@pytest.fixture
def whole(call, here):
    assert call("sweep", "my.toml", "-q", "--out", "whole")[0] == 0
    return here / "whole"


def count_rounds(call, strike):
    rounds = strike(0)
    assert call("sweep", "my.toml", "-q", "--out", "counted")[0] == 0
    return len(rounds)


def test_a_sweep_stopped_in_every_batch_and_resumed_is_the_same(call, here, strike, whole):
    rounds = count_rounds(call, strike)
    assert rounds > 12
    for at in range(1, rounds + 1, 5):
        folder = f"at{at}"
        strike(at)
        code, out, err = call("sweep", "my.toml", "-q", "--out", folder)
        assert (code, out) == (143, ""), at
        assert f"kavg resume {folder} continues" in err
        done = read_checkpoint(stored_checkpoints(here / folder)[0]).sweep
        assert done is not None
        if at == 1:  # in the midst of a batch, which ends there
            assert (done["done"], done["stages"]) == (0, [[], []])
        strike(0)
        code, _, err = call("resume", folder, "-q")
        assert code == 0, err
        assert all_digests(folder) == all_digests(whole)
        assert read_sweep(folder)["winners"] == read_sweep(whole)["winners"]
        assert list_files(here / folder) == list_files(whole)


def test_finished_points_are_not_run_again(call, here, strike):
    rounds = count_rounds(call, strike)
    struck = strike(rounds - 2)
    assert call("sweep", "my.toml", "-q")[0] == 143
    again = strike(0)
    assert call("resume", "runs/my", "-q")[0] == 0
    assert len(again) < len(struck) / 2


def test_a_sweep_stopped_several_times_has_all_its_sessions(call, here, strike, whole):
    strike(2, signal.SIGINT)
    assert call("sweep", "my.toml", "-q")[0] == 130
    for _ in range(2):
        strike(8, signal.SIGHUP)
        assert call("resume", "runs/my", "-q")[0] == 129
    strike(0)
    assert call("resume", "runs/my", "-q")[0] == 0
    assert all_digests("runs/my") == all_digests(whole)
    assert [session["ranks"] for session in read_environment(here / "runs/my")["earlier"]] == [
        1
    ] * 3


def test_resume_keeps_the_options_of_the_start(call, here, strike):
    strike(9)
    assert call("sweep", "my.toml", "-q", "--folders")[0] == 143
    strike(0)
    assert call("resume", "runs/my", "-q")[0] == 0
    assert len(list((here / "runs/my/points").iterdir())) == 4


def test_resume_of_a_finished_sweep_says_so(call, whole):
    code, out, _ = call("resume", "whole")
    assert code == 0
    assert "finished" in out


def test_resume_takes_no_rounds_of_a_sweep(call, here, strike):
    strike(3)
    call("sweep", "my.toml", "-q")
    strike(0)
    code, _, err = call("resume", "runs/my", "--rounds", "99")
    assert code == 2
    assert "--rounds" in err


def test_a_checkpoint_of_other_settings_is_refused(call, here, strike):
    strike(count_rounds(call, strike) // 2)
    call("sweep", "my.toml", "-q")
    (path, *_) = stored_checkpoints(here / "runs/my")
    begun = read_checkpoint(path)
    some = begun.sweep["stages"][0]
    others = [{**some[0], "number": 99}]
    early = [some, some[:1]]  # of the last stage, before the first is finished
    for wrong in ([others, []], early, [[{"number": 0}], []]):
        sweep = {**begun.sweep, "stages": wrong}
        shutil.rmtree(here / "runs/my/checkpoints")
        changed = type(begun)(begun.settings, begun.data, begun.runs, begun.sessions, sweep)
        write_checkpoint(here / "runs/my/checkpoints", changed)
        code, _, err = call("resume", "runs/my", "-q")
        assert code == 2, err
        assert "refused" in err


# --until


@pytest.fixture
def counted(monkeypatch):
    """The replicas of each stage that was run."""
    seen = []
    honest = StageRunner.run

    def run(self, stage, spread):
        seen.append(self.findings.sweep.stages[stage].replicas)
        return honest(self, stage, spread)

    monkeypatch.setattr(StageRunner, "run", run)
    return seen


def test_replicas_are_added_until_intervals_are_narrow(call, here, counted):
    aim = ["--until", "width=0.2", "--budget", "24"]
    assert call("sweep", "my.toml", "-q", "--out", "narrow", *aim)[0] == 0
    content = read_sweep("narrow")
    last = content["stages"][-1]["replicas"]
    assert last in (6, 12, 24)
    assert content["until"]["aim"] == "width=0.2"
    replicas = [counted[0], *counted[1::2]]
    assert replicas == [3, 3, 6, 12, 24][: len(replicas)]
    widths = [
        (each["time"]["high"] - each["time"]["low"]) / each["time"]["mean"]
        for each in content["winners"]
    ]
    assert max(widths) <= 0.2 or last == 24
    assert call("verify", "narrow", "-q")[0] == 0
    assert call("verify", "narrow", "-q", "--sample", "2")[0] == 0


def test_a_single_look_has_the_whole_level(call, here):
    aim = ["--until", "width=9", "--budget", "3"]
    assert call("sweep", "my.toml", "-q", "--out", "one", *aim)[0] == 0
    assert read_sweep("one")["until"]["level"] == 0.95
    assert read_sweep("one")["stages"][-1]["replicas"] == 3


def test_a_sweep_that_adds_replicas_goes_on_in_the_look_in_which_it_was_stopped(
    call, here, strike, monkeypatch
):
    aim = ["--until", "width=1e-9", "--budget", "12"]
    rounds = strike(0)
    assert call("sweep", "my.toml", "-q", "--out", "whole", *aim)[0] == 0
    judged = []
    honest = looks._find_end

    def judge(session, findings, last, left, seconds):
        judged.append(last.look.replicas)
        return honest(session, findings, last, left, seconds)

    monkeypatch.setattr(looks, "_find_end", judge)
    for at, left in ((len(rounds) - 1, [12]), (len(rounds) * 2 // 3, [6, 12]), (2, [3, 6, 12])):
        folder = f"at{at}"
        strike(at)
        assert call("sweep", "my.toml", "-q", "--out", folder, *aim)[0] == 143
        strike(0)
        judged.clear()
        code, _, err = call("resume", folder, "-q")
        assert code == 0, err
        assert judged == left
        assert all_digests(folder) == all_digests("whole")
        assert read_sweep(folder)["until"] == read_sweep("whole")["until"]
        assert read_sweep(folder)["spent"] == read_sweep("whole")["spent"]


def test_checkpoints_are_numbered_on_through_looks_and_sessions(call, here, strike):
    aim = ["--until", "width=1e-9", "--budget", "12"]
    rounds = strike(0)
    assert call("sweep", "my.toml", "-q", "--out", "whole", *aim)[0] == 0
    strike(len(rounds) - 8)
    assert call("sweep", "my.toml", "-q", *aim)[0] == 143
    first = stored_checkpoints(here / "runs/my")[0]
    done = read_checkpoint(first).done
    strike(7)
    assert call("resume", "runs/my", "-q")[0] == 143
    (last, *_) = stored_checkpoints(here / "runs/my")
    assert read_checkpoint(last).done > done
    assert int(last.stem) > int(first.stem)


@pytest.mark.parametrize(
    "words", [["--until", "narrow"], ["--until", "width=0"], ["--budget", "9"],
              ["--until", "decided", "--budget", "2"]]
)  # fmt: skip
def test_wrong_aims_exit_2(call, here, words):
    code, _, err = call("sweep", "my.toml", "-q", *words)
    assert code == 2
    assert words[0] in err or "budget" in err
    assert not (here / "runs").exists()


def test_nothing_is_decided_about_one_algorithm(call, here):
    write_sweep(here / "my.toml", algorithm=[k_avg()])
    code, _, err = call("sweep", "my.toml", "-q", "--until", "decided")
    assert code == 2
    assert "compares algorithms" in err


# kavg verify and kavg diff


@pytest.mark.parametrize("how", [[], ["--sample", "2"], ["--files"]])
def test_verify_repeats_a_sweep(call, whole, how):
    code, out, err = call("verify", "whole", "-q", *how)
    assert code == 0, err + out
    assert "unchanged" in out
    assert ("same bits" in out) == (how != ["--files"])


def test_a_sample_has_the_target_of_all_points(call, here):
    """One point alone may have no stationary value."""
    write_sweep(
        here / "my.toml",
        objective={"kind": "quadratic", "spectrum": [1.0, 0.5]},
        sweep=SWEEP | {"target": {"quantity": "F", "floor": 2.0}, "stage": [{}, {"keep": 3}]},
    )
    assert call("sweep", "my.toml", "-q", "--out", "floor")[0] == 0
    gammas = [point["settings"]["gamma"] for point in read_sweep("floor")["points"]]
    seed = next(seed for seed in range(99) if gammas[draw_order(12, seed)[0]] == 1e160)
    code, out, err = call("verify", "floor", "-q", "--sample", "1", "--seed", seed)
    assert (code, out.splitlines()[-1]) == (0, "same bits"), err


def test_verify_finds_a_changed_file(call, whole):
    (whole / "points.csv").write_text("changed")
    code, out, _ = call("verify", "whole", "-q")
    assert code == 1
    assert "'points.csv'" in out
    assert "not as they were written" in out


@pytest.mark.parametrize("stage", [0, 1])
def test_verify_finds_other_digests_of_a_stage(call, whole, stage):
    content = (whole / "sweep.json").read_text()
    old = read_sweep(whole)["stages"][stage]["digests"][0]
    (whole / "sweep.json").write_text(content.replace(old, "0" * 64))
    renew_manifest(whole)
    code, out, _ = call("verify", "whole", "-q")
    assert code == 1
    assert "different" in out or "other digests" in out


def test_verify_in_another_environment_judges_the_last_stage_alone(call, whole):
    change_environment(whole, machine="another")
    # Of the runs of earlier stages there is only a digest, which may be another elsewhere.
    content = (whole / "sweep.json").read_text()
    old = read_sweep(whole)["stages"][0]["digests"][0]
    (whole / "sweep.json").write_text(content.replace(old, "0" * 64))
    renew_manifest(whole)
    code, out, err = call("verify", "whole", "-q")
    assert code == 0, err
    assert "another" in out
    assert "same bits" in out


def test_diff_of_sweeps_names_the_points_that_differ(call, here, whole):
    assert call("diff", "whole", "whole")[0] == 0
    sweep = SWEEP | {"tune": {"algorithm.*.gamma": [0.02, 0.11, 1e160]}}
    write_sweep(here / "my.toml", sweep=sweep)
    assert call("sweep", "my.toml", "-q", "--out", "other")[0] == 0
    code, out, _ = call("diff", "whole", "other")
    assert code == 1
    assert "sweep.tune" in out
    assert "K-AVG K=1 gamma=0.11: only in the second" in out
