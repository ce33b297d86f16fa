"""The contract of an oracle: gradients that are written, with draws that follow from an address.

Whether the gradients are unbiased, and of the variance that is claimed, cannot be seen from a few
draws; ``tests/contracts/test_oracles.py`` measures it for the kinds of kavg.
"""

from __future__ import annotations

import numpy as np

from kavg.arrays import freeze
from kavg.base import Floats, Oracle, Precision
from kavg.engine.contracts.calls import (
    call_with_note,
    check_written,
    is_rounding,
    move_away,
    relative_difference,
)
from kavg.errors import KavgError
from kavg.problem import Problem


def check_draws(
    problem: Problem, w: Floats, *, seed: int, P: int, step: int, dtype: Precision
) -> Floats:
    """Check the gradients of learners 0 and 1 near ``w (d,)``, planned for them alone.

    Returns the last one's, ``(d,)``, with which ``compare_with_plan`` compares that of the run's
    own plan.  An oracle with the attribute ``addressed = False`` may draw in the order of calls:
    its runs then depend on tiles and ranks, and cannot be continued.

    Raises ``KavgError`` if gradients are not written in full, ``x`` is written to, or a learner's
    draw depends on when, or beside whom, it is asked for.
    """
    oracle, tile = problem.oracle, min(P, 2)
    name = f"the oracle {type(oracle).__name__}"
    gradient = oracle.plan(problem.objective, seed=seed, P=P, R=1, tile=tile, dtype=dtype)
    if not callable(gradient) or not callable(getattr(gradient, "select", None)):
        raise KavgError(
            f"{name} must plan an object with select(learners) that can be called with "
            f"(x, step, out), got {type(gradient).__name__}"
        )
    is_addressed = bool(getattr(oracle, "addressed", True))

    def write(x: Floats, out: Floats) -> object:
        return gradient(x, step, out)  # type: ignore[func-returns-value]

    x = freeze(np.tile(move_away(w, dtype).astype(dtype), (tile, 1, 1)))
    gradient.select(range(tile))
    both = check_written(name, write, x, repeatable=is_addressed)
    if tile == 2 and is_addressed:
        alone = np.full_like(both[1:], np.nan)
        gradient.select(range(1, 2))
        call_with_note(name, write, x[1:], alone)
        _compare(name, both[1:], alone, "when it was alone in its tile")
    return np.asarray(both[-1, 0])


def compare_with_plan(oracle: Oracle, g: Floats, expected: Floats) -> str | None:
    """Compare the gradient of a run's plan, ``g (R, d)``, with that of ``check_draws``.

    Returns a suspicion in words if they differ by rounding.  Raises ``KavgError`` if they differ by
    more: then draws depend on the size of the tile, on the number of replicas or on the plan.
    """
    if not getattr(oracle, "addressed", True):
        return None
    return _compare(f"the oracle {type(oracle).__name__}", g[0], expected, "in a plan of its own")


def _compare(name: str, one: Floats, other: Floats, when: str) -> str | None:
    difference = relative_difference(one, other)
    if not is_rounding(difference, one):
        raise KavgError(
            f"{name} must draw the same for a seed, learner, replica and step whoever is asked for "
            f"beside them, got other numbers for a learner {when}; take draws from kavg.oracles."
            "streams, or from a generator seeded by [seed, learner, replica, step]"
        )
    if difference:
        return (
            f"the last bits of {name} depend on how many learners and replicas are computed at "
            "once, so those of a run depend on tiles and ranks"
        )
    return None
