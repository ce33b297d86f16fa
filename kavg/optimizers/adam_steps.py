"""The step that ``Adam`` and ``AdamW`` share."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from kavg.base import Floats, LocalUpdate, Precision
from kavg.elementary.powers import raise_to_power


class HasMoments(Protocol):
    """The numbers of Adam: how fast its two means forget, and what is added to the root."""

    @property
    def beta1(self) -> float:
        """The decay of the mean of gradients."""
        ...

    @property
    def beta2(self) -> float:
        """The decay of the mean of their squares."""
        ...

    @property
    def eps(self) -> float:
        """What is added to the root of the mean square."""
        ...


def plan_adam_steps(rule: HasMoments, shape: tuple[int, int, int], dtype: Precision) -> LocalUpdate:
    """Return the step of Adam without weight decay, for arrays of up to ``shape (tile, R, d)``.

    ``Adam`` has the recursion; its two slots are ``m`` and ``v``.
    """
    keep_m, keep_v = np.array(rule.beta1, dtype), np.array(rule.beta2, dtype)
    # The shares of the new gradient, from Python's floats as in torch, and rounded once.
    add_m, add_v = np.array(1.0 - rule.beta1, dtype), np.array(1.0 - rule.beta2, dtype)
    eps, workspace = np.array(rule.eps, dtype), np.empty(shape, dtype)
    # Arrays without axes, which NumPy divides by faster than by Python's floats.
    sum_m, sum_v = np.empty((), dtype), np.empty((), dtype)

    def step(x: Floats, g: Floats, slots: Floats, gamma: Floats, age: int) -> None:
        (m, v), root = slots, workspace[: len(x)]
        # From the age alone, so that neither tiles nor a run that was resumed matter.
        sum_m[...] = 1.0 - raise_to_power(rule.beta1, age)
        sum_v[...] = 1.0 - raise_to_power(rule.beta2, age)
        # The square first, as g is overwritten then.
        np.multiply(g, g, out=root)
        np.multiply(root, add_v, out=root)
        np.multiply(v, keep_v, out=v)
        np.add(v, root, out=v)
        np.multiply(g, add_m, out=g)
        np.multiply(m, keep_m, out=m)
        np.add(m, g, out=m)
        # Corrected before the root, and eps added after it, as in the paper and in torch.
        np.divide(v, sum_v, out=root)
        np.sqrt(root, out=root)
        np.add(root, eps, out=root)
        np.divide(m, sum_m, out=g)
        np.divide(g, root, out=g)
        np.multiply(g, gamma, out=g)
        np.subtract(x, g, out=x)

    return step
