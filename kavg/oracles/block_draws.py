"""Draws of several small steps, computed together and handed out one at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from kavg.base import Floats
from kavg.oracles.streams import Streams, Words

BLOCK: Final = 32_768
"""Most numbers of steps that are computed together: as many as a tile has."""


def steps_ahead(numbers: int) -> int:
    """Return the number of steps to compute at once, a power of 2, given the numbers of one step.

    >>> steps_ahead(80), steps_ahead(5000), steps_ahead(20_000)
    (64, 4, 1)
    """
    # A NumPy call costs some 0.4 microseconds, so a step of 80 numbers alone is nothing but calls.
    # A power of 2 divides the number of addresses, so that the last block ends with the last step.
    most = max(1, min(64, BLOCK // max(1, numbers)))
    return 1 << (most.bit_length() - 1)


class BlockDraws(ABC):
    """Planned draws ``(t, R, d)`` of a law, computed for ``streams.ahead`` steps at once.

    A new law is one final class that sets ``streams``, allocates its arrays for a whole tile,
    shapes them in ``_lay_out`` and writes to them in ``_fill``.
    """

    streams: Streams
    steps: Sequence[Floats]
    """The draws of each step of a block: views made once, as slicing costs as much as a step."""

    def __init__(self, streams: Streams) -> None:
        self.streams = streams
        self.learners = range(0)
        self.address: tuple[int, float, range] | None = None

    def draw(self, step: int, scale: float) -> Floats:
        """Return draws of standard deviation ``scale``, ``(t, R, d)``.

        They are not to be written to, and valid until the next call.
        """
        streams = self.streams
        block, place = divmod(step, streams.ahead)
        # A tile takes its steps in order, so most of them are in the block computed last.
        if self.address != (block, scale, streams.learners):
            if self.learners is not streams.learners:
                self._lay_out(len(streams.learners))
                self.learners = streams.learners
            self._fill(streams.block(block * streams.ahead), scale)
            self.address = (block, scale, streams.learners)
        return self.steps[place]

    @abstractmethod
    def _lay_out(self, t: int) -> None:
        """Make the views of ``t`` learners, ``steps`` among them."""

    @abstractmethod
    def _fill(self, words: Words, scale: float) -> None:
        """Write draws of standard deviation ``scale`` from words ``(ahead, t, R, W)``."""
