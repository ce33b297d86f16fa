"""The command of the benchmark, with times that are made up."""

from __future__ import annotations

import json

import pytest

from experiments.benchmarks import command as job
from experiments.benchmarks import processes as launch
from experiments.benchmarks.history import read_history
from experiments.benchmarks.instruction_set import XLA, InstructionSet, Observed
from experiments.benchmarks.ratios import Measured
from experiments.benchmarks.timing import CPU, WALL
from kavg.engine.communicator import SerialComm
from kavg.errors import KavgError


def a_measurement():
    seconds = {"kavg": [1.0, 2.0, 4.0], "JAX": [2.0, 4.0, 4.0]}
    return Measured("small", "one", {"P": 4, "d": 1000}, "ns", 10.0, seconds)


@pytest.fixture
def quick_bench(monkeypatch, tmp_path):
    """The command with times made up: ``call(**options) -> exit code``, written to ``bench``."""
    asked, plans = [], []

    def measured(group, plan):
        asked.append((group, plan.repetitions))
        plans.append(plan)
        return [a_measurement()] if group != "large" else [launch.failed("large", "crashed")]

    def observed(variables):
        return Observed(["AVX2"], [], "", variables["XLA_FLAGS"])

    monkeypatch.setattr(job, "measure", measured)
    monkeypatch.setattr(job, "detect_launch", lambda: None)
    monkeypatch.setattr(job, "observe_apart", observed)
    monkeypatch.setattr(launch, "simd_extensions", lambda: ["AVX2", "AVX512F"])

    def call(only="small", **given):
        return job.bench(SerialComm(), job.Options(tmp_path / "bench", only, **given))

    call.asked, call.plans = asked, plans
    call.out = tmp_path / "bench"
    return call


def test_the_command_prints_and_writes(quick_bench, capsys):
    pytest.importorskip("matplotlib")
    assert quick_bench("small,noise") == 0
    assert quick_bench.asked == [("small", 7), ("noise", 7)]
    assert "one: P = 4, d = 1000" in capsys.readouterr().out
    files = sorted(path.name for path in quick_bench.out.iterdir())
    assert files == ["bench.json", "bench.md", "bench.png", "bench.svg"]
    facts = json.loads((quick_bench.out / "bench.json").read_text())
    assert facts["measured"][0]["seconds"]["kavg"] == [1.0, 2.0, 4.0]


def test_the_command_prints_markdown_alone(quick_bench, capsys):
    quick_bench(markdown=True, quick=True)
    printed = capsys.readouterr().out
    assert printed == (quick_bench.out / "bench.md").read_text()
    assert "| JAX | 40.0 | 0.500 |" in printed
    assert quick_bench.asked == [("small", 3)]


def test_older_timings_are_kept_unless_forced(quick_bench):
    quick_bench()
    with pytest.raises(KavgError, match="holds timings already; use --force"):
        quick_bench()
    assert quick_bench(force=True) == 0


def test_a_part_that_failed_is_an_exit_code(quick_bench, capsys):
    assert quick_bench("small,large") == 1
    assert "not measured: crashed" in capsys.readouterr().out


def test_clock_and_instruction_set_reach_workers_and_results(quick_bench):
    quick_bench()
    assert quick_bench.plans[0].clock == CPU
    assert "NPY_DISABLE_CPU_FEATURES" not in quick_bench.plans[0].variables
    quick_bench(force=True, clock=WALL, isa=InstructionSet.AVX2)
    assert quick_bench.plans[1].clock == WALL
    assert quick_bench.plans[1].variables["NPY_DISABLE_CPU_FEATURES"] == "AVX512F"
    facts = json.loads((quick_bench.out / "bench.json").read_text())["machine"]
    assert (facts["isa"], facts["given"]["ATEN_CPU_CAPABILITY"]) == ("avx2", "avx2")


def test_nothing_is_measured_if_the_instruction_set_is_not_held(quick_bench, monkeypatch):
    wider = Observed(["AVX2", "AVX512F"], [], "", XLA)
    monkeypatch.setattr(job, "observe_apart", lambda variables: wider)
    with pytest.raises(KavgError, match="NumPy still uses AVX512F"):
        quick_bench(isa=InstructionSet.AVX2)
    assert quick_bench.asked == []


def test_a_history_gets_the_lines_of_a_run(quick_bench, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "current_commit", lambda: "0123456789ab+")
    path = tmp_path / "history.csv"
    quick_bench(history=path)
    assert {(line.commit, line.contestant) for line in read_history(path)} == {
        ("0123456789ab+", "kavg"), ("0123456789ab+", "JAX"),
    }  # fmt: skip
    with pytest.raises(KavgError, match="leave --history or --quick out"):
        quick_bench(history=path, quick=True, force=True)
    path.write_text("something else\n")
    with pytest.raises(KavgError, match="the first line must be date"):
        quick_bench(history=path, force=True)
    assert len(quick_bench.asked) == 1


def test_the_command_refuses_wrong_options(quick_bench, monkeypatch):
    with pytest.raises(KavgError, match="repetitions must be at least 1"):
        quick_bench(repetitions=0)
    monkeypatch.setattr(job, "detect_launch", lambda: "MPICH hydra")
    with pytest.raises(KavgError, match="without mpiexec"):
        quick_bench()
