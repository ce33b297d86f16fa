"""``kavg exact --atlas``: the map of stability."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from kavg.analysis.exact import stability_atlas
from kavg.base import Communicator
from kavg.cli.output import say
from kavg.errors import KavgError
from kavg.mpi.collective import run_on_rank_0

GRID: Final = 200
"""Steps and momenta of an atlas."""


def draw_atlas(comm: Communicator, counts: str, out: Path) -> None:
    """Draw the stability region in ``(gamma h, mu)``, one panel for each K, and say where."""
    run_on_rank_0(comm, lambda: write_atlas(whole_numbers(counts), out))


def write_atlas(counts: Sequence[int], out: Path) -> None:
    """``out`` as ``.png`` and ``.svg``."""
    from kavg.reports.figures.exact import atlas_figure
    from kavg.reports.figures.layout import save

    if out.suffix not in ("", ".png", ".svg"):
        raise KavgError(f"an atlas is written as .png and .svg, got {str(out)!r}; use atlas.png")
    gamma_h, mu = np.linspace(4 / GRID, 4, GRID), np.linspace(0, 0.995, GRID)
    figure = atlas_figure([stability_atlas(K, gamma_h, mu) for K in counts])
    try:
        paths = save(figure, out.parent, out.stem)
    except OSError as error:
        raise KavgError(f"cannot write {str(out)!r}: {error.strerror}; use --out FILE") from None
    for path in paths:
        say(str(path))


def whole_numbers(words: str) -> list[int]:
    """Whole numbers of at least 1 from a list with commas.

    >>> whole_numbers("1, 2,8")
    [1, 2, 8]
    """
    try:
        found = [int(word) for word in words.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        raise KavgError(f"--K needs whole numbers of at least 1 with commas, got {words!r}")
    return found
