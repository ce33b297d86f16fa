"""Comparison of two finished runs: settings, machines, and where trajectories first differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
from kavg.cli.output import print_text
from kavg.cli.session import Session
from kavg.cli.sweeps.finished import name_points
from kavg.config.toml import parse_toml
from kavg.errors import KavgError
from kavg.mpi.collective import agree_on, run_on_rank_0
from kavg.portability import find_weakest_promise
from kavg.reports.labels import format_estimate, quantity_title
from kavg.reports.repetition import (
    BIT_DEPENDENCIES,
    NAMES,
    UNTRIED,
    flatten_environment,
    list_bit_dependencies,
)
from kavg.reports.text import fold_line
from kavg.storage import RunFolder, joint_digest, load_trajectories
from kavg.storage.output_folder import require_run_folder
from kavg.storage.recovery import recover_before_reading
from kavg.storage.text_files import read_text
from kavg.text import format_count, shorten_repr
from kavg.trajectory import Trajectory

IGNORED: Final = ("time", "command", "data", "data_path")
"""Facts that differ between any two runs, and those of the data, which are compared by digest."""
DATA_PLACES: Final = ("objective.data", "objective.data.path")
SHOWN: Final = 12
"""Characters of a digest that a line shows."""


@final
@dataclass(frozen=True)
class RunComparison:
    """The comparison of two run folders as lines of text.

    ``is_same`` is true if the trajectories have the same bits, whatever else differs.
    """

    lines: tuple[str, ...]
    is_same: bool


def compare_folders(session: Session, a: Path, b: Path) -> int:
    """Print where two runs differ, on rank 0; return exit code 0 for the same bits, else 1.

    All ranks read both folders and must obtain the same comparison.
    """
    for folder in (a, b):
        run_on_rank_0(session.comm, partial(recover_before_reading, folder))
    result = agree_on(
        session.comm, "the runs", lambda: compare_runs(a, b), lambda each: "\n".join(each.lines)
    )
    # All ranks wait: a launcher may end a job as soon as one rank exits with a code.
    run_on_rank_0(session.comm, lambda: print_text("\n".join(map(fold_line, result.lines))))
    return 0 if result.is_same else 1


def compare_runs(a: Path, b: Path) -> RunComparison:
    """Compare two run folders: settings, machines, then algorithm by algorithm.

    Raises:
        KavgError: One of them is no folder of a finished run.
    """
    runs_a, runs_b = _read_runs(a), _read_runs(b)
    data_a, data_b = _read_data_digest(a), _read_data_digest(b)
    facts_a, facts_b = _read_environment(a), _read_environment(b)
    # The same data may lie at another place, as seen from another folder.
    skipped = DATA_PLACES if data_a and data_a == data_b else ()
    settings_a, settings_b = _read_settings(a, skipped), _read_settings(b, skipped)
    lines = [
        *_changed_places("settings", settings_a, settings_b),
        *_changed_places("data    ", {"digest": data_a[:SHOWN]}, {"digest": data_b[:SHOWN]}),
    ]
    expected = _describe_expectation(
        facts_a, facts_b, settings_a.get("mean"), same_settings=not lines
    )
    lines += [
        *_changed_places("machine ", facts_a, facts_b),
        *([f"expected  {expected}"] if expected else []),
        *_compare_algorithms(runs_a, runs_b),
    ]
    is_same = joint_digest(runs_a) == joint_digest(runs_b)
    return RunComparison((*lines, "same bits" if is_same else "different"), is_same)


def _read_runs(folder: Path) -> list[Trajectory]:
    require_run_folder(folder)
    return name_points(folder, load_trajectories(folder))


def _read_settings(folder: Path, skipped: Sequence[str]) -> dict[str, Any]:
    """The settings by place; no data are loaded, as they may no longer exist."""
    try:
        places = flatten_tables(parse_toml(read_text(folder / "config.toml")))
        return {place: value for place, value in places.items() if place not in skipped}
    except RecursionError:
        raise KavgError(f"the settings in {str(folder)!r} are nested too deeply") from None


def _read_data_digest(folder: Path) -> str:
    """The digest of the data of a run; ``""`` without data, or if it was not recorded."""
    return str(RunFolder(folder).read_table("environment.json").get("data") or "")


def _read_environment(folder: Path) -> dict[str, Any]:
    """The environment of the last session by place, and the number of sessions."""
    facts = RunFolder(folder).read_table("environment.json")
    earlier = facts.pop("earlier", None)
    # Only counted: any two sessions differ, in their times at least.
    sessions = 1 + len(earlier) if isinstance(earlier, list) else 1
    return flatten_tables(
        {key: facts[key] for key in facts if key not in IGNORED} | {"sessions": sessions}
    )


def _describe_expectation(
    a: Mapping[str, Any], b: Mapping[str, Any], mean: object, *, same_settings: bool
) -> str | None:
    """What to expect of two runs by where they were made; None if nothing is."""
    first, second = flatten_environment(a), flatten_environment(b)
    changed = [place for place in BIT_DEPENDENCIES if first.get(place) != second.get(place)]
    if "arithmetic" in changed:
        return "other numbers are possible, as the two runs have different arithmetic"
    # An exact mean is the same on any ranks, which need no words.
    if not same_settings or not set(changed) - ({"ranks"} if mean != "allreduce" else set()):
        return None
    promise = find_weakest_promise(a.get("same_bits"), b.get("same_bits"))
    reasons = list_bit_dependencies(mean, promise)
    untried = [place for place in changed if reasons.get(place) == UNTRIED]
    if depends := [place for place in changed if place in reasons and place not in untried]:
        return f"last bits may differ, as they depend on {_list_names(depends)}"
    if untried:
        return f"the same bits, but not everywhere tried: {_list_names(untried)}"
    return "the same bits, which do not depend on the processor"


def _list_names(places: Sequence[str]) -> str:
    return ", ".join(NAMES.get(place, place.removeprefix("versions.")) for place in places)


def _changed_places(label: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[str]:
    for place, first, second in compare_mappings(a, b):
        yield f"{label}  {place}: {shorten_repr(first)} and {shorten_repr(second)}"


def _compare_algorithms(a: Sequence[Trajectory], b: Sequence[Trajectory]) -> Iterator[str]:
    """Compare algorithms of the same name, and list those that only one run has."""
    others = {run.name: run for run in b}
    names = [run.name for run in a]
    for run in a:
        if run.name in others:
            yield from _compare_trajectories(run, others[run.name])
        else:
            yield f"{run.name}: only in the first"
    yield from (f"{run.name}: only in the second" for run in b if run.name not in names)


def _compare_trajectories(a: Trajectory, b: Trajectory) -> Iterator[str]:
    """Where two runs of an algorithm first differ, and how far apart they end."""
    for what, first, second in compare_mappings(trajectory_shape(a), trajectory_shape(b)):
        yield f"{a.name}: {what}: {first} and {second}"
    difference, (common_a, common_b) = first_difference(a, b), restrict_to_common(a, b)
    if not common_a.rounds.size:
        yield f"{a.name}: no recorded round in common"
        return
    rounds = format_count(len(common_a.rounds), "round")
    extent = f"{rounds} and {format_count(common_a.replicas, 'replica')} in common"
    if difference is None:
        yield f"{a.name}: same bits in {extent}"
        return
    yield f"{a.name}: first difference at {difference}; {extent}"
    for name in common_a.series:
        yield f"{a.name}: {_compare_ends(name, common_a, common_b)}"


def _compare_ends(name: str, a: Trajectory, b: Trajectory) -> str:
    """How far apart a quantity is at the last common round."""
    x, y = a.series[name][-1], b.series[name][-1]
    distance = float(np.abs(x - y).max())
    if distance == 0:
        return f"{quantity_title(name)} at round {a.rounds[-1]}: the same"
    interval = paired_difference(x, y)
    zero = "zero inside" if interval.low <= 0 <= interval.high else "zero outside"
    remark = "no confidence interval" if a.replicas == 1 else zero
    return (
        f"{quantity_title(name)} at round {a.rounds[-1]}: up to {distance:.3g} apart, "
        f"first minus second {format_estimate(interval)}, {remark}"
    )
