"""Differences between two runs, bit by bit: the first round, quantity and replica."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats
from kavg.trajectory import State, Trajectory

_ABSENT: Final = "nothing"
"""The value that is shown for a missing key."""


@final
@dataclass(frozen=True)
class Difference:
    """The first place where two runs of one algorithm differ, with both values there."""

    algorithm: str
    round: int
    quantity: str
    replica: int
    a: float
    b: float

    def __str__(self) -> str:
        """Return the place, both values and their distance."""
        where = f"round {self.round}, {self.quantity} of replica {self.replica}"
        return f"{where}: {self.a!r} and {self.b!r}, {abs(self.a - self.b):.3g} apart"


def first_difference(a: Trajectory, b: Trajectory) -> Difference | None:
    """Return the first difference of two runs in what both have; None if all bits are the same.

    Recorded series are compared first, in the order of rounds, then states stored by both.

    >>> F = np.array([[4.0, 4.0], [1.0, 1.5]])
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(2), {"F": F}, F.T, F.T, np.zeros(2))
    >>> print(first_difference(run, replace(run, series={"F": F + [[0, 0], [0, 0.5]]})))
    round 1, F of replica 1: 1.5 and 2.0, 0.5 apart
    """
    states = [*_common_states(a, b)]
    a, b = restrict_to_common(a, b)
    first = [
        (place, name)
        for name in a.series
        if (place := _first_place(a.series[name], b.series[name])) is not None
    ]
    if first:
        (i, r), name = min(first, key=lambda found: found[0][0])
        x, y = a.series[name], b.series[name]
        return Difference(a.name, int(a.rounds[i]), name, r, float(x[i, r]), float(y[i, r]))
    for n, name, x, y in states:
        if (place := _first_place(x, y)) is not None:
            quantity = f"{name}, coordinate {place[1]},"
            return Difference(a.name, n, quantity, place[0], float(x[place]), float(y[place]))
    return None


def _first_place(a: Floats, b: Floats) -> tuple[int, int] | None:
    # Bits, not numbers: 0.0 and -0.0 are equal numbers, and a NaN does not equal itself.
    differ = np.ascontiguousarray(a).view(np.uint64) != np.ascontiguousarray(b).view(np.uint64)
    places = np.argwhere(differ)
    return (int(places[0, 0]), int(places[0, 1])) if len(places) else None


def _common_states(a: Trajectory, b: Trajectory) -> Iterator[tuple[int, str, Floats, Floats]]:
    # Each w, and each v, that both have stored of the same round, of the replicas both have.
    R, others = min(a.replicas, b.replicas), {state.n: state for state in _all_states(b)}
    both = [(state, others[state.n]) for state in _all_states(a) if state.n in others]
    for one, other in both:
        for name, x, y in (("w", one.w[:R], other.w[:R]), ("v", one.v[:R], other.v[:R])):
            if x.shape == y.shape and x.ndim == 2:
                yield one.n, name, x, y


def _all_states(run: Trajectory) -> tuple[State, ...]:
    return (*run.states, State(int(run.rounds[-1]), run.w, run.v))


def restrict_to_common(a: Trajectory, b: Trajectory) -> tuple[Trajectory, Trajectory]:
    """Restrict both runs to the rounds, the replicas and the quantities that both have.

    The first replicas of a run do not depend on how many follow (law 3), so runs with different
    numbers of replicas can be compared.
    """
    _, at_a, at_b = np.intersect1d(a.rounds, b.rounds, return_indices=True)
    R, names = min(a.replicas, b.replicas), [name for name in a.series if name in b.series]
    return restrict_trajectory(a, at_a, R, names), restrict_trajectory(b, at_b, R, names)


def restrict_trajectory(
    run: Trajectory, rows: NDArray[np.intp], R: int, names: Sequence[str]
) -> Trajectory:
    """Return the recorded rounds ``rows`` of the first R replicas, with the quantities ``names``.

    Step sizes and stored states are dropped.
    """
    by_round = {name: x[rows] for name in ("counted", "Ks") if (x := getattr(run, name)).size}
    series = {name: run.series[name][rows, :R] for name in names}
    rounds, seconds = run.rounds[rows], run.seconds[rows]
    w, v, none = run.w[:R], run.v[:R], np.empty(0)
    return replace(
        run,
        rounds=rounds,
        seconds=seconds,
        series=series,
        w=w,
        v=v,
        gammas=none,
        states=(),
        **by_round,
    )


def trajectory_shape(run: Trajectory) -> dict[str, object]:
    """Return what must agree before two runs can be compared number by number."""
    return {
        "rounds": f"{len(run.rounds)} up to {run.rounds[-1]}",
        "replicas": run.replicas,
        "quantities": ", ".join(sorted(run.series)),
        "diverged at": run.diverged_at,
    }


def flatten_tables(tables: object, place: str = "") -> dict[str, object]:
    """Return every value of nested tables and lists by its dotted place.

    >>> flatten_tables({"a": {"b": 1}, "c": [2, 3]})
    {'a.b': 1, 'c.0': 2, 'c.1': 3}
    """
    parts: list[tuple[object, object]]
    if isinstance(tables, Mapping) and tables:
        parts = list(tables.items())
    elif isinstance(tables, list) and tables:
        parts = list(enumerate(tables))
    else:
        return {place: tables}
    flat: dict[str, object] = {}
    for key, part in parts:
        flat |= flatten_tables(part, f"{place}.{key}" if place else str(key))
    return flat


def compare_mappings(
    a: Mapping[str, object], b: Mapping[str, object]
) -> Iterator[tuple[str, object, object]]:
    """Yield the keys whose values differ, with both values; ``"nothing"`` for a missing one.

    >>> list(compare_mappings({"K": 4, "P": 2}, {"K": 8, "P": 2}))
    [('K', 4, 8)]
    """
    for place in dict.fromkeys((*a, *b)):
        here, there = a.get(place, _ABSENT), b.get(place, _ABSENT)
        # True == 1 and 1 == 1.0 in Python, but they are different settings.
        if here != there or type(here) is not type(there):
            yield place, here, there
