"""What is said and drawn for the user, on rank 0; a picture that fails never costs a run."""

from __future__ import annotations

import sys
from collections.abc import Callable

from kavg.cli.environment import installed


def say(words: str) -> None:
    """Print for the user."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def draw_if_possible(draw: Callable[[], object]) -> None:
    """A figure, where matplotlib is installed; its failure is said and no more."""
    if not installed("matplotlib"):
        return
    try:
        draw()
    except Exception as error:
        sys.stderr.write(f"kavg: no figure: {error}\n")
