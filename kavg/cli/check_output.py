"""Runs with their verdicts, in words and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from kavg.analysis.comparison import Comparison
from kavg.analysis.verdict import Outcome, Verdict
from kavg.cli.output import draw_if_possible, say
from kavg.config.config import Config
from kavg.errors import KavgError
from kavg.reports.verdicts import verdict_table, verdicts_json
from kavg.storage import RunFolder
from kavg.storage.text_files import write_json
from kavg.trajectory import Trajectory

VIOLATED: Final = 3
"""The exit code where a measured run is above a bound that applies to it."""


@final
@dataclass(frozen=True, eq=False)
class Found:
    """Runs and what came of holding them against the theorems."""

    config: Config
    runs: Sequence[Trajectory]
    compared: Sequence[Comparison]
    verdicts: Sequence[Verdict]
    level: float
    looks: int = 1

    @property
    def table(self) -> str:
        """In words."""
        replicas = f"{self.runs[0].replicas} replicas, {self.config.rounds} rounds"
        return f"{replicas}\n{verdict_table(self.verdicts, level=self.level, looks=self.looks)}"

    @property
    def plain(self) -> dict[str, object]:
        """For ``verdicts.json``."""
        return verdicts_json(
            self.verdicts,
            level=self.level,
            rounds=self.config.rounds,
            replicas=self.runs[0].replicas,
            looks=self.looks,
        )

    @property
    def code(self) -> int:
        """The exit code."""
        return VIOLATED if any(v.outcome is Outcome.VIOLATED for v in self.verdicts) else 0


def write_beside(found: Found, folder: Path) -> None:
    """``verdicts.json`` and the figure, to a folder that may be there already."""

    def write(stage: Path) -> None:
        write_json(stage / "verdicts.json", found.plain)
        draw_if_possible(lambda: draw_bounds(found, stage / "figures"))

    try:
        RunFolder(folder).add(write)
    except OSError as error:
        raise KavgError(f"cannot write {str(folder)!r}: {error.strerror}; use --out DIR") from None
    say(f"{found.table}\n\nfolder  {folder}")


def draw_bounds(found: Found, figures: Path) -> list[Path]:
    """``bounds.png`` and ``.svg``; nothing where no bound applies."""
    from kavg.reports.figures.layout import save
    from kavg.reports.figures.verdicts import verdict_figure, verdict_panels

    shown = verdict_panels(found.compared, found.runs)
    if not shown:
        return []
    figures.mkdir(parents=True, exist_ok=True)
    return list(save(verdict_figure(shown), figures, "bounds"))
