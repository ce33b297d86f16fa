"""The quantity of a figure over settings: its name, which end is the best, and what failing is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

GREATEST = ("train_accuracy", "held_out_accuracy")


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
    return PlottedQuantity(name, name in GREATEST)
