"""Verification of a finished run: check its files, run its settings again, and compare.

The result is the *same bits*, the *same within confidence* (on another machine, or with other
versions), or *different*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from kavg.cli.environment import describe_environment, list_sessions
from kavg.cli.execution import run_algorithms
from kavg.cli.options import REPETITION, Repetition
from kavg.cli.output import print_text
from kavg.cli.replay import repeat_rounds, sample_rows
from kavg.cli.session import Session
from kavg.config.config import Config
from kavg.config.stored_settings import OtherData, load_run
from kavg.errors import KavgError
from kavg.mpi.collective import agree_on, run_on_rank_0
from kavg.portability import SameBits, require_same_arithmetic
from kavg.reports.repetition import (
    DIFFERENT,
    Judgement,
    environment_changes,
    judge_repetition,
)
from kavg.reports.text import fold_line
from kavg.storage import RunFolder, joint_digest, manifest
from kavg.storage.output_folder import require_run_folder
from kavg.storage.recovery import recover_before_reading
from kavg.storage.validation import list_disagreements
from kavg.trajectory import Trajectory

LABEL: Final = 13
"""Columns of the label in front of a printed line."""
UNCHANGED: Final[Mapping[SameBits, str]] = {
    "any machine": "the same versions; these bits do not depend on the processor",
    "any machine with the same ranks and MPI": (
        "the same versions, ranks and MPI; these bits do not depend on the processor"
    ),
    "one kind of machine": "the same machine and versions",
    "unknown": "the same machine and versions",
}
"""The environment in which every bit must be the same, by what a run promises."""


@final
@dataclass(frozen=True, eq=False)
class Examination:
    """The result of checking a run folder, and the run in it.

    ``defects`` describes each file that changed; ``environment`` is the recorded one; ``run`` is
    None if it cannot be read.
    """

    defects: tuple[str, ...]
    environment: Mapping[str, Any]
    run: tuple[Config, list[Trajectory]] | None = None

    @property
    def identity(self) -> str:
        """The text that must be the same on all ranks."""
        digest = joint_digest(self.run[1]) if self.run else "unreadable"
        return "\n".join((digest, *self.defects))


def verify_run(session: Session, folder: Path, repetition: Repetition, *, quiet: bool) -> int:
    """Check the files, repeat the run, and print the differences, on rank 0.

    Returns exit code 0 if the files are as they were written and the repetition is not different,
    else 1.

    Raises:
        KavgError: The folder holds no finished run, or the options make no sense.
    """
    comm = session.comm
    stored = agree_on(
        comm, "the files", lambda: examine_folder(folder, repetition), lambda each: each.identity
    )
    print_lines(session, "files", stored.defects or ["unchanged"])
    if stored.run is None or repetition.files:
        return 1 if stored.defects else 0
    judgement = _repeat_and_judge(session, stored, repetition, quiet=quiet)
    addition = "; the files are not as they were written" if stored.defects else ""
    print_lines(session, "", judgement.lines)
    run_on_rank_0(comm, lambda: print_text(judgement.verdict + addition))
    return 1 if stored.defects or judgement.verdict == DIFFERENT else 0


def prepare_repetition(session: Session, folder: Path, repetition: Repetition) -> None:
    """Mend the folder if a command left it half-written, and validate the options on all ranks."""
    comm = session.comm
    run_on_rank_0(comm, lambda: recover_before_reading(folder))
    agree_on(comm, "the options", lambda: validate_repetition(folder, repetition), lambda _: "")


def validate_repetition(folder: Path, repetition: Repetition) -> None:
    """Raise KavgError if there is no finished run, or an option is out of range."""
    require_run_folder(folder)
    sample, seed, level = repetition.sample, repetition.seed, repetition.level
    if sample is not None and sample < 1:
        raise KavgError(f"--sample must be at least 1 round, got {sample}; leave it out for all")
    if not 0 <= seed < 2**64:
        raise KavgError(f"--seed must be a whole number from 0 to 2^64 - 1, got {seed}")
    if not 0 < level < 1:
        raise KavgError(f"--level must lie between 0 and 1, got {level!r}; use 0.05 for 5 %")


def examine_folder(folder: Path, repetition: Repetition = REPETITION) -> Examination:
    """Check the files against their manifest and each other, and the data against their digest.

    The data are needed only if rounds are to be repeated.

    Raises:
        KavgError: The run cannot be read although its files are unchanged, or its data are not
            found.
    """
    defects = manifest.list_changes(folder)
    recorded = RunFolder(folder).read_table("environment.json")
    try:
        config, runs = load_run(folder, repetition.data, reads_data=not repetition.files)
    except OtherData:
        raise
    except KavgError as error:
        # Nothing is damaged, so the user gave a folder that is not a run of kavg.
        if not defects:
            raise
        reason = " ".join(str(error).split())
        return Examination((*defects, f"the run cannot be repeated: {reason}"), recorded)
    defects += list_disagreements(folder, runs)
    return Examination(tuple(defects), recorded, (config, runs))


def _repeat_and_judge(
    session: Session, stored: Examination, repetition: Repetition, *, quiet: bool
) -> Judgement:
    """Run the settings, or a sample of rounds, again and judge the repetition."""
    assert stored.run is not None
    config, runs = stored.run
    agree_on(session.comm, "the runs", lambda: _require_arithmetic(stored, runs), lambda _: "")
    here = describe_environment(session.size, session.mpi)
    changed = environment_changes(stored.environment, here, config.mean, config.same_bits)
    print_lines(session, "environment", changed or [UNCHANGED[config.same_bits]])
    if repetition.sample is None:
        before, now = runs, run_algorithms(session, config, quiet=quiet)
        print_lines(session, "recorded", [f"digest {joint_digest(before)}"])
        print_lines(session, "repeated", [f"digest {joint_digest(now)}"])
    else:
        rows = sample_rows(runs, repetition.sample, repetition.seed)
        before, now = repeat_rounds(session, config, runs, rows, quiet=quiet)
        samples = [f"{run.name}: rounds {', '.join(map(str, run.rounds))}" for run in before]
        print_lines(session, "sample", samples)
    return judge_repetition(before, now, same_environment=not changed, level=repetition.level)


def _require_arithmetic(stored: Examination, runs: Sequence[Trajectory]) -> None:
    # Without the file that records sessions, what is in the arrays counts.
    sessions = list_sessions(stored.environment) or [{"arithmetic": run.arithmetic} for run in runs]
    require_same_arithmetic(sessions, "the run", "verify")


def print_lines(session: Session, label: str, lines: Sequence[str]) -> None:
    """Print lines with a label, wrapped, with control characters escaped.

    All ranks wait: a launcher may end a job as soon as one rank exits with a code.
    """

    def show() -> None:
        for line in lines:
            print_text(fold_line(f"{label:{LABEL}}{line}", hanging=LABEL))

    run_on_rank_0(session.comm, show)
