"""The sharpness: the largest eigenvalue of the Hessian, estimated by power iteration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats, PlannedGradient, RoundView
from kavg.elementary.sums import sum_over_coordinates, sum_squares
from kavg.gradients import choose_gradient
from kavg.ranges import Count, Tolerance, check_ranges

Mask = NDArray[np.bool_]
STEP: Final = 2.0**-17
"""Half the distance of the points whose gradients are subtracted, of ``1 + ||w||``.

About the cube root of the rounding unit, where the errors of the difference are smallest.
"""
ADDRESS: Final = 2**63
"""What is added to the number of a replica, so that no oracle draws from the same address."""


@final
@dataclass(frozen=True)
class Sharpness:
    """The largest eigenvalue of the Hessian of F at ``w``, estimated.

    Power iteration on differences of gradients::

        H u ~ (grad F(w + h u) - grad F(w - h u)) / (2 h)       h = 2^-17 (1 + ||w||)
        u   = H u / ||H u||,  until two of them move u by ``tolerance`` or less

    This finds the eigenvalue of largest size, whose size is s.  Where that may be negative, the
    same is done with ``H + s I``, whose largest eigenvalue is that of H, plus s.  The estimate is
    below the eigenvalue, by less than ``tolerance`` where eigenvalues are apart and by more where
    they are close; after ``iterations`` it is recorded as it is.  One eigenvalue among many of size
    q times its own is found up to some ``((1/q^2 - 1) / tolerance)^2`` coordinates.  It costs 2
    gradients of F an iteration, in rounds that are recorded.  ``u`` begins with random signs, drawn
    by the address (seed of the run, replica), so it is the same in every round.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer, simulate
    >>> problem = Problem(objectives.Quadratic((1.0, -4.0)), oracles.Noiseless(), start=1.0)
    >>> method = Algorithm(P=2, K=1, gamma=0.1, outer=outer.Averaging())
    >>> simulate(problem, method, rounds=1, record=["sharpness"]).sharpness[:, 0].round(3)
    array([1., 1.])
    """

    kind = "sharpness"
    same_bits = "any machine"
    names = ("sharpness",)
    tolerance: Tolerance = 1e-4
    iterations: Annotated[Count, "use 200 for most objectives"] = 200

    def __post_init__(self) -> None:
        check_ranges(self)

    def plan(self, problem: Any, algorithm: Any, *, R: int, seed: int) -> PlannedSharpness:
        """Return the measure of one run."""
        gradient = choose_gradient(problem.objective, tile=1, R=R, dtype="float64")
        return PlannedSharpness(self, gradient, draw_signs(seed, R, int(problem.dim)))


def draw_signs(seed: int, R: int, d: int) -> Floats:
    """Return a vector of length 1 of random signs for each replica, ``(R, d)``.

    >>> draw_signs(seed=1, R=2, d=4) ** 2
    array([[0.25, 0.25, 0.25, 0.25],
           [0.25, 0.25, 0.25, 0.25]])
    """
    signs = np.empty((R, d))
    for replica in range(R):
        words = np.random.Philox(key=np.array([seed, ADDRESS + replica], np.uint64))
        bits = words.random_raw(-(-d // 64))[:, None] >> np.arange(64, dtype=np.uint64)
        signs[replica] = 1.0 - 2.0 * (bits.ravel()[:d] & np.uint64(1))
    return np.asarray(signs / np.sqrt(d))


@final
class PlannedSharpness:
    """The measure of one run; it remembers nothing."""

    width = 0
    reads_displacement = False

    def __init__(self, given: Sharpness, gradient: PlannedGradient, first: Floats) -> None:
        self.given, self.gradient, self.first = given, gradient, first
        self.above, self.below = np.empty_like(first), np.empty_like(first)

    def update(self, now: RoundView, memory: Floats) -> None:
        """Remember nothing."""

    def measure(self, now: RoundView, memory: Floats) -> Floats:
        """Return the sharpness, ``(1, R)``."""
        w, tolerance = now.w, self.given.tolerance
        none = np.zeros(len(w))
        size, quotient = self.iterate(w, none, np.ones(len(w), np.bool_))
        # ||H u|| is the size, and <u, H u> has its sign; between the two lies a mixture of signs.
        is_largest = quotient >= (1.0 - tolerance) * size
        if not is_largest.all():
            _, shifted = self.iterate(w, size, ~is_largest)
            quotient = np.where(is_largest, quotient, shifted - size)
        return np.asarray(quotient)[None]

    def iterate(self, w: Floats, shift: Floats, active: Mask) -> tuple[Floats, Floats]:
        """Return ``||A u||`` and ``<u, A u>`` of ``A = H + shift I`` after power iteration.

        Each is ``(R,)``.  A replica that has converged, or was never ``active``, stays as it is, as
        the number of iterations of others must not change it.
        """
        u, active = self.first.copy(), active.copy()
        last = np.full_like(u, np.inf)
        size, quotient = np.zeros(len(w)), np.zeros(len(w))
        for _ in range(self.given.iterations):
            product = self.multiply(w, u) + shift[:, None] * u
            new = np.sqrt(sum_squares(product))
            quotient = np.where(active, sum_over_coordinates(u * product), quotient)
            size = np.where(active, new, size)
            ahead = np.where((new > 0)[:, None], product / new[:, None], u)
            # Two steps apart, as a negative eigenvalue turns u round.  The size alone hardly
            # changes either while the direction of one eigenvalue among many still grows.
            moved = np.sqrt(sum_squares(ahead - last))
            active &= ~((moved <= self.given.tolerance) | (new == 0))
            if not active.any():
                break
            last, u = u, ahead
        return size, quotient

    def multiply(self, w: Floats, u: Floats) -> Floats:
        """Return ``H u`` at every row by a difference of gradients, ``(R, d)``."""
        h = STEP * (1.0 + np.sqrt(sum_squares(w)))[:, None]
        self.gradient((w + h * u)[None], self.above[None])
        self.gradient((w - h * u)[None], self.below[None])
        return np.asarray((self.above - self.below) / (2.0 * h))
