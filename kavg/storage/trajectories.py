"""Trajectories as arrays in an archive."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from kavg.errors import KavgError
from kavg.storage import npz
from kavg.storage.atomic import written
from kavg.storage.text_files import parse_json
from kavg.storage.validation import validate_trajectory
from kavg.trajectory import State, Trajectory

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
        arrays = npz.read_archive(path)
        described = parse_json(str(arrays.pop("about")))
        return [validate_trajectory(rebuilt(i, one, arrays)) for i, one in enumerate(described)]
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


PARTS: Final = ("n", "w", "v", "exponents")


def stacked(states: Sequence[State]) -> dict[str, NDArray[Any]]:
    """``n (S,)``, ``w (S, R, d)``, ``v`` and ``exponents`` of all states; empty without any."""
    arrays = {part: [getattr(state, part) for state in states] for part in PARTS if states}
    return {part: np.array(values) for part, values in arrays.items()}


def unstacked(arrays: Mapping[str, NDArray[Any]]) -> tuple[State, ...]:
    """The states that were stacked."""
    if not arrays:
        return ()
    n, *others = (arrays[part] for part in PARTS)
    return tuple(State(*parts) for parts in zip(n.tolist(), *others, strict=True))
