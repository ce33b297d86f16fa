"""Protocols of the parts of an algorithm: step size, period, local optimizer, outer rule."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

from kavg.base.values import Floats, Precision

AtAverage = Literal["reset", "kept", "averaged"]
"""What becomes of the state of the learners' optimizers when their models are averaged."""


class Schedule(Protocol):
    """The local step size as a function of the round, ``gamma(n)`` for ``n = 1, 2, ...``.

    All K local steps of a round have the same size.
    """

    def __call__(self, n: int) -> float:
        """Return ``gamma(n) > 0``."""
        ...


class Period(Protocol):
    """The averaging period as a function of the round: ``K(n)`` local steps, n = 1, 2, ..."""

    def __call__(self, n: int, gamma: float) -> int:
        """Return ``K(n) >= 1``; ``gamma`` is the step size of round ``n``."""
        ...


@runtime_checkable
class AdaptivePeriod(Period, Protocol):
    """A period that follows from what was measured; called as a ``Period`` it gives the first."""

    def adapt(self, K: int, dispersion: Floats, gamma: float) -> int:
        """Return the period of the next round, from the ``K`` of this one.

        ``dispersion (R,)`` is ``(1/P) sum_j ||x_j - mean||^2`` of this round, with step ``gamma``.
        """
        ...


class LocalUpdate(Protocol):
    """A planned local step: its workspace is allocated once, and calls allocate nothing."""

    def __call__(self, x: Floats, g: Floats, slots: Floats, gamma: Floats, age: int) -> object:
        """Update ``x (t, R, d)`` and ``slots (s, t, R, d)`` in place by the gradient ``g``.

        ``g`` may be overwritten.  ``gamma`` is the step size, an array of shape ``()`` or one for
        the rows.  ``age`` counts the learner's steps since its slots were zero, from 1.
        """
        ...


class LocalOptimizer(Protocol):
    """The rule of the learners' local steps; ``plan`` makes the step.

    ``slots`` is the number of arrays of the size of the model that a learner carries from step to
    step, all zero at the start of the run, and ``at_average`` what becomes of them when models are
    averaged: ``"reset"`` to zero, ``"kept"`` by each learner, or ``"averaged"`` over learners.
    """

    @property
    def slots(self) -> int:
        """The number of arrays; 0 for a step that depends on the gradient alone."""
        ...

    @property
    def at_average(self) -> AtAverage:
        """What becomes of the slots at the average."""
        ...

    def plan(self, tile: int, R: int, d: int, dtype: Precision) -> LocalUpdate:
        """Allocate for up to ``(tile, R)`` rows of ``d`` coordinates."""
        ...


class Outer(Protocol):
    """The outer rule: how the mean displacement of a round updates the meta-iterate.

    ``kavg.outer`` compares the rules.  Rules are frozen values: ``w`` and ``v`` are all state.
    Replicas are rows, and any number of them may be passed: the rule is tried on one or two first.
    """

    @property
    def memory(self) -> bool | int:
        """The number of arrays of the size of ``w`` in ``v``: True is one, False none.

        ``v`` has shape ``(R, memory d)``, one array beside the other; ``(0,)`` without memory.
        """
        ...

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Write the point where all learners begin the round to ``out (R, d)``."""
        ...

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Update ``w`` and ``v`` in place by the mean displacement ``(R, d)`` of a round.

        ``displacement`` is the mean over learners of end minus start.  The rule may overwrite it:
        it is the buffer of the mean, and the caller must not read it afterwards.  ``gamma`` is the
        step size of the round.
        """
        ...
