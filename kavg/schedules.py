"""Local step sizes as functions of the round: ``gamma(n)`` for n = 1, 2, ...

A schedule counts rounds, not local steps: all K steps of a round have one size, as in the papers.
A plain number is a constant schedule.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Annotated, final

from kavg.errors import KavgError
from kavg.families import collect_kinds
from kavg.ranges import Count, Positive, check_ranges


@final
@dataclass(frozen=True)
class ConstantStep:
    """``gamma(n) = gamma``; the same as the number itself.

    >>> ConstantStep(0.1)(7)
    0.1
    """

    kind = "constant"
    same_bits = "any machine"
    gamma: Positive

    def __post_init__(self) -> None:
        check_ranges(self)

    def __call__(self, n: int) -> float:
        """Return the step size of round ``n``."""
        return self.gamma


@final
@dataclass(frozen=True)
class InverseSqrt:
    """``gamma(n) = gamma / sqrt(1 + (n - 1)/rounds)``.

    ``gamma^2`` is halved after ``rounds`` rounds.  With ``rounds = 1`` it is ``gamma/sqrt(n)``, the
    usual choice where N is not known in advance.

    >>> InverseSqrt(0.1, rounds=1)(4)
    0.05
    """

    kind = "inverse_sqrt"
    same_bits = "any machine"
    gamma: Positive
    rounds: Annotated[Count, "use rounds=1 for gamma/sqrt(n)"] = 1

    def __post_init__(self) -> None:
        check_ranges(self)

    def __call__(self, n: int) -> float:
        """Return the step size of round ``n``."""
        return float(self.gamma / sqrt(1 + (n - 1) / self.rounds))


@final
@dataclass(frozen=True)
class Piecewise:
    """``gamma(n) = gammas[i]`` where i of the ``boundaries`` lie below n.

    A boundary is the last round of its piece.  Raises ``KavgError`` unless there is one number
    more than boundaries, and these rise.

    >>> schedule = Piecewise(gammas=(0.1, 0.01), boundaries=(50,))
    >>> schedule(50), schedule(51)
    (0.1, 0.01)
    """

    kind = "piecewise"
    same_bits = "any machine"
    gammas: tuple[Positive, ...]
    boundaries: tuple[int, ...]

    def __post_init__(self) -> None:
        check_ranges(self)
        if len(self.gammas) != len(self.boundaries) + 1:
            raise KavgError(
                f"gammas needs one number more than boundaries, got {len(self.gammas)} gammas and "
                f"{len(self.boundaries)} boundaries; each boundary is the last round of its piece"
            )
        if any(a >= b for a, b in pairwise((0, *self.boundaries))):
            raise KavgError(
                f"boundaries must be rounds of at least 1 that rise, got {self.boundaries}"
            )

    def __call__(self, n: int) -> float:
        """Return the step size of round ``n``."""
        return self.gammas[sum(boundary < n for boundary in self.boundaries)]


@final
@dataclass(frozen=True)
class WarmUp:
    """``then``, approached from small step sizes over the first ``rounds`` rounds.

    ``gamma(n) = then(n) n / rounds`` for ``n <= rounds`` and ``then(n)`` afterwards.  The rise is
    linear if ``then`` is constant.

    >>> [WarmUp(rounds=2, then=ConstantStep(0.1))(n) for n in (1, 2, 3)]
    [0.05, 0.1, 0.1]
    """

    kind = "warm_up"
    same_bits = "any machine"
    rounds: Annotated[Count, "leave the warm-up out instead"]
    then: ConstantStep | InverseSqrt | Piecewise

    def __post_init__(self) -> None:
        check_ranges(self)

    def __call__(self, n: int) -> float:
        """Return the step size of round ``n``."""
        return self.then(n) * min(1.0, n / self.rounds)


KINDS = collect_kinds(vars())
"""The classes by their ``kind`` in a settings file."""
