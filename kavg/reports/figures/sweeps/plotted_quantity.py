"""The quantity of a figure over settings: its name, which end is the best, and what failing is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from kavg.targets import RISING, Target

FAILURE: Final = "diverged, or target not reached"
"""What points without a time to target have in common."""
COMPARED: Final = "mean of the replicas' own times"
"""What contours of times to target compare, where a replica that is late counts as the end."""


@final
@dataclass(frozen=True)
class PlottedQuantity:
    """What a figure shows: a recorded quantity at the end, or the cost of reaching a target.

    The greatest value is the best one if ``is_greatest``, else the least.  ``failure`` says in the
    caption what points without a value have in common, and ``compared`` what of the replicas the
    contours of a map compare.  ``is_searched`` is False where nothing was searched for along the
    axis, so that a best value at an end of it is no reason to go on.

    >>> PlottedQuantity("F").best
    'least'
    """

    name: str
    is_greatest: bool = False
    failure: str = "diverged"
    compared: str = "mean"
    is_searched: bool = True

    @property
    def best(self) -> str:
        """The word for the best value."""
        return "greatest" if self.is_greatest else "least"

    @property
    def sign(self) -> int:
        """The factor that makes the best value the least."""
        return -1 if self.is_greatest else 1


def plot_final(name: str) -> PlottedQuantity:
    """Return a recorded quantity at the end of runs; of accuracies the greatest is the best.

    >>> plot_final("held_out_accuracy").is_greatest
    True
    """
    return PlottedQuantity(name, name in RISING)


def name_cost(axis: str, target: Target) -> PlottedQuantity:
    """Return the quantity of costs until a target.

    >>> name_cost("rounds", Target("F", below=0.5)).name
    'rounds until F <= 0.5'
    """
    # A shade is the time of the mean, of which a stage keeps no more than its interval.
    return PlottedQuantity(f"{axis} until {target}", failure=FAILURE, compared=COMPARED)
