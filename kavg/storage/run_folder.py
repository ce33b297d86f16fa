"""The run folder: written whole or not at all, loaded, digested.

======================  ===========================================================================
config.toml             the settings, defaults written out
metrics.csv             long form: one line for each algorithm, recorded round and replica
trajectory.npz          the same numbers as arrays, the last ``w`` and ``v``, and some before them
summary.json            final means and limits, paired differences, digests
environment.json        versions, machine, ranks, launcher
verdicts.json           of ``kavg check`` only: each algorithm held against each bound
figures/                pictures
checkpoints/            of a run that is not finished only
manifest.sha256         name, size and SHA-256 of all of these (``kavg.manifest``)
======================  ===========================================================================
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import numpy as np

from kavg import manifest, npz
from kavg.errors import KavgError
from kavg.files import staged, written
from kavg.kept import stacked, unstacked
from kavg.soundness import sound
from kavg.trajectory import Trajectory

CONTENTS: Final = (
    "config.toml",
    "metrics.csv",
    "trajectory.npz",
    "summary.json",
    "environment.json",
    "verdicts.json",
    "figures",
    "checkpoints",
    manifest.NAME,
)
"""What a run folder may hold; what else lies there is the user's, and stays."""


def digest(trajectory: Trajectory) -> str:
    """SHA-256 of what a run computed; equal digests mean equal bits.

    Over little-endian bytes in C order: the last meta-iterate ``w`` (float64), the recorded
    ``rounds`` (int64), then each series in alphabetical order, its name in UTF-8 and its values
    (float64).  Wall time is not part of it.
    """
    sha = hashlib.sha256(np.ascontiguousarray(trajectory.w, "<f8").tobytes())
    sha.update(np.ascontiguousarray(trajectory.rounds, "<i8").tobytes())
    for name in sorted(trajectory.series):
        sha.update(name.encode())
        sha.update(np.ascontiguousarray(trajectory.series[name], "<f8").tobytes())
    return sha.hexdigest()


