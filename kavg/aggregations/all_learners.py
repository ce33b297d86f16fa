"""The mean of all learners, from which all of them go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final


@final
@dataclass(frozen=True)
class AllLearners:
    """All learners are averaged in every round, and begin the next one at the same point.

    This is the aggregation of both papers.

    Source: Cong and Liu 2020, arXiv 2110.00625; Zhou and Cong 2018, arXiv 1708.01012.

    >>> AllLearners()
    AllLearners()
    """

    kind = "all"
    same_bits = "any machine"
    is_plain = True

    def check_method(self, method: Any) -> None:
        """Accept every method."""
