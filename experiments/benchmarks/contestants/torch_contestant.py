"""PyTorch as its users would write it: all learners in one batch, in place, no autograd.

Gradients are written out by hand and added to the parameters by the same products that make them,
which eager PyTorch rewards; autograd would take longer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

import torch

from experiments.benchmarks.contestants.contestant import Repeat, repeated
from experiments.benchmarks.contestants.workload_numbers import (
    Wave,
    batch,
    deviation,
    joined,
    momentum,
    one_hot,
    split,
    unknown,
    wave,
)
from experiments.benchmarks.workloads import Workload
from kavg.base import Floats
from kavg.objectives import LogisticRegression, Network

TYPES: Final = {"float32": torch.float32, "float64": torch.float64}

Tensor = Any
Reduce = Callable[[Tensor], object]
"""Add up a tensor over processes, in place."""
Step = Callable[[float], None]
"""A local step of every learner with this gamma."""


@final
class Torch:
    """Rounds in PyTorch; with ``reduce``, of this process's share of the learners."""

    def __init__(
        self,
        workload: Workload,
        *,
        normals: str = "",
        reduce: Reduce | None = None,
        processes: int = 1,
        seed: int = 1,
    ) -> None:
        torch.set_num_threads(1)
        self.P, self.K = workload.algorithm.P, workload.algorithm.constant_K
        self.gamma, self.mu = workload.algorithm.step_size(1), momentum(workload)
        self.reduce = reduce
        w = workload.problem.first_iterate(1, workload.R)
        dtype = TYPES[workload.dtype]
        self.means = [torch.tensor(part, dtype=dtype) for part in split(workload, w)]
        self.v = [torch.zeros_like(part) for part in self.means]
        share = self.P // processes
        self.x = [part.expand(share, *part.shape).clone() for part in self.means]
        generator = torch.Generator().manual_seed(seed)
        self.step = steps(workload, self.x, generator, TYPES[normals or workload.dtype])

    def __call__(self, rounds: int) -> None:
        """Run so many more rounds."""
        with torch.inference_mode():
            for _ in range(rounds):
                self.round()

    def round(self) -> None:
        """K steps of every learner from w, then the average."""
        for x, w in zip(self.x, self.means, strict=True):
            x.copy_(w)
        for _ in range(self.K):
            self.step(self.gamma)
        for x, w, v in zip(self.x, self.means, self.v, strict=True):
            self.average(x, w, v)

    def average(self, x: Tensor, w: Tensor, v: Tensor) -> None:
        """The mean over all learners, then block momentum."""
        mean = x.sum(0)
        if self.reduce is not None:
            self.reduce(mean)
        mean.div_(self.P).sub_(w)
        v.mul_(self.mu).add_(mean)
        w.add_(v)

    def w(self) -> Floats:
        """The meta-iterate."""
        return joined([part.numpy() for part in self.means])


def steps(workload: Workload, x: list[Tensor], generator: Tensor, normals: Tensor) -> Step:
    """The local steps of a workload on parameters ``x``, each ``(P, R, ...)``."""
    objective = workload.problem.objective
    elementwise = wave(objective)
    if elementwise:
        return WaveSteps(elementwise, deviation(workload), x, generator, normals)
    if isinstance(objective, LogisticRegression):
        return LogisticSteps(objective, batch(workload), x, generator)
    if isinstance(objective, Network):
        return NetworkSteps(objective, batch(workload), x, generator)
    raise unknown(workload)


@final
class WaveSteps:
    """``x -= gamma (x + height f(omega x) + e)``."""

    def __init__(
        self,
        wave: Wave,
        scale: float,
        x: list[Tensor],
        generator: Tensor,
        normals: Tensor,
    ) -> None:
        self.height, self.omega, self.scale = wave.height, wave.omega, scale
        self.x, self.generator = x[0], generator
        self.g = torch.empty_like(self.x)
        self.f = getattr(self.g, f"{wave.f}_")
        self.e = torch.empty_like(self.x, dtype=normals)

    def __call__(self, gamma: float) -> None:
        """Seven passes in place."""
        torch.mul(self.x, self.omega, out=self.g)
        self.f().mul_(self.height).add_(self.x)
        self.e.normal_(generator=self.generator)
        self.g.add_(self.e, alpha=self.scale)
        self.x.add_(self.g, alpha=-gamma)


