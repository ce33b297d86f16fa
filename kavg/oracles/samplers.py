"""Which examples a batch holds: three samplers, each a function of (replica, learner, step).

==================  ==========================  ============  ==================================
sampler             batches of one learner      given the     variance of the batch gradient
                                                past
==================  ==========================  ============  ==================================
with_replacement    independent, may repeat     unbiased      s2/B
without_replacement independent, B distinct     unbiased      s2/B (n - B)/(n - 1)
reshuffle           one permutation an epoch    BIASED        less over an epoch; the theorems'
                                                              assumption (A2) does not hold
==================  ==========================  ============  ==================================

``s2`` is the variance of a single example's gradient at that point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, final

import numpy as np

from kavg.base import Indices
from kavg.oracles.streams import Purpose, Streams, Words, steps_ahead


class Sampler(Protocol):
    """Planned draws of ``B`` indices below ``n``."""

    @property
    def streams(self) -> Streams:
        """Where they come from."""
        ...

    def draw(self, step: int) -> Indices:
        """Indices ``(t, R, B)``, not to be written to, valid until the next call."""
        ...


def below(words: Words, limits: np.uint64 | Words, out: Words) -> None:
    """Whole numbers below ``limits`` from the 32-bit halves of words: ``half * limit >> 32``.

    Some numbers are likelier than others by at most ``limit / 2^32``.
    """
    np.copyto(out, words.view(np.uint32)[..., : out.shape[-1]])
    np.multiply(out, limits, out=out)
    np.right_shift(out, np.uint64(32), out=out)


@final
class Several:
    """Indices of several steps at once, ``chosen (ahead, t, R, B)``: a step alone is too small."""

    def __init__(self, *, seed: int, R: int, tile: int, B: int) -> None:
        W = (B + 1) // 2
        self.ahead = steps_ahead(tile * R * W)
        self.streams = Streams(
            seed=seed, purpose=Purpose.BATCH, R=R, tile=tile, W=W, ahead=self.ahead
        )
        self.buffer = np.empty((self.ahead, tile, R, B), np.uint64)
        self.known: tuple[int, range] | None = None

    def draw(self, step: int, make: Callable[[Words, Words], None]) -> Indices:
        """The indices of this step; ``make(words, chosen)`` fills those of a block when needed."""
        block, place = divmod(step, self.ahead)
        chosen = self.buffer[:, : len(self.streams.learners)]
        if self.known != (block, self.streams.learners):
            make(self.streams.block(block * self.ahead), chosen)
            self.known = (block, self.streams.learners)
        indices: Indices = chosen[place].view(np.intp)
        return indices


@final
class WithReplacement:
    """``B`` independent indices."""

    def __init__(self, *, seed: int, R: int, tile: int, B: int, n: int) -> None:
        self.n = np.uint64(n)
        self.several = Several(seed=seed, R=R, tile=tile, B=B)
        self.streams = self.several.streams

    def draw(self, step: int) -> Indices:
        """Indices ``(t, R, B)``."""
        return self.several.draw(step, self.make)

    def make(self, words: Words, chosen: Words) -> None:
        """Each below ``n``."""
        below(words, self.n, chosen)


@final
class WithoutReplacement:
    """``B`` distinct indices by Floyd's algorithm (Bentley and Floyd 1987), anew at each step.

    The i-th index is drawn below ``n - B + i + 1``; if it is taken already, the largest possible
    value, which cannot be, is taken in its place.
    """

    def __init__(self, *, seed: int, R: int, tile: int, B: int, n: int) -> None:
        self.limits = np.arange(n - B + 1, n + 1, dtype=np.uint64)
        self.several = Several(seed=seed, R=R, tile=tile, B=B)
        self.streams = self.several.streams
        self.same = np.empty(self.several.buffer.shape, np.bool_)
        self.taken = np.empty(self.same.shape[:-1], np.bool_)

    def draw(self, step: int) -> Indices:
        """Indices ``(t, R, B)``."""
        return self.several.draw(step, self.make)

    def make(self, words: Words, chosen: Words) -> None:
        """Each among those that are left."""
        same, taken = self.same[:, : chosen.shape[1]], self.taken[:, : chosen.shape[1]]
        below(words, self.limits, chosen)
        for i, limit in enumerate(self.limits):
            np.equal(chosen[..., :i], chosen[..., i, None], out=same[..., :i])
            np.logical_or.reduce(same[..., :i], axis=-1, out=taken)
            np.copyto(chosen[..., i], limit - np.uint64(1), where=taken)


@final
class Reshuffle:
    """Each epoch a new permutation of all examples, read in slices of ``B``.

    An epoch has ``n // B`` steps; the ``n % B`` examples left over sit it out.  The permutation
    of the current epoch is kept for the tile that is selected, ``(tile, R, n)``.
    """

    def __init__(self, *, seed: int, R: int, tile: int, B: int, n: int) -> None:
        self.B, self.steps = B, n // B
        self.streams = Streams(seed=seed, purpose=Purpose.SHUFFLE, R=R, tile=tile, W=n)
        self.chosen = np.empty((tile, R, B), np.intp)
        self.order = np.empty((0, R, n), np.intp)
        self.known: tuple[range | None, int] = (None, 0)

    def draw(self, step: int) -> Indices:
        """Indices ``(t, R, B)``."""
        epoch, place = divmod(step, self.steps)
        if self.known != (self.streams.learners, epoch):
            self.order = np.argsort(self.streams.words(epoch), axis=-1)
            self.known = (self.streams.learners, epoch)
        chosen = self.chosen[: len(self.order)]
        np.copyto(chosen, self.order[..., place * self.B : (place + 1) * self.B])
        return chosen


SAMPLERS: Final[dict[str, type[WithReplacement] | type[WithoutReplacement] | type[Reshuffle]]] = {
    "with_replacement": WithReplacement,
    "without_replacement": WithoutReplacement,
    "reshuffle": Reshuffle,
}
