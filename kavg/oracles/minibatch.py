"""Mini-batches of examples, from the whole data set or from a part for each learner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeGuard, final

import numpy as np
from numpy.typing import NDArray

from kavg.arrays import as_array
from kavg.base import (
    BatchGradient,
    Constant,
    FiniteSum,
    Floats,
    Indices,
    NoiseConstants,
    Objective,
    Precision,
    StochasticGradient,
    unknown_constant,
)
from kavg.errors import KavgError
from kavg.oracles.samplers import SAMPLERS, Sampler
from kavg.oracles.streams import Purpose, Streams
from kavg.ranges import BatchSize, Seed, Share, check_count, check_ranges


def is_finite_sum(objective: Objective) -> TypeGuard[FiniteSum]:
    """True if the objective is a mean over examples, so that batches can be drawn."""
    # isinstance with a Protocol would evaluate every property, L included.
    return hasattr(objective, "plan_batches")


@final
@dataclass(frozen=True)
class Partition:
    """Each learner has its own ``n / P`` examples, so ``F = (1/P) sum_j f_j`` exactly.

    Of every part, the share ``skew`` is dealt in the order of the labels and the rest at random:
    0 gives parts of the same distribution, 1 gives each learner a stretch of the sorted labels.
    The partition belongs to the problem: it is addressed by its own ``seed``, not by that of the
    run.

    >>> Partition(skew=1.0).deal(np.array([1, 0, 1, 0]), P=2)
    array([[1, 3],
           [0, 2]])
    """

    skew: Share = 0.0
    seed: Seed = 0

    def __post_init__(self) -> None:
        check_ranges(self)

    def deal(self, labels: NDArray[Any], P: int) -> Indices:
        """Deal the examples to P learners: the indices of each learner's part, ``(P, n/P)``.

        Raises KavgError if P does not divide the number of labels.  With parts of unequal size
        the mean of the learners' objectives would not be the mean over the data.
        """
        labels, P = as_array(labels, "labels"), check_count("P", P, "use P=1 for a single learner")
        n = len(labels)
        if n % P:
            advice = f"use={n - n % P} in the objective leaves the last {n % P} out"
            raise KavgError(
                f"{n} examples cannot be dealt evenly to P={P} learners; "
                + (advice if n > P else f"use P of at most {n}")
            )
        # Words, unlike floats, have no ties and are the same on every machine.
        words = Streams(seed=self.seed, purpose=Purpose.PARTITION, R=1, tile=1, W=n).words(0)
        shuffled = np.argsort(words[0, 0])
        skewed = round(self.skew * (n // P))
        by_label, rest = shuffled[: P * skewed], shuffled[P * skewed :]
        # By label, then by index: equal labels have one order, whatever the shuffle was.
        by_label = by_label[np.lexsort((by_label, labels[by_label]))]
        dealt = (by_label.reshape(P, skewed), rest.reshape(P, n // P - skewed))
        return np.concatenate(dealt, axis=1)


@final
class MiniBatchGradient:
    """The planned oracle: draws indices and averages the gradients of the examples there.

    ``parts (P, n/P)`` are the examples of each learner, or None if all draw from all;
    ``shape = (tile, R, B)``.
    """

    def __init__(
        self,
        batches: BatchGradient,
        sampler: Sampler,
        parts: Indices | None,
        shape: tuple[int, int, int],
    ) -> None:
        self.batches = batches
        self.sampler = sampler
        self.parts = parts
        # Where each learner's part begins in the flattened table of parts, (t, 1, 1).
        self.first = np.empty((0, 1, 1), np.intp)
        self.places = np.empty(shape, np.intp)
        self.looked_up = np.empty(shape, np.intp)

    def select(self, learners: range) -> None:
        """Select the learners that later calls draw for."""
        self.sampler.streams.select(learners)
        if self.parts is not None:
            rows = np.arange(learners.start, learners.stop, dtype=np.intp)
            self.first = (rows * self.parts.shape[1])[:, None, None]

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write the mean gradient over this step's batches to ``out``; ``x, out (t, R, d)``."""
        indices = self.sampler.draw(step)
        if self.parts is not None:
            # Places in the flattened table of parts; "clip" lets np.take write straight to out.
            places, looked_up = self.places[: len(indices)], self.looked_up[: len(indices)]
            np.add(indices, self.first, out=places)
            indices = np.take(self.parts, places, out=looked_up, mode="clip")
        self.batches(x, indices, out)


@final
@dataclass(frozen=True)
class MiniBatch:
    """``g = (1/B) sum of grad f_i`` over a batch of ``B`` examples of a finite sum.

    ``sampling`` is "with_replacement", "without_replacement" (within a batch) or "reshuffle"
    (within an epoch); ``kavg.oracles.samplers`` contrasts them.  A batch is addressed by (replica,
    learner, step).  ``partition`` gives each learner its own part of the data; without it all
    learners draw from all of it.  ``M`` is unknown, as the variance of an example's gradient
    depends on w and no bound on it is known.

    >>> MiniBatch(B=32).sampling
    'with_replacement'
    """

    kind = "minibatch"
    same_bits = "any machine"
    B: BatchSize
    sampling: Literal["with_replacement", "without_replacement", "reshuffle"] = "with_replacement"
    partition: Partition | None = None

    def __post_init__(self) -> None:
        check_ranges(self)

    def constants(self, objective: Objective) -> NoiseConstants:
        """Return an unknown ``M``; ``zeta2`` is exactly 0 without ``partition``, else unknown."""
        alike = Constant(0.0, "exact", "all learners draw from all examples")
        parts = unknown_constant("depends on w and on how the data are dealt")
        variance = unknown_constant("variance of an example's gradient: depends on w")
        state = Constant(0.0, "exact", "not modelled")
        return NoiseConstants(variance, state, parts if self.partition else alike, self.B)

    def plan(
        self,
        objective: Objective,
        *,
        seed: int,
        P: int,
        R: int,
        tile: int,
        dtype: Precision = "float64",
    ) -> StochasticGradient:
        """Allocate the indices and the workspace of the objective's batches.

        Raises KavgError if the objective has no examples, if P does not divide their number
        (with ``partition``), or if a batch needs more distinct examples than there are.
        """
        if not is_finite_sum(objective):
            raise KavgError(
                f"mini-batches need an objective over examples, got {type(objective).__name__}; "
                "use additive noise such as gaussian, or an objective with data"
            )
        parts = self.partition.deal(objective.labels, P) if self.partition else None
        total = check_count("objective.examples", objective.examples, "it has one or more")
        n = total if parts is None else parts.shape[1]
        if self.sampling != "with_replacement" and n < self.B:
            raise KavgError(
                f"{self.B} distinct examples cannot be drawn from {n}; "
                f"use B of at most {n}, or sampling with_replacement"
            )
        sampler = SAMPLERS[self.sampling](seed=seed, R=R, tile=tile, B=self.B, n=n)
        batches = objective.plan_batches(tile, R, self.B, dtype)
        return MiniBatchGradient(batches, sampler, parts, (tile, R, self.B))
