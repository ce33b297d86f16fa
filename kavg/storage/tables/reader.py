"""Reader of the results of a run folder or a sweep folder, as one table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kavg.errors import KavgError, NewerFormat
from kavg.storage.tables.result_files import FORMAT, SCHEMA, TABLES
from kavg.storage.tables.result_table import ResultTable
from kavg.storage.text_files import read_json
from kavg.storage.trajectories import load_trajectories

NOT_FINITE: Final = {"inf", "-inf", "nan"}


def load_results(folder: str | Path) -> ResultTable:
    """Load the results of a run folder, or of a sweep folder, as a table.

    One row for each run, recorded round and replica, with the settings of the run as columns.  The
    numbers are those of ``metrics.csv`` or ``points.csv``, and are read from the arrays.  Reading
    cannot run code.

    Raises ``KavgError`` if there are no arrays, or kavg did not write the files.
    """
    folder = Path(folder)
    folder = folder.parent if folder.name == "trajectory.npz" else folder
    # First, as it mends what an interrupted command left of the folder.
    runs = load_trajectories(folder)
    if not any((folder / name).exists() for name in TABLES):
        return ResultTable(runs)
    content = read_json(folder / SCHEMA)
    try:
        return _build_table(runs, content)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        kind = NewerFormat if isinstance(error, NewerFormat) else KavgError
        where = f"{str(folder / SCHEMA)!r} is not one that kavg wrote for these arrays"
        raise kind(f"{where}: {error}") from None


def _build_table(runs: Any, content: Mapping[str, Any]) -> ResultTable:
    if content["format"] != FORMAT:
        raise NewerFormat(
            f"it has format {content['format']!r:.60}, this kavg reads {FORMAT}; use a newer kavg"
        )
    points = content["points"]
    if not isinstance(points, list) or len(points) != len(runs):
        raise ValueError(f"it must describe {len(runs)} points")
    numbers = [_decode_number(each["point"]) for each in points]
    settings = [_decode_settings(each["settings"]) for each in points]
    places = _require_object("places", content["places"])
    return ResultTable(runs, settings, numbers, {key: str(place) for key, place in places.items()})


def _decode_number(value: object) -> int:
    # Not isinstance: true is an int.
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError(f"the number of a point is {value!r:.60}")
    return value


def _decode_settings(values: object) -> dict[str, Any]:
    return {name: _decode(value) for name, value in _require_object("settings", values).items()}


def _require_object(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object, got {value!r:.60}")
    return value


def _decode(value: Any) -> Any:
    # JSON has no infinities.
    if isinstance(value, dict) and value.get("number") in NOT_FINITE:
        return float(value["number"])
    if not isinstance(value, (bool, int, float, str)):
        raise ValueError(f"a setting is {value!r:.60}")
    return value
