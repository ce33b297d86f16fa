"""Results of runs in words and figures.

``summary`` and ``table`` give the estimates of a run, as values and as text; ``verdict_table`` the
verdicts of the theorems on it.  ``kavg.reports.figures`` draws them; matplotlib is loaded when a
figure is drawn, not before.
"""

from kavg.reports.run_summary import summary, table
from kavg.reports.verdicts import verdict_table

__all__ = ["summary", "table", "verdict_table"]
