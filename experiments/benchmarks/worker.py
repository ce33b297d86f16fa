"""What the benchmark starts on one core: the workloads of a group, one after another."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, final

from experiments.benchmarks.contestants.method_contestants import PLAIN, method_roster
from experiments.benchmarks.contestants.passes import Floor, describe_shares
from experiments.benchmarks.contestants.roster import Prepare, prepared, roster
from experiments.benchmarks.normals import SIZES, fillers
from experiments.benchmarks.ratios import Measured
from experiments.benchmarks.timing import CLOCKS, CPU, Clock, interleaved
from experiments.benchmarks.workloads import Workload, double_well, workloads
from kavg.errors import KavgError

UNIT: Final = "ns per learner, step and coordinate"


@final
@dataclass(frozen=True)
class Job:
    """What is asked of a worker; it appends a line to the file ``results`` for each workload.

    ``clock`` is the kind of time, one of ``CLOCKS``.
    """

    group: str
    repetitions: int
    least: float
    quick: bool
    results: str
    clock: str = CPU


def leave(job: Job, found: Measured) -> None:
    """Append what was measured: a later crash cannot take it away."""
    with Path(job.results).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(found)) + "\n")


def work(job: Job) -> None:
    """Measure a group."""
    if job.group == "noise":
        for size in SIZES:
            name, sizes = "normals alone", {"n": size}
            about = Measured(job.group, name, sizes, "ns a normal", 1e9 / size, {}, clock=job.clock)
            leave(job, timed(job, about, fillers(size)))
        return
    if job.group == "methods":
        leave(job, methods(job, double_well("methods of the field", P=16, K=16, R=1, d=1000)))
        return
    for each in workloads(job.group, quick=job.quick):
        leave(job, rounds(job, each))


def methods(job: Job, workload: Workload) -> Measured:
    """Methods of the field in turn with plain SGD, on the same problem."""
    sizes, scale = workload.sizes, 1e9 / workload.coordinates
    about = Measured(
        job.group, workload.name, sizes, UNIT, scale, {}, reference=PLAIN, clock=job.clock
    )
    return timed(job, about, method_roster(workload))


def rounds(job: Job, workload: Workload) -> Measured:
    """A workload of rounds; without its data there is nothing to time."""
    name, ladder = workload.name, workload.ladder
    try:
        sizes, scale = workload.sizes, 1e9 / workload.coordinates
    except KavgError as reason:
        return Measured(job.group, name, {}, UNIT, 1.0, {}, {"all": str(reason)})
    about = Measured(job.group, name, sizes, UNIT, scale, {}, ladder=ladder, clock=job.clock)
    return timed(job, about, roster(workload))


def timed(
    job: Job, about: Measured, roster: Mapping[str, Prepare], clock: Clock | None = None
) -> Measured:
    """The times of one workload, all contestants in turn; ``clock`` if not the one it names."""
    ready, notes = prepared(roster)
    clock = clock or CLOCKS[about.clock]
    seconds, more = interleaved(ready, job.repetitions, job.least, clock=clock)
    floor = ready.get("floor")
    remark = about.remark
    if isinstance(floor, Floor) and not about.ladder:
        remark = describe_shares(floor, job.least, clock)
    return replace(about, seconds=seconds, notes=notes | more, remark=remark)


if __name__ == "__main__":
    work(Job(**json.loads(sys.argv[1])))
