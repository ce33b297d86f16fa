"""Noise of labels: gradients of a regression whose labels are disturbed at each step."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TypeGuard, final

import numpy as np

from kavg.base import (
    Constant,
    Floats,
    HasLabels,
    LabelGradient,
    NoiseConstants,
    Objective,
    Precision,
    StochasticGradient,
    unknown_constant,
)
from kavg.errors import KavgError
from kavg.oracles.normals import Normals
from kavg.oracles.streams import Purpose
from kavg.protocols import has_own_plan
from kavg.ranges import BatchSize, NonNegative, check_ranges


def has_labels(objective: Objective) -> TypeGuard[HasLabels]:
    """True if the objective can take its gradient at labels with noise."""
    # Not that of a base, or of an object inside, whose gradient is another.
    return has_own_plan(objective, "plan_label_gradient", of="grad")


@final
class NoisyLabels:
    """The planned oracle: draws noise for the labels of each row; several copies have the same."""

    def __init__(
        self, gradient: LabelGradient, normals: Normals, deviation: float, noise: Floats
    ) -> None:
        """``noise`` is workspace of all rows, ``(tile, copies, R, outputs)``."""
        self.gradient, self.normals, self.deviation = gradient, normals, deviation
        self.noise = noise

    def select(self, learners: range) -> None:
        """Select the learners that later calls draw for."""
        self.normals.streams.select(learners)

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write the gradient at labels with noise to ``out``; ``x, out (t, copies R, d)``."""
        noise = self.noise[: len(x)]
        np.copyto(noise, self.normals.draw(step, self.deviation)[:, None])
        self.gradient(x, noise.reshape(*x.shape[:2], -1), out)


@final
@dataclass(frozen=True)
class LabelNoise:
    """``g = grad F`` at labels ``y + e``, where ``e ~ N(0, label_variance / B)`` for each output.

    For ``F = ||m(w) - y||^2 / 2`` the noise is ``-J(w)^T e`` with the Jacobian J of the model m.
    At a minimum its covariance is the Hessian times ``label_variance / B``: SGD drifts along a set
    of minima to the flattest of them.  Objectives with labels are ``FlatMinimum`` and
    ``DeepLinear``.

    Source: Blanc, Gupta, Valiant and Valiant 2019, arXiv 1904.09080; Damian, Ma and Lee 2021,
    arXiv 2106.06530.

    >>> LabelNoise(label_variance=0.5)
    LabelNoise(label_variance=0.5, B=1)
    """

    kind = "label_noise"
    same_bits = "any machine"
    label_variance: NonNegative
    B: BatchSize = 1

    def __post_init__(self) -> None:
        check_ranges(self)

    def constants(self, objective: Objective) -> NoiseConstants:
        """Return an unknown ``M``: the variance, ``label_variance ||J(w)||^2``, has no bound."""
        variance = unknown_constant("label_variance times the squared Jacobian: depends on w")
        none = Constant(0.0, "exact", "not modelled")
        return NoiseConstants(variance, none, Constant(0.0, "exact", "equal learners"), self.B)

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
        """Allocate one normal an output and step.

        Raises KavgError if the objective has no labels.
        """
        return self.plan_copies(objective, seed=seed, P=P, R=R, copies=1, tile=tile, dtype=dtype)

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
        """Allocate as ``plan`` for rows that are ``copies`` times R, which share the draws."""
        if not has_labels(objective):
            raise KavgError(
                f"label_noise needs an objective with labels, got {type(objective).__name__}; use "
                "flat_minimum or deep_linear, or additive noise such as gaussian"
            )
        d = objective.outputs
        normals = Normals(seed=seed, purpose=Purpose.NOISE, R=R, tile=tile, d=d, dtype=dtype)
        gradient = objective.plan_label_gradient(tile, copies * R, dtype)
        noise = np.empty((tile, copies, R, d), dtype)
        return NoisyLabels(gradient, normals, sqrt(self.label_variance / self.B), noise)
