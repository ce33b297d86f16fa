"""Linear outer rules as matrices, obtained by applying each rule to a basis.

In one eigendirection a round starts at ``y = s . (w, v)``, the mean displacement is
``(rho - 1) y + eps``, and the rule maps ``(w, v)`` to ``T (w, v) + g displacement``.  For any
``Outer``, ``s``, ``T`` and ``g`` are its results for ``w = 1``, ``v = 1`` and ``displacement = 1``,
all else 0 (docs/theory.md, 4.1 and 4.8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike

from kavg.base import Floats, Outer
from kavg.errors import KavgError
from kavg.ranges import check_positive, check_range

# Exact in binary and of no special ratio; the far scales expose rules that clip or round.
_MIXTURE: Final = (1.5, -0.75, 0.625)
_SCALES: Final = (2.0**40, 2.0**-40, -1.0)
_COORDINATES: Final = (1.0, -2.0)


@final
@dataclass(frozen=True, eq=False)
class LinearRule:
    """A round: ``y = start . (w, v)``, then ``(w, v) <- keep (w, v) + push displacement``.

    ``start (..., 2)``, ``keep (..., 2, 2)`` and ``push (..., 2)`` are ``s``, ``T`` and ``g`` of
    docs/theory.md; leading axes are several rules (``stack_rules``).  A rule without memory has
    zeros in place of ``v``.
    """

    start: Floats
    keep: Floats
    push: Floats

    def matrix(self, rho: ArrayLike) -> Floats:
        """Return ``A = keep + (rho - 1) push start^T``: ``rho (..., d) -> (..., d, 2, 2)``.

        >>> from kavg.outer import BlockMomentum
        >>> linear_rule(BlockMomentum(mu=0.5), gamma=1.0).matrix([0.25])
        array([[[ 0.25,  0.5 ],
                [-0.75,  0.5 ]]])
        """
        pull = np.asarray(rho, np.float64)[..., None, None] - 1.0
        echo = self.push[..., :, None] * self.start[..., None, :]
        return np.asarray(self.keep[..., None, :, :] + pull * echo[..., None, :, :])


def linear_rule(outer: Outer, gamma: float) -> LinearRule:
    """Return the matrices of an outer rule at step size ``gamma``.

    ``gamma`` matters to ``SlowMo``, whose memory is in units of gradient.  Mixtures of the basis,
    at far scales, test that the rule is linear in (w, v, displacement).

    Raises:
        KavgError: if the rule is not linear or does not treat all coordinates alike.

    >>> from kavg.outer import SlowMo
    >>> linear_rule(SlowMo(mu=0.5), gamma=0.25).push
    array([ 1., -4.])
    """
    gamma = check_positive("gamma", gamma)
    check_range(Outer, "outer", outer)
    if int(outer.memory) > 1:
        raise KavgError(
            f"exact moments are those of rules with one array of memory, got {outer!r:.80} with "
            f"{int(outer.memory)}; simulate it instead"
        )
    probes = np.vstack((np.eye(3), np.outer(_SCALES, _MIXTURE)))
    starts, ends = _apply(outer, probes, gamma)
    rule = LinearRule(starts[:2, 0], ends[:2, 0].T.copy(), ends[2, 0])
    # What a linear rule would make of each probe, from its results for the three basis vectors.
    linear_starts = (probes @ starts[:3, 0])[:, None] * _COORDINATES
    linear_ends = (probes @ ends[:3, 0])[:, None, :] * np.array(_COORDINATES)[:, None]
    # Linearity up to rounding, relative to the size of each probe.
    room = 1e-12 * np.abs(probes).max(axis=1)[:, None]
    near = np.all(np.abs(starts - linear_starts) <= room * (1 + np.abs(rule.start).max()))
    size = 1 + np.abs(ends[:3]).max()
    if not (near and np.all(np.abs(ends - linear_ends) <= room[..., None] * size)):
        raise KavgError(
            f"{type(outer).__name__} is not a linear rule that treats every coordinate alike, and"
            " only such a rule has exact moments; simulate it instead"
        )
    return rule


def stack_rules(rules: Sequence[LinearRule]) -> LinearRule:
    """Return several rules as one, on a new first axis.

    >>> from kavg.outer import BlockMomentum
    >>> stack_rules([linear_rule(BlockMomentum(mu), 1.0) for mu in (0.0, 0.5)]).keep.shape
    (2, 2, 2)
    """
    parts = zip(*((rule.start, rule.keep, rule.push) for rule in rules), strict=True)
    return LinearRule(*(np.stack(part) for part in parts))


def _apply(outer: Outer, probes: Floats, gamma: float) -> tuple[Floats, Floats]:
    # Two coordinates in a fixed ratio: a rule that mixed them would not keep the ratio.
    w, v, displacement = (np.outer(column, _COORDINATES) for column in probes.T)
    # A rule without memory is given an empty v, as the engine does.
    v = v if outer.memory else np.empty(0)
    start = np.empty_like(w)
    outer.start(w, v, start)
    outer.step(w, v, displacement, gamma)
    memory = v if outer.memory else np.zeros_like(w)
    return start, np.stack((w, memory), axis=-1)
