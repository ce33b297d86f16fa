"""Compare the means of runs on a quadratic with its exact moments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kavg.analysis.exact.problem_directions import to_eigenbasis
from kavg.analysis.exact.trajectory import ExactTrajectory, exact_trajectory
from kavg.analysis.quantities import quantity_interval
from kavg.cli.execution import hold_output, run_algorithms
from kavg.cli.options import Output
from kavg.cli.results import Results, write_results
from kavg.cli.session import Session
from kavg.config.config import Config
from kavg.config.sizes.memory_estimates import check_moment_memory
from kavg.errors import KavgError
from kavg.mpi.collective import run_on_rank_0
from kavg.problem import Algorithm
from kavg.reports.labels import format_estimate, quantity_title
from kavg.reports.text import wrap_text
from kavg.text import escape_unprintable
from kavg.trajectory import Trajectory

WIDTH: Final = 100
"""Columns of the table."""


def compare_with_moments(session: Session, config: Config, folder: Path, output: Output) -> None:
    """Run all algorithms, print the table and write a run folder with a figure of the moments.

    Raises:
        KavgError: There are no exact moments, or the folder cannot be written; before any round.
    """
    curves: list[ExactTrajectory] = []
    # First, as no other folder would help an objective that has no exact moments.
    run_on_rank_0(session.comm, lambda: curves.extend(exact_curves(config)))
    with hold_output(session, folder, output) as held:
        runs = run_algorithms(session, config, quiet=output.quiet)

        def write() -> None:
            text = exact_table(curves, runs)
            results = Results(config, runs, text, lambda place: _draw_exact(curves, runs, place))
            write_results(session, results, held, force=output.force)

        run_on_rank_0(session.comm, write)


def exact_curves(config: Config) -> list[ExactTrajectory]:
    """Compute the exact moments of each algorithm at every round.

    Raises:
        KavgError: The objective is no quadratic, or the moments would need too much memory.
    """
    check_moment_memory(config.objective, config.rounds)
    return [_exact_curve(config, algorithm) for algorithm in config.algorithms]


def _exact_curve(config: Config, algorithm: Algorithm) -> ExactTrajectory:
    measures = config.record.round_measures
    try:
        return exact_trajectory(config.problem, algorithm, config.rounds, measures=measures)
    except KavgError as error:
        # Which of several has none, unless it is their problem.
        to_eigenbasis(config.problem, algorithm.P)
        raise KavgError(f"{algorithm.name}: {error}") from error


def exact_table(curves: Sequence[ExactTrajectory], runs: Sequence[Trajectory]) -> str:
    """Format the exact and the measured means of the last recorded round, run by run.

    ``curves`` and ``runs`` belong together in pairs.  Measured means are over replicas, with
    Student's confidence interval of each by itself.
    """
    width = max(14, *(len(quantity_title(name)) for curve in curves for name in curve.series))
    lines = ["Last recorded round: exact, measured mean [95 % confidence interval]."]
    for curve, run in zip(curves, runs, strict=True):
        at = int(run.rounds[-1])
        end = "" if run.diverged_at is None else f", the last before it diverged: round {at}"
        lines += ["", *wrap_text(escape_unprintable(run.name) + end, WIDTH)]
        for name, values in curve.series.items():
            measured = format_estimate(quantity_interval(name, run.series[name][-1]))
            lines.append(f"  {quantity_title(name):{width}}  {values[at]:<12.6g}  {measured}")
    return "\n".join(lines)


def _draw_exact(
    curves: Sequence[ExactTrajectory], runs: Sequence[Trajectory], figures: Path
) -> None:
    from kavg.reports.figures import exact_figure, save

    names = dict.fromkeys(name for curve in curves for name in curve.series)
    save(exact_figure(curves, runs, quantities=list(names)), figures, "exact")
