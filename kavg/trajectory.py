"""What a run leaves: states, and what was measured of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats
from kavg.errors import KavgError


@final
@dataclass(frozen=True, eq=False)
class State:
    """All that the next round needs: ``n`` rounds are done, ``w, v (R, d)`` are what they left.

    ``exponents (R,)`` belong to the exact mean (None before the first round).
    """

    n: int
    w: Floats
    v: Floats
    exponents: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The recorded rounds of one algorithm, ``T`` of them, over ``R`` replicas.

    ``rounds (T,)`` are the recorded n, the start (n = 0) and the last round always among them;
    ``series`` holds ``F``, ``grad_norm2``, ``dispersion`` and what else was asked for, each
    ``(T, R)``; ``w (R, d)`` and ``v`` are the last meta-iterate and block momentum; ``seconds
    (T,)`` is wall time since the start of the run (not part of the digest).  ``diverged_at`` is the
    round after which a value was no longer finite, or None.  ``done`` counts the rounds that led
    to ``w``, and ``exponents (R,)`` are the exact mean's grids: with them a run can be extended.
    ``states`` of earlier rounds were kept so that a round can be run again without all before it.

    Index i of a series belongs to the theory's ``w_{n+1}`` with ``n = rounds[i]``.
    """

    name: str
    P: int
    K: int
    B: int
    rounds: NDArray[np.int64]
    series: dict[str, Floats]
    w: Floats
    v: Floats
    seconds: Floats
    diverged_at: int | None = None
    gammas: Floats = field(default_factory=lambda: np.empty(0))
    exponents: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    done: int | None = None
    states: tuple[State, ...] = ()

    def __getattr__(self, name: str) -> Floats:
        """Return another recorded series by its name, such as ``trajectory.accuracy``."""
        # Called where a property raises AttributeError too, and before ``series`` is set.
        series: dict[str, Floats] = self.__dict__.get("series", {})
        if name.startswith("__") or name not in series:
            raise AttributeError(f"{name!r} was not recorded; there are: {', '.join(series)}")
        return series[name]

    @property
    def F(self) -> Floats:
        """The objective at the meta-iterate, ``(T, R)``."""
        return self.__getattr__("F")

    @property
    def grad_norm2(self) -> Floats:
        """The squared norm of the exact gradient at the meta-iterate, ``(T, R)``."""
        return self.__getattr__("grad_norm2")

    @property
    def dispersion(self) -> Floats:
        """``(1/P) sum_j ||w^j - wbar||^2`` of the learners before averaging, ``(T, R)``."""
        return self.__getattr__("dispersion")

    @property
    def replicas(self) -> int:
        """R."""
        return len(self.w)

    @property
    def steps(self) -> NDArray[np.int64]:
        """Local steps that each learner has taken, ``(T,)``."""
        return self.rounds * self.K

    @property
    def gradients(self) -> NDArray[np.int64]:
        """Single-example gradients over all learners, ``(T,)``: ``n K P B``."""
        return self.rounds * (self.K * self.P * self.B)

    @property
    def communications(self) -> NDArray[np.int64]:
        """Averagings so far, ``(T,)``: one a round."""
        return self.rounds

    def axis(self, name: str) -> NDArray[np.int64] | Floats:
        """An x axis by name: rounds, steps, gradients, communications or seconds."""
        if name not in AXES:
            raise KavgError(f"there is no axis {name!r}; use one of {', '.join(AXES)}")
        chosen: NDArray[np.int64] | Floats = getattr(self, name)
        return chosen


AXES = ("rounds", "steps", "gradients", "communications", "seconds")


@final
@dataclass(frozen=True, eq=False)
class Round:
    """What a round leaves: the state for the next, and information for the reader.

    ``dispersion (R,)`` is ``(1/P) sum_j ||w^j - wbar||^2`` before averaging, zero at the start;
    ``gamma`` is the step size the round used (NaN at the start).  ``requested`` is the sum over the
    ranks of their requests during the round (see ``meta_iterations``).
    """

    state: State
    dispersion: Floats
    gamma: float
    requested: int = 0

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
