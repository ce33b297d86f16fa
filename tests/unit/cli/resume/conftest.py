"""Runs that signals stop, in this process, at rounds that are chosen."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from helpers.run_folder import read_digest
from helpers.settings import k_avg, m_avg, write_settings

from kavg.engine.local.local_steps import LocalSteps
from kavg.mpi import signals


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

        def displacement(self, learners, start, steps, *rest, **named):
            if not rounds or rounds[-1] != (id(self), steps.n):
                rounds.append((id(self), steps.n))
                if len(rounds) == at:
                    for number in numbers:
                        os.kill(os.getpid(), number)
            return honest(self, learners, start, steps, *rest, **named)

        monkeypatch.setattr(LocalSteps, "displacement", displacement)

    return strike


@pytest.fixture
def whole(call, here):
    """The digest of the uninterrupted run."""
    assert call("run", "my.toml", "-q", "--out", "whole")[0] == 0
    return read_digest(here / "whole")


@pytest.fixture
def stop(call, strike):
    """``stop("--out", "a", at=4)`` runs ``my.toml`` until a signal ends it in its fourth round."""

    def stop(*words, at=4):
        strike(at, signal.SIGTERM)
        assert call("run", "my.toml", "-q", *words)[0] == 143
        strike(0)

    return stop
