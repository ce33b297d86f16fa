"""How far a run is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO, final

WIDTH = 30


class Progress(Protocol):
    """Told of every round."""

    def __call__(self, name: str, n: int, rounds: int) -> None:
        """Algorithm ``name`` has done ``n`` of ``rounds``."""
        ...


def silent(name: str, n: int, rounds: int) -> None:
    """Say nothing."""


@final
class Lines:
    """A line with a bar at every tenth of a run, but not more than one in two seconds.

    For pipes, logs and launchers, where a bar that moves would fill the log with its own past.
    """

    def __init__(self, stream: TextIO, seconds: float = 2.0) -> None:
        self.stream, self.seconds = stream, seconds
        self.last, self.said = float("-inf"), ("", -1)

    def __call__(self, name: str, n: int, rounds: int) -> None:
        """Say it if there is something new to say."""
        tenth, now = (name, n * 10 // rounds), time.monotonic()
        if tenth != self.said and (now - self.last >= self.seconds or n == rounds):
            self.said, self.last = tenth, now
            print(bar(name, n, rounds), file=self.stream, flush=True)


def bar(name: str, n: int, rounds: int) -> str:
    """One line.

    >>> bar("K-AVG", 50, 200)
    'K-AVG  [#######-----------------------]  25 %  round 50 of 200'
    """
    full = WIDTH * n // rounds
    drawn = "#" * full + "-" * (WIDTH - full)
    return f"{name}  [{drawn}]  {100 * n // rounds} %  round {n} of {rounds}"


@contextmanager
def shown_on(stream: TextIO) -> Iterator[Progress]:
    """Progress that suits the stream."""
    if not stream.isatty():
        yield Lines(stream)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress as RichProgress

    with RichProgress(console=Console(file=stream)) as display:
        tasks: dict[str, object] = {}

        def show(name: str, n: int, rounds: int) -> None:
            if name not in tasks:
                tasks[name] = display.add_task(escape(name), total=rounds)
            display.update(tasks[name], completed=n)  # type: ignore[arg-type]

        yield show
