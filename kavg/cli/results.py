"""The results of a command, printed and written to a run folder by rank 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

from kavg.cli.environment import describe_environment, installed_version
from kavg.cli.output import draw_if_possible, print_messages, print_text
from kavg.cli.session import Session
from kavg.config import Config, to_toml
from kavg.config.stored_settings import describe_data
from kavg.errors import RunFailed
from kavg.reports import summary
from kavg.reports.figures.trajectories import write_figures
from kavg.reports.result_warnings import list_result_warnings
from kavg.reports.run_warnings import describe_objective_data
from kavg.storage import RunFolder, StoredRun, digest, joint_digest
from kavg.storage.output_folder import hold_unused_folder
from kavg.text import escape_unprintable
from kavg.trajectory import Trajectory


@final
@dataclass(frozen=True, eq=False)
class Results:
    """Finished runs of a settings file, with the text, figures and verdicts that belong to them.

    ``text`` is printed first.  ``draw`` adds figures to the folder that it is given.  ``earlier``
    describes the sessions before this one, if the runs were resumed.
    """

    config: Config
    runs: Sequence[Trajectory]
    text: str | None = None
    draw: Callable[[Path], object] | None = None
    verdicts: Mapping[str, Any] | None = None
    earlier: Sequence[Mapping[str, Any]] = ()


def write_results(session: Session, results: Results, folder: Path, *, force: bool) -> None:
    """Write the run folder and print where it is, on rank 0.

    The caller holds the lock of ``folder``.  Without ``force``, a folder that another program has
    created meanwhile is not touched; this run is written to ``folder-2``, under its own lock.

    Raises:
        RunFailed: The folder cannot be written.
    """
    report = summarize_runs(results.runs)
    read = describe_objective_data(results.config.objective)
    if read is not None:
        report["data"] = dict(read.json)
    facts = describe_environment(session.size, session.mpi)
    # kavg resume and kavg verify compare the hash with that of the data they find.
    facts |= {**describe_data(results.config), "earlier": list(results.earlier)}
    facts["same_bits"] = results.config.same_bits
    lock = None
    try:
        if not force:
            folder, lock = hold_unused_folder(folder)
        _write_folder(results, report, facts, folder)
    except OSError as error:
        reason = error.strerror or error
        raise RunFailed(f"cannot write {str(folder)!r}: {reason}") from None
    finally:
        if lock is not None:
            lock.release()
    # Printed after writing: a table of results without a folder would mislead.
    if results.text is not None:
        print_text(f"\n{results.text}\n")
    print_messages(list_result_warnings(results.config.objective, results.runs))
    print_text(f"digest  {report['digest']}\nfolder  {escape_unprintable(str(folder))}")
    if results.config.figures and not installed_version("matplotlib"):
        print_text("no figure: pip install 'kavg[plot]' draws one")


def _write_folder(
    results: Results, report: Mapping[str, Any], facts: Mapping[str, Any], folder: Path
) -> None:
    settings = to_toml(results.config, folder)
    stored = StoredRun(settings, results.runs, report, facts, results.verdicts)
    RunFolder(folder, is_locked=True).write(stored, partial(_draw_figures, results))


def _draw_figures(results: Results, figures: Path) -> None:
    if not results.config.figures:
        return
    draw_if_possible(lambda: write_figures(results.runs, "rounds", figures))
    if results.draw is not None:
        draw_if_possible(partial(results.draw, figures))


def summarize_runs(runs: Sequence[Trajectory]) -> dict[str, Any]:
    """Build the content of ``summary.json``: final means, their differences, and digests.

    The first digest is that of all runs together; each algorithm also has its own.
    """
    content = summary(runs)
    for facts, run in zip(content["algorithms"].values(), runs, strict=True):
        facts["digest"] = digest(run)
    return {"digest": joint_digest(runs), **content}
