"""Which points run together: those of equal P, K, restart and rounds, as many as suit a cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from kavg.base import RoundMeasure
from kavg.engine.batch.shared_draws import can_share_draws
from kavg.engine.batch.stacked_method import can_stack
from kavg.engine.options import RunOptions
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem
from kavg.ranges import check_count

BATCH_COORDINATES: Final = 131_072
"""Coordinates of all points, replicas and learners of a batch whose points are small: 4 tiles."""
ENOUGH: Final = 16
"""Points of a batch whose points are larger: draws are then some 5 % of the work."""
LARGEST: Final = 2**22
"""Coordinates of all points and replicas of a batch: 32 MB an array."""
LARGEST_RECORD: Final = 2**26
"""Recorded numbers of all points of a batch: 512 MB."""
SERIES: Final = 4
"""Recorded series of a run: F, grad_norm2, dispersion, and one of the objective's own."""


@final
@dataclass(frozen=True)
class Batch:
    """Points that run together: their algorithms, and where these stood among all.

    ``indices`` are positions in what was given to ``plan_batches``.  A batch without shared draws
    runs its points one after another, as do those with ``measures`` of rounds, which see the rows
    of one point alone.
    """

    problem: Problem
    algorithms: tuple[Algorithm, ...]
    indices: tuple[int, ...]
    rounds: int
    options: RunOptions
    every: int
    measures: tuple[RoundMeasure, ...] = ()


def plan_batches(
    problem: Problem,
    algorithms: Sequence[Algorithm],
    rounds: int | Sequence[int],
    options: RunOptions,
    *,
    every: int = 1,
    most: int | None = None,
    measures: tuple[RoundMeasure, ...] = (),
) -> list[Batch]:
    """Divide algorithms into batches for ``run_batch``; each is in one of them.

    ``rounds`` is one number or one for each algorithm; ``most`` limits the points of a batch.
    Points with similar step sizes run together, as those that diverge, or are slow, cost their
    neighbours time.

    Raises ``KavgError`` if there is no algorithm, or if ``rounds``, ``every`` or ``most`` does not
    suit.

    >>> from kavg import objectives, oracles, outer
    >>> problem = Problem(objectives.Cosine(dim=2), oracles.Gaussian(1.0), start=2.0)
    >>> rules = [outer.BlockMomentum(mu) for mu in (0.3, 0.5)]
    >>> points = [Algorithm(4, K, 0.1, rule) for rule in rules for K in (1, 2)]
    >>> [batch.indices for batch in plan_batches(problem, points, 10, RunOptions())]
    [(0, 2), (1, 3)]
    """
    if not algorithms:
        raise KavgError("a batch needs at least one algorithm, got none")
    check_count("every", every, "use every=1 to record each round")
    groups: dict[tuple[int, ...], list[int]] = {}
    each = _list_rounds(rounds, len(algorithms))
    for i, (algorithm, N) in enumerate(zip(algorithms, each, strict=True)):
        # A single point runs as it does alone.
        key = (algorithm.P, algorithm.count_local_steps(1), N, algorithm.restart or 0)
        groups.setdefault(key if can_stack(algorithm) else (*key, i), []).append(i)
    batches = []
    for (P, _, N, *_), members in groups.items():
        members.sort(key=lambda i: algorithms[i].step_size(1))
        recorded = SERIES * options.replicas * (N // every + 2)
        limit = min(_limit_points(problem, P, options, most), max(1, LARGEST_RECORD // recorded))
        limit = 1 if measures else limit
        for indices in _cut_evenly(members, limit):
            # Rules of one class side by side are stepped together.
            indices.sort(key=lambda i: type(algorithms[i].outer).__qualname__)
            chosen = tuple(algorithms[i] for i in indices)
            batches.append(Batch(problem, chosen, tuple(indices), N, options, every, measures))
    return batches


def _list_rounds(rounds: int | Sequence[int], points: int) -> list[int]:
    advice = "use rounds=1 for a single averaging"
    if not isinstance(rounds, Sequence):
        return [check_count("rounds", rounds, advice)] * points
    if len(rounds) != points:
        raise KavgError(
            f"rounds must be one number, or one for each of the {points} algorithms, got "
            f"{len(rounds)} of them"
        )
    return [check_count("rounds", each, advice) for each in rounds]


def _limit_points(problem: Problem, P: int, options: RunOptions, most: int | None) -> int:
    if not can_share_draws(problem.oracle):
        return 1
    limit = choose_points(P, options.replicas, problem.dim)
    return limit if most is None else min(limit, check_count("most", most, "leave it out"))


def choose_points(P: int, R: int, d: int) -> int:
    """Return the most points of a batch.

    >>> choose_points(P=8, R=8, d=10), choose_points(P=8, R=50, d=100), choose_points(1, 1, 10**6)
    (204, 16, 4)
    """
    limit = max(1, LARGEST // (R * d))
    return min(limit, max(ENOUGH, BATCH_COORDINATES // (P * R * d)))


def _cut_evenly(members: list[int], limit: int) -> list[list[int]]:
    parts = -(-len(members) // limit)
    size = -(-len(members) // parts)
    return [members[i : i + size] for i in range(0, len(members), size)]
