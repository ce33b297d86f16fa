"""Mini-batches of examples, from the whole data set or from a part for each learner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeGuard, final

import numpy as np

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
from kavg.oracles.partition import Partition
from kavg.oracles.samplers import SAMPLERS, Sampler
from kavg.ranges import BatchSize, check_count, check_ranges


def is_finite_sum(objective: Objective) -> TypeGuard[FiniteSum]:
    """True if the objective is a mean over examples, so that batches can be drawn."""
    # isinstance with a Protocol would evaluate every property, L included.
    return hasattr(objective, "plan_batches")


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
        self.batches(x, self.draw(step), out)

    def draw(self, step: int) -> Indices:
        """Return the indices of this step's batches, ``(t, R, B)``, valid until the next call."""
        indices = self.sampler.draw(step)
        if self.parts is not None:
            # Places in the flattened table of parts; "clip" lets np.take write straight to out.
            places, looked_up = self.places[: len(indices)], self.looked_up[: len(indices)]
            np.add(indices, self.first, out=places)
            indices = np.take(self.parts, places, out=looked_up, mode="clip")
        return indices


@final
class SharedBatchGradient:
    """The planned oracle of several copies, which draw the same batches: ``R`` is that of one."""

    def __init__(self, one: MiniBatchGradient, copies: int) -> None:
        self.one = one
        tile, R, B = one.places.shape
        self.indices = np.empty((tile, copies, R, B), np.intp)

    def select(self, learners: range) -> None:
        """Select the learners that later calls draw for."""
        self.one.select(learners)

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write the mean gradient over this step's batches; ``x, out (t, copies R, d)``."""
        indices = self.indices[: len(x)]
        np.copyto(indices, self.one.draw(step)[:, None])
        self.one.batches(x, indices.reshape(*x.shape[:2], -1), out)


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
        return self._plan_batches(objective, seed, P, (tile, R, 1), dtype)

    def plan_copies(
        self,
        objective: Objective,
        *,
        seed: int,
        P: int,
        R: int,
        copies: int,
        tile: int,
        dtype: Precision = "float64",
    ) -> StochasticGradient:
        """Allocate as ``plan`` for rows that are ``copies`` times R, with indices for one copy."""
        return SharedBatchGradient(
            self._plan_batches(objective, seed, P, (tile, R, copies), dtype), copies
        )

    def _plan_batches(
        self,
        objective: Objective,
        seed: int,
        P: int,
        shape: tuple[int, int, int],
        dtype: Precision,
    ) -> MiniBatchGradient:
        """Plan for tiles, replicas and copies of this ``shape``."""
        tile, R, copies = shape
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
        batches = objective.plan_batches(tile, copies * R, self.B, dtype)
        return MiniBatchGradient(batches, sampler, parts, (tile, R, self.B))
