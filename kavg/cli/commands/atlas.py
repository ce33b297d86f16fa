"""``kavg atlas``: the map of where block momentum is stable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from kavg.cli.command import command
from kavg.cli.session import Session
from kavg.errors import KavgError

GRID: Final = 200
"""Points of an atlas along each axis: step sizes and momenta."""

StepsArgument = Annotated[
    list[int] | None,
    typer.Argument(
        metavar="K",
        min=1,
        help="Numbers of local steps, one panel for each; if not given, 1 2 3 4.",
    ),
]
ImageOption = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="FILE", help="Image to write, as .png and as .svg."),
]


@command("kavg atlas", "kavg atlas 1 8 --out figures/atlas.png")
def atlas(
    session: Session, counts: StepsArgument = None, out: ImageOption = Path("atlas.png")
) -> None:
    """Map where block momentum is stable.

    Draw the region of mean-square stability on a quadratic in the plane of step size times
    curvature (gamma h) and momentum (mu), one panel for each K.
    """
    from kavg.mpi.collective import run_on_rank_0

    run_on_rank_0(session.comm, lambda: _write_atlas(counts or [1, 2, 3, 4], out))


def _write_atlas(counts: list[int], out: Path) -> None:
    import numpy as np

    from kavg.analysis.exact import stability_atlas
    from kavg.cli.output import print_text
    from kavg.reports.figures import atlas_figure, save
    from kavg.text import escape_unprintable

    if out.suffix not in ("", ".png", ".svg"):
        raise KavgError(f"an atlas is written as .png and .svg, got {str(out)!r}; use atlas.png")
    # Without gamma h = 0 and mu = 1, where nothing contracts.
    gamma_h, mu = np.linspace(4 / GRID, 4, GRID), np.linspace(0, 0.995, GRID)
    figure = atlas_figure([stability_atlas(K, gamma_h, mu) for K in counts])
    try:
        paths = save(figure, out.parent, out.stem)
    except OSError as error:
        raise KavgError(f"cannot write {str(out)!r}: {error.strerror}; use --out FILE") from None
    print_text("\n".join(escape_unprintable(str(path)) for path in paths))
