"""What the benchmark does: one group after another, then a table, files and a figure."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from experiments.benchmarks.cpu_affinity import pinnable_cores
from experiments.benchmarks.history import add_run, current_commit, lines_of, read_history
from experiments.benchmarks.instruction_set import InstructionSet, confirm, observe_apart
from experiments.benchmarks.machine import machine
from experiments.benchmarks.processes import Plan, measure, worker_variables
from experiments.benchmarks.ratios import Measured
from experiments.benchmarks.reports.report import Report
from experiments.benchmarks.timing import CPU
from experiments.benchmarks.workloads import chosen
from kavg.base import Communicator
from kavg.cli.environment import installed_version
from kavg.cli.output import draw_if_possible, print_text
from kavg.errors import CollectiveError, KavgError
from kavg.mpi.launchers import detect_launch

LEAST: Final = 0.05
"""Seconds that a contestant runs in each repetition, at least."""


@final
@dataclass(frozen=True)
class Options:
    """What the command line says; ``history`` is the file to append to, if one."""

    out: Path
    only: str | None = None
    repetitions: int | None = None
    isa: InstructionSet = InstructionSet.NATIVE
    clock: str = CPU
    quick: bool = False
    markdown: bool = False
    force: bool = False
    history: Path | None = None

    @property
    def times(self) -> int:
        """The number of repetitions."""
        if self.repetitions is not None:
            return self.repetitions
        return 3 if self.quick else 7


def bench(comm: Communicator, options: Options) -> int:
    """Measure the groups asked for, print the tables, write them; 1 if a part failed."""
    if comm.Get_size() > 1 or detect_launch() is not None:
        raise CollectiveError("the benchmark starts its own ranks; start it without mpiexec")
    groups = chosen(options.only)
    check(options)
    commit = current_commit() if options.history else ""
    variables = worker_variables(options.isa)
    seen = observe_apart(variables)
    confirm(options.isa, seen)
    core = next(iter(pinnable_cores()), None)
    facts = machine(core, options.isa, variables, seen)
    least = LEAST / 5 if options.quick else LEAST
    plan = Plan(options.times, least, options.quick, core, options.clock, variables)
    found = [each for group in groups for each in told(group, plan)]
    report = Report(facts, options.times, found)
    print_text(report.markdown() if options.markdown else report.text())
    write(report, options.out)
    if options.history:
        add_run(options.history, lines_of(facts, found, commit))
    return int(any("not measured" in each.notes for each in found))


def check(options: Options) -> None:
    """Refuse before any work what would fail after it."""
    out = options.out
    if options.times < 1:
        raise KavgError(f"repetitions must be at least 1, got {options.times}; use 5 to 7")
    if (out / "bench.json").exists() and not options.force:
        raise KavgError(f"{str(out)!r} holds timings already; use --force, or --out DIR")
    if options.history and options.quick:
        raise KavgError("--quick measures other sizes; leave --history or --quick out")
    if options.history:
        read_history(options.history)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KavgError(f"cannot write {str(out)!r}: {error.strerror}; use --out DIR") from None


def told(group: str, plan: Plan) -> list[Measured]:
    """Measure a group, and say so while it lasts."""
    sys.stderr.write(f"kavg: timing {group} ...")
    sys.stderr.flush()
    before = time.perf_counter()
    found = measure(group, plan)
    sys.stderr.write(f" {time.perf_counter() - before:.0f} s\n")
    return found


def write(report: Report, out: Path) -> None:
    """``bench.json``, ``bench.md`` and, with matplotlib, ``bench.png`` and ``bench.svg``."""
    facts = json.dumps(report.plain(), indent=1)
    (out / "bench.json").write_text(facts + "\n", encoding="utf-8")
    (out / "bench.md").write_text(report.markdown() + "\n", encoding="utf-8")
    draw_if_possible(lambda: draw(report.found, out))
    sys.stderr.write(f"folder  {out}\n")
    if not installed_version("matplotlib"):
        sys.stderr.write("no figure: pip install 'kavg[plot]' draws one\n")


def draw(found: Sequence[Measured], out: Path) -> None:
    """The figure of everything."""
    from experiments.benchmarks.reports.figure import bench_figure
    from kavg.reports.figures import save

    save(bench_figure(found), out, "bench")
