"""What ``kavg verify`` does, on every rank: is a finished run what it says, and does it come again?

The files are held against their manifest and against each other; then the settings are run again,
and what comes is the *same bits*, the *same within confidence* (on another machine, or with other
versions), or *different*.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from kavg.analysis.differences import (
    compare_mappings,
    first_difference,
    flatten_tables,
    trajectory_shape,
)
from kavg.analysis.repeatability import (
    Discrepancy,
    measure_discrepancies,
    significant_discrepancies,
)
from kavg.base import Communicator
from kavg.cli.environment import environment
from kavg.cli.execution import all_algorithms
from kavg.cli.output import say
from kavg.cli.replay import Runs, sampled
from kavg.cli.saved_run import load_run
from kavg.config.config import Config, data_digest
from kavg.errors import KavgError
from kavg.mpi.collective import agree_on, run_on_rank_0
from kavg.reports.labels import format_estimate
from kavg.reports.text import fold_line
from kavg.storage import RunFolder, joint_digest, manifest
from kavg.storage.output_folder import require_run_folder
from kavg.storage.validation import list_disagreements
from kavg.trajectory import Trajectory


@final
@dataclass(frozen=True, eq=False)
class Examined:
    """A folder as it was found: ``faults`` of its files, and the run if it can be read."""

    faults: tuple[str, ...]
    environment: dict[str, Any]
    run: tuple[Config, Runs] | None = None

    @property
    def words(self) -> str:
        """What all ranks must find alike."""
        digest = joint_digest(self.run[1]) if self.run else "unreadable"
        return "\n".join((digest, *self.faults))


def verify(
    comm: Communicator,
    folder: Path,
    *,
    files: bool,
    sample: int | None,
    seed: int,
    level: float,
    quiet: bool,
) -> int:
    """Examine the files, run again, compare; the exit code is 0 where the run is the same."""
    agree_on(comm, "the options", lambda: check(folder, sample, seed, level), lambda _: "")
    found = agree_on(comm, "the files", lambda: examined(folder), lambda one: one.words)
    tell(comm, files_words(found))
    if found.run is None or files:
        return 1 if found.faults else 0
    config, runs = found.run
    elsewhere = other(found.environment, environment(comm.Get_size(), None), config.mean)
    tell(comm, [f"here    {', '.join(elsewhere) or 'the same machine and versions'}"])
    if sample is None:
        before, now = runs, all_algorithms(comm, config, quiet)
        tell(
            comm, [f"then    digest {joint_digest(before)}", f"now     digest {joint_digest(now)}"]
        )
    else:
        before, now = sampled(comm, config, runs, sample, seed, quiet)
        rounds = [(run.name, ", ".join(map(str, run.rounds))) for run in before]
        tell(comm, [f"sample  {name}: rounds {these}" for name, these in rounds])
    judgement = judged(before, now, foreign=bool(elsewhere), level=level)
    but = "; the files are not as they were written" if found.faults else ""
    tell(comm, [*(f"        {line}" for line in judgement.lines), judgement.verdict + but])
    return 1 if found.faults or judgement.verdict == DIFFERENT else 0


def check(folder: Path, sample: int | None, seed: int, level: float) -> None:
    """Refuse what nothing can be made of."""
    require_run_folder(folder)
    if sample is not None and sample < 1:
        raise KavgError(f"--sample must be at least 1 round, got {sample}; leave it out for all")
    if not 0 <= seed < 2**64:
        raise KavgError(f"--seed must be a whole number from 0 to 2^64 - 1, got {seed}")
    if not 0 < level < 1:
        raise KavgError(f"--level must lie between 0 and 1, got {level!r}; use 0.05 for 5 %")


def examined(folder: Path) -> Examined:
    """Its files against the manifest, against each other, and its data against those of the run."""
    faults = manifest.list_changes(folder)
    told = RunFolder(folder).read_table("environment.json")
    try:
        config, runs = load_run(folder)
    except KavgError as fault:
        if not faults:
            raise
        words = " ".join(str(fault).split())
        return Examined((*faults, f"nothing can be run again: {words}"), told)
    faults += list_disagreements(folder, runs)
    if told.get("data", now := data_digest(config)) != now:
        faults.append("the data are not those of the run any more")
    return Examined(tuple(faults), told, (config, runs))


def files_words(found: Examined) -> Iterator[str]:
    """What is wrong with the files, or that nothing is."""
    if not found.faults:
        yield "files   all as they were written"
    yield from (f"files   {fault}" for fault in found.faults)


def tell(comm: Communicator, lines: Iterable[str]) -> None:
    """Print lines, none of which can mislead a terminal or is longer than it should be.

    All ranks wait for it: a launcher may end a job as soon as one leaves with a code.
    """
    run_on_rank_0(comm, lambda: say("\n".join(map(fold_line, lines))))


SAME: Final = "same bits"


ALIKE: Final = "same within confidence"


DIFFERENT: Final = "different"


DECIDES: Final = ("machine", "processor", "versions.numpy", "versions.kavg")
"""What may change the last bits; with ``mean = "allreduce"`` also the number of ranks."""


@final
@dataclass(frozen=True)
class Judgement:
    """One of the three verdicts, and what led to it, line by line."""

    verdict: str
    lines: tuple[str, ...] = ()


def judged(
    before: Sequence[Trajectory], now: Sequence[Trajectory], *, foreign: bool, level: float
) -> Judgement:
    """The verdict on a repetition; ``foreign`` says that bits may differ.

    >>> import numpy as np
    >>> F = np.array([[4.0, 4.0], [1.0, 1.5]])
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(2), {"F": F}, F.T, F.T, np.zeros(2))
    >>> judged([run], [run], foreign=False, level=0.05)
    Judgement(verdict='same bits', lines=())
    """
    pairs = list(zip(before, now, strict=True))
    shapes = [line for a, b in pairs for line in unlike(a, b)]
    parted = [
        f"{a.name}: {found}" for a, b in pairs if (found := first_difference(a, b)) is not None
    ]
    if not shapes and not parted:
        return Judgement(SAME)
    if shapes or not foreign:
        return Judgement(DIFFERENT, tuple(shapes or parted))
    table = [gap for a, b in pairs for gap in measure_discrepancies(a, b, level)]
    beyond = significant_discrepancies(table, level)
    shown = (line for gap in beyond or table if gap.rounding > 0 for line in [gap_words(gap)])
    return Judgement(DIFFERENT if beyond else ALIKE, (*parted, *shown))


def unlike(a: Trajectory, b: Trajectory) -> Iterator[str]:
    """Why two runs cannot be held side by side."""
    for what, then, now in compare_mappings(trajectory_shape(a), trajectory_shape(b)):
        yield f"{a.name}: {what}: {then} then and {now} now"


def gap_words(gap: Discrepancy) -> str:
    """How far apart a quantity is."""
    return (
        f"{gap.algorithm}: {gap.quantity}: "
        f"then less now {format_estimate(gap.interval)} at the end, "
        f"{gap.rounding:.3g} times what rounding excuses"
    )


def other(told: Mapping[str, Any], here: Mapping[str, Any], mean: str) -> list[str]:
    """What of the machine and the versions that decide the bits is another than it was."""
    decides = (*DECIDES, "ranks") if mean == "allreduce" else DECIDES
    return [
        f"{place.removeprefix('versions.')} {now} (then {then})"
        for place, then, now in compare_mappings(flatten_tables(told), flatten_tables(here))
        if place in decides
    ]
