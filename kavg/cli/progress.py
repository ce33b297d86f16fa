"""Display of the progress of a run: a bar on a terminal, occasional lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final, Protocol, TextIO, final

from kavg.cli.session import Session
from kavg.text import escape_unprintable

WIDTH: Final = 30
"""Characters of a bar."""

Work = tuple[int, int]
"""Work done, and work in all: local steps, where the rounds of a run have unlike K."""


class Progress(Protocol):
    """A display that is called after every round."""

    def __call__(self, name: str, n: int, rounds: int, work: Work | None = None) -> None:
        """Show that the algorithm ``name`` has done ``n`` of ``rounds`` rounds.

        ``work`` is what bar, percentage and time left follow; the rounds if it is None.
        """
        ...


def open_progress(session: Session, *, quiet: bool) -> AbstractContextManager[Progress]:
    """Open a display on stderr; on rank 0 only, and none if ``quiet``."""
    is_shown = session.rank == 0 and not quiet
    return open_progress_on(sys.stderr) if is_shown else nullcontext(show_nothing)


def show_nothing(name: str, n: int, rounds: int, work: Work | None = None) -> None:
    """Show nothing: the display of a quiet command, and of all ranks but rank 0."""


@final
class ProgressLines:
    """Display on a stream that is no terminal: a line with a bar for every tenth of a run.

    At most one line in ``seconds``, so that logs of launchers stay short.
    """

    def __init__(self, stream: TextIO, seconds: float = 2.0) -> None:
        self.stream, self.seconds = stream, seconds
        self.written_at, self.tenth = float("-inf"), ("", -1)

    def __call__(self, name: str, n: int, rounds: int, work: Work | None = None) -> None:
        """Write a line if one is due."""
        done, total = work or (n, rounds)
        tenth, now = (name, done * 10 // total), time.monotonic()
        if tenth != self.tenth and (now - self.written_at >= self.seconds or n == rounds):
            self.tenth, self.written_at = tenth, now
            print(format_bar(name, n, rounds, work), file=self.stream, flush=True)


def format_bar(name: str, n: int, rounds: int, work: Work | None = None) -> str:
    """Format the progress of one algorithm as a line.

    >>> format_bar("K-AVG", 50, 200)
    'K-AVG  [#######-----------------------]  25 %  round 50 of 200'
    """
    done, total = work or (n, rounds)
    full = WIDTH * done // total
    drawn = "#" * full + "-" * (WIDTH - full)
    percent = 100 * done // total
    return f"{escape_unprintable(name)}  [{drawn}]  {percent} %  round {n} of {rounds}"


@contextmanager
def open_progress_on(stream: TextIO) -> Iterator[Progress]:
    """Open a display that suits the stream: a bar on a terminal, lines elsewhere."""
    if not stream.isatty():
        yield ProgressLines(stream)
        return
    # Imported here, as only a terminal needs it.
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress as RichProgress

    # Names are the user's: rich would read "[red]" in one as markup.
    with RichProgress(console=Console(file=stream)) as display:
        tasks: dict[str, object] = {}

        def show(name: str, n: int, rounds: int, work: Work | None = None) -> None:
            done, total = work or (n, rounds)
            if name not in tasks:
                tasks[name] = display.add_task(escape(name), total=total)
            display.update(tasks[name], completed=done)  # type: ignore[arg-type]

        yield show
