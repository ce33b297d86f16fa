"""Compare runs with every theorem of ``kavg.analysis.bounds``, on all ranks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, final

from kavg.analysis.bounds import BOUNDS
from kavg.analysis.comparison import Comparison, compare_with_bounds
from kavg.analysis.decision import decide_verdicts
from kavg.analysis.sequential import decide_sequentially
from kavg.analysis.verdict import Outcome, Verdict
from kavg.cli.execution import run_algorithms
from kavg.cli.options import Decision, Output
from kavg.cli.output import draw_if_possible, print_text
from kavg.cli.results import Results, write_results
from kavg.cli.session import Session
from kavg.config.config import Config
from kavg.config.stored_settings import load_run
from kavg.errors import KavgError
from kavg.mpi.collective import agree_on, run_on_rank_0
from kavg.reports.verdicts import verdict_table, verdicts_json
from kavg.storage import RunFolder, joint_digest
from kavg.storage.output_folder import require_finished
from kavg.storage.text_files import write_json
from kavg.text import escape_unprintable, format_count
from kavg.trajectory import Trajectory

GROWTH: Final = 16
"""The default budget of replicas, in multiples of the configured ones."""
VIOLATED: Final = 3
"""The exit code if a measured run is above a bound that applies to it."""


@final
@dataclass(frozen=True, eq=False)
class TheoremCheck:
    """Runs compared with the theorems: one comparison and one verdict for each run and bound.

    ``looks`` is the number of times the tests were made, with more replicas each time.
    """

    config: Config
    runs: Sequence[Trajectory]
    comparisons: Sequence[Comparison]
    verdicts: Sequence[Verdict]
    level: float
    looks: int = 1

    @property
    def table(self) -> str:
        """The verdicts as text, under a line with the numbers of replicas and rounds."""
        R, N = self.runs[0].replicas, self.config.rounds
        extent = f"{format_count(R, 'replica')}, {format_count(N, 'round')}"
        return f"{extent}\n{verdict_table(self.verdicts, level=self.level, looks=self.looks)}"

    @property
    def json(self) -> dict[str, object]:
        """The content of ``verdicts.json``."""
        return verdicts_json(
            self.verdicts,
            level=self.level,
            rounds=self.config.rounds,
            replicas=self.runs[0].replicas,
            looks=self.looks,
        )

    @property
    def exit_code(self) -> int:
        """3 if a bound that applies is violated, else 0."""
        is_violated = any(each.outcome is Outcome.VIOLATED for each in self.verdicts)
        return VIOLATED if is_violated else 0

    def draw(self, figures: Path) -> list[Path]:
        """Draw ``bounds.png`` and ``bounds.svg`` in a folder; return their paths.

        Nothing is drawn if no bound applies.
        """
        from kavg.reports.figures import save, verdict_figure, verdict_panels

        shown = verdict_panels(self.comparisons, self.runs)
        if not shown:
            return []
        return list(save(verdict_figure(shown), figures, "bounds"))


def is_folder_given(
    session: Session,
    source: Path,
    decision: Decision,
    overrides: Sequence[str] | None,
    data: Path | None = None,
) -> bool:
    """True if ``source`` is a folder and not a settings file, on all ranks.

    Raises:
        KavgError: Ranks differ, or the options do not fit the source.
    """

    def validate() -> bool:
        is_folder = os.path.isdir(source)
        _validate_decision(decision)
        if is_folder and (overrides or decision.until_decided):
            raise KavgError(
                f"{str(source)!r} is a finished run: --set and --until-decided need another one; "
                f"give them with its settings, {str(source / 'config.toml')!r}"
            )
        if data is not None and not is_folder:
            raise KavgError("--data is for a run folder; use --set objective.data=PATH")
        return is_folder

    return agree_on(session.comm, "the options", validate, str)


def _validate_decision(decision: Decision) -> None:
    if not 0 < decision.level < 1:
        raise KavgError(
            f"--level must lie between 0 and 1, got {decision.level!r}; use 0.05 for 5 %"
        )
    if decision.budget is not None and not decision.until_decided:
        raise KavgError("--budget needs --until-decided; --set replicas=R sets their number")


def check_settings(
    session: Session, config: Config, folder: Path, decision: Decision, output: Output
) -> int:
    """Run settings, print the verdicts, write the run folder; return the exit code.

    With ``decision.until_decided`` the run that is written is that of the last look.  The caller
    holds the lock of ``folder``.
    """
    check = _run_and_judge(session, config, decision, quiet=output.quiet)
    results = Results(check.config, check.runs, check.table, check.draw, check.json)
    # All ranks wait: a launcher may end a job as soon as one rank exits with a code.
    run_on_rank_0(session.comm, lambda: write_results(session, results, folder, force=output.force))
    return check.exit_code


def _run_and_judge(
    session: Session, config: Config, decision: Decision, *, quiet: bool
) -> TheoremCheck:
    """Run and judge, with more replicas up to the budget while a verdict is open.

    Each look runs all its replicas again.  In all this is at most twice the work of the last look,
    whose run has the digest of a plain run with as many replicas.
    """
    # The sequential test returns verdicts alone; the runs of its last look are written.
    last: list[tuple[Config, list[Trajectory], tuple[Comparison, ...]]] = []

    def look(R: int, alpha: float) -> tuple[Verdict, ...]:
        now = replace(config, replicas=R)
        runs = run_algorithms(session, now, quiet=quiet)
        last[:] = [(now, runs, _compare_with_bounds(now, runs))]
        return _judge_together(session, last[0][2], alpha)

    budget = GROWTH * config.replicas if decision.budget is None else decision.budget
    # A single look may use the whole level; the first of several may not.
    if not decision.until_decided or budget == config.replicas:
        verdicts = look(config.replicas, decision.level)
        return TheoremCheck(*last[0], verdicts, decision.level)
    test = decide_sequentially(look, replicas=config.replicas, budget=budget, level=decision.level)
    return TheoremCheck(*last[0], test.verdicts, decision.level, test.looks)


def _compare_with_bounds(config: Config, runs: Sequence[Trajectory]) -> tuple[Comparison, ...]:
    return compare_with_bounds(config.problem, config.algorithms, runs, config.rounds, BOUNDS)


def _judge_together(
    session: Session, pairs: Sequence[Comparison], level: float
) -> tuple[Verdict, ...]:
    """The verdicts, which all ranks must share: they decide on more looks and the exit code."""
    return agree_on(
        session.comm,
        "the verdicts",
        lambda: decide_verdicts(pairs, level),
        lambda verdicts: ", ".join(each.outcome.label for each in verdicts),
    )


def check_run_folder(
    session: Session, folder: Path, out: Path, level: float, data: Path | None = None
) -> int:
    """Judge a finished run and write the verdicts with their figure; return the exit code.

    ``data`` is where its file of data lies now, if it was moved.  ``out`` may be the
    run's own folder, whose manifest is updated, or another one.
    """
    run_on_rank_0(session.comm, lambda: require_finished(folder))
    config, runs = agree_on(
        session.comm, "the runs", lambda: load_run(folder, data), lambda run: joint_digest(run[1])
    )
    # Ranks raise alike where the problem is another one today.
    pairs = agree_on(
        session.comm, "the runs", lambda: _compare_with_bounds(config, runs), lambda _: ""
    )
    verdicts = _judge_together(session, pairs, level)
    check = TheoremCheck(config, runs, pairs, verdicts, level)
    run_on_rank_0(session.comm, lambda: _write_verdicts(check, out))
    return check.exit_code


def _write_verdicts(check: TheoremCheck, folder: Path) -> None:
    """Write ``verdicts.json`` and any figure to a folder, and update its manifest."""

    def write(stage: Path) -> None:
        write_json(stage / "verdicts.json", check.json)
        if check.config.figures:
            draw_if_possible(lambda: check.draw(stage / "figures"))

    try:
        RunFolder(folder).add(write)
    except OSError as error:
        raise KavgError(f"cannot write {str(folder)!r}: {error.strerror}; use --out DIR") from None
    print_text(f"{check.table}\n\nfolder  {escape_unprintable(str(folder))}")
