"""Lines and colours of figures, distinguishable in print, in grey and by colour-blind readers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike

from kavg.base import Floats
from kavg.errors import KavgError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours in steps of lightness, so that they differ in print without colour.
COLOURS: Final = ("#003D7C", "#E0B040", "#B0465A", "#000000", "#3FA796")
DASHES: Final = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
LARGEST: Final = 1e100
"""Largest magnitude drawn, far from where double precision ends: axes compute ticks beyond it."""


@contextmanager
def use_default_style() -> Iterator[None]:
    """Draw with matplotlib's own defaults inside a ``with`` block, or as a decorator.

    A figure is then the same whatever the caller set: matplotlibrc, styles, LaTeX, ``MPLBACKEND``.

    Raises:
        KavgError: if matplotlib is not installed or fails to load.
    """
    try:
        _import_matplotlib()
        import matplotlib.figure  # noqa: F401 - of kavg.reports.figures.layout
        from matplotlib import rc_context, rcParamsDefault
    except Exception as error:
        raise KavgError(
            f"figures need matplotlib, which failed to load ({error}); pip install 'kavg[plot]'"
        ) from error
    defaults: dict[Any, Any] = {k: v for k, v in rcParamsDefault.items() if k != "backend"}
    # Without a fixed salt an SVG has random identifiers; publishers refuse other fonts in a PDF.
    with rc_context(defaults | {"svg.hashsalt": "kavg", "pdf.fonttype": 42}):
        yield


def _import_matplotlib() -> None:
    # Its import fails where MPLBACKEND names a backend that it does not know, and none is needed.
    backend = None if "matplotlib" in sys.modules else os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend is not None:
        with suppress(ValueError):  # as matplotlib itself does, for the caller's own figures
            matplotlib.rcParams["backend"] = backend


def line_style(place: int) -> dict[str, Any]:
    """Return colour, dash and marker of the entry at this place of a list, for ``plot``.

    Five colours, four dashes and seven markers are each used in turn, so 140 entries differ.
    """
    return {
        "color": COLOURS[place % len(COLOURS)],
        "linestyle": DASHES[place % len(DASHES)],
        "marker": MARKERS[place % len(MARKERS)],
        "linewidth": 1.3,
        "markersize": 5.5,
        "markeredgecolor": "white",
        "markeredgewidth": 0.5,
    }


def drawable(values: ArrayLike, *, log: bool = False) -> Floats:
    """Replace values that an axis cannot show by NaN, where nothing is drawn.

    These are values that are not finite or above ``LARGEST`` in magnitude and, on a logarithmic
    axis, those that are not positive.

    >>> drawable([1.0, 0.0, -2.0, 1e200])
    array([ 1.,  0., -2., nan])
    >>> drawable([1.0, 0.0, -2.0, np.inf], log=True)
    array([ 1., nan, nan, nan])
    """
    x = np.asarray(values, np.float64)
    inside = np.abs(x) <= LARGEST
    return np.where(inside & (x > 0) if log else inside, x, np.nan)


def clip_to_axes(panel: Axes, values: Floats) -> Floats:
    """Move values that are far outside the panel's y axis to just outside.

    Renderers fail on paths that leave the panel by many decades.
    """
    low, high = panel.get_ylim()
    room = high - low
    lowest = low / 10 if panel.get_yscale() == "log" else low - room
    clipped: Floats = np.clip(values, lowest, high + room)
    return clipped


def draw_band(panel: Axes, x: ArrayLike, low: ArrayLike, high: ArrayLike, colour: str) -> None:
    """Shade the band between two curves, except where one of them is NaN."""
    panel.fill_between(x, low, high, color=colour, alpha=0.22, linewidth=0)
