"""Measures that are not finite, through every command; and what ends a run is named."""

import numpy as np
import pytest
from helpers.settings import k_avg, settings_text

from kavg.objectives import Cosine
from kavg.storage import load_trajectories


def measured(x):
    """NaN for some replicas, infinite for others, and finite at the start."""
    size = np.vecdot(x, x)
    return np.where(size > 19.9, size, np.where(np.arange(len(size)) % 2, np.nan, np.inf))


@pytest.fixture(autouse=True)
def here(empty, monkeypatch):
    (empty / "my.toml").write_text(settings_text(rounds=8))
    monkeypatch.setattr(Cosine, "measures", {"odd": measured}, raising=False)
    return empty


def test_every_command_works_on_a_measure_that_is_not_finite(call, here):
    code, out, _ = call("run", "my.toml", "--out", "a")
    assert code == 0
    assert "not finite" in out
    (first, second) = load_trajectories("a")
    assert np.isfinite(first.odd[0]).all()
    assert not np.isfinite(first.odd[-1]).any()
    assert second.diverged_at is first.diverged_at is None
    assert first.rounds[-1] == 8
    for words in (
        ("verify", "a"), ("verify", "a", "--sample", "3"), ("verify", "a", "--files"),
        ("check", "a"), ("plot", "a"), ("resume", "a", "--rounds", "12"), ("verify", "a"),
        ("list",), ("run", "my.toml", "--out", "b", "--set", "rounds=12"), ("diff", "a", "b"),
    ):  # fmt: skip
        code, out, err = call(*words)
        assert code == 0, (words, out, err)
        assert "Warning" not in err
    assert "nan" in (here / "a" / "metrics.csv").read_text()


def test_a_repetition_elsewhere_is_judged_by_what_is_finite(call, monkeypatch):
    assert call("run", "my.toml", "-q", "--out", "a")[0] == 0
    monkeypatch.setattr("kavg.cli.verification.environment_changes", lambda *_: ["another machine"])
    assert "same bits" in call("verify", "a")[1]
    monkeypatch.setattr(Cosine, "measures", {"odd": lambda x: measured(x) * (1 + 1e-15)})
    assert "same within confidence" in call("verify", "a")[1]
    monkeypatch.setattr(Cosine, "measures", {"odd": lambda x: np.abs(x).max(axis=-1)})
    code, out, _ = call("verify", "a")
    assert code == 1
    assert "different" in out


def test_what_ended_a_run_is_named(call, here):
    wild = settings_text(
        objective={"kind": "quadratic", "spectrum": [1.0]}, rounds=40, algorithm=[k_avg(gamma=1e80)]
    )
    (here / "wild.toml").write_text(wild)
    code, out, _ = call("run", "wild.toml", "--out", "w")
    assert code == 0
    (run,) = load_trajectories("w")
    assert run.not_finite == "w"
    assert f"diverged at round {run.diverged_at}: w is not finite" in out
    assert '"not_finite": "w"' in (here / "w" / "summary.json").read_text()
    assert call("verify", "w")[0] == 0


def test_F_at_the_start_is_named(call, here):
    (here / "far.toml").write_text(settings_text(start=1e200))
    code, _, err = call("run", "far.toml")
    assert code == 2
    assert "not finite" in err
