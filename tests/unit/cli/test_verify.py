"""``kavg verify``: the files, the verdict on a repetition, the exit code."""

from __future__ import annotations

import json
import platform
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from helpers.run_folder import change_environment, read_environment, renew_manifest
from helpers.settings import k_avg, m_avg, settings_text
from hypothesis import given
from hypothesis import strategies as st

from kavg import meta_iterations, simulate
from kavg.cli import execution as jobs
from kavg.cli import replay
from kavg.cli.replay import Replay, sample_rows
from kavg.cli.results import summarize_runs
from kavg.config.settings_file import load_config, parse_config, to_toml
from kavg.engine.communicator import SerialComm
from kavg.engine.rounds import iterate_rounds
from kavg.portability import ARITHMETIC
from kavg.storage import RunFolder, StoredRun, load_trajectories, manifest
from kavg.storage.trajectories import write_trajectories

NESTEROV = m_avg(outer={"kind": "nesterov", "mu": 0.5})
SETTINGS = settings_text(rounds=12, record={"every": 5}, algorithm=[k_avg(), NESTEROV])


@pytest.fixture(autouse=True)
def here(empty, no_figures):
    """An empty folder with one settings file; no launcher, no figures."""
    (empty / "my.toml").write_text(SETTINGS)
    return empty


def rewritten(folder, change, **told):
    """The same run with other values, as if they had come from another machine: ``told``."""
    known = read_environment(folder)
    runs = [change(run) for run in load_trajectories(folder)]
    config = (folder / "config.toml").read_text()
    RunFolder(folder).write(StoredRun(config, runs, summarize_runs(runs), known | told))


def times(factor, rounds=slice(1, None), only=("F", "grad_norm2", "dispersion")):
    """Values of these rounds times a factor."""

    def change(run):
        series = {name: values.copy() for name, values in run.series.items()}
        for name in only:
            series[name][rounds] *= factor
        return replace(run, series=series)

    return change


ELSEWHERE = {"machine": "another"}
DATA = "{kind = 'logistic_regression', data = {kind = 'classification', examples = 64}}"
RESTS_ON_BLAS = ("--set", f"objective={DATA}", "--set", "start=0.0")


# The three verdicts.


@pytest.mark.parametrize("how", [[], ["--sample", "3"], ["--sample", "99", "--seed", "7"]])
def test_verify_repeats_a_run_and_finds_the_same_bits(call, run, how):
    run("a")
    code, out, err = call("verify", "a", *how)
    assert code == 0
    assert out.splitlines()[0] == "files        unchanged"
    assert (
        out.splitlines()[1]
        == "environment  the same versions; these bits do not depend on the processor"
    )
    assert out.splitlines()[-1] == "same bits"
    assert "round 12 of 12" in err or how[:2] == ["--sample", "3"]
    assert call("verify", "a", "-q", *how)[2] == ""


def test_the_same_bits_on_another_machine_are_reported_as_such(call, run):
    rewritten(run("a"), lambda run: run, versions={"numpy": "1.0", "kavg": "0.0"}, **ELSEWHERE)
    code, out, _ = call("verify", "a", "-q")
    assert (code, out.splitlines()[-1]) == (0, "same bits")
    assert "(then another)" in out
    assert "(then 1.0)" in out


@pytest.mark.parametrize("how", [[], ["--sample", "8"]])
def test_rounding_is_excused_on_another_machine_only(call, run, how):
    rewritten(run("a"), times(1 + 2.0**-26), **ELSEWHERE)
    code, out, _ = call("verify", "a", "-q", *how)
    assert (code, out.splitlines()[-1]) == (0, "same within confidence")
    assert "K-AVG: round 5, F of replica 0: " in out
    rewritten(Path("a"), lambda run: run, machine=platform.machine())
    code, out, _ = call("verify", "a", "-q", *how)
    assert (code, out.splitlines()[-1]) == (1, "different")
    assert "M-AVG: round 5, F of replica 0: " in out


