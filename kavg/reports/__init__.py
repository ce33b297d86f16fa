"""Results of runs in words and figures.

``summary`` and ``table`` return the estimates of runs, as values and as text, and ``verdict_table``
the verdicts of the theorems on them.  ``kavg.reports.figures`` draws both; matplotlib is loaded
only when a figure is drawn.
"""

from kavg.reports.run_summary import summary, table
from kavg.reports.verdicts import verdict_table

__all__ = ["summary", "table", "verdict_table"]
