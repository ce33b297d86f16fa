"""Blocks of rows, small enough for a cache, with workspace for each shape that occurs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

Rows = tuple[slice, slice]
"""A part of the rows of ``(t, R, d)``: the same replicas of some learners."""
Plan = TypeVar("Plan")


def cut_rows(t: int, R: int, most: int) -> Iterator[Rows]:
    """Cut the rows of ``(t, R, d)`` into blocks of at most ``most`` rows, in order.

    >>> [(j.stop - j.start, r.stop - r.start) for j, r in cut_rows(5, 3, most=7)]
    [(2, 3), (2, 3), (1, 3)]
    """
    learners, replicas = max(1, most // R), max(1, min(R, most))
    for j in range(0, t, learners):
        for r in range(0, R, replicas):
            yield slice(j, min(t, j + learners)), slice(r, min(R, r + replicas))


def plan_blocks(
    t: int, R: int, most: int, make: Callable[[int, int], Plan]
) -> list[tuple[Rows, Plan]]:
    """Return the blocks of ``cut_rows``, each with ``make(learners, replicas)`` of its shape.

    Blocks of one shape share what is made: all are alike but the last ones.

    >>> [plan for _, plan in plan_blocks(5, 3, most=7, make=lambda t, R: t * R)]
    [6, 6, 3]
    """
    made: dict[tuple[int, int], Plan] = {}
    plan = []
    for j, r in cut_rows(t, R, most):
        shape = j.stop - j.start, r.stop - r.start
        # Not functools.cache, which takes as long to set up as a product of few numbers.
        if shape not in made:
            made[shape] = make(*shape)
        plan.append(((j, r), made[shape]))
    return plan
