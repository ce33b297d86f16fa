"""What ``kavg exact`` does, on every rank."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kavg.analysis.estimate import mean_interval
from kavg.analysis.exact.trajectory import ExactTrajectory, exact_trajectory
from kavg.base import Communicator
from kavg.cli.execution import agreed, all_algorithms, finish
from kavg.config.config import Config
from kavg.config.memory_estimates import check_moments
from kavg.mpi.collective import run_on_rank_0
from kavg.reports.labels import format_estimate, quantity_title
from kavg.reports.text import escape_unprintable, wrap_text
from kavg.storage.output_folder import validate_output_folder
from kavg.trajectory import Trajectory

WIDTH: Final = 100


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
    run_on_rank_0(comm, lambda: validate_output_folder(folder, force))
    run_on_rank_0(comm, lambda: curves.extend(exact_curves(config)))
    runs = all_algorithms(comm, config, quiet)
    run_on_rank_0(
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
    lines = ["Last recorded round: exact, measured mean [95 % confidence interval]."]
    for curve, run in zip(curves, runs, strict=True):
        at = int(run.rounds[-1])
        end = "" if run.diverged_at is None else f", the last before it diverged: round {at}"
        lines += ["", *wrap_text(escape_unprintable(run.name) + end, WIDTH)]
        for name, values in curve.series.items():
            measured = format_estimate(mean_interval(run.series[name][-1]))
            lines.append(f"  {quantity_title(name):14}  {values[at]:<12.6g}  {measured}")
    return "\n".join(lines)


def draw_exact(
    curves: Sequence[ExactTrajectory], runs: Sequence[Trajectory], figures: Path
) -> None:
    """``exact.png`` and ``.svg``."""
    from kavg.reports.figures.exact import exact_figure
    from kavg.reports.figures.layout import save

    save(exact_figure(curves, runs), figures, "exact")
