"""``kavg resume --rounds``: a finished run becomes longer, or the command says why not."""

from __future__ import annotations

import json
import signal
import tomllib
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from helpers.run_folder import (
    change_environment,
    read_environment,
    read_summary,
    renew_manifest,
)

import kavg
from kavg.cli import environment
from kavg.cli.resumption import last_checkpoint as resuming
from kavg.config.config import Config
from kavg.portability import ARITHMETIC, SameBits
from kavg.reports.repetition import UNTRIED
from kavg.storage import load_trajectories, manifest
from kavg.storage.trajectories import write_trajectories


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


def test_an_unfinished_run_may_become_longer_too(call, here, stop):
    call("run", "my.toml", "-q", "--out", "long", "--set", "rounds=11")
    stop(at=8)
    assert call("resume", "runs/my", "-q", "--rounds", "11")[0] == 0
    assert read_summary(here / "runs/my") == read_summary(here / "long")


def test_with_a_plain_mean_and_single_precision(call, here, stop):
    settings = ["--set", "mean=allreduce", "--set", "dtype=float32"]
    call("run", "my.toml", "-q", "--out", "whole", *settings)
    stop(*settings, at=5)
    assert call("resume", "runs/my", "-q")[0] == 0
    assert read_summary(here / "runs/my") == read_summary(here / "whole")


def test_a_finished_run_without_more_rounds_is_no_error(call, here, whole):
    before = {path: path.read_bytes() for path in (here / "whole").iterdir() if path.is_file()}
    for more in ([], ["--rounds", "6"]):
        code, out, err = call("resume", "whole", *more)
        assert (code, err) == (0, "")
        assert out == "'whole' is finished, 6 rounds; --rounds N extends it\n"
    assert before == {path: path.read_bytes() for path in before}


def test_wrong_rounds_and_folders_are_refused(call, here, stop, whole):
    stop()
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


def test_other_files_in_a_finished_run_are_left_alone(call, here, whole):
    (here / "whole/notes.txt").write_text("mine")
    (here / "whole/metrics.csv").unlink()
    assert call("resume", "whole", "--rounds", "9", "-q")[0] == 0
    assert (here / "whole/notes.txt").read_text() == "mine"


def test_other_versions_are_reported_once(call, here, stop, monkeypatch):
    stop()
    then = environment.describe_versions("any machine")
    with monkeypatch.context() as patch:
        patch.setattr(
            resuming, "describe_versions", lambda _: then | {"numpy": "9.9", "source": "abc"}
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
    libraries = {"c_library": "glibc 2.17", "blas": None}  # no bit of this run depends on them
    change_environment(here / "other", machine="abacus", versions=versions, **libraries)
    renew_manifest(here / "other")
    code, _, err = call("resume", "other", "-q", "--rounds", "7")
    assert code == 0
    assert "kavg 0.0.1 then, " in err
    assert "machine abacus then, " in err
    assert "c_library" not in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("promise", get_args(SameBits))
def test_other_numpy_and_machines_change_only_bits_that_may_depend_on_them(
    call, here, promise, monkeypatch
):
    call("run", "my.toml", "-q", "--out", "other")
    monkeypatch.setattr(Config, "same_bits", promise)
    versions = read_environment(here / "other")["versions"] | {"numpy": "9.9"}
    change_environment(here / "other", machine="abacus", versions=versions)
    renew_manifest(here / "other")
    code, _, err = call("resume", "other", "-q", "--rounds", "7")
    portable = promise.startswith("any machine")
    assert (code, "may differ" in err, UNTRIED in err) == (0, not portable, portable)
    assert f"numpy 9.9 then, {np.__version__} now" in err


def test_a_finished_run_of_another_arithmetic_is_not_extended(call, here):
    call("run", "my.toml", "-q", "--out", "old")
    known = read_environment(here / "old")
    # As kavg 0.3.0 wrote them.
    del known["arithmetic"]
    known["versions"]["kavg"] = "0.3.0"
    (here / "old/environment.json").write_text(json.dumps(known))
    renew_manifest(here / "old")
    code, _, err = call("resume", "old", "-q", "--rounds", "7")
    assert code == 2
    assert err == (
        "kavg: 'old' cannot be extended: it was made with arithmetic 1 of kavg 0.3.0; this kavg "
        f"has arithmetic {ARITHMETIC}, so other numbers are possible; install kavg==0.3.0 to "
        "extend it\n"
    )


def test_a_run_with_an_earlier_session_of_another_arithmetic_is_not_extended(call, here, whole):
    then = {"versions": {"kavg": "0.3.0"}}
    change_environment(here / "whole", earlier=[then])
    renew_manifest(here / "whole")
    code, _, err = call("resume", "whole", "-q", "--rounds", "7")
    assert (code, err) == (
        2,
        "kavg: 'whole' cannot be extended: it was made with several arithmetics, 1 of kavg 0.3.0, "
        f"then {ARITHMETIC} of kavg {kavg.__version__}, so that no kavg can extend it; run its "
        "settings again\n",
    )


def test_arrays_of_another_arithmetic_are_not_extended(call, here, whole):
    runs = [replace(run, arithmetic=1) for run in load_trajectories(here / "whole")]
    write_trajectories(here / "whole/trajectory.npz", runs)
    renew_manifest(here / "whole")
    code, _, err = call("resume", "whole", "-q", "--rounds", "7")
    assert code == 2
    assert f"it has arithmetic 1 and this kavg {ARITHMETIC}" in " ".join(err.split())


@pytest.mark.timeout(30)  # where it is extended, it does not end
def test_a_run_is_not_extended_beyond_the_steps_that_have_noise(call):
    # So that the records are not too large as well.
    call("run", "my.toml", "-q", "--set", f"record.every={2**30}")
    code, out, err = call("resume", "runs/my", "-q", "--rounds", str(2**32))
    assert (code, out) == (2, "")
    assert err.startswith(f"kavg: the run cannot have {2**32} rounds:\n  ")
    assert "more than 2^32 local steps" in " ".join(err.split())
