"""What no implementation on NumPy can avoid, pass by pass on arrays that stay in the cache.

Random bits of the cheapest generator, one conversion of them and one addition, or the examples of a
batch; the gradient; the step; the start of a round and the sum over the learners.  It keeps no law:
its bits are not addressed and no normals, its sums are not exact.  kavg takes all these passes and
more, so the floor says how much of kavg's time is spent on anything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import cycle
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from experiments.benchmarks.contestants.contestant import repeated
from experiments.benchmarks.contestants.passes import Floor, Pass
from experiments.benchmarks.contestants.workload_numbers import batch, unknown, wave
from experiments.benchmarks.timing import cpu_stopwatch
from experiments.benchmarks.workloads import Workload
from kavg.base import Floats, Precision
from kavg.elementary.tanh import plan_tanh
from kavg.gradients import choose_gradient
from kavg.objectives import Cosine, DoubleWell, LogisticRegression, Network
from kavg.oracles.streams import Purpose, Streams

CHUNK: Final = 16_384
"""Numbers of an array, which stays in the cache with two others."""
WORDS: Final = 8192
"""Words made at a time."""
LANES: Final = 4
"""16-bit numbers in a word."""
SETS: Final = 16
"""Batches taken in turn, so that the examples of one are not all in the cache."""

Once = Callable[[], object]


def random_words(lanes: int, per_round: int) -> Pass:
    """Words of ``lanes`` random numbers each: of SFC64, NumPy's cheapest generator, or of kavg."""
    streams = Streams(seed=1, purpose=Purpose.NOISE, R=1, tile=1, W=WORDS)
    steps = iter(range(2**32))
    ways: list[Once] = [
        partial(np.random.SFC64(1).random_raw, WORDS),
        lambda: streams.words(next(steps)),
    ]
    return Pass("words", quickest(ways), lanes * WORDS, per_round)


def some_words(count: int) -> NDArray[np.uint64]:
    """Words to convert, the same every time."""
    return np.random.SFC64(1).random_raw(count)


