"""Ranks that drift apart are found, at the price of 8 bytes a rank now and then."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.ranks import CountingComm, run_ranks
from helpers.settings import m_avg, settings_text
from hypothesis import given
from hypothesis import strategies as st

from kavg import SerialComm
from kavg.cli import execution as jobs
from kavg.cli.progress import show_nothing
from kavg.cli.session import Session
from kavg.cli.supervisor import Supervisor
from kavg.config import settings_file
from kavg.errors import CollectiveError, KavgError
from kavg.mpi.signals import PendingSignal
from kavg.mpi.sync_check import SyncCheck, hash_state
from kavg.trajectory import Round, State


def run(comm, *, every=2, gamma=0.05):
    text = settings_text(rounds=6, agree_every=every, algorithm=[m_avg(gamma=gamma)])
    settings = settings_file.parse_config(text)
    supervisor = Supervisor(comm, show_nothing, PendingSignal(), None)
    return jobs.run_algorithm(Session(comm), settings, settings.algorithms[0], None, supervisor)


def done(n, w):
    return Round(State(n, np.array([[w]]), np.empty(0)), np.zeros(1), 0.1)


@given(st.lists(st.sampled_from([0.0, -0.0, 1.0, 1.0 + 2**-52]), min_size=2, max_size=5))
def test_ranks_agree_if_and_only_if_all_bits_do(values):
    def rank(comm):
        check = SyncCheck(comm, "A", every=1)
        check.after_round(done(1, 5.0))
        try:
            check.after_round(done(2, values[comm.Get_rank()]))
        except KavgError as error:
            return isinstance(error, CollectiveError), error.code, str(error).splitlines()
        return None

    told = run_ranks(len(values), rank)
    bits = {np.float64(value).tobytes() for value in values}
    if len(bits) == 1:
        assert told == [None] * len(values)
        return
    assert told == [told[0]] * len(values)
    together, code, lines = told[0]
    assert (together, code, len(lines)) == (True, 1, 2 + len(bits))
    assert lines[0] == "ranks hold different models after round 2 of A (equal after round 1):"


def test_a_hash_is_of_the_round_the_model_and_its_momentum():
    w, v = np.ones((2, 3)), np.zeros((2, 3))
    base = hash_state(3, w, v)
    assert len(base) == 8
    assert base == hash_state(3, w.copy(), v.copy())
    assert base == hash_state(3, np.asfortranarray(w), v)
    others = [hash_state(4, w, v), hash_state(3, v, w), hash_state(3, w, v, diverged_at=4)]
    v[1, 2] = -0.0
    assert len({base, hash_state(3, w, v), *others}) == 5


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize(("every", "times"), [(1, 6), (2, 3), (4, 1), (100, 0)])
def test_a_comparison_is_one_allgather_and_the_end_is_always_compared(size, every, times):
    def rank(comm):
        counting = CountingComm(comm)
        run(counting, every=every)
        return counting.calls["Allgather"]

    # The noise of this run fits its grids, so no other Allgather is made.
    assert run_ranks(size, rank) == [times + 1] * size


def test_one_rank_alone_compares_nothing():
    counting = CountingComm(SerialComm())
    run(counting, every=1)
    assert set(counting.calls) == {"Allreduce"}


def test_ranks_that_diverge_agree_on_it():
    assert [r.diverged_at is None for r in run_ranks(2, lambda comm: run(comm, gamma=1e120))] == [
        False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [("timeout", 0), ("timeout", -1), ("agree_every", 0)])
def test_settings_that_make_no_sense_are_refused(key, value):
    with pytest.raises(KavgError, match=key):
        settings_file.parse_config(settings_text(**{key: value}))
