"""Where two runs part: the first round, quantity and replica whose bits differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats
from kavg.trajectory import State, Trajectory

ABSENT: Final = "nothing"


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
        """In words."""
        where = f"round {self.round}, {self.quantity} of replica {self.replica}"
        return f"{where}: {self.a!r} and {self.b!r}, {abs(self.a - self.b):.3g} apart"


def first_difference(a: Trajectory, b: Trajectory) -> Difference | None:
    """Where ``a`` and ``b`` part, as far as both go; None if all bits are the same.

    >>> F = np.array([[4.0, 4.0], [1.0, 1.5]])
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(2), {"F": F}, F.T, F.T, np.zeros(2))
    >>> print(first_difference(run, replace(run, series={"F": F + [[0, 0], [0, 0.5]]})))
    round 1, F of replica 1: 1.5 and 2.0, 0.5 apart
    """
    states = [*_common_states(a, b)]
    a, b = restrict_to_common(a, b)
    first = [
        (i, q, r) for q in a.series for i, r in _first_differing_place(a.series[q], b.series[q])
    ]
    if first:
        i, q, r = min(first, key=lambda place: place[0])
        values = float(a.series[q][i, r]), float(b.series[q][i, r])
        return Difference(a.name, int(a.rounds[i]), q, r, *values)
    for n, name, x, y in states:
        for r, k in _first_differing_place(x, y):
            values = float(x[r, k]), float(y[r, k])
            return Difference(a.name, n, f"{name}, coordinate {k},", r, *values)
    return None


def _first_differing_place(a: Floats, b: Floats) -> list[tuple[int, int]]:
    """The first row, and the first place in it, where bits differ; an empty list if none do."""
    bits = np.ascontiguousarray(a).view(np.uint64) != np.ascontiguousarray(b).view(np.uint64)
    places = np.argwhere(bits)[:1]
    return [(int(i), int(j)) for i, j in places]


def _common_states(a: Trajectory, b: Trajectory) -> Iterator[tuple[int, str, Floats, Floats]]:
    """Each ``w``, and each ``v``, that both kept of the same round, of the replicas both have."""
    R, others = min(a.replicas, b.replicas), {state.n: state for state in _all_states(b)}
    both = [(state, others[state.n]) for state in _all_states(a) if state.n in others]
    for one, other in both:
        for name, x, y in (("w", one.w[:R], other.w[:R]), ("v", one.v[:R], other.v[:R])):
            if x.shape == y.shape and x.ndim == 2:
                yield one.n, name, x, y


def _all_states(run: Trajectory) -> tuple[State, ...]:
    """The states that were kept, the last included."""
    return (*run.states, State(int(run.rounds[-1]), run.w, run.v))


def restrict_to_common(a: Trajectory, b: Trajectory) -> tuple[Trajectory, Trajectory]:
    """Both cut to the rounds, the replicas and the quantities that both have.

    The first replicas of a run do not depend on how many follow.
    """
    _, at_a, at_b = np.intersect1d(a.rounds, b.rounds, return_indices=True)
    R, names = min(a.replicas, b.replicas), [name for name in a.series if name in b.series]
    return restrict_trajectory(a, at_a, R, names), restrict_trajectory(b, at_b, R, names)


def restrict_trajectory(
    run: Trajectory, rows: NDArray[np.intp], R: int, names: Sequence[str]
) -> Trajectory:
    """These recorded rounds of the first R replicas."""
    series = {name: run.series[name][rows, :R] for name in names}
    rounds, seconds = run.rounds[rows], run.seconds[rows]
    w, v, none = run.w[:R], run.v[:R], np.empty(0)
    return replace(
        run, rounds=rounds, seconds=seconds, series=series, w=w, v=v, gammas=none, states=()
    )


def trajectory_shape(run: Trajectory) -> dict[str, Any]:
    """What must be the same before numbers can be held side by side."""
    return {
        "rounds": f"{len(run.rounds)} up to {run.rounds[-1]}",
        "replicas": run.replicas,
        "quantities": ", ".join(sorted(run.series)),
        "diverged at": run.diverged_at,
    }


def flatten_tables(tables: Any, place: str = "") -> dict[str, Any]:
    """Every value of nested tables and lists by its place.

    >>> flatten_tables({"a": {"b": 1}, "c": [2, 3]})
    {'a.b': 1, 'c.0': 2, 'c.1': 3}
    """
    if isinstance(tables, Mapping) and tables:
        parts = list(tables.items())
    elif isinstance(tables, list) and tables:
        parts = list(enumerate(tables))
    else:
        return {place: tables}
    found: dict[str, Any] = {}
    for key, part in parts:
        found |= flatten_tables(part, f"{place}.{key}" if place else str(key))
    return found


def compare_mappings(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The places whose values differ, with both values; ``ABSENT`` where there is none."""
    for place in dict.fromkeys((*a, *b)):
        here, there = a.get(place, ABSENT), b.get(place, ABSENT)
        if here != there or type(here) is not type(there):
            yield place, here, there
