"""Additive noise: ``g = grad F(x) + e`` with ``E e = 0`` and ``E ||e||^2 = sigma2 / B`` exactly.

``sigma2`` is the variance of the WHOLE gradient vector for one example: a coordinate has
``sigma2 / d``.  A batch of ``B`` examples divides it by ``B``.  The draws are float32 values
(``kavg.oracles.normals``), so the variance is exact to about one part in 10^7.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Final, Protocol, final

import numpy as np

from kavg.base import (
    Constant,
    Floats,
    NoiseConstants,
    Objective,
    PlannedGradient,
    Precision,
    StochasticGradient,
)
from kavg.errors import KavgError
from kavg.gradients import choose_gradient
from kavg.oracles.copies import split_copies
from kavg.oracles.streams import Streams
from kavg.ranges import BatchSize, NonNegative, check_dimension, check_ranges

LEAST: Final = 1e-37
MOST: Final = 1e36
"""Variances of a coordinate beyond which float32 draws lose their law: squares leave its range."""


class Draws(Protocol):
    """Planned draws of random vectors ``(t, R, d)`` whose coordinates have mean 0, variance 1.

    The coordinates of a vector are uncorrelated, but need not be independent (``Sphere``).
    """

    @property
    def streams(self) -> Streams:
        """The random words that the draws are computed from; they select the learners."""
        ...

    def draw(self, step: int, scale: float) -> Floats:
        """Return draws times ``scale``, ``(t, R, d)``, not to be written to.

        They are valid until the next call.
        """
        ...


@final
class NoisyGradient:
    """The planned oracle of every additive law: the exact gradient plus scaled draws.

    ``scale = sqrt(sigma2 / (B d))`` is the standard deviation of one coordinate.
    """

    def __init__(
        self, gradient: PlannedGradient, draws: Draws, sigma2: float, B: int, d: int
    ) -> None:
        """Raises ``KavgError`` if float32 cannot hold the draws."""
        variance = sigma2 / (B * d)
        if sigma2 and not LEAST <= variance <= MOST:
            raise KavgError(
                f"sigma2 / (B d) must be 0 or from {LEAST:g} to {MOST:g}, as draws are float32, "
                f"got {variance:.3g}; use kind 'noiseless', or scale the objective"
            )
        self.gradient = gradient
        self.draws = draws
        self.scale = math.sqrt(variance)

    def select(self, learners: range) -> None:
        """Select the learners that later calls draw for."""
        self.draws.streams.select(learners)

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write ``grad F(x) + e`` to ``out``; ``x, out (t, R, d)``."""
        self.gradient(x, out)
        # Draws come scaled, as laws can fold the scale into a number of their own.
        np.add(out, self.draws.draw(step, self.scale), out=out)


@final
class SharedNoise:
    """Additive noise of several copies: ``noisy`` has the gradient of all, and the draws of one."""

    def __init__(self, noisy: NoisyGradient, copies: int) -> None:
        self.noisy, self.copies = noisy, copies

    def select(self, learners: range) -> None:
        """Select the learners that later calls draw for."""
        self.noisy.select(learners)

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write ``grad F(x) + e`` to ``out``; ``x, out (t, copies R, d)``."""
        noisy = self.noisy
        noisy.gradient(x, out)
        each = split_copies(out, self.copies)
        np.add(each, noisy.draws.draw(step, noisy.scale)[:, None], out=each)


class AdditiveNoise(ABC):
    """A law of noise that is the same at every point and for every learner.

    A new law is one final, frozen dataclass: the fields ``sigma2`` and ``B = 1`` (and its own
    between them, see ``kavg.ranges``), a ``source`` and ``plan_draws``.
    ``kavg.oracles.gaussian`` is the shortest.
    """

    # Each leaf declares all its fields: a dataclass puts inherited ones first, and
    # StudentT(sigma2, nu, B) would become StudentT(sigma2, B, nu).

    sigma2: NonNegative
    """``E ||e||^2`` of one example: the variance of the whole vector, not of a coordinate."""
    B: BatchSize
    """The batch size that divides ``sigma2``."""
    source: ClassVar[str]
    """Why ``sigma2`` is exact, for the ``source`` of the constant ``M``."""

    def __post_init__(self) -> None:
        check_ranges(self)

    @abstractmethod
    def plan_draws(self, *, seed: int, R: int, tile: int, d: int, dtype: Precision) -> Draws:
        """Allocate draws ``(tile, R, d)`` of this law with variance 1 a coordinate.

        ``dtype`` is the precision of the gradients that they are added to, and theirs: np.add of
        two precisions would allocate a buffer at each step.
        """

    def constants(self, objective: Objective) -> NoiseConstants:
        """Return ``M = sigma2`` exactly, ``M_v = 0`` and ``zeta2 = 0``, whatever the objective."""
        return additive_constants(self.sigma2, self.B, self.source)

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
        """Allocate the draws and the gradient.

        ``P`` is not needed: a learner's draws do not depend on how many learners there are.
        """
        return self._plan_noisy(objective, seed, R, 1, tile, dtype)

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
        """Allocate as ``plan`` for rows that are ``copies`` times R, with one draw for all copies.

        Row ``c R + r`` has the bits of replica r of ``plan``.
        """
        return SharedNoise(self._plan_noisy(objective, seed, R, copies, tile, dtype), copies)

    def _plan_noisy(
        self, objective: Objective, seed: int, R: int, copies: int, tile: int, dtype: Precision
    ) -> NoisyGradient:
        d = check_dimension(objective)
        draws = self.plan_draws(seed=seed, R=R, tile=tile, d=d, dtype=dtype)
        gradient = choose_gradient(objective, tile=tile, R=copies * R, dtype=dtype)
        return NoisyGradient(gradient, draws, self.sigma2, self.B, d)


def additive_constants(sigma2: float, B: int, source: str) -> NoiseConstants:
    """The constants of additive noise: ``M = sigma2`` exactly, ``M_v = zeta2 = 0``.

    >>> additive_constants(2.0, 4, "a law of this variance").M.value
    2.0
    """
    none = Constant(0.0, "exact", "additive noise, equal learners")
    return NoiseConstants(Constant(sigma2, "exact", source), none, none, B)
