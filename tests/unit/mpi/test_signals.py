"""Which signal ends a job, and when."""

from __future__ import annotations

import signal

import pytest
from helpers.ranks import run_ranks
from hypothesis import given
from hypothesis import strategies as st

from kavg.mpi import signals
from kavg.mpi.signals import SIGNALS, PendingSignal, SignalExit, agree_on_signal, handle_signals


@pytest.fixture
def handlers():
    """The handlers as they were, behind a test."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield before
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_comes_again_later_ends_the_job_only_if_it_is_urgent(
    monkeypatch, handlers, number
):
    """Beyond the limit of processor time Linux sends SIGXCPU every second."""
    monkeypatch.setattr(signals, "REPEAT_SECONDS", -1.0)
    pending = PendingSignal()
    pending(number)
    if number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        with pytest.raises(SignalExit):
            pending(number)
    else:
        pending(number)
    assert pending.number == number


@given(st.lists(st.sampled_from([0, *SIGNALS]), min_size=1, max_size=4))
def test_ranks_agree_on_the_first_signal_of_the_list(caught):
    def agree(comm):
        return agree_on_signal(comm, caught[comm.Get_rank()])

    order = [*SIGNALS, 0]
    assert run_ranks(len(caught), agree) == [min(caught, key=order.index)] * len(caught)


@pytest.mark.parametrize("ignored", SIGNALS)
def test_all_are_handled_but_those_that_were_ignored(handlers, ignored):
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN if number == ignored else signal.SIG_DFL)
    pending = PendingSignal()
    with handle_signals(pending):
        now = {number: signal.getsignal(number) for number in SIGNALS}
    assert {number for number in SIGNALS if now[number] is pending} == set(SIGNALS) - {ignored}
    assert now[ignored] == signal.SIG_IGN
    assert signal.getsignal(signal.SIGHUP) in (signal.SIG_DFL, signal.SIG_IGN)