def test_a_run_of_the_same_bits_everywhere_is_not_excused_by_another_processor(call, run):
    rewritten(run("a"), lambda run: run, processor="another", blas="another", simd="none")
    code, out, _ = call("verify", "a", "-q")
    assert (code, out.splitlines()[-1]) == (0, "same bits")
    assert "environment  the same versions; these bits do not depend on the processor\n" in out
    rewritten(Path("a"), times(1 + 2.0**-26))
    code, out, _ = call("verify", "a", "-q")
    assert (code, out.splitlines()[-1]) == (1, "different")


def test_a_run_that_rests_on_blas_is_excused_by_another_processor(call, run):
    folder = run("a", *RESTS_ON_BLAS)
    assert read_environment(folder)["same_bits"] == "one kind of machine"
    rewritten(folder, times(1 + 2.0**-26), processor="another")
    code, out, _ = call("verify", "a", "-q")
    assert (code, out.splitlines()[-1]) == (0, "same within confidence")
    assert "environment  processor " in out


def test_a_run_of_another_arithmetic_is_said_to_be(call, run):
    folder = run("a")
    known = read_environment(folder)
    assert known["same_bits"] == "any machine"
    # As kavg 0.3.0 wrote them.
    del known["arithmetic"], known["same_bits"]
    known["versions"]["kavg"] = "0.3.0"
    (folder / "environment.json").write_text(json.dumps(known))
    renew_manifest(folder)
    assert call("verify", "a", "--files") == (0, "files        unchanged\n", "")
    for how in ([], ["--sample", "2"]):
        code, out, err = call("verify", "a", "-q", *how)
        assert (code, out) == (2, "files        unchanged\n")
        assert err == (
            "kavg: the run was made with arithmetic 1 of kavg 0.3.0; this kavg has arithmetic "
            f"{ARITHMETIC}, so other numbers are possible; install kavg==0.3.0 to verify it\n"
        )


@pytest.mark.parametrize("earlier", [{"versions": {"kavg": "0.3.0"}}, {}, "x"])
def test_every_session_must_have_the_arithmetic(call, run, earlier):
    folder = run("a")
    own = {key: read_environment(folder)[key] for key in ("arithmetic", "versions")}
    change_environment(folder, earlier=[own, earlier])
    renew_manifest(folder)
    code, _, err = call("verify", "a", "-q")
    said = "1 of kavg 0.3.0" if "versions" in earlier else "1 of a version"
    assert code == 2
    assert err.startswith(
        f"kavg: the run was made with several arithmetics, {ARITHMETIC} of kavg "
        f"{own['versions']['kavg']}, then {said}, so that no kavg can verify it"
    )
    change_environment(folder, earlier=[own, own])
    renew_manifest(folder)
    assert call("verify", "a", "-q")[0] == 0


def test_an_environment_without_versions_is_of_the_first_arithmetic(call, run):
    folder = run("a")
    (folder / "environment.json").write_text('{"ranks": 1}')
    code, _, err = call("verify", "a", "-q")
    assert code == 2
    assert err == (
        "kavg: the run was made with arithmetic 1 of a version not recorded; this kavg has "
        f"arithmetic {ARITHMETIC}, so other numbers are possible; install the version that made "
        "it to verify it\n"
    )


def test_without_its_environment_a_run_is_of_the_arithmetic_of_its_arrays(call, run):
    folder = run("a")
    (folder / "environment.json").unlink()
    assert call("verify", "a", "-q")[1].splitlines()[-1].startswith("same bits")
    runs = [replace(run, arithmetic=1) for run in load_trajectories(folder)]
    write_trajectories(folder / "trajectory.npz", runs)
    assert call("verify", "a", "-q")[0] == 2


def test_more_than_rounding_is_different_anywhere(call, run):
    rewritten(run("a", "--set", "replicas=9"), times(1.01, slice(2, 3), ["F"]), **ELSEWHERE)
    code, out, _ = call("verify", "a", "-q")
    assert (code, out.splitlines()[-1]) == (1, "different")
    assert "K-AVG: round 10, F of replica 0: " in out
    assert "K-AVG: F: recorded minus repeated " in out


