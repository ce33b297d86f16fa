"""The cheapest random numbers on NumPy, made a chunk at a time: a floor and nothing to rely on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from experiments.benchmarks.contestants.contestant import repeated
from experiments.benchmarks.timing import stopwatch

CHUNK: Final = 16_384
"""Numbers worked on at a time, which stay in the cache."""

Array = NDArray[Any]
Fill = Callable[[], object]


class Words:
    """64-bit words of SFC64, the quickest that NumPy has."""

    def __init__(self) -> None:
        self.bits = np.random.SFC64(1)

    def halves(self, count: int) -> NDArray[np.int32]:
        """So many signed 32-bit numbers."""
        return self.bits.random_raw((count + 1) // 2).view(np.int32)[:count]


@final
class BoxMuller:
    """Fill ``out`` with normals in float32: every pass contiguous, no scale, no care at zero."""

    def __init__(self, out: NDArray[np.float32]) -> None:
        self.words, self.count = Words(), len(out)
        self.radius, self.angle = out.reshape(2, -1)
        self.cosine = np.empty_like(self.angle)
        self.out = out

    def __call__(self) -> None:
        """Two uniforms to two normals."""
        radius, angle, cosine = self.radius, self.angle, self.cosine
        np.copyto(self.out, self.words.halves(self.count))
        np.multiply(radius, np.float32(2.0**-31), out=radius)
        np.abs(radius, out=radius)
        with np.errstate(divide="ignore"):
            np.log(radius, out=radius)
        np.multiply(radius, np.float32(-2.0), out=radius)
        np.sqrt(radius, out=radius)
        np.multiply(angle, np.float32(np.pi * 2.0**-31), out=angle)
        np.cos(angle, out=cosine)
        np.sin(angle, out=angle)
        np.multiply(angle, radius, out=angle)
        np.multiply(radius, cosine, out=radius)


def quickest(out: NDArray[np.float32]) -> Fill:
    """Box and Muller's transform or NumPy's own normals, whichever fills ``out`` sooner here."""
    generator = np.random.Generator(np.random.SFC64(1))
    ways: list[Fill] = [
        BoxMuller(out),
        lambda: generator.standard_normal(dtype=np.float32, out=out),
    ]
    return min(ways, key=lambda way: min(stopwatch(repeated(way), 1) for _ in range(9)))


class Store:
    """Numbers made a chunk at a time and handed out in pieces: small draws cost no calls."""

    def __init__(self, piece: int, dtype: Any) -> None:
        self.piece = piece
        size = max(1, CHUNK // piece) * piece
        self.values = np.empty(size + size % 2, dtype)
        self.fill: Fill = lambda: None
        self.pieces: Iterator[Array] = iter(())

    def __next__(self) -> Array:
        """The next ``piece`` numbers, valid until the store is filled again."""
        found = next(self.pieces, None)
        if found is None:
            self.fill()
            whole = len(self.values) // self.piece * self.piece
            self.pieces = iter(self.values[:whole].reshape(-1, self.piece))
            found = next(self.pieces)
        return found
