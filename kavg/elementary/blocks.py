"""Blocks of an array that fit the cache, whatever its layout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kavg.base import Floats

BLOCK: Final = 16_384
"""Numbers computed at once: the workspace of an elementary function fits the second-level cache."""


def split_into_blocks(x: Floats, out: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Yield views of ``x`` and ``out``, arrays of one shape, of at most ``BLOCK`` numbers each.

    Together they cover every number once, so that an elementwise function may take one pair after
    another.  Nothing is copied, and blocks are of one size where that is possible.

    >>> import numpy as np
    >>> x = np.zeros((3, 10_000))
    >>> [block.shape for block, _ in split_into_blocks(x, x)]
    [(15000,), (15000,)]
    >>> [block.shape for block, _ in split_into_blocks(x.T, x.T)]
    [(5000, 3), (5000, 3)]
    """
    if x.size <= BLOCK:
        yield x, out
        return
    if x.flags.c_contiguous and out.flags.c_contiguous:
        x, out = x.reshape(-1), out.reshape(-1)
    row = x.size // len(x)
    if row > BLOCK:
        for part, place in zip(x, out, strict=True):
            yield from split_into_blocks(part, place)
    else:
        blocks = -(-len(x) // (BLOCK // row))  # -(-a // b) rounds up
        rows = -(-len(x) // blocks)
        for first in range(0, len(x), rows):
            yield x[first : first + rows], out[first : first + rows]
