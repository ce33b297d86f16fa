"""Linear local steps as matrices, obtained by applying an optimizer to a basis.

In one eigendirection a learner's state is ``z = (x, m)``, m its slots, and a step maps it to
``T z + g u`` with g its gradient there.  For any ``LocalOptimizer``, ``T`` and ``u`` are what its
step makes of ``x = 1``, a slot of 1 and ``g = 1``, all else 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike

from kavg.base import Floats, LocalOptimizer
from kavg.errors import KavgError
from kavg.ranges import check_positive, check_range

# As for outer rules: mixtures at far scales expose steps that clip, and ages those that change.
_SCALES: Final = (2.0**40, 2.0**-40, -1.0)
_COORDINATES: Final = (1.0, -2.0)
_AGES: Final = (1, 2, 1000)


@final
@dataclass(frozen=True, eq=False)
class LinearStep:
    """A local step: ``z <- keep z + push g``, with ``z = (x, m)`` and the gradient ``g`` at x.

    ``keep (k, k)`` and ``push (k,)``, k one more than the slots, are ``T`` and ``u``.
    """

    keep: Floats
    push: Floats

    def matrix(self, h: ArrayLike) -> Floats:
        """Return ``keep + h push e_x^T``, the step where g = h x: ``h (d,) -> (d, k, k)``.

        >>> from kavg.optimizers import HeavyBall
        >>> linear_step(HeavyBall(beta=0.5), gamma=0.25).matrix([2.0])
        array([[[ 0.5  , -0.125],
                [ 2.   ,  0.5  ]]])
        """
        curvature = np.asarray(h, np.float64)[..., None, None]
        echo = self.push[:, None] * np.eye(1, len(self.push))
        return np.asarray(self.keep + curvature * echo)


def linear_step(optimizer: LocalOptimizer, gamma: float) -> LinearStep:
    """Return the matrices of an optimizer's step of size ``gamma``.

    Raises:
        KavgError: if the step is not linear in (x, slots, g), changes with the age of the slots,
            or does not treat all coordinates alike.

    >>> from kavg.optimizers import NesterovSteps
    >>> linear_step(NesterovSteps(beta=0.5), gamma=0.25).push
    array([-0.375,  1.   ])
    """
    gamma = check_positive("gamma", gamma)
    check_range(LocalOptimizer, "optimizer", optimizer)
    # Gradients beyond the clip need not be among the probes, and others are not taken at x.
    is_clipped = getattr(optimizer, "clip", None) is not None
    if is_clipped or getattr(optimizer, "gradients_at_start", False):
        raise _make_error(optimizer)
    size = 2 + int(optimizer.slots)
    # Multiples of 1/16, which are exact, and of either sign.
    mixture = 1.5 - 1.0625 * np.arange(size)
    probes = np.vstack((np.eye(size), np.outer(_SCALES, mixture)))
    ends = _apply(optimizer, probes, gamma, _AGES[0])
    # What a linear step would make of each probe, from its results for the basis.
    linear = (probes @ ends[:size, 0])[:, None, :] * np.array(_COORDINATES)[:, None]
    # Linearity up to rounding, relative to the size of each probe.
    room = 1e-12 * np.abs(probes).max(axis=1)[:, None, None] * (1 + np.abs(ends[:size]).max())
    # A bias correction, as in Adam, shows in the first ages, and a warm-up in a late one.
    for age in _AGES:
        if not np.all(np.abs(_apply(optimizer, probes, gamma, age) - linear) <= room):
            raise _make_error(optimizer)
    # The last of the basis is the gradient: what it adds is the push.
    basis = ends[:size, 0]
    return LinearStep(basis[:-1].T.copy(), basis[-1])


def _apply(optimizer: LocalOptimizer, probes: Floats, gamma: float, age: int) -> Floats:
    """Return ``(x, slots)`` after a step, ``(probes, 2, k)``; a probe is (x, slots, g)."""
    n, (_, size) = len(probes), probes.shape
    # Two coordinates in a fixed ratio: a step that mixed them would not keep the ratio.
    parts = probes.T[:, :, None, None] * np.array(_COORDINATES)
    x, slots, g = parts[0].copy(), parts[1:-1].copy(), parts[-1].copy()
    step = optimizer.plan(n, 1, len(_COORDINATES), "float64")
    # Steps of Adam overflow there, or take the root of a slot that is negative.
    with np.errstate(all="ignore"):
        step(x, g, slots, np.array(gamma), age)
    return np.stack((x[:, 0], *slots[:, :, 0]), axis=-1).reshape(n, len(_COORDINATES), size - 1)


def _make_error(optimizer: LocalOptimizer) -> KavgError:
    return KavgError(
        f"{optimizer} takes no linear step that is the same at every age and in every coordinate, "
        "and only such a step has exact moments; simulate it instead"
    )
