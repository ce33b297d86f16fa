"""The displacements of a round's learners, stored where a round passes over them more than once.

A rank whose learners take several tiles has the displacements of the last tile alone.  Where the
round is averaged again on wider grids, or the dispersion needs a second pass, the local steps of
all tiles are taken once more, and their displacements stored.  Such rounds come in succession
(learners without noise, a run that diverges), so the round after stores them at once.
"""

from __future__ import annotations

from typing import Final, final

from kavg.base import Floats
from kavg.engine.means import displacement_buffer

LARGEST_STORE: Final = 2**22
"""Numbers that are stored at most, 32 MB; with more learners the steps are taken again."""


@final
class DisplacementStore:
    """Room for the displacements ``(learners, R, d + 1)`` of this rank's learners.

    The mean must leave a tile as it is if a first pass is to be stored (``is_kept``).
    """

    def __init__(self, own: range, R: int, d: int, *, is_kept: bool) -> None:
        self.own, self.R, self.d, self.is_kept = own, R, d, is_kept
        self.fits = len(own) * R * (d + 1) <= LARGEST_STORE
        self.room: Floats | None = None
        self.stored = self.asked = -1
        """The round whose displacements are there, and the last that was passed over again."""

    def open(self, n: int, *, again: bool) -> bool:
        """True if the pass over round ``n`` that now begins uses the store."""
        if again:
            self.asked = n
        if not self.fits or not (again or self.is_kept):
            return False
        if self.room is None:
            self.room = displacement_buffer(len(self.own), self.R, self.d)
        return True

    def tile(self, learners: range) -> Floats:
        """Return the place of these learners, a view."""
        assert self.room is not None
        first = self.own.start
        return self.room[learners.start - first : learners.stop - first]