def test_the_last_iterate_is_compared(call, run):
    rewritten(run("a"), lambda run: replace(run, w=run.w + 1e-12))
    code, out, _ = call("verify", "a", "-q")
    assert (code, out.splitlines()[-1]) == (1, "different")
    assert "K-AVG: round 12, w, coordinate 0, of replica 0: " in out
    assert call("verify", "a", "-q", "--sample", "8")[0] == 0  # which compares series alone


def test_other_settings_are_found(call, run):
    folder = run("a")
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(text.replace("mu = 0.5", "mu = 0.25"))
    renew_manifest(folder)
    code, out, _ = call("verify", "a", "-q")
    assert (code, out.splitlines()[-1]) == (1, "different")
    assert "M-AVG: round 5, F of replica 0: " in out
    assert "K-AVG: " not in out


def test_a_run_that_diverged_comes_again(call, run):
    run("a", "--set", "algorithm.0.gamma=1e120")
    for how in ([], ["--sample", "4"]):
        code, out, _ = call("verify", "a", "-q", *how)
        assert (code, out.splitlines()[-1]) == (0, "same bits")
    rewritten(Path("a"), lambda run: replace(run, diverged_at=None) if run.diverged_at else run)
    assert "are not of one run" in call("verify", "a", "-q")[2]


# The files.


@pytest.mark.parametrize("name", ["config.toml", "metrics.csv", "summary.json", "environment.json",
                                  "trajectory.npz", "manifest.sha256"])  # fmt: skip
def test_one_changed_bit_of_any_file_is_found(call, run, name):
    path = run("a") / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    code, out, _ = call("verify", "a", "--files")
    assert code == 1
    assert name in out.splitlines()[0]
    code, out, err = call("verify", "a", "-q")
    assert (code, err) == (1, "")
    assert not out.endswith("same bits\n")


def test_lost_and_added_files_are_named(call, run):
    folder = run("a")
    (folder / "summary.json").unlink()
    (folder / "notes.txt").write_text("mine")
    code, out, _ = call("verify", "a", "-q")
    assert code == 1
    assert out.splitlines()[:2] == [
        "files        'notes.txt' was added",
        "files        'summary.json' is missing",
    ]
    assert out.endswith("same bits; the files are not as they were written\n")


def test_a_folder_without_manifest_is_repeated_all_the_same(call, run):
    (run("a") / manifest.NAME).unlink()
    code, out, _ = call("verify", "a", "-q")
    assert code == 1
    assert out.startswith("files        manifest.sha256 is missing")
    assert "same bits" in out


def test_a_run_that_cannot_be_read_is_not_repeated(call, run, monkeypatch):
    (run("a") / "trajectory.npz").write_bytes(b"PK")
    monkeypatch.setattr(jobs, "complete_run", None)
    code, out, err = call("verify", "a")
    assert (code, err) == (1, "")
    assert "'trajectory.npz' was changed: it has 2 bytes instead of " in out
    assert "the run cannot be repeated: " in out


