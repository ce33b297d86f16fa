"""Time to target: when a mean, or each replica, reaches a value, with confidence intervals.

``crossing`` reads the time off one curve, ``times`` estimates that of a mean over replicas,
``ratios`` compares two such times, and ``censoring`` summarises the times of replicas of which some
did not arrive.  A target itself is ``kavg.targets.Target``; ``levels`` turns it into a value.
"""

from kavg.analysis.targets.censoring import median_time, restricted_mean
from kavg.analysis.targets.crossing import find_time, fit_decreasing
from kavg.analysis.targets.levels import find_infimum, target_value
from kavg.analysis.targets.ratios import compare_times, describe_ratio
from kavg.analysis.targets.times import TargetTime, measure_time

__all__ = [
    "TargetTime",
    "compare_times",
    "describe_ratio",
    "find_infimum",
    "find_time",
    "fit_decreasing",
    "measure_time",
    "median_time",
    "restricted_mean",
    "target_value",
]
