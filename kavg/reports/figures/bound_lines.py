"""The lines of bounds in a panel: of those that look like one only the sharpest is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from kavg.base import Floats
from kavg.reports.figures.style import COLOURS, DASHES, drawable

THICKNESS: Final = 0.025
"""Share of a panel's height within which two bounds look like one line."""
Styles = Mapping[str, Mapping[str, Any]]


def group_bounds(names: Sequence[str], values: Floats, measured: ArrayLike) -> dict[str, list[str]]:
    """Return the names of the bounds to draw, each with those that lie on its line.

    ``values (bounds, len(N))`` are taken from the sharpest at the last N to the loosest;
    ``measured (len(N),)`` is drawn below them, on the same logarithmic axis.

    >>> group_bounds(["A", "B", "C"], np.array([[1.0, 2.0], [1.0, 1.99], [8.0, 9.0]]), [0.1, 0.1])
    {'B': ['A'], 'C': []}
    """
    heights = np.log10(drawable(values, log=True))
    shown = np.append(heights, np.log10(drawable(measured, log=True)))
    shown = shown[np.isfinite(shown)]
    room = THICKNESS * max(float(np.ptp(shown)) if shown.size else 0.0, 1.0)
    groups: dict[int, list[str]] = {}
    # NaN, which no axis shows, is sorted to the end.
    for place in np.argsort(heights[:, -1], kind="stable"):
        on = next((i for i in groups if _is_near(heights[i], heights[place], room)), None)
        if on is None:
            groups[int(place)] = []
        else:
            groups[on].append(names[place])
    return {names[place]: others for place, others in groups.items()}


def _is_near(one: Floats, other: Floats, room: float) -> bool:
    gap = np.abs(one - other)
    is_alike = np.array_equal(np.isnan(one), np.isnan(other))
    return is_alike and bool(gap[np.isfinite(gap)].max(initial=0.0) <= room)


def name_line(name: str, groups: Sequence[Mapping[str, list[str]]], drawn: Styles) -> str:
    """Return a bound's name for the legend, with those that are on its line and drawn nowhere."""
    others = dict.fromkeys(other for group in groups for other in group.get(name, []))
    # A bound that is hidden in one panel may be drawn in another.
    hidden = [other for other in others if other not in drawn]
    return f"{name} (on this line: {', '.join(hidden)})" if hidden else name


def bound_styles(names: Sequence[str]) -> Styles:
    """Return colour and dash of each bound, the same in every panel; means have the first colour.

    >>> bound_styles(["A"])["A"]["linestyle"]
    '-'
    """
    # Dashes shift by one after four bounds, so that no pair of colour and dash comes twice in 16.
    return {
        name: {"color": COLOURS[1 + i % 4], "linestyle": DASHES[(i + i // 4) % 4], "linewidth": 1.3}
        for i, name in enumerate(dict.fromkeys(names))
    }
