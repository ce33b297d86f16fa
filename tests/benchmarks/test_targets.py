"""Targets: a table of made-up times, and an exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

import pytest

from experiments.benchmarks.contestants import roster
from experiments.benchmarks.ratios import Measured
from experiments.benchmarks.targets import TARGETS, Target, read_results, targets_table
from experiments.benchmarks.timing import CPU, WALL
from experiments.benchmarks.workloads import ALONE, workloads
from kavg.errors import KavgError

TWO = (Target("one", "JAX", 0.5), Target("one", "PyTorch", 0.5), Target("two", "JAX", 2.0))


def results(path, measured, isa="avx2"):
    found = {"machine": {"processor": "a processor", "isa": isa, "core": 0}, "repetitions": 1}
    path.write_text(json.dumps(found | {"measured": [asdict(each) for each in measured]}))
    return path


def measured(name, clock=CPU, **seconds):
    return Measured("g", name, {"d": 2}, "ns", 1.0, seconds, clock=clock)


def test_a_table_by_hand(tmp_path):
    one = measured("one", kavg=[1.0, 1.0, 9.0], JAX=[2.0, 2.0, 2.0], PyTorch=[1.0, 1.0, 1.0])
    found = read_results(results(tmp_path / "bench.json", [one]))
    table = targets_table(found, TWO)
    assert [tuple(row) for row in table.rows] == [
        ("one: JAX", "0.5", "0.500", "yes"),
        ("one: PyTorch", "0.5", "1.00", "no"),
        ("two: JAX", "2", "not measured", ""),
    ]
    assert "--isa avx2" in table.caption
    assert table.notes == []


def test_results_that_the_targets_are_not_meant_for_are_noted(tmp_path):
    name = TARGETS[0].workload
    slow = measured(name, clock=WALL, kavg=[1.0], JAX=[1.0])
    found = read_results(results(tmp_path / "bench.json", [slow], isa="native"))
    assert targets_table(found).notes == [
        "the targets are meant for --isa avx2", "the targets are meant for CPU time",
    ]  # fmt: skip


def test_every_target_is_of_a_workload_and_a_contestant_that_there_is():
    known = {
        each.name: list(roster.runners(each))
        for group in ALONE
        if group != "digits"
        for each in workloads(group)
    }
    for target in TARGETS:
        assert target.contestant in known[target.workload]
    assert len(set(TARGETS)) == len(TARGETS) == 17


def every_target(ratio):
    """Results in which every target is measured, at this share of it."""
    names = dict.fromkeys(target.workload for target in TARGETS)
    return [
        measured(
            name,
            kavg=[1.0],
            **{
                each.contestant: [1 / (ratio * each.ratio)]
                for each in TARGETS
                if each.workload == name
            },
        )
        for name in names
    ]


@pytest.mark.parametrize(("ratio", "code"), [(0.99, 0), (1.01, 1)])
def test_a_missed_target_is_an_exit_code(tmp_path, ratio, code):
    path = results(tmp_path / "bench.json", every_target(ratio))
    command = [sys.executable, "-m", "experiments.benchmarks.targets", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.count("yes") == (17 if code == 0 else 0)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"machine": {"processor": "x"}, "measured": []}']
)
def test_another_kind_of_file_is_refused(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(KavgError, match="as the benchmark's results"):
        read_results(tmp_path / "x.json")
    with pytest.raises(KavgError, match="No such file"):
        read_results(tmp_path / "y.json")
