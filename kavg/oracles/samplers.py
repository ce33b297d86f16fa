"""Samplers of mini-batches: the indices of a batch as a function of (replica, learner, step).

===================  =========================  ============  ==================================
sampler              batches of one learner     given the     variance of the batch gradient
                                                past
===================  =========================  ============  ==================================
with_replacement     independent, may repeat    unbiased      s2/B
without_replacement  independent, B distinct    unbiased      s2/B (n - B)/(n - 1)
reshuffle            one permutation an epoch   BIASED        less over an epoch; the theorems'
                                                              assumption (A2) does not hold
===================  =========================  ============  ==================================

``s2`` is the variance of a single example's gradient at that point, of the whole vector.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, final

import numpy as np

from kavg.base import Indices
from kavg.oracles.block_draws import steps_ahead
from kavg.oracles.streams import Purpose, Streams, Words, split_words


class Sampler(Protocol):
    """Planned draws of the ``B`` indices below ``n`` of each learner's batch."""

    @property
    def streams(self) -> Streams:
        """The random words that the indices are computed from; they select the learners."""
        ...

    def draw(self, step: int) -> Indices:
        """Return indices ``(t, R, B)``, not to be written to, valid until the next call."""
        ...


def scale_halves(words: Words, limits: np.uint64 | Words, out: Words) -> None:
    """Write whole numbers below ``limits`` to ``out``, from the 32-bit halves of words.

    ``half * limit >> 32`` is uniform but for a relative error of at most ``limit / 2^32``.  This
    is Lemire's multiplication without the rejection that would make it exact, as rejection needs
    a varying number of words, and a step owns a fixed one.

    Source: Lemire 2019, "Fast random integer generation in an interval".
    """
    # Two halves a word, of which an odd B leaves the last unused; products fit into 64 bits.
    np.copyto(out, split_words(words, np.uint32)[..., : out.shape[-1]])
    np.multiply(out, limits, out=out)
    np.right_shift(out, np.uint64(32), out=out)


@final
class IndexBlocks:
    """Indices of several steps, computed at once: ``(ahead, t, R, B)``."""

    def __init__(self, *, seed: int, R: int, tile: int, B: int) -> None:
        W = (B + 1) // 2
        self.ahead = steps_ahead(tile * R * W)
        self.streams = Streams(
            seed=seed, purpose=Purpose.BATCH, R=R, tile=tile, W=W, ahead=self.ahead
        )
        self.buffer = np.empty((self.ahead, tile, R, B), np.uint64)
        self.address: tuple[int, range] | None = None

    def draw(self, step: int, fill: Callable[[Words, Words], None]) -> Indices:
        """Return indices ``(t, R, B)``; ``fill(words, out)`` computes those of a new block."""
        block, place = divmod(step, self.ahead)
        whole = self.buffer[:, : len(self.streams.learners)]
        if self.address != (block, self.streams.learners):
            fill(self.streams.block(block * self.ahead), whole)
            self.address = (block, self.streams.learners)
        indices: Indices = whole[place].view(np.intp)
        return indices


@final
class WithReplacement:
    """``B`` independent indices below ``n``.

    An example may occur more than once in a batch, and B may exceed n.
    """

    def __init__(self, *, seed: int, R: int, tile: int, B: int, n: int) -> None:
        self.n = np.uint64(n)
        self.blocks = IndexBlocks(seed=seed, R=R, tile=tile, B=B)
        self.streams = self.blocks.streams

    def draw(self, step: int) -> Indices:
        """Return indices ``(t, R, B)``, not to be written to, valid until the next call."""
        return self.blocks.draw(step, self._fill)

    def _fill(self, words: Words, out: Words) -> None:
        scale_halves(words, self.n, out)


@final
class WithoutReplacement:
    """``B`` distinct indices below ``n``, drawn at each step from all examples.

    By Floyd's algorithm: the i-th index is drawn below ``n - B + i + 1``; if it is taken already,
    the largest value of that range, which cannot be taken yet, replaces it.

    Source: Bentley and Floyd 1987, "A sample of brilliance".
    """

    def __init__(self, *, seed: int, R: int, tile: int, B: int, n: int) -> None:
        self.limits = np.arange(n - B + 1, n + 1, dtype=np.uint64)
        self.blocks = IndexBlocks(seed=seed, R=R, tile=tile, B=B)
        self.streams = self.blocks.streams
        self.same = np.empty(self.blocks.buffer.shape, np.bool_)
        self.taken = np.empty(self.same.shape[:-1], np.bool_)

    def draw(self, step: int) -> Indices:
        """Return indices ``(t, R, B)``, not to be written to, valid until the next call."""
        return self.blocks.draw(step, self._fill)

    def _fill(self, words: Words, out: Words) -> None:
        same, taken = self.same[:, : out.shape[1]], self.taken[:, : out.shape[1]]
        scale_halves(words, self.limits, out)
        # The loop is over the few positions of a batch, each step over all batches of the tile.
        for i, limit in enumerate(self.limits):
            np.equal(out[..., :i], out[..., i, None], out=same[..., :i])
            np.logical_or.reduce(same[..., :i], axis=-1, out=taken)
            np.copyto(out[..., i], limit - np.uint64(1), where=taken)


@final
class Reshuffle:
    """Each epoch a new permutation of all examples, read in slices of ``B``.

    An epoch has ``n // B`` steps; the ``n % B`` last examples of a permutation are not used in
    its epoch.  The permutation of the current epoch, the order of ``n`` random words, is stored
    for the selected tile, ``(tile, R, n)``.
    """

    def __init__(self, *, seed: int, R: int, tile: int, B: int, n: int) -> None:
        self.B, self.steps = B, n // B
        self.streams = Streams(seed=seed, purpose=Purpose.SHUFFLE, R=R, tile=tile, W=n)
        self.indices = np.empty((tile, R, B), np.intp)
        self.order = np.empty((0, R, n), np.intp)
        self.address: tuple[range | None, int] = (None, 0)

    def draw(self, step: int) -> Indices:
        """Return indices ``(t, R, B)``, not to be written to, valid until the next call."""
        epoch, place = divmod(step, self.steps)
        if self.address != (self.streams.learners, epoch):
            # Two equal words, which alone could bias the order, have a chance below n^2 / 2^65.
            self.order = np.argsort(self.streams.words(epoch), axis=-1)
            self.address = (self.streams.learners, epoch)
        indices = self.indices[: len(self.order)]
        # A contiguous copy, which an objective's plan can reshape without another.
        np.copyto(indices, self.order[..., place * self.B : (place + 1) * self.B])
        return indices


SAMPLERS: Final[dict[str, type[WithReplacement] | type[WithoutReplacement] | type[Reshuffle]]] = {
    "with_replacement": WithReplacement,
    "without_replacement": WithoutReplacement,
    "reshuffle": Reshuffle,
}
