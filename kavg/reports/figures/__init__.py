"""Figures of trajectories, sweeps, verdicts and exact moments, and ``save`` to write them to files.

All share one style (``style``, ``layout``, ``legend``, ``typography``), which can be read without
colour, at the width of a column or of a page.
"""

from kavg.reports.figures.exact import atlas_figure, exact_figure
from kavg.reports.figures.files import save
from kavg.reports.figures.forest import forest_figure
from kavg.reports.figures.layout import Layout
from kavg.reports.figures.reference_lines import ReferenceLine
from kavg.reports.figures.sweeps.heat_map import HeatMap, heat_map_figure
from kavg.reports.figures.sweeps.phase_diagram import PhaseMap, phase_figure
from kavg.reports.figures.sweeps.setting_axis import VariedAxis
from kavg.reports.figures.sweeps.setting_curve import SettingCurve
from kavg.reports.figures.sweeps.small_multiples import SettingPanel, setting_figure
from kavg.reports.figures.sweeps.speed_up import speed_up_figure
from kavg.reports.figures.trajectories import trajectory_figure
from kavg.reports.figures.verdicts import verdict_figure, verdict_panels

__all__ = [
    "HeatMap",
    "Layout",
    "PhaseMap",
    "ReferenceLine",
    "SettingCurve",
    "SettingPanel",
    "VariedAxis",
    "atlas_figure",
    "exact_figure",
    "forest_figure",
    "heat_map_figure",
    "phase_figure",
    "save",
    "setting_figure",
    "speed_up_figure",
    "trajectory_figure",
    "verdict_figure",
    "verdict_panels",
]
