"""Every settings file runs or gets one clear report: a small hunt, and that the hunter sees."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from helpers.experiment import experiment
from helpers.settings import k_avg, settings_text

from kavg.cli import execution as jobs
from kavg.cli import results
from kavg.config import messages
from kavg.storage import RunFolder, checkpoints

hunt = experiment("reliability/hunt")
GOOD = settings_text(rounds=2, replicas=1, algorithm=[k_avg(K=1)]).encode()


@pytest.mark.timeout(290)
def test_every_case_runs_or_gets_one_report(monkeypatch):
    # Of so few cases more must be drawn, and run again.
    monkeypatch.setattr(hunt, "DRAWN", 8)
    monkeypatch.setattr(hunt, "REPLAYED", 3)
    tally = hunt.hunt(240)
    assert not tally.failures, "\n".join(f"{case}\n{words}" for case, words in tally.failures[:3])
    assert tally.cases == 240
    outcomes = {outcome for _, outcome in tally.outcomes}
    assert {"ran", "refused"} <= outcomes <= {"ran", "refused", "interrupted"}
    assert tally.drawn
    assert tally.verified


def outcome(tmp_path, text=GOOD, command="run", **options):
    """What the hunter says of one case."""
    case = hunt.Case("valid", text, command, "my.toml", (), None)
    tally = hunt.Tally()
    (tmp_path / "laid").mkdir()
    with hunt.limit_resources():
        hunt.try_in_own_folder(case, tmp_path / "laid", tally)
    ((_, name),) = tally.outcomes
    return name, "".join(words for _, words in tally.failures)


def test_the_hunter_accepts_a_right_run(tmp_path):
    assert outcome(tmp_path) == ("ran", "")


def test_the_hunter_accepts_one_report(tmp_path):
    assert outcome(tmp_path, GOOD.replace(b"rounds = 2", b"rounds = 0")) == ("refused", "")


def test_the_hunter_accepts_a_run_that_is_long_for_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(hunt, "SECONDS", 0.3)
    assert outcome(tmp_path, GOOD.replace(b"P = 7", b"P = 1000000000000")) == ("interrupted", "")


LONG = settings_text(
    rounds=2,
    replicas=1,
    checkpoint={"every": 1},
    algorithm=[k_avg(K=1), k_avg(name="slow", P=10**12)],
).encode()


def test_the_hunter_accepts_checkpoints_that_were_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(hunt, "SECONDS", 0.5)
    assert outcome(tmp_path, LONG) == ("interrupted", "")


def test_the_hunter_sees_a_checkpoint_that_is_not_whole(tmp_path, monkeypatch):
    to_bytes = checkpoints.encode_checkpoint
    monkeypatch.setattr(hunt, "SECONDS", 0.5)
    monkeypatch.setattr(checkpoints, "encode_checkpoint", lambda x: [to_bytes(x)[0], b"half"])
    name, words = outcome(tmp_path, LONG)
    assert name == "failed"
    assert "000000001.ckpt" in words


def test_the_hunter_sees_a_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr(messages, "shorten_repr", lambda value: 1 / 0)
    name, words = outcome(tmp_path, GOOD.replace(b"rounds = 2", b"rounds = 'a'"))
    assert name == "failed"
    assert "ZeroDivisionError" in words


def test_the_hunter_sees_a_hang(tmp_path, monkeypatch):
    def for_ever(*given, **options):
        while True:
            time.process_time()

    monkeypatch.setattr(hunt, "SECONDS", 0.3)
    monkeypatch.setattr(jobs, "complete_run", for_ever)
    name, words = outcome(tmp_path)
    assert name == "failed"
    assert "still running" in words


@pytest.mark.parametrize("text", [GOOD, GOOD.replace(b"rounds = 2", b"rounds = 0")])
def test_the_hunter_sees_a_file_left_behind(tmp_path, monkeypatch, text):
    honest = jobs.load_config

    def littering(*given):
        Path("left").touch()
        return honest(*given)

    monkeypatch.setattr(jobs, "load_config", littering)
    name, words = outcome(tmp_path, text)
    assert name == "failed"
    assert "left ['left']" in words


def test_the_hunter_sees_a_warning(tmp_path, monkeypatch):
    honest = jobs.complete_run

    def warning(*given, **options):
        import warnings

        warnings.warn("look out", stacklevel=2)
        return honest(*given, **options)

    monkeypatch.setattr(jobs, "complete_run", warning)
    name, words = outcome(tmp_path)
    assert name == "failed"
    assert "look out" in words


def test_the_hunter_sees_a_figure_that_fails(tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("no fonts")

    monkeypatch.setattr(results, "write_figures", fail)
    monkeypatch.setattr(hunt, "DRAWN", 1)
    name, words = outcome(tmp_path)
    assert name == "failed"
    assert "no figure: no fonts" in words


def test_the_hunter_sees_a_folder_that_is_not_whole(tmp_path, monkeypatch):
    honest = RunFolder.write

    def clumsy(folder, *given):
        honest(folder, *given)
        (folder.path / "metrics.csv").write_text("")

    monkeypatch.setattr(RunFolder, "write", clumsy)
    name, words = outcome(tmp_path)
    assert name == "failed"
    assert "'metrics.csv' was changed" in words
