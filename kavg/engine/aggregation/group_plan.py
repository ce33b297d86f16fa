"""Which groups the learners of a rank belong to, and the communicators of groups on several."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from kavg.base import CanSplit, Communicator
from kavg.engine.communicator import SerialComm, assign_learners
from kavg.errors import KavgError


class Group(NamedTuple):
    """A group of ``size`` learners; ``learners`` are those of this rank, ``comm`` all its ranks."""

    learners: range
    size: int
    comm: Communicator


def plan_groups(sizes: Sequence[int], comm: Communicator) -> list[Group]:
    """Return the groups of this rank's learners, in the order in which they are averaged.

    Groups are of consecutive learners, and so are the learners of a rank: a rank shares at most its
    first group with ranks below and its last with ranks above.  Groups on several ranks alternate
    between two splits of the communicator, and all ranks average those of the first split, then
    those of the second, then their own: a rank is in at most one group of each, so none waits in a
    circle.

    Collective where a group lies on several ranks: two calls of ``Split``.  Raises ``KavgError``
    on every rank if the communicator has none.

    >>> [group.learners for group in plan_groups((2, 3), SerialComm())]
    [range(0, 2), range(2, 5)]
    """
    rank, size, P = comm.Get_rank(), comm.Get_size(), sum(sizes)
    groups = [range(*ends) for ends in pairwise((0, *accumulate(sizes)))]
    own = assign_learners(P, size, rank)
    shared = find_shared(groups, size)
    mine = {number: _part(groups[number], own) for number in shared}
    plan: list[Group] = []
    for parity in range(min(2, len(shared))):
        members = [number for number in shared[parity::2] if mine[number]]
        # Ranks without a group of this split get a communicator that nobody uses.
        part = _split(comm, members[0] if members else len(groups))
        if not members:
            free_communicator(part)
        plan += [Group(mine[number], len(groups[number]), part) for number in members]
    alone = SerialComm()
    others = _list_within(groups, own)
    plan += [Group(groups[i], len(groups[i]), alone) for i in others if i not in mine]
    return plan


def _list_within(groups: Sequence[range], own: range) -> range:
    """Return the numbers of the groups of some learners."""
    starts = [group.start for group in groups]
    # Bisection, as P learners may be as many groups.
    return range(bisect_right(starts, own.start) - 1, bisect_left(starts, own.stop)) if own else own


def find_shared(groups: Sequence[range], size: int) -> list[int]:
    """Return the groups whose learners lie on several of ``size`` ranks, in order.

    >>> find_shared([range(0, 2), range(2, 5), range(5, 6)], size=3)
    [1]
    """
    P = groups[-1].stop
    starts = [assign_learners(P, size, rank).start for rank in range(size)]
    ranks = [
        bisect_right(starts, group.stop - 1) - bisect_right(starts, group.start) for group in groups
    ]
    return [number for number, further in enumerate(ranks) if further]


def free_communicator(comm: Communicator) -> None:
    """Free a communicator that ``Split`` made, if it can be freed.  Collective."""
    free = getattr(comm, "Free", None)
    if free is not None:
        free()


def _part(group: range, own: range) -> range:
    return range(max(group.start, own.start), max(own.start, min(group.stop, own.stop)))


def _split(comm: Communicator, color: int) -> Communicator:
    if not isinstance(comm, CanSplit):
        raise KavgError(
            "groups of learners on several ranks need a communicator with the call Split of "
            f"mpi4py's Comm, got {comm!r:.60}; pass such a one, or use as many ranks as divide the "
            "groups"
        )
    return comm.Split(color, comm.Get_rank())
