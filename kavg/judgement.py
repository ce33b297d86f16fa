"""What is said of a run and its repetition: same bits, same within confidence, or different."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from kavg.analysis.alike import Gap, apart, gaps
from kavg.differences import changes, flat, parting, shape_of
from kavg.text import number
from kavg.trajectory import Trajectory

SAME: Final = "same bits"
ALIKE: Final = "same within confidence"
DIFFERENT: Final = "different"
DECIDES: Final = ("machine", "processor", "versions.numpy", "versions.kavg")
"""What may change the last bits; with ``mean = "allreduce"`` also the number of ranks."""


@final
@dataclass(frozen=True)
class Judgement:
    """One of the three verdicts, and what led to it, line by line."""

    verdict: str
    lines: tuple[str, ...] = ()


def judged(
    before: Sequence[Trajectory], now: Sequence[Trajectory], *, foreign: bool, level: float
) -> Judgement:
    """The verdict on a repetition; ``foreign`` says that bits may differ.

    >>> import numpy as np
    >>> F = np.array([[4.0, 4.0], [1.0, 1.5]])
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(2), {"F": F}, F.T, F.T, np.zeros(2))
    >>> judged([run], [run], foreign=False, level=0.05)
    Judgement(verdict='same bits', lines=())
    """
    pairs = list(zip(before, now, strict=True))
    shapes = [line for a, b in pairs for line in unlike(a, b)]
    parted = [f"{a.name}: {found}" for a, b in pairs if (found := parting(a, b)) is not None]
    if not shapes and not parted:
        return Judgement(SAME)
    if shapes or not foreign:
        return Judgement(DIFFERENT, tuple(shapes or parted))
    table = [gap for a, b in pairs for gap in gaps(a, b, level)]
    beyond = apart(table, level)
    shown = (line for gap in beyond or table if gap.growth > 0 for line in [gap_words(gap)])
    return Judgement(DIFFERENT if beyond else ALIKE, (*parted, *shown))


def unlike(a: Trajectory, b: Trajectory) -> Iterator[str]:
    """Why two runs cannot be held side by side."""
    for what, then, now in changes(shape_of(a), shape_of(b)):
        yield f"{a.name}: {what}: {then} then and {now} now"


def gap_words(gap: Gap) -> str:
    """How far apart a quantity is."""
    return (
        f"{gap.algorithm}: {gap.quantity}: then less now {number(gap.limits)} at the end, "
        f"{gap.growth:.3g} times what rounding excuses"
    )


def other(told: Mapping[str, Any], here: Mapping[str, Any], mean: str) -> list[str]:
    """What of the machine and the versions that decide the bits is another than it was."""
    decides = (*DECIDES, "ranks") if mean == "allreduce" else DECIDES
    return [
        f"{place.removeprefix('versions.')} {now} (then {then})"
        for place, then, now in changes(flat(told), flat(here))
        if place in decides
    ]
