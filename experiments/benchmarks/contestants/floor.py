"""What no implementation on NumPy can avoid: words, normals or examples, one pass for each array.

It keeps no law: its normals are not addressed, its sums are not exact, its constants are left out.
It says how much of kavg's time is spent on anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import final

import numpy as np
from numpy.typing import NDArray

from experiments.benchmarks.contestants.cheap_random import CHUNK, Store, quickest
from experiments.benchmarks.contestants.contestant import Repeat
from experiments.benchmarks.contestants.workload_numbers import batch, unknown, wave
from experiments.benchmarks.workloads import Workload
from kavg.base import Floats
from kavg.objectives import LogisticRegression, Network
from kavg.objectives.sine import sine_of_turns


@final
class WaveFloor:
    """Normals, a tanh or a sine, and two additions for each coordinate and step."""

    def __init__(self, workload: Workload, f: str) -> None:
        self.P, self.K = workload.algorithm.P, workload.algorithm.K
        self.w = np.zeros(workload.R * workload.d)
        self.sum = np.empty_like(self.w)
        self.width = min(len(self.w), CHUNK)
        self.tile = max(1, min(self.P, CHUNK // self.width))
        self.x = np.empty((self.tile, self.width), workload.dtype)
        self.t = np.empty_like(self.x)
        self.f = quickest_sine if f == "sin" and workload.dtype == "float64" else getattr(np, f)
        self.store = Store(self.x.size, np.float32)
        self.store.fill = quickest(self.store.values)

    def __call__(self, rounds: int) -> None:
        """Every learner's chunks, one after another."""
        for _ in range(rounds):
            self.sum[...] = 0
            for first in range(0, self.P, self.tile):
                for begin in range(0, len(self.w), self.width):
                    place = slice(begin, begin + self.width)
                    self.chunk(min(self.tile, self.P - first), place)

    def chunk(self, learners: int, place: slice) -> None:
        """K steps, and the sum."""
        w, into = self.w[place], self.sum[place]
        x, t = self.x[:learners, : len(w)], self.t[:learners, : len(w)]
        x[...] = w
        for _ in range(self.K):
            e = next(self.store)[: x.size].reshape(x.shape)
            self.f(x, out=t)
            np.add(x, t, out=x)
            np.add(x, e, out=x)
        np.add(into, x[0] if learners == 1 else np.add.reduce(x, axis=0), out=into)


def quickest_sine(x: Floats, out: Floats) -> None:
    """The quickest that there is on NumPy."""
    out[...] = x
    sine_of_turns(out)


class Sums:
    """Learners on batches, a block of rows at a time: indices, examples, and the products."""

    def __init__(self, workload: Workload, features: Floats) -> None:
        self.R, self.P, self.K = workload.R, workload.algorithm.P, workload.algorithm.K
        self.features, self.B = features, batch(workload)
        self.rows = max(1, min(self.R * self.P, 2**16 // (self.B * features.shape[1])))
        self.taken = np.empty((self.rows, self.B, features.shape[1]))
        self.x = np.zeros((self.rows, workload.d))
        self.store = Store(self.rows * self.B, np.uint64)
        self.store.fill = self.indices
        self.bits = np.random.SFC64(1)

    def indices(self) -> None:
        """Whole numbers below the number of examples."""
        values, words = self.store.values, self.bits.random_raw((len(self.store.values) + 1) // 2)
        np.copyto(values, words.view(np.uint32)[: len(values)])
        np.multiply(values, np.uint64(len(self.features)), out=values)
        np.right_shift(values, np.uint64(32), out=values)

    def blocks(self, rounds: int) -> Iterator[tuple[Floats, NDArray[np.intp]]]:
        """Examples and their indices, for each block of rows and step."""
        for _ in range(rounds * -(-self.R * self.P // self.rows)):
            for _ in range(self.K):
                chosen = next(self.store).view(np.intp).reshape(self.rows, self.B)
                np.take(self.features, chosen, axis=0, out=self.taken, mode="clip")
                yield self.taken, chosen


@final
class LogisticFloor:
    """Two products and a tanh."""

    def __init__(self, workload: Workload) -> None:
        objective = workload.problem.objective
        assert isinstance(objective, LogisticRegression)
        data = objective.split.train
        self.labels, self.sums = data.labels, Sums(workload, data.features)
        self.slope, self.y = np.empty((2, self.sums.rows, self.sums.B))
        self.g = np.empty_like(self.sums.x)

    def __call__(self, rounds: int) -> None:
        """Every block's steps."""
        x, slope = self.sums.x, self.slope
        for a, chosen in self.sums.blocks(rounds):
            np.take(self.labels, chosen, out=self.y, mode="clip")
            np.matvec(a, x, out=slope)
            np.multiply(slope, self.y, out=slope)
            np.tanh(slope, out=slope)
            np.vecmat(slope, a, out=self.g)
            np.add(x, self.g, out=x)


@final
class NetworkFloor:
    """Five products, a tanh and an exponential."""

    def __init__(self, workload: Workload) -> None:
        objective = workload.problem.objective
        assert isinstance(objective, Network)
        self.sums = Sums(workload, objective.split.train.features)
        rows, B, p = self.sums.taken.shape
        H, C = objective.hidden, len(objective.classes)
        self.W1, self.g1 = np.zeros((2, rows, p, H))
        self.W2, self.g2 = np.zeros((2, rows, H, C))
        self.hidden, self.back = np.empty((2, rows, B, H))
        self.scores = np.empty((rows, B, C))

    def __call__(self, rounds: int) -> None:
        """Every block's steps."""
        h, s, back = self.hidden, self.scores, self.back
        for a, _ in self.sums.blocks(rounds):
            np.tanh(np.matmul(a, self.W1, out=h), out=h)
            np.exp(np.matmul(h, self.W2, out=s), out=s)
            np.matmul(h.mT, s, out=self.g2)
            np.matmul(s, self.W2.mT, out=back)
            np.multiply(back, h, out=back)
            np.matmul(a.mT, back, out=self.g1)


def floor(workload: Workload) -> Repeat:
    """The floor of a workload."""
    known: dict[type, Callable[[Workload], Repeat]] = {
        LogisticRegression: LogisticFloor,
        Network: NetworkFloor,
    }
    objective = workload.problem.objective
    elementwise = wave(objective)
    if elementwise:
        return WaveFloor(workload, elementwise.f)
    if type(objective) not in known:
        raise unknown(workload)
    return known[type(objective)](workload)
