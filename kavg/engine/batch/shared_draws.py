"""Oracles whose draws several points of a batch share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, TypeGuard, final

import numpy as np

from kavg.base import Floats, NoiseConstants, Objective, Oracle, Precision, StochasticGradient
from kavg.engine.contracts import compare_with_plan, move_away
from kavg.engine.options import RunOptions
from kavg.problem import Problem
from kavg.protocols import has_own_plan
from kavg.ranges import check_dimension

BLOCK: Final = 32_768
"""Numbers that oracles draw at once, for several steps if one has fewer."""


class HasCopiesPlan(Oracle, Protocol):
    """An oracle that can plan for several copies of a run, which share their draws.

    It is optional: points of another oracle run one after another.
    """

    def plan_copies(
        self,
        objective: Objective,
        *,
        seed: int,
        P: int,
        R: int,
        copies: int,
        tile: int,
        dtype: Precision = "float64",
    ) -> StochasticGradient:
        """Allocate as ``plan`` for rows that are ``copies`` times R, ``(t, copies R, d)``.

        Row ``c R + r`` has the bits of replica r of ``plan``.
        """
        ...


def can_share_draws(oracle: Oracle) -> TypeGuard[HasCopiesPlan]:
    """True if draws are addressed, and the oracle's class plans for copies what it plans for one.

    >>> from kavg.oracles import Gaussian
    >>> class Other(Gaussian):
    ...     def plan(self, objective, **sizes): ...
    >>> can_share_draws(Gaussian(1.0)), can_share_draws(Other(1.0))
    (True, False)
    """
    is_addressed = bool(getattr(oracle, "addressed", True))
    return is_addressed and has_own_plan(oracle, "plan_copies", of="plan")


@final
@dataclass(frozen=True)
class SharedDraws:
    """The oracle of a batch: its replicas are ``copies`` times those of each point.

    ``K`` is the number of steps that a tile takes before the next one draws.
    """

    oracle: HasCopiesPlan
    copies: int
    K: int

    def constants(self, objective: Objective) -> NoiseConstants:
        """Return the constants of the oracle."""
        return self.oracle.constants(objective)

    def plan(
        self,
        objective: Objective,
        *,
        seed: int,
        P: int,
        R: int,
        tile: int,
        dtype: Precision = "float64",
    ) -> StochasticGradient:
        """Plan for ``R`` rows, which are those of all copies."""
        each = R // self.copies
        if tile < P:
            tile = widen_tile(tile, self.K, each * check_dimension(objective))
        return self.oracle.plan_copies(
            objective, seed=seed, P=P, R=each, copies=self.copies, tile=tile, dtype=dtype
        )


def widen_tile(tile: int, K: int, numbers: int) -> int:
    """Return a tile for which oracles draw no more steps ahead than the K that a tile takes.

    Of the ``numbers`` of a learner and step, the few of a small tile would be drawn for many steps
    at once, and all but the first K thrown away when the next tile is selected.

    >>> widen_tile(1, K=1, numbers=5000), widen_tile(1, K=8, numbers=5000)
    (4, 1)
    """
    ahead = 1 << (K.bit_length() - 1)
    return max(tile, BLOCK // (2 * ahead * numbers) + 1)


def draws_like_one(problem: Problem, options: RunOptions, P: int, w: Floats, drawn: Floats) -> bool:
    """True if the first gradients of two copies are, to the last bit, those of a run alone.

    ``w (R, d)`` is the start, and ``drawn (d,)`` a learner's gradient near it, of
    ``check_user_code``.  Where they are not, each point must run by itself.
    """
    oracle, R = problem.oracle, options.replicas
    x = move_away(w, options.dtype).astype(options.dtype)[None]
    pair = np.concatenate([x, x], axis=1)
    expected, found = np.full_like(x, np.nan), np.full_like(pair, np.nan)
    shared = SharedDraws(oracle, copies=2, K=1) if can_share_draws(oracle) else oracle
    for each, points, out in ((oracle, x, expected), (shared, pair, found)):
        gradient = each.plan(
            problem.objective,
            seed=options.seed, P=P, R=points.shape[1], tile=1, dtype=options.dtype,
        )  # fmt: skip
        gradient.select(range(min(P, 2) - 1, min(P, 2)))
        gradient(points, 0, out)
    if compare_with_plan(oracle, expected[0], drawn) is not None:
        return False
    return all(np.array_equal(found[:, i : i + R], expected, equal_nan=True) for i in (0, R))