def joint_digest(trajectories: Sequence[Trajectory]) -> str:
    """SHA-256 over the digests of several algorithms, in their order."""
    return hashlib.sha256("".join(map(digest, trajectories)).encode()).hexdigest()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """JSON that any reader accepts: not-a-number is an error here, not a surprise there."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """UTF-8 text; what UTF-8 cannot hold (file names can) is escaped, as JSON would."""
    with written(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_bytes(path: Path, content: bytes) -> None:
    """Bytes as they are."""
    with written(path) as partial:
        partial.write_bytes(content)


def write_metrics(path: Path, trajectories: Sequence[Trajectory]) -> None:
    """``metrics.csv``; a quantity that an algorithm did not record is left empty."""
    with written(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(metrics_rows(trajectories))


def metrics_rows(trajectories: Sequence[Trajectory]) -> Iterator[list[Any]]:
    """The head of ``metrics.csv``, then its lines."""
    quantities = list(dict.fromkeys(name for run in trajectories for name in run.series))
    places = ["algorithm", "replica", "round", "step", "gradients", "communications", "seconds"]
    yield places + quantities
    for run in trajectories:
        yield from metrics_lines(run, quantities)


def metrics_lines(run: Trajectory, quantities: Sequence[str]) -> Iterator[list[Any]]:
    """The lines of one algorithm, round by round and replica by replica."""
    axes = (run.rounds, run.steps, run.gradients, run.communications, run.seconds.round(6))
    for i, at in enumerate(zip(*(axis.tolist() for axis in axes), strict=True)):
        values = [run.series[q][i].tolist() if q in run.series else None for q in quantities]
        for r in range(run.replicas):
            measured = ["" if value is None else value[r] for value in values]
            yield [run.name, r, *at, *measured]


ARRAYS = ("rounds", "w", "v", "seconds", "gammas", "exponents")
SPELT = {ord(letter): f"%{ord(letter):02X}" for letter in "%/\\\0"}
"""Letters that the name of a member of an archive cannot have."""


def write_trajectories(path: Path, trajectories: Sequence[Trajectory]) -> None:
    """``trajectory.npz``: the arrays of all algorithms; ``about`` says the rest as JSON text."""
    described = np.array(json.dumps([about(run) for run in trajectories]))
    with written(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **{"about": described, **arrays_of(trajectories)})


def arrays_of(trajectories: Sequence[Trajectory]) -> dict[str, Any]:
    """For algorithm i the arrays ``i.rounds``, ``i.w``, ``i.series.F``, ``i.states.w``, ..."""
    arrays: dict[str, Any] = {}
    for i, run in enumerate(trajectories):
        arrays |= {f"{i}.{name}": getattr(run, name) for name in ARRAYS}
        arrays |= {f"{i}.series.{name.translate(SPELT)}": x for name, x in run.series.items()}
        arrays |= {f"{i}.states.{part}": x for part, x in stacked(run.states).items()}
    return arrays


def about(run: Trajectory) -> dict[str, Any]:
    """The fields of a trajectory that are not arrays."""
    return {
        field.name: getattr(run, field.name)
        for field in fields(run)
        if field.name not in (*ARRAYS, "series", "states")
    }


def load_trajectories(path: str | Path) -> list[Trajectory]:
    """The trajectories of a run folder, or of its ``trajectory.npz``; nothing read can run code."""
    path = Path(path)
    path = path / "trajectory.npz" if os.path.isdir(path) else path
    if not os.path.exists(path):  # pathlib's own raises where a name is too long
        raise KavgError(f"there is no {str(path)!r}; give the folder that kavg run wrote")
    try:
        arrays = npz.read(path)
        described = json.loads(str(arrays.pop("about")))
        return [sound(rebuilt(i, one, arrays)) for i, one in enumerate(described)]
    except NOT_OURS as error:
        raise KavgError(f"{str(path)!r} is not a trajectory that kavg wrote: {error}") from None


NOT_OURS = (ValueError, KeyError, TypeError, RecursionError)  # KavgError is a ValueError


def rebuilt(i: int, described: dict[str, Any], arrays: Mapping[str, Any]) -> Trajectory:
    """Algorithm i of a stored run."""
    series = {unquote(key): x for key, x in below(f"{i}.series.", arrays).items()}
    states = unstacked(below(f"{i}.states.", arrays))
    return Trajectory(
        **described, **{x: arrays[f"{i}.{x}"] for x in ARRAYS}, series=series, states=states
    )


def below(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays whose names begin so, by the rest of their names."""
    return {key.removeprefix(prefix): arrays[key] for key in arrays if key.startswith(prefix)}


def write_run(
    folder: Path,
    *,
    config: str,
    trajectories: Sequence[Trajectory],
    summary: Mapping[str, Any],
    environment: Mapping[str, Any],
    draw: Callable[[Path], None],
    verdicts: Mapping[str, Any] | None = None,
) -> None:
    """Write a whole run folder; ``draw`` fills ``figures/``."""
    with staged(folder, ours=CONTENTS) as stage:
        write_text(stage / "config.toml", config)
        write_metrics(stage / "metrics.csv", trajectories)
        write_trajectories(stage / "trajectory.npz", trajectories)
        write_json(stage / "summary.json", summary)
        write_json(stage / "environment.json", environment)
        if verdicts is not None:
            write_json(stage / "verdicts.json", verdicts)
        (stage / "figures").mkdir()
        draw(stage / "figures")
        write_bytes(stage / manifest.NAME, manifest.manifest_of(stage))


def enter(folder: Path, paths: Iterable[Path]) -> None:
    """Write down in a folder's manifest, if it has one, that these files in it were written."""
    content = manifest.updated(folder, paths)
    if content is not None:
        write_bytes(folder / manifest.NAME, content)
