"""The displacements of a rank's learners, tile by tile, as often as a round needs them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from kavg.base import Floats
from kavg.engine.aggregation.learner_shares import LearnerShares
from kavg.engine.local.displacement_store import DisplacementStore
from kavg.engine.local.local_steps import LocalSteps
from kavg.engine.local.round_method import RoundSteps
from kavg.engine.means import Sums


@final
class LearnerTiles:
    """The learners of this rank, and what each tile of them adds to the sums of a round.

    ``shares`` is None unless the aggregation has learners contribute differently.  Displacements
    are computed once in a round where they fit one tile or the store; else again for each pass.
    """

    def __init__(
        self, local: LocalSteps, own: range, shares: LearnerShares | None, *, is_kept: bool
    ) -> None:
        tile, _, d = local.x.shape
        self.local, self.own, self.tile, self.shares = local, own, tile, shares
        self.held: range | None = None
        """The learners whose displacements are in the workspace, if those are all of the round."""
        self.store = DisplacementStore(own, local.states.rows, d, is_kept=is_kept)

    def fold(self, sums: Sums, start: Floats, steps: RoundSteps, *, again: bool = False) -> None:
        """Add the displacements of all own learners from ``start (R, d)`` to some sums.

        ``again`` in the same round, they are in the workspace if they fit one tile, or stored;
        else computed again, with the same noise where draws are addressed.
        """
        store, held, n = self.store, self.held, steps.n
        if again and held is not None:
            if held:
                self.add(sums, held, self.local.displacements[: len(held)])
            return
        is_used = (again or store.asked == n - 1) and store.open(n, again=again)
        is_stored = is_used and store.stored == n
        learners, parts = range(0), 0
        for learners in self.iterate_parts():
            parts += 1
            place = store.tile(learners) if is_used else None
            if place is None or not is_stored:
                place = self.displace(learners, start, steps, place)
            self.add(sums, learners, place)
        self.held = learners if parts <= 1 and not is_used else None
        if is_used:
            store.stored = n

    def iterate_parts(self) -> Iterator[range]:
        """Yield the learners that take their steps together: tiles, or those few who take part."""
        own, shares = self.own, self.shares
        for first in range(own.start, own.stop, self.tile):
            learners = range(first, min(first + self.tile, own.stop))
            # Draws that are not addressed follow from the calls, so these stay the same.
            if shares is None or not self.local.is_addressed:
                yield learners
            else:
                yield from shares.list_parts(learners)

    def displace(
        self, learners: range, start: Floats, steps: RoundSteps, place: Floats | None
    ) -> Floats:
        """Return the displacements of a tile, times their factors, in ``place`` if it is given."""
        local, shares = self.local, self.shares
        if shares is None:
            return local.displacement(learners, start, steps, place)
        local.own_K = shares.count_steps(learners)
        displacements = local.displacement(learners, start, steps, place)
        shares.weigh(learners, displacements)
        return displacements

    def add(self, sums: Sums, learners: range, displacements: Floats) -> None:
        """Add a tile to some sums, without those who take no part."""
        if self.shares is None:
            sums.fold(displacements)
        else:
            sums.fold(displacements, self.shares.find_absent(learners))
