"""Theory and statistics: bounds, exact moments, confidence intervals and verdicts.

Works on trajectories and never imports the engine that makes them.  The modules: ``bounds`` (one
theorem each) and ``exact`` (moments on quadratics); ``comparison``, ``decision`` and ``sequential``
(runs against bounds); ``estimate``, ``fieller``, ``proportion``, ``bootstrap`` and ``rates`` (one
interval over replicas), ``simultaneous`` and ``holm`` (many at once), ``looks`` and ``selection``
(more replicas, the best of many trials); ``targets`` (time to target); ``differences`` and
``repeatability`` (runs against runs).
"""

from kavg.analysis.bounds import BOUNDS
from kavg.analysis.decision import check_bounds
from kavg.analysis.estimate import Estimate, mean_interval, paired_difference
from kavg.analysis.exact import moments
from kavg.analysis.rates import Slope, slope
from kavg.analysis.verdict import Outcome, Verdict

__all__ = [
    "BOUNDS",
    "Estimate",
    "Outcome",
    "Slope",
    "Verdict",
    "check_bounds",
    "mean_interval",
    "moments",
    "paired_difference",
    "slope",
]
