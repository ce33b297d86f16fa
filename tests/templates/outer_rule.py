"""Averaging with a step of its own: the template of an outer rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, final

import numpy as np

from kavg.base import Floats
from kavg.ranges import Positive, check_ranges


@final
@dataclass(frozen=True)
class ScaledAveraging:
    """``w_{n+1} = w_n + alpha d_n``: the mean of the learners, over- or underrelaxed.

    ``Averaging`` is ``alpha = 1``.  Write here the recursion in the order of its paper, the paper,
    how the rule differs from its near twins, and a round by hand.

    >>> w = np.array([[1.0]])
    >>> rule = ScaledAveraging(alpha=0.5)
    >>> rule.step(w, np.empty(0), displacement=np.array([[-0.5]]), gamma=0.1)
    >>> w
    array([[0.75]])
    """

    kind = "scaled_averaging"
    same_bits = "any machine"
    alpha: Annotated[Positive, "use 1 for averaging"] = 1.0
    memory = False  # True: v has the shape of w, and starts at 0

    def __post_init__(self) -> None:
        check_ranges(self)

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Start the learners at the meta-iterate."""
        out[...] = w

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Move by ``alpha d``; overwrites ``displacement``."""
        np.multiply(displacement, self.alpha, out=displacement)
        np.add(w, displacement, out=w)
