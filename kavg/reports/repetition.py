"""The verdict on a repetition of a run, and its reasons in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from kavg.analysis.differences import (
    compare_mappings,
    first_difference,
    flatten_tables,
    trajectory_shape,
)
from kavg.analysis.repeatability import (
    Discrepancy,
    measure_discrepancies,
    significant_discrepancies,
)
from kavg.reports.labels import format_estimate
from kavg.trajectory import Trajectory

SAME: Final = "same bits"
ALIKE: Final = "same within confidence"
DIFFERENT: Final = "different"

BIT_DEPENDENCIES: Final = ("machine", "processor", "versions.numpy", "versions.kavg")
"""What may change the last bits; with ``mean = "allreduce"`` also the number of ranks."""


@final
@dataclass(frozen=True)
class Judgement:
    """A verdict on a repetition, ``SAME``, ``ALIKE`` or ``DIFFERENT``, with its reasons."""

    verdict: str
    lines: tuple[str, ...] = ()


def judge_repetition(
    before: Sequence[Trajectory], now: Sequence[Trajectory], *, same_environment: bool, level: float
) -> Judgement:
    """Compare runs with their repetition, algorithm by algorithm.

    In the same environment every bit must be the same.  On another machine or with other versions
    the last bits may differ (``environment_changes``); there, a quantity is different only
    if it moved by more than rounding and by more than chance explain, at ``level`` over all
    quantities together (``kavg.analysis.repeatability``).

    >>> import numpy as np
    >>> F = np.array([[4.0, 4.0], [1.0, 1.5]])
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(2), {"F": F}, F.T, F.T, np.zeros(2))
    >>> judge_repetition([run], [run], same_environment=True, level=0.05)
    Judgement(verdict='same bits', lines=())
    """
    pairs = list(zip(before, now, strict=True))
    shapes = [line for a, b in pairs for line in _shape_changes(a, b)]
    differences = [
        f"{a.name}: {found}" for a, b in pairs if (found := first_difference(a, b)) is not None
    ]
    if not shapes and not differences:
        return Judgement(SAME)
    # Runs of different shapes have no numbers to pair, in whatever environment.
    if shapes or same_environment:
        return Judgement(DIFFERENT, tuple(shapes or differences))
    table = [gap for a, b in pairs for gap in measure_discrepancies(a, b, level)]
    beyond = significant_discrepancies(table, level)
    shown = (_describe_discrepancy(gap) for gap in beyond or table if gap.rounding > 0)
    return Judgement(DIFFERENT if beyond else ALIKE, (*differences, *shown))


def _shape_changes(a: Trajectory, b: Trajectory) -> Iterator[str]:
    for what, then, now in compare_mappings(trajectory_shape(a), trajectory_shape(b)):
        yield f"{a.name}: {what}: {then} recorded and {now} repeated"


def _describe_discrepancy(gap: Discrepancy) -> str:
    difference = format_estimate(gap.interval)
    return (
        f"{gap.algorithm}: {gap.quantity}: recorded minus repeated {difference} at the end, "
        f"{gap.rounding:.3g} times what rounding explains"
    )


def environment_changes(
    recorded: Mapping[str, Any], here: Mapping[str, Any], mean: str
) -> list[str]:
    """List the changes of machine and versions that the last bits depend on.

    ``mean`` is the setting: with ``"allreduce"`` bits depend on the number of ranks as well.

    >>> environment_changes({"machine": "arm64"}, {"machine": "x86_64", "cores": 8}, "exact")
    ['machine x86_64 (then arm64)']
    """
    depends = (*BIT_DEPENDENCIES, "ranks") if mean == "allreduce" else BIT_DEPENDENCIES
    return [
        f"{place.removeprefix('versions.')} {now} (then {then})"
        for place, then, now in compare_mappings(flatten_tables(recorded), flatten_tables(here))
        if place in depends
    ]
