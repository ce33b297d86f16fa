"""Print for the user and draw figures, on rank 0."""

from __future__ import annotations

import sys
from collections.abc import Callable

from kavg.cli.environment import installed_version


def print_text(text: str) -> None:
    """Print a text and flush it: in a pipe or a log, stdout is buffered to the end of the job."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def draw_if_possible(draw: Callable[[], object]) -> None:
    """Draw a figure if matplotlib is installed.

    Any error is printed on stderr and does not end the command: a figure can be drawn again
    (``kavg plot``), while a run may cost hours.
    """
    if not installed_version("matplotlib"):
        return
    try:
        draw()
    except Exception as error:
        sys.stderr.write(f"kavg: no figure: {error}\n")
