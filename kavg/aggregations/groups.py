"""Hierarchical averaging: groups of learners are averaged often, all of them seldom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, final

from kavg.base import AdaptivePeriod
from kavg.base.step_functions import check_blocks
from kavg.errors import KavgError
from kavg.ranges import Count, check_ranges
from kavg.text import shorten_repr


@final
@dataclass(frozen=True)
class GroupedLearners:
    """Hier-AVG: a group is averaged every ``K1`` local steps, all learners every ``K``.

    Round n with ``B = K / K1`` blocks; S_g are the learners of group g, and s_g its point::

        s_g = start(w_n, v_n)
        x^j = s_g, then K1 local steps              each block
        s_g = (1/|S_g|) sum_{j in S_g} x^j          after each block but the last
        d_n = (1/P) sum_j (x^j - start)             after the last: one Allreduce
        w_{n+1}, v_{n+1} = step(w_n, v_n, d_n)      the outer rule

    ``groups`` is their number, which divides P, or the sizes of groups of consecutive learners.
    ``K`` of the ``Algorithm`` is the paper's K2.  The state of an optimizer is reset, kept or
    averaged at a group's average too.  ``K1 = K`` is the mean of all learners, and so are groups
    of one learner unless they reset an optimizer, both to the last bit; one group is K1-step
    averaging up to rounding.  ``SampledLearners`` leaves learners out, and this none.

    Groups whose learners lie on several ranks need a communicator that can be split.

    Source: Zhou and Cong 2019, arXiv 1903.05133.

    >>> GroupedLearners(K1=2, groups=3).group_sizes(12)
    (4, 4, 4)
    >>> GroupedLearners(K1=2, groups=(8, 4)).group_sizes(12)
    (8, 4)
    """

    kind = "groups"
    same_bits = "any machine"
    K1: Annotated[Count, "use K1=K to average all learners alone"]
    groups: Count | tuple[Count, ...]

    def __post_init__(self) -> None:
        check_ranges(self)

    def check_method(self, method: Any) -> None:
        """Raise ``KavgError`` unless K1 divides K, and the groups hold the P learners.

        Periods that are functions of the round are checked by the settings, and in each round.
        """
        self.count_groups(method.P)
        if isinstance(method.K, AdaptivePeriod) and self.K1 > 1:
            raise KavgError(
                "K1 must divide K in every round, and nobody knows the periods of one that adapts, "
                f"got K1={self.K1} and K={shorten_repr(method.K)}; use K1=1, or a K that is known "
                "before the run"
            )
        if not callable(method.K):
            check_blocks(self.K1, method.K)

    def count_groups(self, P: int) -> int:
        """Return the number of groups; raise ``KavgError`` unless they hold P learners."""
        if isinstance(self.groups, tuple):
            if sum(self.groups) != P:
                raise KavgError(
                    f"groups must hold all learners, got sizes {shorten_repr(self.groups)} with "
                    f"sum {sum(self.groups)} for P={P}; give sizes with sum P"
                )
            return len(self.groups)
        if P % self.groups:
            raise KavgError(
                f"groups must divide P, got groups={self.groups} for P={P}; use a divisor of P, "
                "or give the size of each group"
            )
        return self.groups

    def group_sizes(self, P: int) -> tuple[int, ...]:
        """Return the sizes of the groups; raise ``KavgError`` unless they hold P learners."""
        count = self.count_groups(P)
        return self.groups if isinstance(self.groups, tuple) else (P // count,) * count
