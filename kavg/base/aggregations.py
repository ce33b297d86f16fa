"""Protocols of aggregations: whose models are averaged, and with what learners go on.

An aggregation has ``check_method``, and the members of those of the other Protocols that it needs:
the engine asks which it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from kavg.base.values import Floats, Indices


class Aggregation(Protocol):
    """How the models of the learners become one."""

    def check_method(self, method: Any) -> None:
        """Raise ``KavgError`` if it contradicts another part of an ``Algorithm``."""
        ...


@runtime_checkable
class KeepsIterates(Aggregation, Protocol):
    """An aggregation whose learners go on from iterates of their own, which each of them keeps.

    All begin the first round at the start.  The mean displacement is counted from the meta-iterate
    ``w`` and not from a learner's own beginning: ``d_n = (1/P) sum_j (x_K^j - w_n)``.
    """

    def release(self, x: Floats, w: Floats) -> None:
        """Replace the learners' last iterates ``x (t, R, d)`` by those they go on from, in place.

        ``w (R, d)`` is the point that displacements are counted from.
        """
        ...


@runtime_checkable
class MixesIterates(KeepsIterates, Protocol):
    """An aggregation whose learners go on from weighted sums of the iterates of several.

    After ``release``, learner j goes on from ``sum_i W_ji x_i``; the sum of its own rank's rows
    costs one ``Allgather`` of all iterates a round.
    """

    def list_weights(self, j: int, P: int) -> Sequence[tuple[int, float]]:
        """Return the learners i whose iterates j adds up, in that order, with ``W_ji``."""
        ...


@runtime_checkable
class Asynchronous(Aggregation, Protocol):
    """An aggregation without a mean: a round is P updates of ``w``, one after another.

    Update i of a round is that of learner i.  It takes its K steps from the iterate before an
    earlier update, and all of its displacement is added to the newest one.
    """

    def count_past(self, P: int) -> int:
        """Return the longest staleness: the number of earlier iterates that are kept."""
        ...

    def draw_staleness(self, seed: int, n: int, R: int, P: int) -> Indices:
        """Return by how many updates the point is old where each update of round n begins.

        The shape is ``(R, P)``; the first replicas' must not depend on ``R``.
        """
        ...