CHANGES = {
    "another value": ("metrics.csv", lambda text: text.replace(",0,", ",1,", 1), "line 2"),
    "a line less": ("metrics.csv", lambda text: text[: text.rindex("M-AVG")], "line 25"),
    "a line more": ("metrics.csv", lambda text: text + "\n", "has more lines"),
    "no text": ("metrics.csv", lambda text: text.encode() + b"\xff", "cannot be read"),
    "another digest": ("summary.json", lambda text: text.replace('"digest": "', '"digest": "0', 1),
                       "has other digests"),
    "of one algorithm": ("summary.json", lambda text: text[:400] + text[400:].replace(
        '"digest": "', '"digest": "0', 1), "has other digests"),
    "no table": ("summary.json", lambda text: "[]", "has other digests"),
    "no algorithms": ("summary.json", lambda text: '{"algorithms": 3}', "has other digests"),
    "deep": ("summary.json", lambda text: "[" * 100_000, "has other digests"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_files_that_contradict_each_other_are_found(call, run, name):
    file, change, words = CHANGES[name]
    path = run("a") / file
    changed = change(path.read_text())
    path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    renew_manifest(Path("a"))
    code, out, _ = call("verify", "a", "--files")
    assert code == 1
    assert words in out
    assert out.count("\n") == 1


def test_data_that_changed_since_the_run_are_found(call, here):
    features = np.arange(24.0).reshape(12, 2)
    np.savez(here / "my.npz", features=features, labels=np.arange(12) % 2)
    objective = '{ kind = "logistic_regression", data = "my.npz" }'
    sets = ["--set", f"objective={objective}", "--set", 'oracle={ kind = "minibatch", B = 2 }']
    assert call("run", "my.toml", "-q", "--out", "a", *sets)[0] == 0
    assert call("verify", "a", "-q")[0] == 0
    np.savez(here / "my.npz", features=features + 1, labels=np.arange(12) % 2)
    assert call("verify", "a", "--files")[:2] == (0, "files        unchanged\n")
    code, out, err = call("verify", "a")
    assert (code, out) == (2, "")
    assert "and the run read" in err
    (here / "my.npz").unlink()
    code, out, err = call("verify", "a")
    assert (code, out) == (2, "")
    assert "my.npz: no such file" in err


def test_commands_that_add_files_keep_the_manifest(here, call, run, monkeypatch):
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert call("run", "my.toml", "-q", "--set", "record.every=1", "--out", "a")[0] == 0
    for words in (
        ["check", "a"],
        ["plot", "a", "--axis", "steps"],
        ["check", "a", "--level", "0.2"],
    ):
        before = (here / "a" / manifest.NAME).read_bytes()
        assert call(*words)[0] == 0
        assert (here / "a" / manifest.NAME).read_bytes() != before
        assert call("verify", "a", "--files")[0] == 0
    before = (here / "a" / manifest.NAME).read_bytes()
    assert call("plot", "a", "--out", "b")[0] == 0
    assert (here / "a" / manifest.NAME).read_bytes() == before
    (here / "a" / "metrics.csv").write_text("tampered")
    assert call("check", "a")[0] == 0
    assert "'metrics.csv' was changed" in call("verify", "a", "--files")[1]


@pytest.mark.parametrize("words", [
    ["gone"], ["my.toml"], ["x" * 300], ["a", "--sample", "0"], ["a", "--level", "0"],
    ["a", "--seed", "-1"], ["empty"],
])  # fmt: skip
def test_wrong_input_is_reported_once_and_nothing_is_written(call, run, here, words):
    run("a")
    (here / "empty").mkdir()
    before = sorted(here.rglob("*"))
    code, out, err = call("verify", *words)
    if words == ["empty"]:
        assert (code, out.count("is missing")) == (1, 1)
    else:
        assert (code, out, err.count("\n")) == (2, "", 1)
    assert sorted(here.rglob("*")) == before


# A sample.


def test_a_sample_is_run_from_the_snapshots(call, run, monkeypatch):
    run("a", "--set", "rounds=100", "--set", "record.every=1", "--set", "replicas=1")
    done = []
    monkeypatch.setattr(replay, "iterate_rounds", spied(done))
    code, out, _ = call("verify", "a", "-q", "--sample", "2", "--seed", "3")
    assert (code, out.splitlines()[-1]) == (0, "same bits")
    assert out.count("sample  ") >= 1
    # 100 rounds keep every eighth state: each of the two is at most 8 rounds behind one.
    assert 0 < len(done) <= 16


def spied(done):
    """``iterate_rounds`` that writes down the rounds it runs."""

    def iterations(*arguments, **settings):
        for each in iterate_rounds(*arguments, **settings):
            done.extend([each.n] if each.n else [])
            yield each

    return iterations


def test_a_state_that_was_changed_is_found(call, run):
    def spoilt(run):
        first, *rest = run.states
        return replace(run, states=(replace(first, w=first.w + 1e-9), *rest))

    rewritten(run("a"), spoilt)
    code, out, _ = call("verify", "a", "-q")
    assert (code, out.splitlines()[-1]) == (1, "different")
    assert "K-AVG: round 1, w, coordinate 0, of replica 0: " in out


@given(count=st.integers(1, 40), seed=st.integers(0, 2**64 - 1))
def test_a_sample_is_of_the_recorded_rounds(count, seed):
    runs = [SimpleRun(n) for n in (4, 1, 9)]
    rows = sample_rows(runs, count, seed)
    assert sum(map(len, rows)) == min(count, 14)
    for run, found in zip(runs, rows, strict=True):
        assert found == sorted(set(found))
        assert set(found) <= set(range(len(run.rounds)))
    assert sample_rows(runs, count, seed) == rows


class SimpleRun:
    def __init__(self, n):
        self.rounds = np.arange(n)


def test_every_round_is_as_likely():
    # 6000 samples of one of six: chi-square with 5 degrees of freedom exceeds 25.7 once in 10^4.
    counts = np.zeros(6)
    for seed in range(6000):
        rows = sample_rows([SimpleRun(3)] * 2, 1, seed)
        counts[[i * 3 + row for i, found in enumerate(rows) for row in found]] += 1
    assert ((counts - 1000) ** 2 / 1000).sum() < 25.7


CONFIG = parse_config(SETTINGS)


@given(
    rounds=st.sets(st.integers(0, 12), min_size=1),
    states=st.sets(st.integers(1, 12)),
    which=st.integers(0, 1),
)
def test_rounds_come_again_from_any_known_state(rounds, states, which):
    algorithm, done = CONFIG.algorithms[which], []
    settings = {"replicas": 3, "seed": 1}
    everything = list(islice(meta_iterations(CONFIG.problem, algorithm, **settings), 13))

    kept = [everything[n].state for n in states]
    again = Replay(SerialComm(), CONFIG, algorithm, kept).trajectory(
        rounds, lambda r: done.append(r.n)
    )
    whole = simulate(CONFIG.problem, algorithm, rounds=CONFIG.rounds, **settings)
    assert again.rounds.tolist() == sorted(rounds)
    for name in whole.series:
        assert again.series[name].tobytes() == whole.series[name][sorted(rounds)].tobytes()
    # Only what lies between a round and the state before it, or the round before it, is run.
    assert len(done) == len(set(done)) <= max(rounds)
    for n in rounds:
        assert n == 0 or n in done


def test_stored_settings_are_those_that_were_run(run):
    folder = run("a", "--set", "rounds=3")
    config = load_config(folder / "config.toml")
    assert (folder / "config.toml").read_text() == to_toml(config)
    assert config.rounds == 3


# What ran where.


def test_a_run_begun_on_another_processor_and_resumed_here_says_so(call, run):
    folder = run("a", *RESTS_ON_BLAS)
    here = read_environment(folder)
    begun = here | {"processor": "another", "c_library": "glibc 2.17"}
    rewritten(folder, lambda run: run, earlier=[begun])
    code, out, _ = call("verify", "a", "-q")
    assert (code, out.splitlines()[-1]) == (0, "same bits")
    said = " ".join(line.removeprefix("environment").strip() for line in out.splitlines())
    assert "(then another in session 1 of 2)" in said
    assert "(then glibc 2.17 in session 1 of 2): its functions may differ" in said


@pytest.mark.parametrize("fact", ["c_library", "simd", "blas"])
def test_rounding_is_excused_where_the_libraries_differ(call, run, fact):
    rewritten(run("a", *RESTS_ON_BLAS), times(1 + 2.0**-26), **{fact: "another"})
    code, out, _ = call("verify", "a", "-q")
    assert (code, out.splitlines()[-1]) == (0, "same within confidence")
    rewritten(Path("a"), times(1.5, slice(2, 3), ["F"]))
    code, out, _ = call("verify", "a", "-q")
    assert (code, out.splitlines()[-1]) == (1, "different")