def noise(count: int, dtype: str, per_round: int) -> list[Pass]:
    """Words, and one conversion of a quarter word for each number."""
    out, lanes = np.empty(count, dtype), some_words(CHUNK // LANES).view(np.int16)[:count]
    return [
        random_words(LANES, per_round),
        Pass("conversion", partial(np.copyto, out, lanes), count, per_round),
    ]


def learners(workload: Workload, x: Floats, K: int) -> list[Pass]:
    """The step of a block ``x (rows, ...)``, and once a round its start and the sum over rows.

    Numbers do not change in these passes, however often one is repeated: they are multiplied by 1
    and nothing is subtracted.
    """
    g, w, total = np.zeros_like(x), x[0].copy(), np.zeros_like(x[0])
    one, all_steps = np.ones((), x.dtype), workload.coordinates
    once_a_round = all_steps // K
    return [
        Pass("step", partial(np.multiply, g, one, out=g), x.size, all_steps),
        Pass("step", partial(np.subtract, x, g, out=x), x.size, all_steps),
        Pass("start", partial(np.copyto, x, w), x.size, once_a_round),
        Pass("sum", partial(np.add.reduce, x, axis=0, out=total), x.size, once_a_round),
    ]


def elementwise(workload: Workload, f: str) -> Floor:
    """Noise, the gradient and the step of each coordinate."""
    objective = workload.problem.objective
    assert isinstance(objective, DoubleWell | Cosine)
    R, d, P = workload.R, workload.d, workload.algorithm.P
    if R * d > CHUNK:  # nothing keeps a program from taking coordinates a cache full at a time
        R, d, P, objective = 1, CHUNK, 1, replace(objective, dim=CHUNK)
    shape = (max(1, min(P, CHUNK // (R * d))), R, d)
    x = np.random.Generator(np.random.SFC64(1)).uniform(-2.0, 2.0, shape).astype(workload.dtype)
    g, e, N = np.zeros_like(x), np.zeros_like(x), workload.coordinates
    ways = [planned(objective, x, g), plain(f, x, g)]
    return Floor([
        *noise(x.size, workload.dtype, N),
        Pass("noise added", partial(np.add, g, e, out=e), x.size, N),
        Pass("gradient", quickest(ways), x.size, N),
        *learners(workload, x.copy(), workload.algorithm.constant_K),
    ])  # fmt: skip


def planned(objective: DoubleWell | Cosine, x: Floats, g: Floats) -> Once:
    """The gradient of kavg itself, as its oracles use it."""
    tile, R, _ = x.shape
    dtype: Precision = "float64" if x.dtype == np.float64 else "float32"
    return partial(choose_gradient(objective, tile=tile, R=R, dtype=dtype), x, g)


def plain(f: str, x: Floats, g: Floats) -> Once:
    """``x + height f(omega x)`` with NumPy's own function, in four passes."""
    function, number = getattr(np, f), np.full((), 2.0, x.dtype)

    def once() -> None:
        np.multiply(x, number, out=g)
        function(g, out=g)
        np.multiply(g, number, out=g)
        np.add(g, x, out=g)

    return once


def tanh(x: Floats, out: Floats) -> Once:
    """``tanh x`` by NumPy or by kavg's table."""
    table = plan_tanh(1.0, 1.0, size=x.size, dtype="float64")
    return quickest([partial(np.tanh, x, out=out), partial(table, x, out)])


def quickest(ways: list[Once]) -> Once:
    """The way that is done soonest on this machine: the least of nine times each."""
    return min(ways, key=lambda way: min(cpu_stopwatch(repeated(way), 1) for _ in range(9)))


@final
class Batches:
    """The examples of a block of rows, and the passes that take them."""

    def __init__(self, workload: Workload, features: Floats) -> None:
        self.B, K = batch(workload), workload.algorithm.constant_K
        self.rows_a_round = workload.R * workload.algorithm.P * K
        self.rows = max(1, min(self.rows_a_round // K, 2**16 // (self.B * features.shape[1])))
        self.features = features
        self.taken = np.empty((self.rows, self.B, features.shape[1]))
        self.x = np.zeros((self.rows, workload.d))

    def passes(self) -> list[Pass]:
        """Half a word for each index, scaled to the examples, which are then copied."""
        values, halves = np.empty(CHUNK, np.uint64), some_words(CHUNK // 2).view(np.uint32)
        indices, n = self.rows_a_round * self.B, np.uint64(len(self.features))
        small = np.zeros(CHUNK, np.uint64)
        return [
            random_words(2, indices),
            Pass("indices", partial(np.copyto, values, halves), CHUNK, indices),
            Pass("indices", partial(np.multiply, small, n, out=small), CHUNK, indices),
            Pass(
                "indices", partial(np.right_shift, values, np.uint64(32), out=small), CHUNK, indices
            ),
            self.each("examples", self.take),
        ]

    @property
    def take(self) -> Once:
        """Copy the examples of the next batch."""
        rng = np.random.Generator(np.random.SFC64(2))
        shape = (SETS, self.rows, self.B)
        sets = cycle(rng.integers(len(self.features), size=shape, dtype=np.intp))
        return lambda: np.take(self.features, next(sets), axis=0, out=self.taken, mode="clip")

    def each(self, name: str, once: Once) -> Pass:
        """A pass over the rows of the block."""
        return Pass(name, once, self.rows, self.rows_a_round)


def logistic(workload: Workload) -> Floor:
    """Two products and a tanh, on examples that hold their labels."""
    objective = workload.problem.objective
    assert isinstance(objective, LogisticRegression)
    batches = Batches(workload, objective.split.train.features)
    slope, x = np.zeros((batches.rows, batches.B)), batches.x
    y, g = np.zeros_like(slope), np.zeros_like(x)
    return Floor([
        *batches.passes(),
        batches.each("products", partial(np.matvec, batches.taken, x, out=slope)),
        batches.each("tanh", tanh(slope, y)),
        batches.each("products", partial(np.vecmat, y, batches.taken, out=g)),
        *learners(workload, x.copy(), workload.algorithm.constant_K),
    ])  # fmt: skip


def network(workload: Workload) -> Floor:
    """Five products, a tanh, an exponential and the product of two arrays."""
    objective = workload.problem.objective
    assert isinstance(objective, Network)
    batches = Batches(workload, objective.split.train.features)
    a, (rows, B, p) = batches.taken, batches.taken.shape
    H, C = objective.hidden, len(objective.classes)
    (W1, g1), (W2, g2) = np.zeros((2, rows, p, H)), np.zeros((2, rows, H, C))
    (h, back, t), (s, e) = np.zeros((3, rows, B, H)), np.zeros((2, rows, B, C))
    return Floor([
        *batches.passes(),
        batches.each("products", partial(np.matmul, a, W1, out=h)),
        batches.each("functions", tanh(h, t)),
        batches.each("products", partial(np.matmul, t, W2, out=s)),
        batches.each("functions", partial(np.exp, s, out=e)),
        batches.each("products", partial(np.matmul, h.mT, s, out=g2)),
        batches.each("products", partial(np.matmul, s, W2.mT, out=back)),
        batches.each("functions", partial(np.multiply, back, h, out=t)),
        batches.each("products", partial(np.matmul, a.mT, back, out=g1)),
        *learners(workload, batches.x.copy(), workload.algorithm.constant_K),
    ])  # fmt: skip


def floor(workload: Workload) -> Floor:
    """The floor of a workload."""
    known: dict[type, Callable[[Workload], Floor]] = {
        LogisticRegression: logistic,
        Network: network,
    }
    objective = workload.problem.objective
    shape = wave(objective)
    if shape:
        return elementwise(workload, shape.f)
    if type(objective) not in known:
        raise unknown(workload)
    return known[type(objective)](workload)
