"""Protocols of aggregations: whose models are averaged, and with what learners go on.

An aggregation has ``check_method``, and the members of those of the other Protocols that it needs:
the engine asks which it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

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
class KeepsLastIterates(KeepsIterates, Protocol):
    """An aggregation whose learners may take a gradient where they were before ``release``.

    With ``first_gradient = "last"`` the first step of a round begins at the released iterates, by
    the gradient at those before, which learners keep too; with ``"released"`` it does not.
    """

    @property
    def first_gradient(self) -> Literal["released", "last"]:
        """Where the first gradient of a round is taken."""
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


def count_own_iterates(aggregation: Aggregation) -> int:
    """Return how many iterates each learner keeps from round to round."""
    last = isinstance(aggregation, KeepsLastIterates) and aggregation.first_gradient == "last"
    return isinstance(aggregation, KeepsIterates) + last


class RoundDraw(NamedTuple):
    """The address of what is drawn for round ``n``, for each of ``R`` replicas by itself."""

    seed: int
    n: int
    R: int


class RoundShares(NamedTuple):
    """What some learners contribute to the mean of a round, one row a learner.

    Each is an array ``(learners, R)``, or None where all learners are alike: ``takes_part`` says
    whose displacement is read, ``factors`` multiply the displacements before their mean (one
    column does for all replicas), and ``K`` is the number of local steps.
    """

    takes_part: NDArray[np.bool_] | None = None
    factors: Floats | None = None
    K: NDArray[np.int64] | None = None


@runtime_checkable
class WeighsLearners(Aggregation, Protocol):
    """An aggregation whose learners contribute differently: some not at all, or by a factor.

    The mean is ``d_n = (1/m) sum_j f_j d_j`` over those who take part, and the dispersion that of
    the ``f_j d_j`` about it, divided by ``m`` too.  Others are never read.
    """

    def count_terms(self, P: int) -> int:
        """Return ``m``, what the sum is divided by: the same in every round."""
        ...

    def count_steps(self, P: int, K: int) -> int:
        """Return the local steps that all learners together take in a round of ``K``."""
        ...

    def share(self, learners: range, P: int, K: int, draw: RoundDraw) -> RoundShares:
        """Return what these of ``P`` learners contribute to a round of ``K`` local steps.

        What is drawn depends on ``draw`` and a learner's number alone, so that all ranks agree.
        """
        ...


@runtime_checkable
class AveragesGroups(Aggregation, Protocol):
    """An aggregation that averages groups of learners within the round, every ``K1`` local steps.

    The last of these averages is that of all learners.
    """

    @property
    def K1(self) -> int:
        """The local steps between averages of a group; it divides the period of every round."""
        ...

    def count_groups(self, P: int) -> int:
        """Return the number of groups, without a list of them."""
        ...

    def group_sizes(self, P: int) -> tuple[int, ...]:
        """Return the sizes of the groups of consecutive learners; their sum is ``P``."""
        ...
