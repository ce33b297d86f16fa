"""Winners at an end of what was tried: a wider grid may have a better one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from kavg.sweeps.designs.axes import EFFECTIVE_STEP
from kavg.sweeps.judgement.results import SweepResult
from kavg.sweeps.points import Point
from kavg.sweeps.sweep import cell_key
from kavg.text import format_count


def list_grid_ends(points: Sequence[Point], result: SweepResult) -> list[str]:
    """Describe the tuned numbers of winners that are the least or the largest that were tried.

    Of an algorithm one line for each setting and end, with the number of cells.
    """
    found: Counter[tuple[str, str]] = Counter()
    for winner in result.winners:
        key = cell_key(winner.point)
        group = [point for point in points if cell_key(point) == key]
        for name in _list_tuned_numbers(winner.point):
            tried = {point.settings[name] for point in group if name in point.settings}
            end = _name_end(winner.point.settings[name], tried)
            if end is not None:
                found[winner.point.algorithm, f"{end} {name}"] += 1
    return [
        f"the best of {algorithm} has the {what} that was tried, in {format_count(count, 'cell')}; "
        "a wider [sweep.tune] may have a better one"
        for (algorithm, what), count in found.items()
    ]


def _list_tuned_numbers(point: Point) -> list[str]:
    tuned = {name: x for name, x in point.settings.items() if name not in point.cell}
    # gamma follows from the effective step, and says no more.
    hidden = {"gamma"} if EFFECTIVE_STEP in tuned else set()
    return [
        name
        for name, x in tuned.items()
        if isinstance(x, int | float) and not isinstance(x, bool) and name not in hidden
    ]


def _name_end(value: object, tried: Collection[object]) -> str | None:
    numbers = sorted(x for x in tried if isinstance(x, int | float))
    # Of two values each is an end.
    if len(numbers) < 3 or value not in (numbers[0], numbers[-1]):
        return None
    return "least" if value == numbers[0] else "largest"
