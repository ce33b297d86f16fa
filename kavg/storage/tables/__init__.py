"""Tables in long form, a row for each run, replica and recorded round: on disk and as arrays."""

from kavg.storage.tables.reader import load_results
from kavg.storage.tables.result_table import ResultTable

__all__ = ["ResultTable", "load_results"]
