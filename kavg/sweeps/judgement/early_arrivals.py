"""Winners at the target after few records: their times are those of an interpolation."""

from __future__ import annotations

from collections import Counter
from typing import Final

from kavg.sweeps.judgement.criteria import Criterion
from kavg.sweeps.judgement.results import SweepResult, Winner
from kavg.text import format_count

FEW: Final = 3
"""Records after the start, at least, until a target by which methods can be told apart."""


def list_early_arrivals(criterion: Criterion, result: SweepResult) -> list[str]:
    """Describe the algorithms whose best reaches the target before ``FEW`` records.

    What a ratio of such times shows is the curve between two records, not the methods.
    """
    found = Counter(w.point.algorithm for w in result.winners if _arrives_early(w, criterion))
    return [
        f"the best of {algorithm} is at the target before {FEW} recorded rounds, in "
        f"{format_count(count, 'cell')}: its time is interpolated between them; set a target that "
        "is harder to reach, or record more rounds"
        for algorithm, count in found.items()
    ]


def _arrives_early(winner: Winner, criterion: Criterion) -> bool:
    if winner.time is None:
        return False
    axis = criterion.progress(winner.run)
    # A run that has no more records is at the target by its end, if at all.
    return float(winner.time.estimate.mean) < float(axis[min(FEW, len(axis) - 1)])
