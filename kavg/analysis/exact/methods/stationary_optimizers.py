"""The stationary law of learners that take linear steps with slots (``optimizer_moments``)."""

from __future__ import annotations

import numpy as np

from kavg.analysis.exact.eigenbasis import EigenProblem
from kavg.analysis.exact.methods.limits import refuse_one_that_differs, require_additive_noise
from kavg.analysis.exact.methods.optimizer_moments import (
    SlotSpread,
    SlottedRound,
    equal_slots,
    find_dispersion,
    plan_slotted_round,
)
from kavg.analysis.exact.moment_recursion import Moments
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.problem import Algorithm


def stationary_optimizer_moments(problem: EigenProblem, algorithm: Algorithm) -> Moments:
    """Return the moments that those of a run with constant gamma and K approach.

    They solve ``V = A V A^T + Q`` in each direction, and so do the kept slots.

    Raises:
        KavgError: if there is no stationary law, or no exact moments.

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.optimizers import HeavyBall
    >>> from kavg.outer import Averaging
    >>> method = Algorithm(1, 1, 0.5, Averaging(), optimizer=HeavyBall(beta=0.5, at_average="kept"))
    >>> stationary_optimizer_moments(eigen_problem([1.0], m_0=1.0), method).variance.round(6)
    array([0.6])
    """
    require_additive_noise(problem, f"local steps of {algorithm.optimizer}")
    refuse_one_that_differs(problem, algorithm)
    one = plan_slotted_round(problem, algorithm, algorithm.step_size(1), algorithm.constant_K)
    noise = (problem.m_0 / algorithm.P)[:, None, None] * one.noise
    covariance = solve_covariance(one.matrix, noise)
    spread = equal_slots(problem, int(algorithm.optimizer.slots))
    if algorithm.optimizer.at_average == "kept":
        spread = _solve_spread(problem, one, algorithm.P)
    dispersion = find_dispersion(problem, one, spread, algorithm.P)
    return Moments(np.zeros(covariance.shape[:-1]), covariance, dispersion)


def solve_covariance(A: Floats, noise: Floats) -> Floats:
    """Return V of ``V = A V A^T + noise``, all ``(d, n, n)``.

    Raises:
        KavgError: if the spectral radius of A is 1 or more in some direction.
    """
    # Eigenvalues of a matrix that has overflowed are refused by NumPy.
    worst = float(np.abs(np.linalg.eigvals(A)).max(initial=0.0)) if np.isfinite(A).all() else np.inf
    if not worst < 1:
        raise KavgError(
            f"there is no stationary law: the spectral radius of a round is {worst:.6g}, and it "
            "must be below 1; use a smaller gamma or less momentum"
        )
    n = A.shape[-1]
    # vec(A V A^T) = (A kron A) vec V.
    kron = np.einsum("dij,dkl->dikjl", A, A).reshape(-1, n * n, n * n)
    solved = np.linalg.solve(np.eye(n * n) - kron, noise.reshape(-1, n * n, 1))
    return np.asarray(solved.reshape(A.shape))


def _solve_spread(problem: EigenProblem, one: SlottedRound, P: int) -> SlotSpread:
    C, own = one.power[:, 1:, 1:], (1 - 1 / P) * problem.m_0
    covariance = solve_covariance(C, own[:, None, None] * one.gathered[:, 1:, 1:])
    # kappa = C kappa + S_m, which has one solution where Cov delta has one.
    still = np.eye(C.shape[-1]) - C
    shift = np.linalg.solve(still, one.response[:, 1:, None])[..., 0]
    return SlotSpread(covariance, shift)
