"""The results of a run: states, rounds, and the trajectory of what was measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from kavg.arrays import view_read_only
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.portability import ARITHMETIC

NOT_FINITE = ("w", "F", "the gradient of F")
"""The values that end a run where they are not finite."""


# eq=False here and elsewhere: == of arrays is an array and has no truth value.
@final
@dataclass(frozen=True, eq=False)
class State:
    """All that the next round needs: ``w`` and ``v`` after ``n`` rounds.

    ``w (R, d)`` is the meta-iterate and ``v`` the outer rule's memory: ``(R, d)``, as many side by
    side as the rule has, or ``(0,)``.
    ``exponents`` are the bounds that the exact mean uses next, None before the first round: one a
    replica, and one more for each slot that is averaged.  ``steps`` counts the local steps of a
    learner so far, None for ``n K``, and ``K`` is an adaptive period's for the next round.
    ``slots`` is what the learners' optimizers carry on: ``(learners, s, R, d)`` of this rank's
    learners where it is kept, ``(1, s, R, d)`` where it is averaged, else None.
    ``meta_iterations(state=...)`` continues from it with the same bits as an unbroken run.  A
    state that a run yields has read-only arrays; one that is given to a run is copied.
    """

    n: int
    w: Floats
    v: Floats
    exponents: NDArray[np.int64] | None = None
    steps: int | None = None
    K: int | None = None
    slots: Floats | None = None


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The recorded rounds of one algorithm, ``T`` of them, over ``R`` replicas.

    ``rounds (T,)`` are the recorded n, the start (n = 0) and the last round always among them;
    ``series`` holds ``F``, ``grad_norm2``, ``dispersion`` and further measures, each ``(T, R)`` and
    also an attribute; ``w (R, d)`` and ``v`` are the last meta-iterate and block momentum;
    ``seconds (T,)`` is wall time since the start of the run (not part of the digest); ``gammas
    (T,)`` are the step sizes, NaN at the start.  ``diverged_at`` is the round after which a value
    was no longer finite, or None, and ``not_finite`` names the value: w, F or the gradient of F.
    ``done`` counts the rounds that led to ``w``, and ``exponents
    (R,)`` are the exact mean's bounds: with them a run can be extended.  ``states`` are snapshots,
    from which later rounds can be repeated.  ``arithmetic`` is that of the kavg that made the run,
    1 up to kavg 0.3.0: a run is extended with its own alone.  ``K`` is the period of the last round
    where it changes from round to round.  Then ``Ks (T,)`` has the period of each recorded round,
    at the start that of round 1, ``counted (T,)`` the local steps up to it, ``done_steps`` those
    that led to ``w``, and ``next_K`` the next period of one that adapts.  ``slots`` is what the
    optimizers of all learners carry on, ``(P, s, R, d)`` if it is kept and ``(1, s, R, d)`` if
    averaged; ``measure_memory (R, m)`` is what measures of rounds remember, ``(0,)`` without them.
    ``active`` is the mean number of learners that take a local step, None where all P do.
    ``outer`` has the kind and numbers of the outer rule (``describe_outer_rule``), ``parts`` a text
    of optimizer, aggregation and measures, nothing where not recorded.  All arrays are read-only:
    copy what is to be changed.

    Index i of a series belongs to the theory's ``w_{n+1}`` with ``n = rounds[i]``.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer, simulate
    >>> problem = Problem(objectives.Quadratic((1.0,)), oracles.Noiseless(), start=1.0)
    >>> run = simulate(problem, Algorithm(P=2, K=1, gamma=0.5, outer=outer.Averaging()), rounds=2)
    >>> run.rounds, run.F[:, 0], run.gradients
    (array([0, 1, 2]), array([0.5    , 0.125  , 0.03125]), array([0, 2, 4]))
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
    not_finite: str | None = None
    arithmetic: int = ARITHMETIC
    outer: dict[str, str | float] = field(default_factory=dict)
    counted: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    next_K: int | None = None
    Ks: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    done_steps: int | None = None
    slots: Floats = field(default_factory=lambda: np.empty(0))
    measure_memory: Floats = field(default_factory=lambda: np.empty(0))
    active: float | None = None
    parts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = ("rounds", "w", "v", "seconds", "gammas", "exponents", "counted", "Ks", "slots")
        for name in (*names, "measure_memory"):
            object.__setattr__(self, name, view_read_only(getattr(self, name)))
        series = {name: view_read_only(values) for name, values in self.series.items()}
        object.__setattr__(self, "series", series)

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
        """The number of replicas, R."""
        return len(self.w)

    @property
    def periods(self) -> NDArray[np.int64]:
        """The period K of each recorded round, ``(T,)``; at the start that of round 1."""
        return self.Ks if self.Ks.size else np.full(len(self.rounds), self.K, np.int64)

    @property
    def steps(self) -> NDArray[np.int64]:
        """The number of local steps each learner has taken, ``(T,)``: ``n K`` if K is constant."""
        return self.counted if self.counted.size else self.rounds * self.K

    @property
    def gradients(self) -> NDArray[np.int64]:
        """The number of single-example gradients of all learners, ``(T,)``: ``steps P B``.

        Where some learners take no part, or fewer steps, these are not counted.
        """
        if self.active is None:
            return self.steps * (self.P * self.B)
        taken: NDArray[np.int64] = np.rint(self.steps * self.active).astype(np.int64)
        return taken * self.B

    @property
    def active_learners(self) -> float:
        """The mean number of learners that take a local step: P unless ``active`` is given."""
        return self.P if self.active is None else self.active

    @property
    def communications(self) -> NDArray[np.int64]:
        """The number of averagings, ``(T,)``: one a round."""
        return self.rounds

    def axis(self, name: str) -> NDArray[np.int64] | Floats:
        """Return the values of an x axis for figures, ``(T,)``; ``name`` is one of ``AXES``.

        Raises ``KavgError`` for any other name.
        """
        if name not in AXES:
            raise KavgError(f"there is no axis {name!r}; use one of {', '.join(AXES)}")
        values: NDArray[np.int64] | Floats = getattr(self, name)
        return values


AXES = ("rounds", "steps", "gradients", "communications", "seconds")
"""The attributes of a ``Trajectory`` that can be the x axis of a figure."""


@final
@dataclass(frozen=True, eq=False)
class Round:
    """The result of one round: the state for the next round, and measurements of this one.

    ``K`` is the number of local steps that the round took, 0 at the start.
    ``dispersion (R,)`` is ``(1/P) sum_j ||w^j - wbar||^2`` before averaging, zero at the start;
    ``gamma`` is the step size the round used (NaN at the start).  ``requested`` is the sum over the
    ranks of their requests during the round (see ``meta_iterations``).
    ``displacement (R, d)``, the mean displacement, and ``learner_means``, means over learners of
    numbers of each, are there for measures that read them alone.
    """

    state: State
    dispersion: Floats
    gamma: float
    requested: int = 0
    K: int = 0
    displacement: Floats | None = None
    learner_means: tuple[Floats, ...] = ()

    @property
    def n(self) -> int:
        """The number of rounds done: 0 at the start."""
        return self.state.n

    @property
    def w(self) -> Floats:
        """The meta-iterate, ``(R, d)``: the theory's ``w_{n+1}``."""
        return self.state.w

    @property
    def v(self) -> Floats:
        """The outer rule's memory, ``(R, d)`` or ``(0,)``."""
        return self.state.v
