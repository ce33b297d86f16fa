"""Additive noise: ``g = grad F(x) + e`` with ``E e = 0`` and ``E ||e||^2 = sigma2 / B`` exactly.

``sigma2`` is the variance of the WHOLE vector for one example: a coordinate has ``sigma2 / d``.
A batch of ``B`` divides it by ``B``.  The draws are float32 values (see ``kavg.noise``), so the
variance is exact to about one part in 10^7.
"""

from __future__ import annotations

from typing import Protocol, final

import numpy as np

from kavg.base import Constant, Floats, NoiseConstants, Objective
from kavg.errors import at_least_one, not_negative
from kavg.oracles.streams import Streams


class Draws(Protocol):
    """Planned draws of independent coordinates (or of a whole vector) with variance 1 each."""

    @property
    def streams(self) -> Streams:
        """Where they come from."""
        ...

    def draw(self, step: int, scale: float) -> Floats:
        """Draws times ``scale``, ``(t, R, d)``, not to be written to, valid until the next call."""
        ...


@final
class NoisyGradient:
    """The planned oracle of every additive law."""

    def __init__(
        self, objective: Objective, draws: Draws, sigma2: float, B: int, noise: Floats
    ) -> None:
        """``noise (tile, R, d)`` is workspace, in the precision of the gradients."""
        self.objective = objective
        self.draws = draws
        self.scale = (sigma2 / (B * objective.dim)) ** 0.5
        self.noise = noise

    def select(self, learners: range) -> None:
        """Stand at these learners."""
        self.draws.streams.select(learners)

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """The gradient plus the draws of this step."""
        self.objective.grad(x, out)
        draws = self.draws.draw(step, self.scale)
        if out.dtype != draws.dtype:
            # A sum of two precisions would take a buffer anew at each step.
            noise = self.noise[: len(out)]
            np.copyto(noise, draws)
            draws = noise
        np.add(out, draws, out=out)


def additive_constants(sigma2: float, B: int, source: str) -> NoiseConstants:
    """``M = sigma2`` exactly, no state dependence, equal learners."""
    none = Constant(0.0, "exact", "additive noise, equal learners")
    return NoiseConstants(Constant(sigma2, "exact", source), none, none, B)


def check_additive(sigma2: float, B: int) -> None:
    """Refuse a negative variance or an empty batch."""
    not_negative("sigma2", sigma2)
    at_least_one("B", B, "use B=1 for single examples")
