"""A picture of verdicts: what was measured against what is promised, for every number of rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.analysis.applicability import smoothness_bound
from kavg.analysis.bounds.bound import Bound, Quantity
from kavg.analysis.bounds.setting import Setting
from kavg.analysis.comparison import Comparison
from kavg.analysis.estimate import Estimate, mean_interval
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.reports.figures.curves import COLOURS, DASHES, LARGEST
from kavg.reports.figures.layout import new_sheet
from kavg.reports.figures.legend import readable
from kavg.reports.text import escape_unprintable
from kavg.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS: Final = 60
"""At how many numbers of rounds a curve is drawn at most."""
MEASURED: Final[Mapping[str, Any]] = {
    "color": COLOURS[0],
    "linewidth": 1.8,
    "marker": "o",
    "markersize": 4,
}
ALONE: Final[Mapping[str, Any]] = {"color": "0.6", "linewidth": 0.9}
AXES: Final = {
    "mean_grad_norm2": r"mean of $\|\nabla F(w_n)\|^2$ over N rounds",
    "mean_grad_norm2_local": r"mean of $\|\nabla F(w_n)\|^2$ over N rounds",
    "final_gap": r"$F(w_{N+1}) - F^\star$",
}


@final
@dataclass(frozen=True, eq=False)
class Promise:
    """One panel: a run's measured quantity and every bound on it that applies.

    ``promised (bounds, len(N))`` is each bound's value had the run been of ``N`` rounds; ``alone``
    is what smoothness alone says of the start.
    """

    name: str
    quantity: Quantity
    N: NDArray[np.int64]
    measured: Estimate
    alone: float
    bounds: tuple[Bound, ...]
    promised: Floats


def promises(compared: Sequence[Comparison], runs: Sequence[Trajectory]) -> list[Promise]:
    """A panel for each algorithm and each quantity that a bound applies to."""
    found = []
    by_name = {run.name: run for run in runs}
    for name in dict.fromkeys(one.algorithm for one in compared):
        theirs = [c for c in compared if c.algorithm == name and c.measurement is not None]
        for quantity in dict.fromkeys(c.bound.quantity for c in theirs):
            of_it = [c for c in theirs if c.bound.quantity == quantity]
            found.append(promise(by_name[name], of_it))
    return found


def promise(run: Trajectory, compared: Sequence[Comparison]) -> Promise:
    """One algorithm, one quantity, all bounds on it that apply."""
    settings = [one.setting for one in compared if one.setting is not None]
    bounds = tuple(one.bound for one in compared)
    quantity = bounds[0].quantity
    if quantity == "final_gap":
        series = run.series["F"][1:] - (run.series["F"][0].mean() - settings[0].Delta)
    else:
        sums = np.cumsum(run.series["grad_norm2"], axis=0)
        series = (sums / np.arange(1, len(sums) + 1)[:, None])[: settings[0].N]
    counted = run.rounds[1:] if quantity == "final_gap" else run.rounds + 1
    there = np.unique(np.geomspace(1, max(len(series), 1), POINTS).round().astype(int)) - 1
    N = np.asarray(counted[there], np.int64)
    promised = np.array([values_at(b, s, N) for b, s in zip(bounds, settings, strict=True)])
    alone = smoothness_bound(settings[0], quantity)
    return Promise(run.name, quantity, N, mean_interval(series[there]), alone, bounds, promised)


def values_at(bound: Bound, setting: Setting, N: NDArray[np.int64]) -> Floats:
    """The bound for each of these numbers of rounds, all else equal."""
    return np.array([bound.value(replace(setting, N=int(n))).total for n in N])


def verdict_figure(shown: Sequence[Promise]) -> Figure:
    """One panel a ``Promise``: measured mean with its 95 % limits, every bound as a line above it.

    Both axes are logarithmic; bounds that agree hide each other.

    >>> from kavg.analysis.bounds import BOUNDS
    >>> N, x = np.arange(1, 5), np.ones(4)
    >>> measured = mean_interval(x[:, None] * [1, 2, 3])
    >>> one = Promise("K-AVG", "final_gap", N, measured, 5.0, BOUNDS[:1], 10 * x[None])
    >>> verdict_figure([one]).axes[0].get_xlabel()
    'rounds N'
    """
    if not shown:
        raise KavgError("no bound applies to any of these runs, so there is nothing to draw")
    figure, panels = new_sheet(len(shown))
    looks = looks_of(shown)
    for panel, one in zip(panels, shown, strict=True):
        draw(panel, one, looks)
    explain(figure, looks)
    figure.suptitle(
        "measured means (95 % limits, one by one) against what theorems promise", size=8
    )
    return figure


def looks_of(shown: Sequence[Promise]) -> dict[str, dict[str, Any]]:
    """Colour and dash of each bound, the same in every panel."""
    names = dict.fromkeys(bound.name for one in shown for bound in one.bounds)
    return {
        name: {"color": COLOURS[1 + i % 4], "linestyle": DASHES[(i + i // 4) % 4], "linewidth": 1.3}
        for i, name in enumerate(names)
    }


def draw(panel: Axes, one: Promise, looks: dict[str, dict[str, Any]]) -> None:
    """Measured values, the bounds, and what smoothness alone says of the start."""
    mean, low, high = (_shown(x) for x in (one.measured.mean, one.measured.low, one.measured.high))
    panel.fill_between(one.N, low, high, color=MEASURED["color"], alpha=0.22, linewidth=0)
    panel.plot(one.N, mean, markevery=8, zorder=9, **MEASURED)
    for bound, values in zip(one.bounds, one.promised, strict=True):
        panel.plot(one.N, _shown(values), **looks[bound.name])
    if 0 < one.alone <= LARGEST:
        panel.axhline(one.alone, **ALONE)
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("rounds N", fontsize=9)
    panel.set_ylabel(AXES[one.quantity], fontsize=8)
    panel.set_title(readable(escape_unprintable(one.name))[:40], fontsize=9, parse_math=False)
    panel.tick_params(which="both", labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(linewidth=0.4, alpha=0.5)


def explain(figure: Figure, looks: dict[str, dict[str, Any]]) -> None:
    """One legend for all panels, below them."""
    from matplotlib.lines import Line2D

    entries = {
        "measured": MEASURED,
        **{name.replace("_", " "): look for name, look in looks.items()},
        "smoothness alone, at the start": ALONE,
    }
    width, height = figure.get_size_inches()
    across = max(1, int(width / 2.2))
    figure.set_size_inches(width, height + 0.3 + 0.2 * ceil(len(entries) / across))
    handles = [Line2D([], [], label=name, **look) for name, look in entries.items()]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=across, fontsize=8, frameon=False
    )


def _shown(values: Floats) -> Floats:
    return np.where((values > 0) & (np.abs(values) <= LARGEST), values, np.nan)
