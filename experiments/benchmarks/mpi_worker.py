"""What the benchmark starts on two ranks: each stays on its own core and all clocks agree."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from experiments.benchmarks import two_ranks
from experiments.benchmarks.contestants.contestant import Repeat
from experiments.benchmarks.contestants.roster import Prepare
from experiments.benchmarks.cpu_affinity import pin
from experiments.benchmarks.ratios import Measured
from experiments.benchmarks.timing import Clock
from experiments.benchmarks.two_ranks import World
from experiments.benchmarks.worker import Job, leave, timed
from experiments.benchmarks.workloads import double_well
from kavg.engine.blas_threads import limit_blas_to_one_thread

SHARED: Final = "the ranks had no core each, so these times say little"


def collective(comm: Any) -> Clock:
    """The time of the slowest rank, the same number on all, so that all count alike."""

    def clock(repeat: Repeat, times: int) -> float:
        comm.Barrier()
        before = time.perf_counter()
        repeat(times)
        mine, slowest = np.array([time.perf_counter() - before]), np.empty(1)
        quietly(comm)
        comm.Allreduce(mine, slowest, op_max())
        return float(slowest[0])

    return clock


def op_max() -> Any:
    """MPI's maximum."""
    from mpi4py import MPI

    return MPI.MAX


def quietly(comm: Any) -> None:
    """Wait for all ranks without keeping a core busy, which could slow the others down."""
    waiting = comm.Ibarrier()
    while not waiting.Test():
        time.sleep(1e-4)


def measured(job: Job, world: World) -> None:
    """Every series, written down by rank 0 as it ends."""
    clock = collective(world.comm)
    for about, roster in workloads(job, world):
        with limit_blas_to_one_thread():
            found = timed(job, about, roster, clock)
        if world.rank == 0:
            leave(job, replace(found, remark=world.remark))


def workloads(job: Job, world: World) -> Iterator[tuple[Measured, dict[str, Prepare]]]:
    """What is timed, and who takes part."""
    sizes = two_ranks.QUICK if job.quick else two_ranks.SIZES
    both = two_ranks.COMPUTE
    yield (
        Measured("ranks", both.name, both.sizes, "us a round", 1e6, {}),
        two_ranks.against_one(world),
    )
    for d in sizes:
        each = double_well("rounds on 2 ranks", P=4, K=8, R=1, d=d)
        about = Measured("ranks", each.name, each.sizes, "us a round", 1e6, {}, ladder="d")
        yield about, two_ranks.rounds(each, world)
    for d in sizes:
        name = "the average of 2 ranks alone"
        about = Measured("ranks", name, {"d": d}, "us an average", 1e6, {}, ladder="d")
        yield about, two_ranks.averages(d, world)


def main() -> None:
    """``python -m mpi4py -m kavg.bench.ranks_worker JOB CORES``."""
    from mpi4py import MPI

    job = Job(**json.loads(sys.argv[1]))
    cores: list[int] = json.loads(sys.argv[2])
    comm = MPI.COMM_WORLD
    if cores:
        pin(cores[comm.Get_rank() % len(cores)])
    shared = len(cores) < comm.Get_size()
    world = World(comm, Path(job.results).with_name("meeting").as_uri(), SHARED if shared else "")
    measured(job, world)


if __name__ == "__main__":
    main()
