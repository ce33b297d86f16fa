"""Display of a sweep in progress: points done, time left, and the best so far."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol, TextIO, final

from kavg.cli.session import Session
from kavg.text import escape_unprintable

WIDTH: Final = 20
"""Characters of a bar."""


class SweepDisplay(Protocol):
    """A display of a stage, called often."""

    def __call__(self, stage: str, share: float, remark: str) -> None:
        """Show that a ``share`` of a stage is done, with a remark."""
        ...


@contextmanager
def open_sweep_display(session: Session, *, quiet: bool) -> Iterator[SweepDisplay]:
    """Open a display on stderr; on rank 0 only, and none if ``quiet``."""
    if quiet or session.rank > 0:
        yield _show_nothing
    elif sys.stderr.isatty():
        with _open_bar(sys.stderr) as show:
            yield show
    else:
        yield SweepLines(sys.stderr)


def _show_nothing(stage: str, share: float, remark: str) -> None:
    """Show nothing."""


@final
class SweepLines:
    """Display on a stream that is no terminal: a line for every tenth of a stage at most.

    At most one line in ``seconds``, and the last of each stage, so that logs stay short.
    """

    def __init__(self, stream: TextIO, seconds: float = 2.0) -> None:
        self.stream, self.seconds = stream, seconds
        self.written_at, self.tenth = float("-inf"), ("", -1)

    def __call__(self, stage: str, share: float, remark: str) -> None:
        """Write a line if one is due."""
        tenth, now = (stage, int(10 * share)), time.monotonic()
        if tenth != self.tenth and (now - self.written_at >= self.seconds or share >= 1):
            self.tenth, self.written_at = tenth, now
            print(format_share(stage, share, remark), file=self.stream, flush=True)


def format_share(stage: str, share: float, remark: str) -> str:
    """Format the progress of a stage as a line.

    >>> format_share("stage 1 of 2", 0.25, "9 of 36 points")
    'stage 1 of 2  [#####---------------]  25 %  9 of 36 points'
    """
    full = int(WIDTH * share)
    drawn = "#" * full + "-" * (WIDTH - full)
    return f"{stage}  [{drawn}]  {int(100 * share)} %  {escape_unprintable(remark)}"


def format_duration(seconds: float) -> str:
    """Format a time to one unit: seconds, minutes or hours.

    >>> format_duration(42.3), format_duration(600), format_duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


@contextmanager
def _open_bar(stream: TextIO) -> Iterator[SweepDisplay]:
    # Imported here, as only a terminal needs it.
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as RichProgress
    from rich.table import Column

    # The remark alone gives way on a narrow terminal: a line that is wrapped hides all of it.
    kept, cut = Column(no_wrap=True), Column(no_wrap=True, overflow="ellipsis", ratio=1)
    columns = (
        TextColumn("{task.description}", table_column=kept),
        BarColumn(WIDTH),
        TaskProgressColumn(table_column=kept),
        TextColumn("{task.fields[remark]}", table_column=cut),
    )
    with RichProgress(*columns, console=Console(file=stream), expand=True) as bar:
        tasks: dict[str, object] = {}

        def show(stage: str, share: float, remark: str) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(escape(stage), total=1.0, remark="")
            text = escape(escape_unprintable(remark))
            bar.update(tasks[stage], completed=share, remark=text)  # type: ignore[arg-type]

        yield show
