"""Limits of the recursions of this package: problems whose moments they do not have."""

from __future__ import annotations

import numpy as np

from kavg.analysis.exact.eigenbasis import EigenProblem
from kavg.errors import KavgError
from kavg.problem import Algorithm


def require_additive_noise(problem: EigenProblem, what: str) -> None:
    """Raise ``KavgError`` if the noise depends on the iterate."""
    if problem.has_state_noise:
        raise KavgError(
            f"exact moments of {what} need noise that is the same everywhere, and "
            "this depends on the iterate; use an oracle such as gaussian, or simulate it instead"
        )


def require_equal_learners(problem: EigenProblem, what: str) -> None:
    """Raise ``KavgError`` if learners differ by shifts."""
    if np.any(problem.zeta2 > 0):
        raise KavgError(
            f"exact moments of {what} need learners that do not differ, got zeta2 above 0; "
            "use zeta2 = 0, or simulate it instead"
        )


def refuse_one_that_differs(problem: EigenProblem, algorithm: Algorithm) -> None:
    """Raise ``KavgError`` if a single learner is to differ from the mean of all."""
    if algorithm.P == 1 and np.any(problem.zeta2 > 0):
        raise KavgError("one learner cannot differ from the mean of all, got P=1 and zeta2 above 0")


def require_memory(numbers: int, most: int, what: str) -> None:
    """Raise ``KavgError`` if a recursion would hold more numbers than ``most``."""
    if numbers > most:
        raise KavgError(
            f"exact moments of {what} would hold {numbers} numbers a round, and {most} are the "
            "most; reduce P or dim, or simulate it instead"
        )
