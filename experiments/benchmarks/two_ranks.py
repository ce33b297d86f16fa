"""Two processes: rounds and averages of kavg beside gloo (torch.distributed) and bare MPI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from experiments.benchmarks.contestants.contestant import LeftOut, Repeat, needed, repeated
from experiments.benchmarks.contestants.kavg_contestant import Ours
from experiments.benchmarks.contestants.roster import Prepare
from experiments.benchmarks.workloads import Workload, double_well
from kavg.base import Floats
from kavg.engine.communicator import SerialComm
from kavg.engine.means import MEANS, displacement_buffer

SIZES: Final = (10**3, 10**4, 10**5, 10**6)
QUICK: Final = (10**3, 10**5)
COMPUTE: Final = double_well("2 ranks against 1", P=64, K=16, R=1, d=1000)
"""A round that is nearly all computing."""
ONE: Final = "kavg, 1 rank"


@final
@dataclass(frozen=True)
class World:
    """The ranks of this job: MPI's communicator, and where gloo's processes meet."""

    comm: Any
    meeting: str
    remark: str = ""

    @property
    def rank(self) -> int:
        """This process."""
        return int(self.comm.Get_rank())

    @property
    def size(self) -> int:
        """How many there are."""
        return int(self.comm.Get_size())

    def gloo(self) -> Callable[[Any], object]:
        """Gloo's sum over the processes, in place; they meet when it is first asked for."""
        needed("torch")
        from torch import distributed

        if not distributed.is_available():
            raise LeftOut("this PyTorch has no torch.distributed")
        if not distributed.is_initialized():
            distributed.init_process_group(
                "gloo", init_method=self.meeting, rank=self.rank, world_size=self.size
            )
        reduce: Callable[[Any], object] = distributed.all_reduce
        return reduce


def rounds(workload: Workload, world: World) -> dict[str, Prepare]:
    """Whole rounds: the learners divided between the ranks, one average a round."""

    def torch() -> Repeat:
        reduce = world.gloo()
        from experiments.benchmarks.contestants.torch_contestant import Torch

        return Torch(
            workload, reduce=reduce, processes=world.size, normals="float32", seed=1 + world.rank
        )

    return {"kavg": lambda: Ours(workload, comm=world.comm), "PyTorch, gloo": torch}


def against_one(world: World) -> dict[str, Prepare]:
    """The same rounds on all ranks and on rank 0 alone, while the others wait."""

    def one() -> Repeat:
        if world.rank > 0:
            return repeated(lambda: None)
        return Ours(COMPUTE, comm=SerialComm())

    return {"kavg": lambda: Ours(COMPUTE, comm=world.comm), ONE: one}


def averages(d: int, world: World) -> dict[str, Prepare]:
    """The mean of one learner a rank, ``d`` numbers each, and nothing else.

    kavg folds the learner in and reduces; gloo and MPI only reduce.  Who overwrites what it
    is given takes a copy each time.
    """
    models = np.random.Generator(np.random.Philox(key=world.rank)).standard_normal(d)
    return {
        "kavg": lambda: mean("exact", models, world),
        "kavg, plain sum": lambda: mean("allreduce", models, world),
        "gloo": lambda: gloo(models, world),
        "MPI, d numbers": lambda: bare(models, world),
        "MPI, 2 d numbers": lambda: bare(np.tile(models, 2), world),
    }


def mean(name: str, models: Floats, world: World) -> Repeat:
    """Kavg's mean as a round uses it."""
    means = MEANS[name](world.comm, world.size, 1, len(models))
    displacements = displacement_buffer(1, 1, len(models))
    displacements[..., :-1] = models
    first = means.first_exponents(displacements)

    def once() -> None:
        exponents, finished = first, False
        while not finished:
            displacements[..., :-1] = models
            means.begin(exponents)
            means.fold(displacements)
            finished, exponents = means.finish(), means.exponents

    return repeated(once)


def gloo(models: Floats, world: World) -> Repeat:
    """``all_reduce``, then the division."""
    reduce = world.gloo()
    import torch

    own = torch.tensor(models)
    together = torch.empty_like(own)

    def once() -> None:
        together.copy_(own)
        reduce(together)
        together.div_(world.size)

    return repeated(once)


def bare(models: Floats, world: World) -> Repeat:
    """``Allreduce`` of so many numbers."""
    total = np.empty_like(models)
    return repeated(lambda: world.comm.Allreduce(models, total))
