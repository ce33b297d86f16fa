"""A round of a run: what it leaves for the next, and for the reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from kavg.base import Floats
from kavg.trajectory import State


@final
@dataclass(frozen=True, eq=False)
class Round:
    """What a round leaves: the state for the next, and information for the reader.

    ``dispersion (R,)`` is ``(1/P) sum_j ||w^j - wbar||^2`` before averaging, zero at the start;
    ``gamma`` is the step size the round used (NaN at the start).  ``asked`` is the sum over the
    ranks of what each asked during the round (see ``meta_iterations``).
    """

    state: State
    dispersion: Floats
    gamma: float
    asked: int = 0

    @property
    def n(self) -> int:
        """Rounds done: 0 at the start."""
        return self.state.n

    @property
    def w(self) -> Floats:
        """The meta-iterate, ``(R, d)``: the theory's ``w_{n+1}``."""
        return self.state.w

    @property
    def v(self) -> Floats:
        """The outer rule's memory, ``(R, d)`` or ``(0,)``."""
        return self.state.v
