"""Figures of trajectories, verdicts and exact moments, and ``save`` to write them to files.

All share one style (``style``, ``layout``, ``legend``), which can be read without colour.
"""

from kavg.reports.figures.exact import atlas_figure, exact_figure
from kavg.reports.figures.layout import save
from kavg.reports.figures.trajectories import trajectory_figure
from kavg.reports.figures.verdicts import verdict_figure, verdict_panels

__all__ = [
    "atlas_figure",
    "exact_figure",
    "save",
    "trajectory_figure",
    "verdict_figure",
    "verdict_panels",
]
