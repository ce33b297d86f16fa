"""Where methods end that weigh learners unequally, on quadratics that differ by learner.

As in docs/theory.md, 4.7: ``f_j = (h_j/2)(w - c_j)^2``, rounds without noise.  The optimum of the
mean is ``kavg.analysis.exact.heterogeneous.optimum``; the difference is the bias of the method.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from kavg.aggregations import SampledLearners
from kavg.aggregations.own_steps import StepWeights
from kavg.analysis.exact.eigenbasis import geometric_sum
from kavg.analysis.exact.methods.sampled_moments import list_subsets
from kavg.base import Floats


def own_steps_fixed_point(
    h: ArrayLike, c: ArrayLike, gamma: float, Ks: Sequence[int], weights: StepWeights = "plain"
) -> Floats:
    """Return the fixed point of learners with their own numbers of steps, ``h, c (P, ...)``.

    ``sum_j f_j (1-rho_j) c_j / sum_j f_j (1-rho_j)`` with ``rho_j = (1 - gamma h_j)^{K_j}`` and
    ``f_j = 1``, or ``1/K_j`` for FedNova.  For small steps it tends to ``sum_j K_j h_j c_j / sum_j
    K_j h_j``, and with FedNova's weights to the optimum.

    >>> own_steps_fixed_point([1.0, 1.0], [0.0, 1.0], 1e-9, Ks=(1, 3)).round(6)
    np.float64(0.75)
    >>> own_steps_fixed_point([1.0, 1.0], [0.0, 1.0], 1e-9, Ks=(1, 3), weights="fednova").round(6)
    np.float64(0.5)
    """
    # First axis learners, which h may lack: one curvature for all.
    centers = np.asarray(c, np.float64)
    curvature = np.broadcast_to(np.asarray(h, np.float64), centers.shape)
    # (1 - rho_j)/gamma, without the difference of two numbers near 1.
    gains = [hj * geometric_sum(1 - gamma * hj, K) for hj, K in zip(curvature, Ks, strict=True)]
    scale = [1 / K if weights == "fednova" else 1.0 for K in Ks]
    weight = np.array([f * gain for f, gain in zip(scale, gains, strict=True)])
    return np.asarray((weight * centers).sum(axis=0) / weight.sum(axis=0))[()]


def sampled_fixed_point(law: SampledLearners, c: ArrayLike) -> Floats:
    """Return the fixed point of the mean of w for learners of one curvature, ``c (P, ...)``.

    ``sum_j p_j c_j``, where all learners would end, unless the weights are normalised over those
    who take part: then ``E [sum_{j in S} p_j c_j / sum_{j in S} p_j]`` over all subsets, which is
    their plain mean for m = 1.  Neither gamma, K nor mu matters.

    >>> c, weights = [0.0, 1.0], (1.0, 3.0)
    >>> sampled_fixed_point(SampledLearners(1, weights), c)
    np.float64(0.75)
    >>> sampled_fixed_point(SampledLearners(1, weights, scaling="normalised"), c)
    np.float64(0.5)
    """
    centers = np.asarray(c, np.float64)
    p = np.ones(len(centers)) if law.weights is None else np.array(law.weights)
    if law.weights is None or law.scaling == "unbiased":
        return np.asarray(np.tensordot(p / p.sum(), centers, axes=1))[()]
    ends = [
        np.tensordot(p[list(S)] / p[list(S)].sum(), centers[list(S)], axes=1)
        for S in list_subsets(len(centers), law.m)
    ]
    return np.asarray(np.mean(ends, axis=0))[()]
