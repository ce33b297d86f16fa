"""The floor of a workload: passes over arrays that no program on NumPy can leave out, added up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

from experiments.benchmarks.contestants.contestant import repeated
from experiments.benchmarks.timing import Clock, goes


@final
@dataclass(frozen=True)
class Pass:
    """One pass over an array: ``once`` handles ``numbers`` of the ``per_round`` that a round has.

    A pass may handle the numbers of many rounds, as words are made ahead.
    """

    name: str
    once: Callable[[], object]
    numbers: int
    per_round: int


@final
class Floor:
    """The passes one after another, each as often as so many rounds need it and nothing between.

    So the time of a go is the sum of what each takes alone, on arrays that stay in the cache.

    >>> floor = Floor([Pass("words", lambda: print("words"), numbers=6, per_round=4)])
    >>> floor(1), floor(1), floor(1)
    words
    words
    (None, None, None)
    """

    def __init__(self, passes: Sequence[Pass]) -> None:
        self.passes = passes
        self.owed = [0] * len(passes)

    def __call__(self, rounds: int) -> None:
        """Run the passes of so many more rounds; what is less than a whole pass is owed."""
        for place, each in enumerate(self.passes):
            times, self.owed[place] = divmod(
                self.owed[place] + rounds * each.per_round, each.numbers
            )
            repeated(each.once)(times)

    def shares(self, least: float, clock: Clock) -> dict[str, float]:
        """The share of each pass in the time of a round; passes of one name are added.

        Each pass is timed for at least ``least`` seconds.
        """
        found: dict[str, float] = {}
        for each in self.passes:
            repeat = repeated(each.once)
            times = goes(repeat, least, clock)
            seconds = clock(repeat, times) / times * each.per_round / each.numbers
            found[each.name] = found.get(each.name, 0.0) + seconds
        total = sum(found.values()) or 1.0
        return {name: seconds / total for name, seconds in found.items()}


def describe_shares(floor: Floor, least: float, clock: Clock) -> str:
    """What the floor is made of, for a reader."""
    shares = floor.shares(least, clock).items()
    return "the floor: " + ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares)
