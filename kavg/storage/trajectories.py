"""Conversion of trajectories to arrays in an archive, and back.

Algorithm i of a run has the arrays ``i.rounds``, ``i.w``, ``i.v``, ..., one ``i.series.NAME`` for
each recorded series, and ``i.states.n``, ``i.states.w``, ... for its earlier states.
Fields that are not arrays are JSON text in the array ``about``.
"""

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
from kavg.storage.atomic import write_atomically
from kavg.storage.recovery import recover_before_reading
from kavg.storage.text_files import parse_json
from kavg.trajectory import State, Trajectory
from kavg.validation import validate_trajectory

ARRAYS: Final = ("rounds", "w", "v", "seconds", "gammas", "exponents")
"""Fields of a trajectory that are single arrays."""
FURTHER: Final = ("counted", "Ks", "slots", "measure_memory")
"""Fields that are arrays, stored where they are not empty."""
PARTS: Final = ("n", "w", "v", "exponents")
"""Fields of a state."""
ESCAPES: Final = {ord(character): f"%{ord(character):02X}" for character in "%/\\\0"}
"""Characters that the name of a member of an archive cannot have."""
UNREADABLE: Final = (ValueError, KeyError, TypeError, RecursionError)  # KavgError is a ValueError


def write_trajectories(path: Path, trajectories: Sequence[Trajectory]) -> None:
    """Write ``trajectory.npz``, whole or not at all; ``load_trajectories`` reads it.

    The round trip preserves all bits, those of NaN included.
    """
    about = np.array(json.dumps([collect_fields(run) for run in trajectories]))
    with write_atomically(path) as file:
        np.savez_compressed(file, **{"about": about, **collect_arrays(trajectories)})


def collect_arrays(trajectories: Sequence[Trajectory]) -> dict[str, Any]:
    """Collect the arrays of several algorithms under the names they have in an archive.

    They are not copied.  Characters that names in a zip cannot have are escaped as in URLs.
    """
    arrays: dict[str, Any] = {}
    for i, run in enumerate(trajectories):
        arrays |= {f"{i}.{name}": getattr(run, name) for name in ARRAYS}
        arrays |= {f"{i}.{name}": x for name in FURTHER if (x := getattr(run, name)).size}
        arrays |= {f"{i}.series.{name.translate(ESCAPES)}": x for name, x in run.series.items()}
        arrays |= {f"{i}.states.{part}": x for part, x in stack_states(run.states).items()}
    return arrays


def collect_fields(run: Trajectory) -> dict[str, Any]:
    """Collect the fields of a trajectory that are not arrays: its name, its counts.

    They are plain values that JSON can hold.
    """
    return {
        field.name: getattr(run, field.name)
        for field in fields(run)
        if field.name not in (*ARRAYS, *FURTHER, "series", "states")
    }


def load_trajectories(path: str | Path) -> list[Trajectory]:
    """Load the trajectories of a run folder, or of its ``trajectory.npz``.

    One for each algorithm, in the order of the settings.  Reading cannot run code.
    Raises ``KavgError`` if there is no such file, or kavg did not write it.
    """
    path = Path(path)
    recover_before_reading(path.parent if path.name == "trajectory.npz" else path)
    path = path / "trajectory.npz" if os.path.isdir(path) else path
    if not os.path.exists(path):  # pathlib's own raises where a name is too long
        raise KavgError(
            f"there is no {str(path)!r}; give the folder that kavg run or kavg sweep wrote"
        )
    try:
        arrays = npz.read_archive(path)
        return build_trajectories(parse_json(str(arrays.pop("about"))), arrays)
    except UNREADABLE as error:
        raise KavgError(f"{str(path)!r} is not a trajectory that kavg wrote: {error}") from None


def build_trajectories(about: Sequence[Any], arrays: Mapping[str, Any]) -> list[Trajectory]:
    """Build and validate trajectories from the results of ``collect_fields``, ``collect_arrays``.

    Raises ``ValueError``, ``KeyError`` or ``TypeError`` if parts are missing, or if no run could
    have produced such values.
    """
    return [validate_trajectory(_build(i, one, arrays)) for i, one in enumerate(about)]


def _build(i: int, about: Mapping[str, Any], arrays: Mapping[str, Any]) -> Trajectory:
    series = _select_prefix(f"{i}.series.", arrays)
    return Trajectory(
        # Files of kavg 0.3.0 and before have no number of their arithmetic.
        **{"arithmetic": 1, **about},
        **{name: arrays[f"{i}.{name}"] for name in ARRAYS},
        **{name: arrays[f"{i}.{name}"] for name in FURTHER if f"{i}.{name}" in arrays},
        series={unquote(name): values for name, values in series.items()},
        states=unstack_states(_select_prefix(f"{i}.states.", arrays)),
    )


def _select_prefix(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays whose names begin with the prefix, by the rest of their names."""
    return {key.removeprefix(prefix): arrays[key] for key in arrays if key.startswith(prefix)}


def stack_states(states: Sequence[State]) -> dict[str, NDArray[Any]]:
    """Stack S states along a new first axis; ``unstack_states`` is the inverse.

    Returns ``n (S,)``, ``w (S, R, d)``, ``v (S, R, d)`` or ``(S, 0)`` and ``exponents (S, R)``, or
    nothing if there are no states.
    """
    if not states:  # np.array of an empty list would be of shape (0,) and of float64
        return {}
    return {part: np.array([getattr(state, part) for state in states]) for part in PARTS}


def unstack_states(arrays: Mapping[str, NDArray[Any]]) -> tuple[State, ...]:
    """Return the states that ``stack_states`` stacked.

    Raises ``KeyError`` or ``ValueError`` if a part is missing or has another number of states.
    """
    if not arrays:
        return ()
    n, *others = (arrays[part] for part in PARTS)
    return tuple(State(*parts) for parts in zip(n.tolist(), *others, strict=True))
