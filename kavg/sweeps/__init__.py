"""Sweeps: many runs of one settings file, for each algorithm and every combination of settings."""

from kavg.sweeps.fairness import list_sweep_warnings
from kavg.sweeps.parser import load_sweep, parse_sweep
from kavg.sweeps.points import Point
from kavg.sweeps.stage import Stage
from kavg.sweeps.sweep import Sweep

__all__ = [
    "Point",
    "Stage",
    "Sweep",
    "list_sweep_warnings",
    "load_sweep",
    "parse_sweep",
]
