"""Heterogeneous learners: each objective has its own linear term."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import final

import numpy as np

from kavg.base import Constant, Floats, NoiseConstants, Objective, Precision, StochasticGradient
from kavg.elementary.sums import sum_squares
from kavg.oracles.additive import AdditiveNoise
from kavg.oracles.noiseless import Noiseless
from kavg.oracles.normals import draw_normals
from kavg.oracles.streams import Purpose
from kavg.oracles.unlike.pairs import pair_factors, refuse_one_learner
from kavg.portability import SameBits, find_same_bits
from kavg.ranges import NonNegative, Seed, check_dimension, check_ranges


def shifts(zeta2: float, seed: int, P: int, dim: int, learners: range) -> Floats:
    """Return the shifts ``b_j`` of these learners, ``(len(learners), dim)``.

    Learners come in pairs ``+c, -c`` with ``||c||^2 = zeta2``; if P is odd the last three are
    ``sqrt(2) (c, -c/2, -c/2)``.  So the sum over all learners is exactly zero and the mean of
    ``||b_j||^2`` is ``zeta2``, though each rank computes only its own learners' shifts.  The
    directions c are uniform and addressed by (seed, pair).

    >>> b = shifts(4.0, seed=1, P=5, dim=3, learners=range(5))
    >>> bool(np.all(b.sum(axis=0) == 0)), round(float((b * b).sum() / 5), 12)
    (True, 4.0)
    """
    pair, factor = pair_factors(P, learners)
    # Only the directions of these learners' own pairs are drawn.
    span = range(int(pair[0]), int(pair[-1]) + 1)
    c = draw_normals(seed, Purpose.SHIFT, 1, dim, span)[:, 0]
    if dim == 1:
        # A single normal can be 0, which has a sign and no direction.
        c = np.copysign(1.0, c)
    c *= (sqrt(zeta2) / np.sqrt(sum_squares(c)))[:, None]
    return np.asarray(factor[:, None] * c[pair - span.start])


@final
class ShiftedGradient:
    """The planned oracle: the common noisy gradient plus each learner's own shift ``b_j``."""

    def __init__(
        self, common: StochasticGradient, law: Shifted, P: int, dim: int, dtype: Precision
    ) -> None:
        self.common = common
        self.law = (law.zeta2, law.seed, P, dim)
        self.dtype = dtype
        self.learners = range(0)
        self.shift: Floats = np.empty((0, 1, dim))

    def select(self, learners: range) -> None:
        """Select the learners that later calls draw for, and compute their shifts."""
        self.common.select(learners)
        if learners != self.learners:
            self.learners = learners
            # In the precision of the gradients, as np.add of two precisions allocates a buffer.
            self.shift = shifts(*self.law, learners)[:, None, :].astype(self.dtype)

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write ``g_j = g + b_j`` to ``out``; ``x, out (t, R, d)``."""
        self.common(x, step, out)
        np.add(out, self.shift, out=out)


@final
@dataclass(frozen=True)
class Shifted:
    """Learner j minimises ``f_j(w) = F(w) + <b_j, w>`` with ``sum_j b_j = 0``.

    ``(1/P) sum_j ||grad f_j - grad F||^2 = zeta2`` at every point, exactly.  ``noise`` is the
    additive law of each learner's gradient; the shifts belong to the problem and depend on this
    ``seed``, not on that of the run.  ``Partition`` makes learners differ by their data instead.

    >>> from kavg.oracles import Gaussian
    >>> Shifted(zeta2=1.0, noise=Gaussian(sigma2=0.5)).zeta2
    1.0
    """

    kind = "shifted"
    zeta2: NonNegative
    noise: AdditiveNoise | Noiseless = Noiseless()  # noqa: RUF009 (frozen)
    seed: Seed = 0

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def same_bits(self) -> SameBits:
        """Where draws have the same bits: as the law of ``noise`` says."""
        return find_same_bits(self.noise)

    def constants(self, objective: Objective) -> NoiseConstants:
        """Return the constants of ``noise``, with this ``zeta2``, which is exact at every point."""
        zeta2 = Constant(self.zeta2, "exact", "shifts in pairs of opposite sign")
        return replace(self.noise.constants(objective), zeta2=zeta2)

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
        """Plan the noise; the shifts of a tile are computed when it is selected.

        Raises KavgError if ``P = 1`` and ``zeta2 > 0``: one learner is the mean of all.
        """
        refuse_one_learner(P, "zeta2", self.zeta2)
        common = self.noise.plan(objective, seed=seed, P=P, R=R, tile=tile, dtype=dtype)
        return ShiftedGradient(common, self, P, check_dimension(objective), dtype)

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
        """Plan as ``plan`` for rows that are ``copies`` times R; a shift is of all rows."""
        refuse_one_learner(P, "zeta2", self.zeta2)
        common = self.noise.plan_copies(
            objective, seed=seed, P=P, R=R, copies=copies, tile=tile, dtype=dtype
        )
        return ShiftedGradient(common, self, P, check_dimension(objective), dtype)
