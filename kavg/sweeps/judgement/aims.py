"""Aims of a sweep that adds replicas to its last stage until they are reached."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Final, final

from kavg.analysis.estimate import Estimate
from kavg.analysis.looks import is_decided, is_narrow
from kavg.errors import KavgError
from kavg.sweeps.judgement.results import SweepResult
from kavg.text import shorten_repr

DECIDED: Final = "decided"


@final
@dataclass(frozen=True)
class Aim:
    """When there are enough replicas: each interval is narrow, or each speed-up differs from 1.

    ``width`` is that of an interval from end to end, relative to its mean; None means decided.
    """

    width: float | None

    def __str__(self) -> str:
        """Return the aim as ``parse_aim`` reads it."""
        return DECIDED if self.width is None else f"width={self.width!r}"

    def is_reached(self, result: SweepResult) -> bool:
        """True if the winners of a sweep, but for those that diverged, are known well enough."""
        if self.width is None:
            return all(is_decided(each.estimate, 1.0) for each in result.speed_ups)
        width = self.width
        return all(is_narrow(estimate, width) for estimate in _list_estimates(result))


def _list_estimates(result: SweepResult) -> list[Estimate]:
    left = [each for each in result.winners if each.run.diverged_at is None]
    return [each.value if each.time is None else each.time.estimate for each in left]


def parse_aim(text: str) -> Aim:
    """Return the aim of ``--until``: ``width=0.05`` or ``decided``.

    Raises ``KavgError`` for any other text.

    >>> parse_aim("width=0.05"), parse_aim("decided")
    (Aim(width=0.05), Aim(width=None))
    """
    if text == DECIDED:
        return Aim(None)
    name, _, value = text.partition("=")
    with suppress(ValueError):
        width = float(value)
        if name == "width" and 0 < width < inf:
            return Aim(width)
    raise KavgError(
        f"--until must be width=W, as in width=0.05 for 5 %, or decided, got {shorten_repr(text)}"
    )
