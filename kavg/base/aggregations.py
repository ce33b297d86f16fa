"""Protocols of aggregations: whose models are averaged, and with what learners go on.

An aggregation has ``check_method``, and the members of those of the other Protocols that it needs:
the engine asks which it has.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from kavg.base.values import Floats


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