class Batches:
    """Batches of examples, drawn anew at each step: ``(P R, B, p)``."""

    def __init__(self, features: Floats, rows: int, B: int, generator: Tensor) -> None:
        self.features = torch.tensor(features)
        self.generator = generator
        self.indices = torch.empty(rows * B, dtype=torch.int64)
        self.taken = torch.empty((rows, B, features.shape[1]), dtype=torch.float64)

    def draw(self) -> Tensor:
        """The next batches; ``indices`` are theirs."""
        self.indices.random_(len(self.features), generator=self.generator)
        flat = self.taken.view(-1, self.taken.shape[-1])
        torch.index_select(self.features, 0, self.indices, out=flat)
        return self.taken


@final
class LogisticSteps:
    """``x += gamma/B sum y a sigmoid(-y a.x)``."""

    def __init__(
        self, objective: LogisticRegression, B: int, x: list[Tensor], generator: Tensor
    ) -> None:
        self.x, self.B = x[0].view(-1, 1, objective.dim), B
        data = objective.split.train
        self.batches = Batches(data.features, len(self.x), self.B, generator)
        self.labels = torch.tensor(data.labels)
        self.y, self.slope = torch.empty((2, len(self.x), 1, self.B), dtype=torch.float64)

    def __call__(self, gamma: float) -> None:
        """Two stacked products; the second adds to x."""
        a, y, slope = self.batches.draw(), self.y, self.slope
        torch.index_select(self.labels, 0, self.batches.indices, out=y.view(-1))
        torch.bmm(self.x, a.mT, out=slope).mul_(y).neg_().sigmoid_().mul_(y)
        self.x.baddbmm_(slope, a, alpha=gamma / self.B)


@final
class NetworkSteps:
    """Backpropagation; ``x`` are ``W1, b1, W2, b2``."""

    def __init__(self, objective: Network, B: int, x: list[Tensor], generator: Tensor) -> None:
        self.B = B
        self.W1, self.b1, self.W2, self.b2 = (part.view(-1, *part.shape[2:]) for part in x)
        self.batches = Batches(objective.split.train.features, len(self.W1), self.B, generator)
        self.one_hot = torch.tensor(one_hot(objective))
        shape = (len(self.W1), self.B)
        self.hidden = torch.empty((*shape, objective.hidden), dtype=torch.float64)
        self.back = torch.empty_like(self.hidden)
        size = (2, *shape, self.one_hot.shape[1])
        self.slope, self.target = torch.empty(size, dtype=torch.float64)

    def __call__(self, gamma: float) -> None:
        """Forward, softmax in three passes (quicker than ``torch.softmax`` on ten), backward."""
        a, h, slope = self.batches.draw(), self.hidden, self.slope
        target = self.target.view(-1, self.target.shape[-1])
        torch.index_select(self.one_hot, 0, self.batches.indices, out=target)
        torch.baddbmm(self.b1.unsqueeze(1), a, self.W1, out=h).tanh_()
        torch.baddbmm(self.b2.unsqueeze(1), h, self.W2, out=slope)
        slope.sub_(slope.amax(-1, keepdim=True)).exp_()
        slope.div_(slope.sum(-1, keepdim=True)).sub_(self.target)
        torch.bmm(slope, self.W2.mT, out=self.back)
        rate = -gamma / self.B
        self.W2.baddbmm_(h.mT, slope, alpha=rate)
        self.b2.add_(slope.sum(1), alpha=rate)
        h.square_()
        self.back.addcmul_(self.back, h, value=-1.0)
        self.W1.baddbmm_(a.mT, self.back, alpha=rate)
        self.b1.add_(self.back.sum(1), alpha=rate)


def normals(size: int, precision: str) -> Repeat:
    """``Tensor.normal_`` again and again."""
    torch.set_num_threads(1)
    values, generator = torch.empty(size, dtype=TYPES[precision]), torch.Generator()
    return repeated(lambda: values.normal_(generator=generator))
