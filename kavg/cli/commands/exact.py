"""What ``kavg exact`` does, on every rank."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from kavg.analysis.estimate import mean_limits
from kavg.analysis.exact import atlas
from kavg.base import Communicator
from kavg.config import Config
from kavg.errors import KavgError
from kavg.exact_runs import ExactTrajectory, exact_trajectory
from kavg.folders import check_folder
from kavg.jobs import agreed, all_algorithms, finish
from kavg.pictures import say
from kavg.ranks import on_rank_0
from kavg.sizes import check_moments
from kavg.text import number, printable, title, wrap
from kavg.trajectory import Trajectory

WIDTH: Final = 100
GRID: Final = 200
"""Steps and momenta of an atlas."""


def exact(
    comm: Communicator,
    path: Path,
    overrides: Sequence[str],
    folder: Path,
    *,
    force: bool,
    quiet: bool,
    mpi: str | None,
) -> None:
    """Run, and draw the means over the replicas on the exact curves."""
    config = agreed(comm, path, overrides)
    curves: list[ExactTrajectory] = []
    on_rank_0(comm, lambda: check_folder(folder, force))
    on_rank_0(comm, lambda: curves.extend(exact_curves(config)))
    runs = all_algorithms(comm, config, quiet)
    on_rank_0(
        comm,
        lambda: finish(
            comm,
            config,
            runs,
            folder,
            force=force,
            mpi=mpi,
            words=f"\n{exact_table(curves, runs)}\n",
            draw=lambda figures: draw_exact(curves, runs, figures),
        ),
    )


def exact_curves(config: Config) -> list[ExactTrajectory]:
    """The exact moments at every round; refused before any work where there are none."""
    check_moments(config.objective, config.rounds)
    return [exact_trajectory(config.problem, a, config.rounds) for a in config.algorithms]


def exact_table(curves: Sequence[ExactTrajectory], runs: Sequence[Trajectory]) -> str:
    """The last recorded round: what is exact beside what was measured."""
    lines = ["Last recorded round: exact, measured mean [95 % limits, one by one]."]
    for curve, run in zip(curves, runs, strict=True):
        at = int(run.rounds[-1])
        end = "" if run.diverged_at is None else f", the last before it diverged: round {at}"
        lines += ["", *wrap(printable(run.name) + end, WIDTH, "")]
        for name, values in curve.series.items():
            measured = number(mean_limits(run.series[name][-1]))
            lines.append(f"  {title(name):14}  {values[at]:<12.6g}  {measured}")
    return "\n".join(lines)


def draw_exact(
    curves: Sequence[ExactTrajectory], runs: Sequence[Trajectory], figures: Path
) -> None:
    """``exact.png`` and ``.svg``."""
    from kavg.exact_plots import exact_figure
    from kavg.sheet import save

    save(exact_figure(curves, runs), figures, "exact")


def draw_atlas(comm: Communicator, counts: str, out: Path) -> None:
    """Draw the stability region in ``(gamma h, mu)``, one panel for each K, and say where."""
    on_rank_0(comm, lambda: write_atlas(whole_numbers(counts), out))


def write_atlas(counts: Sequence[int], out: Path) -> None:
    """``out`` as ``.png`` and ``.svg``."""
    from kavg.exact_plots import atlas_figure
    from kavg.sheet import save

    if out.suffix not in ("", ".png", ".svg"):
        raise KavgError(f"an atlas is written as .png and .svg, got {str(out)!r}; use atlas.png")
    gamma_h, mu = np.linspace(4 / GRID, 4, GRID), np.linspace(0, 0.995, GRID)
    figure = atlas_figure([atlas(K, gamma_h, mu) for K in counts])
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
