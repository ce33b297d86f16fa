"""Digests of trajectories: equal digests mean equal bits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from kavg.trajectory import Trajectory


def digest(trajectory: Trajectory) -> str:
    """SHA-256 of what a run computed, in hexadecimal; equal digests mean equal bits.

    Over little-endian bytes in C order: the last meta-iterate ``w`` (float64), the recorded
    ``rounds`` (int64), then each series in alphabetical order, its name in UTF-8 and its values
    (float64).  Wall time is not part of it, nor is the memory layout of an array.

    >>> F = np.ones((1, 2))
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(1), {"F": F}, F.T, np.empty(0), np.zeros(1))
    >>> digest(run)[:16]
    'ae7be0d2cb377b06'
    """
    # "<f8" and not float64: machines of either byte order give the same digest.
    sha = hashlib.sha256(np.ascontiguousarray(trajectory.w, "<f8").tobytes())
    sha.update(np.ascontiguousarray(trajectory.rounds, "<i8").tobytes())
    for name in sorted(trajectory.series):
        sha.update(name.encode())
        sha.update(np.ascontiguousarray(trajectory.series[name], "<f8").tobytes())
    return sha.hexdigest()


def joint_digest(trajectories: Sequence[Trajectory]) -> str:
    """SHA-256 over the digests of several algorithms, in their order.

    This is the digest that ``kavg run`` prints.  For one algorithm it is not that algorithm's own
    ``digest``, but the SHA-256 of it.
    """
    return hashlib.sha256("".join(map(digest, trajectories)).encode()).hexdigest()
