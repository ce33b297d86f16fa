"""What ``kavg diff`` does, on every rank: two finished runs side by side, and where they part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np

from kavg.analysis.differences import (
    compare_mappings,
    first_difference,
    flatten_tables,
    restrict_to_common,
    trajectory_shape,
)
from kavg.analysis.estimate import paired_difference
from kavg.base import Communicator
from kavg.cli.output import say
from kavg.config.messages import shown
from kavg.config.toml import tables_of, text_of
from kavg.errors import KavgError
from kavg.mpi.collective import agree_on, run_on_rank_0
from kavg.reports.labels import format_estimate, quantity_title
from kavg.reports.text import fold_line
from kavg.storage import RunFolder, joint_digest, load_trajectories
from kavg.storage.output_folder import require_run_folder
from kavg.trajectory import Trajectory

PASSING: Final = ("time", "command", "data")
"""What differs between any two runs, or between their settings as well."""


@final
@dataclass(frozen=True)
class Compared:
    """What two folders have in common and what not, line by line."""

    lines: tuple[str, ...]
    same: bool


def diff(comm: Communicator, a: Path, b: Path) -> int:
    """Say where two runs differ; 0 if their bits do not."""
    found = agree_on(comm, "the runs", lambda: compared(a, b), lambda one: "\n".join(one.lines))
    # Waited for by all ranks: a launcher may end a job as soon as one leaves with a code.
    run_on_rank_0(comm, lambda: say("\n".join(map(fold_line, found.lines))))
    return 0 if found.same else 1


def compared(a: Path, b: Path) -> Compared:
    """Settings, machines, then algorithm by algorithm."""
    runs_a, runs_b = read(a), read(b)
    lines = [
        *changed("settings", settings(a), settings(b)),
        *changed("machine ", environment(a), environment(b)),
        *algorithms(runs_a, runs_b),
    ]
    same = joint_digest(runs_a) == joint_digest(runs_b)
    return Compared((*lines, "same bits" if same else "different"), same)


def read(folder: Path) -> list[Trajectory]:
    """The runs of a folder."""
    require_run_folder(folder)
    return load_trajectories(folder)


def settings(folder: Path) -> dict[str, Any]:
    """The settings of a run by place; nothing of them is built, so its data may be gone."""
    try:
        return flatten_tables(tables_of(text_of(folder / "config.toml")))
    except RecursionError:
        raise KavgError(f"the settings in {str(folder)!r} are too deep to be kavg's") from None


def environment(folder: Path) -> dict[str, Any]:
    """What it ran on, by place: of a run in several parts the last, and how many there were."""
    told = RunFolder(folder).read_table("environment.json")
    earlier = told.pop("earlier", None)
    parts = 1 + len(earlier) if isinstance(earlier, list) else 1
    return flatten_tables({key: told[key] for key in told if key not in PASSING} | {"parts": parts})


def changed(what: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[str]:
    """Each place whose values differ."""
    for place, here, there in compare_mappings(a, b):
        yield f"{what}  {place}: {shown(here)} and {shown(there)}"


def algorithms(a: Sequence[Trajectory], b: Sequence[Trajectory]) -> Iterator[str]:
    """What is the same and what differs of each algorithm, by name."""
    others = {run.name: run for run in b}
    names = [run.name for run in a]
    for run in a:
        if run.name in others:
            yield from side_by_side(run, others[run.name])
        else:
            yield f"{run.name}: only in the first"
    yield from (f"{run.name}: only in the second" for run in b if run.name not in names)


def side_by_side(a: Trajectory, b: Trajectory) -> Iterator[str]:
    """Where two runs of an algorithm part, and how far they came apart."""
    for what, here, there in compare_mappings(trajectory_shape(a), trajectory_shape(b)):
        yield f"{a.name}: {what}: {here} and {there}"
    found, (first, second) = first_difference(a, b), restrict_to_common(a, b)
    if not first.rounds.size:
        yield f"{a.name}: no recorded round in common"
        return
    extent = f"{len(first.rounds)} rounds and {first.replicas} replicas in common"
    if found is None:
        yield f"{a.name}: same bits in {extent}"
        return
    yield f"{a.name}: part at {found}; {extent}"
    for name in first.series:
        yield f"{a.name}: {ends(name, first, second)}"


def ends(name: str, a: Trajectory, b: Trajectory) -> str:
    """How far apart a quantity is at the last common round."""
    x, y = a.series[name][-1], b.series[name][-1]
    apart = float(np.abs(x - y).max())
    if apart == 0:
        return f"{quantity_title(name)} at round {a.rounds[-1]}: the same"
    limits = paired_difference(x, y)
    zero = "zero inside" if limits.low <= 0 <= limits.high else "zero outside"
    about = "no limits" if a.replicas == 1 else zero
    return (
        f"{quantity_title(name)} at round {a.rounds[-1]}: up to {apart:.3g} apart, "
        f"first less second {format_estimate(limits)}, {about}"
    )
