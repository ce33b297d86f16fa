"""Trajectories on disk: read back bit for bit, and digested as documented."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

import numpy as np
from helpers.strategies import algorithms, problems, trajectories
from hypothesis import given
from hypothesis import strategies as st

import kavg
from kavg.storage import RunFolder, StoredRun, digest, joint_digest, load_trajectories
from kavg.storage.trajectories import build_trajectories, collect_arrays, collect_fields


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


# Read back.


@given(runs=st.lists(trajectories(), max_size=3))
def test_trajectories_come_back_bit_for_bit(tmp_path_factory, runs):
    folder = tmp_path_factory.mktemp("run") / "x"
    RunFolder(folder).write(StoredRun("", runs, {}, {}))
    back = load_trajectories(folder)
    assert len(back) == len(runs)
    for before, after in zip(runs, back, strict=True):
        assert list(before.series) == list(after.series)
        for name in ("rounds", "w", "v", "seconds", "gammas", "counted", "Ks"):
            assert same(getattr(before, name), getattr(after, name))
        for name in before.series:
            assert same(before.series[name], after.series[name])
        for name in ("name", "P", "K", "B", "diverged_at", "outer", "next_K", "done_steps"):
            assert getattr(before, name) == getattr(after, name)
        assert digest(before) == digest(after)


@given(problems(), algorithms(P=st.integers(2, 5)))
def test_a_real_run_comes_back(tmp_path_factory, problem, method):
    run = kavg.simulate(problem, method, rounds=3, replicas=2, seed=1)
    folder = tmp_path_factory.mktemp("run") / "x"
    RunFolder(folder).write(StoredRun("", [run], {}, {}))
    assert [digest(back) for back in load_trajectories(folder / "trajectory.npz")] == [digest(run)]


@given(trajectories())
def test_the_arithmetic_comes_back_and_is_the_first_where_it_is_missing(run):
    run = replace(run, arithmetic=5)
    about = collect_fields(run)
    assert build_trajectories([about], collect_arrays([run]))[0].arithmetic == 5
    del about["arithmetic"]
    assert build_trajectories([about], collect_arrays([run]))[0].arithmetic == 1


# The digest.


@given(trajectories())
def test_the_digest_is_as_documented(run):
    content = b"".join(struct.pack("<d", x) for x in run.w.flat)
    content += b"".join(int(n).to_bytes(8, "little", signed=True) for n in run.rounds)
    for name in sorted(run.series):
        content += name.encode() + b"".join(struct.pack("<d", x) for x in run.series[name].flat)
    assert digest(run) == hashlib.sha256(content).hexdigest()
    two = hashlib.sha256((digest(run) * 2).encode()).hexdigest()
    assert joint_digest([run, run]) == two != digest(run)


@given(trajectories(), st.data())
def test_any_bit_changes_the_digest(run, data):
    arrays = {"w": run.w, "rounds": run.rounds, **run.series}
    name = data.draw(st.sampled_from(sorted(arrays)))
    changed = arrays[name].copy()
    byte = data.draw(st.integers(0, changed.nbytes - 1))
    changed.view(np.uint8).reshape(-1)[byte] ^= 1 << data.draw(st.integers(0, 7))
    part = {name: changed} if name in ("w", "rounds") else {"series": run.series | {name: changed}}
    assert digest(replace(run, **part)) != digest(run)


@given(trajectories())
def test_time_and_order_and_layout_do_not_change_the_digest(run):
    backwards = dict(reversed(run.series.items()))
    fortran = np.asfortranarray(run.w)
    other = replace(run, seconds=run.seconds + 1, series=backwards, w=fortran)
    assert digest(other) == digest(run)
