"""Protocols of the parts of an algorithm: the step size and the outer rule."""

from __future__ import annotations

from typing import Protocol

from kavg.base.values import Floats


class Schedule(Protocol):
    """The local step size as a function of the round, ``gamma(n)`` for ``n = 1, 2, ...``.

    All K local steps of a round have the same size.
    """

    def __call__(self, n: int) -> float:
        """Return ``gamma(n) > 0``."""
        ...


class Outer(Protocol):
    """The outer rule: how the mean displacement of a round updates the meta-iterate.

    ``kavg.outer`` compares the rules.  Rules are frozen values: ``w`` and ``v`` are all state.
    Replicas are rows, and any number of them may be passed: the rule is tried on one or two first.
    """

    @property
    def memory(self) -> bool:
        """True if the rule carries ``v`` of the shape of ``w``; otherwise ``v`` has shape (0,)."""
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
