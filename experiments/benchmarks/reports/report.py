"""Report of a benchmark run, as text, in Markdown, or as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, final

from experiments.benchmarks.machine import words
from experiments.benchmarks.ratios import Measured
from experiments.benchmarks.reports.tables import measurement_tables
from experiments.benchmarks.reports.text_table import WIDTH
from kavg.reports.text import wrap_text

EXPLANATION: Final = (
    "kavg / it: the time of kavg over that of the contestant, within a repetition, so below 1 kavg "
    "is faster; medians and quartiles over {repetitions} repetitions."
)


@final
@dataclass(frozen=True)
class Report:
    """The machine, the number of repetitions, and all measurements."""

    facts: Mapping[str, Any]
    repetitions: int
    found: Sequence[Measured]

    @property
    def explanation(self) -> str:
        """Meaning of the ratios in the tables."""
        return EXPLANATION.format(repetitions=self.repetitions)

    def text(self) -> str:
        """For a terminal: no line is wider than 100 columns, whatever the names are."""
        lines = [line for fact in words(self.facts) for line in wrap_text(fact, WIDTH, hanging=2)]
        lines += ["", *wrap_text(self.explanation, WIDTH, hanging=2)]
        tables = (table.text() for table in measurement_tables(self.found))
        return "\n\n".join(["\n".join(lines), *tables]) + "\n"

    def markdown(self) -> str:
        """For a page."""
        about = "\n".join([*(f"- {line}" for line in words(self.facts)), "", self.explanation])
        return "\n\n".join([about, *(table.markdown() for table in measurement_tables(self.found))])

    def plain(self) -> dict[str, Any]:
        """Every single time, for another program."""
        found = [asdict(each) for each in self.found]
        return {"machine": dict(self.facts), "repetitions": self.repetitions, "measured": found}
