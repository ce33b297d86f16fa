"""The displacements of a rank's learners, tile by tile, as often as a round needs them."""

from __future__ import annotations

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
        self.store = DisplacementStore(own, local.states.rows, d, is_kept=is_kept)

    def fold(self, sums: Sums, start: Floats, steps: RoundSteps, *, again: bool = False) -> None:
        """Add the displacements of all own learners from ``start (R, d)`` to some sums.

        ``again`` in the same round, they are in the workspace if they fit one tile, or stored;
        else computed again, with the same noise where draws are addressed.
        """
        local, store, own, n = self.local, self.store, self.own, steps.n
        if again and len(own) <= self.tile:
            if own:
                self.add(sums, own, local.displacements[: len(own)])
            return
        is_used = (again or store.asked == n - 1) and store.open(n, again=again)
        is_stored = is_used and store.stored == n
        for first in range(own.start, own.stop, self.tile):
            learners = range(first, min(first + self.tile, own.stop))
            place = store.tile(learners) if is_used else None
            if place is None or not is_stored:
                place = self.displace(learners, start, steps, place)
            self.add(sums, learners, place)
        if is_used:
            store.stored = n

    def displace(
        self, learners: range, start: Floats, steps: RoundSteps, place: Floats | None
    ) -> Floats:
        """Return the displacements of a tile, times their factors, in ``place`` if it is given."""
        local, shares = self.local, self.shares
        if shares is None:
            return local.displacement(learners, start, steps, place)
        if not shares.has_part(learners):
            # Nobody reads it, so no step is taken.
            return local.displacements[: len(learners)] if place is None else place
        local.own_K = shares.count_steps(learners)
        displacements = local.displacement(learners, start, steps, place)
        shares.weigh(learners, displacements)
        return displacements

    def add(self, sums: Sums, learners: range, displacements: Floats) -> None:
        """Add a tile to some sums, without those who take no part."""
        shares = self.shares
        if shares is None:
            sums.fold(displacements)
        elif shares.has_part(learners):
            sums.fold(displacements, shares.find_absent(learners))
