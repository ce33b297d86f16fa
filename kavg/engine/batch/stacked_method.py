"""Algorithms of equal P and K as one, whose rows are points times replicas.

Row ``c R + r`` is replica r of point c.  Each row is computed by the operations, and with the
numbers, of its own algorithm alone, so it has the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from copy import copy
from itertools import groupby
from typing import Final, NamedTuple, final

import numpy as np

from kavg.base import Floats, Outer
from kavg.engine.contracts import refuse_result
from kavg.engine.local.round_method import StepSizes
from kavg.problem import Algorithm

NO_MEMORY: Final = np.empty(0)
WIDE: Final = 512
"""Coordinates from which on a number of a row is broadcast and not written out for all of them."""


def can_stack(algorithm: Algorithm) -> bool:
    """True if an algorithm can share arrays with others: constant K, SGD, one array of memory.

    >>> from kavg.outer import Averaging
    >>> can_stack(Algorithm(P=2, K=1, gamma=0.1, outer=Averaging()))
    True
    """
    return algorithm.is_plain and not callable(algorithm.K) and int(algorithm.outer.memory) <= 1


def spread_points(numbers: Sequence[float], R: int, d: int) -> Floats:
    """Return one number a point as an array for its rows: ``(points R, d)``, or with one column.

    NumPy broadcasts a column over short rows three times as slowly as it reads an array.

    >>> spread_points([1.0, 2.0], R=2, d=2).tolist()
    [[1.0, 1.0], [1.0, 1.0], [2.0, 2.0], [2.0, 2.0]]
    """
    column = np.repeat(np.array(numbers, np.float64), R)[:, None]
    return column if d >= WIDE else np.repeat(column, d, axis=1)


class _Part(NamedTuple):
    """An outer rule and the rows that it steps; those of several points if it is stacked."""

    rule: Outer
    rows: slice
    is_stacked: bool


@final
class StackedRules:
    """The outer rules of several points: each steps its own rows.

    Neighbours of one class that declares itself ``elementwise`` are stepped together, by a rule
    whose numbers are arrays.  Others are called point by point, as they are when alone.
    """

    def __init__(self, rules: Sequence[Outer], R: int, d: int) -> None:
        self.memory = any(rule.memory for rule in rules)
        self.parts: list[_Part] = []
        first = 0
        for _, alike in groupby(enumerate(rules), _stack_key):
            group = [rule for _, rule in alike]
            rows = slice(first * R, (first + len(group)) * R)
            self.parts.append(_Part(_stack(group, R, d), rows, len(group) > 1))
            first += len(group)

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Write each point's start of the round to its rows of ``out``."""
        for rule, rows, _ in self.parts:
            rule.start(w[rows], v[rows] if rule.memory else NO_MEMORY, out[rows])

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: StepSizes) -> None:
        """Update the rows of each point; ``gamma`` is one number, or an array of rows."""
        for rule, rows, is_stacked in self.parts:
            own_w, own_v = w[rows], v[rows] if rule.memory else np.empty(0)
            size = gamma
            if isinstance(gamma, np.ndarray):
                size = gamma[rows] if is_stacked else float(gamma[rows.start, 0])
            step: Callable[..., object] = rule.step  # a user's, which may return anything
            returned = step(own_w, own_v, displacement[rows], size)
            if returned is not None:
                refuse_result(rule, own_w, own_v, returned)


def _stack_key(numbered: tuple[int, Outer]) -> Hashable:
    """Return what must be equal for rules to be stepped together."""
    number, rule = numbered
    # A subclass may step otherwise, so its own class must say so.
    if not vars(type(rule)).get("elementwise", False):
        return number
    rest = (value for _, value in _list_fields(rule) if not isinstance(value, float))
    return type(rule), tuple(map(repr, rest))


def _list_fields(rule: Outer) -> list[tuple[str, object]]:
    names: Iterable[str] = getattr(rule, "__dataclass_fields__", ())
    return [(name, getattr(rule, name)) for name in names]


def _stack(rules: Sequence[Outer], R: int, d: int) -> Outer:
    """Return one rule whose numbers are arrays where those of ``rules`` differ."""
    stacked = copy(rules[0])
    for name, first in _list_fields(rules[0]) if len(rules) > 1 else ():
        values = [getattr(rule, name) for rule in rules]
        if isinstance(first, float) and any(value != first for value in values):
            # Past the checks of the constructor, which each rule has passed already.
            object.__setattr__(stacked, name, spread_points(values, R, d))
    return stacked


@final
class StackedMethod:
    """Algorithms of equal ``P``, ``K`` and ``restart``, for the rounds of ``Learners``."""

    def __init__(self, algorithms: Sequence[Algorithm], R: int, d: int) -> None:
        self.algorithms, self.R, self.d = algorithms, R, d
        self.P, self.K = algorithms[0].P, algorithms[0].count_local_steps(1)
        self.optimizer, self.aggregation = algorithms[0].optimizer, algorithms[0].aggregation
        self.outer = StackedRules([algorithm.outer for algorithm in algorithms], R, d)
        self.is_constant = not any(callable(algorithm.gamma) for algorithm in algorithms)
        self.sizes: list[float] = []
        """The step size of each point in the last round."""
        self.spread: StepSizes = 0.0

    def count_local_steps(self, n: int) -> int:
        """Return the K of all points."""
        return self.K

    def sum_local_steps(self, n: int) -> int:
        """Return ``n K``."""
        return n * self.K

    def is_restart(self, n: int) -> bool:
        """True if the memory of all points is zero at the beginning of round ``n``."""
        return self.algorithms[0].is_restart(n)

    def adapt_period(self, n: int, K: int, dispersion: Floats) -> int | None:
        """Return None: the K of all points is constant."""
        return None

    def step_size(self, n: int) -> StepSizes:
        """Return the step sizes of round ``n``: one number if all points have it."""
        if self.sizes and self.is_constant:
            return self.spread
        sizes = [algorithm.step_size(n) for algorithm in self.algorithms]
        if sizes != self.sizes:
            self.sizes = sizes
            alike = all(size == sizes[0] for size in sizes)
            self.spread = sizes[0] if alike else spread_points(sizes, self.R, self.d)
        return self.spread
