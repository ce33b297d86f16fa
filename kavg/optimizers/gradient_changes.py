"""What is done with a gradient before the step of an optimizer: clipping, and weight decay."""

from __future__ import annotations

from typing import Final

import numpy as np

from kavg.base import Floats, LocalUpdate, Precision
from kavg.elementary.sums import SquareSums

ROOM: Final = 1e-6
"""What torch's ``clip_grad_norm_`` adds to a norm: a gradient of 0 stays 0."""


def change_gradients(
    step: LocalUpdate,
    *,
    clip: float | None,
    weight_decay: float,
    shape: tuple[int, int, int],
    dtype: Precision,
) -> LocalUpdate:
    """Return ``step``, with gradients clipped first and then ``weight_decay x`` added to them.

    ::

        g = g min(1, clip / (||g|| + 1e-6))     ||g|| of one learner and replica
        g = g + weight_decay x                  L2 regularisation

    ``shape`` is ``(tile, R, d)``.  Without clip and decay it is ``step`` itself.  A norm whose
    square overflows counts as infinite, so that such a gradient becomes 0.

    Source: Pascanu, Mikolov and Bengio 2013, arXiv 1211.5063, with the 1e-6 and the order of
    ``torch.nn.utils.clip_grad_norm_`` and ``torch.optim``.
    """
    if weight_decay:
        step = _add_decay(step, weight_decay, shape, dtype)
    # Around the decay, which is not clipped.
    return step if clip is None else _clip_first(step, clip, shape, dtype)


def _add_decay(
    step: LocalUpdate, weight_decay: float, shape: tuple[int, int, int], dtype: Precision
) -> LocalUpdate:
    decay, workspace = np.array(weight_decay, dtype), np.empty(shape, dtype)

    def decayed(x: Floats, g: Floats, slots: Floats, gamma: Floats, age: int) -> None:
        part = workspace[: len(x)]
        np.multiply(x, decay, out=part)
        np.add(g, part, out=g)
        step(x, g, slots, gamma, age)

    return decayed


def _clip_first(
    step: LocalUpdate, clip: float, shape: tuple[int, int, int], dtype: Precision
) -> LocalUpdate:
    limit, room, one = np.array(clip, dtype), np.array(ROOM, dtype), np.ones((), dtype)
    factors, add_squares = np.empty((*shape[:2], 1), dtype), SquareSums()

    def clipped(x: Floats, g: Floats, slots: Floats, gamma: Floats, age: int) -> None:
        factor = factors[: len(g)]
        norm = factor[..., 0]
        # In an order of its own, so that no machine and no tile has a say in the norm.
        add_squares(g, norm)
        np.sqrt(norm, out=norm)
        np.add(norm, room, out=norm)
        np.divide(limit, norm, out=norm)
        # A NaN stays one, so a run that diverges is still seen to.
        np.minimum(norm, one, out=norm)
        np.multiply(g, factor, out=g)
        step(x, g, slots, gamma, age)

    return clipped
