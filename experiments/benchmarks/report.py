"""Everything a run of the benchmarks found, as text, in Markdown, or as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, final

from experiments.benchmarks.machine import words
from experiments.benchmarks.ratios import Measured
from experiments.benchmarks.tables import grids
from experiments.benchmarks.text_table import wrapped

HOW: Final = (
    "kavg / it: the time of kavg over that of the contestant, within a repetition, so below 1 kavg "
    "is quicker; medians and quartiles over the repetitions, of which there were {repetitions}."
)


@final
@dataclass(frozen=True)
class Report:
    """The machine, how often everything was repeated, and what was found."""

    facts: Mapping[str, Any]
    repetitions: int
    found: Sequence[Measured]

    @property
    def how(self) -> str:
        """How the tables are to be read."""
        return HOW.format(repetitions=self.repetitions)

    def text(self) -> str:
        """For a terminal: no line is wider than 100 columns, whatever the names are."""
        lines = [line for words_ in words(self.facts) for line in wrapped(words_, "")]
        about = "\n".join([*lines, "", *wrapped(self.how, "")])
        return "\n\n".join([about, *(grid.text() for grid in grids(self.found))]) + "\n"

    def markdown(self) -> str:
        """For a page."""
        about = "\n".join([*(f"- {line}" for line in words(self.facts)), "", self.how])
        return "\n\n".join([about, *(grid.markdown() for grid in grids(self.found))])

    def plain(self) -> dict[str, Any]:
        """Every single time, for another program."""
        found = [asdict(each) for each in self.found]
        return {"machine": dict(self.facts), "repetitions": self.repetitions, "measured": found}
