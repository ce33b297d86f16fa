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

from typing import Final, Protocol, final

import numpy as np

from kavg.base import Indices
from kavg.noise import Purpose, Streams, Words


class Sampler(Protocol):
    """Planned draws of ``B`` indices below ``n``."""

    @property
    def streams(self) -> Streams:
        """Where they come from."""
        ...

    @property
    def chosen(self) -> Words | Indices:
        """The buffer that draws are made in, ``(tile, R, B)``."""
        ...

    def draw(self, step: int) -> Indices:
        """Indices ``(t, R, B)``, valid until the next call."""
        ...


def below(words: Words, limits: np.uint64 | Words, out: Words) -> None:
    """Whole numbers below ``limits`` from the 32-bit halves of words: ``half * limit >> 32``.

    Some numbers are likelier than others by at most ``limit / 2^32``.
    """
    np.copyto(out, words.view(np.uint32)[..., : out.shape[-1]])
    np.multiply(out, limits, out=out)
    np.right_shift(out, np.uint64(32), out=out)


@final
class WithReplacement:
    """``B`` independent indices."""

    def __init__(self, *, seed: int, R: int, tile: int, B: int, n: int) -> None:
        self.n = np.uint64(n)
        self.streams = Streams(seed=seed, purpose=Purpose.BATCH, R=R, tile=tile, W=(B + 1) // 2)
        self.chosen = np.empty((tile, R, B), np.uint64)

    def draw(self, step: int) -> Indices:
        """Indices ``(t, R, B)``."""
        words = self.streams.words(step)
        chosen = self.chosen[: len(words)]
        below(words, self.n, chosen)
        return chosen.view(np.intp)


@final
class WithoutReplacement:
    """``B`` distinct indices by Floyd's algorithm (Bentley and Floyd 1987), anew at each step.

    The i-th index is drawn below ``n - B + i + 1``; if it is taken already, the largest possible
    value, which cannot be, is taken in its place.
    """

    def __init__(self, *, seed: int, R: int, tile: int, B: int, n: int) -> None:
        self.limits = np.arange(n - B + 1, n + 1, dtype=np.uint64)
        self.streams = Streams(seed=seed, purpose=Purpose.BATCH, R=R, tile=tile, W=(B + 1) // 2)
        self.chosen = np.empty((tile, R, B), np.uint64)
        self.same = np.empty((tile, R, B), np.bool_)
        self.taken = np.empty((tile, R), np.bool_)

    def draw(self, step: int) -> Indices:
        """Indices ``(t, R, B)``."""
        words = self.streams.words(step)
        t = len(words)
        chosen, same, taken = self.chosen[:t], self.same[:t], self.taken[:t]
        below(words, self.limits, chosen)
        for i, limit in enumerate(self.limits):
            np.equal(chosen[..., :i], chosen[..., i, None], out=same[..., :i])
            np.logical_or.reduce(same[..., :i], axis=-1, out=taken)
            np.copyto(chosen[..., i], limit - np.uint64(1), where=taken)
        return chosen.view(np.intp)


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
