"""The options of a run that its result depends on, as one validated value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, final

from kavg.base import Precision
from kavg.ranges import Count, Seed, check_ranges

MeanName = Literal["exact", "allreduce"]


@final
@dataclass(frozen=True)
class RunOptions:
    """How a problem and an algorithm are simulated: the keywords of ``kavg.simulate``.

    ``replicas`` is R, the number of independent repetitions; ``seed`` addresses every random
    number; ``mean`` and ``dtype`` select the average over learners and the precision of local
    steps; ``tile`` is how many learners take their steps at once, None for as many as fit a cache
    (no bit depends on it).

    Raises ``KavgError`` if one of them is out of range.

    >>> RunOptions(replicas=5).mean
    'exact'
    >>> RunOptions(replicas=0)
    Traceback (most recent call last):
    kavg.errors.KavgError: replicas must be a whole number of at least 1, got replicas=0; use \
replicas=1 for a single run
    """

    replicas: Annotated[Count, "use replicas=1 for a single run"] = 1
    seed: Seed = 0
    mean: MeanName = "exact"
    dtype: Precision = "float64"
    tile: Annotated[Count, "leave it out for a tile that fits the cache"] | None = None

    def __post_init__(self) -> None:
        check_ranges(self)
