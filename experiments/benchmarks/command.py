"""What the benchmark does: one group after another, then a table, a file and a figure."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from experiments.benchmarks.cpu_affinity import pinnable_cores
from experiments.benchmarks.machine import machine
from experiments.benchmarks.processes import LOOPBACK, ONE_THREAD, Plan, measure
from experiments.benchmarks.ratios import Measured
from experiments.benchmarks.report import Report
from experiments.benchmarks.workloads import chosen
from kavg.base import Communicator
from kavg.cli.environment import installed_version
from kavg.cli.output import draw_if_possible, print_text
from kavg.errors import CollectiveError, KavgError
from kavg.mpi.launchers import detect_launch

LEAST: Final = 0.05
"""Seconds that a contestant runs in each repetition, at least."""


def bench(
    comm: Communicator,
    only: str | None,
    repetitions: int | None,
    out: Path,
    *,
    quick: bool,
    markdown: bool,
    force: bool,
) -> int:
    """Measure the groups asked for, print the tables, write them to ``out``; 1 if a part failed."""
    if comm.Get_size() > 1 or detect_launch() is not None:
        raise CollectiveError("the benchmark starts its own ranks; start it without mpiexec")
    groups = chosen(only)
    times = repetitions if repetitions is not None else 3 if quick else 7
    check(out, times, force)
    core = next(iter(pinnable_cores()), None)
    facts = machine(core, ONE_THREAD | LOOPBACK)
    plan = Plan(times, LEAST / 5 if quick else LEAST, quick, core)
    report = Report(facts, times, [each for group in groups for each in told(group, plan)])
    print_text(report.markdown() if markdown else report.text())
    write(report, out)
    return int(any("not measured" in each.notes for each in report.found))


def check(out: Path, repetitions: int, force: bool) -> None:
    """Refuse before any work what would fail after it."""
    if repetitions < 1:
        raise KavgError(f"repetitions must be at least 1, got {repetitions}; use 5 to 7")
    if (out / "bench.json").exists() and not force:
        raise KavgError(f"{str(out)!r} holds timings already; use --force, or --out DIR")
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
    from experiments.benchmarks.figure import bench_figure
    from kavg.reports.figures import save

    save(bench_figure(found), out, "bench")
