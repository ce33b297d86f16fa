"""Files of a table of results: ``points.csv`` or ``points.parquet``, and ``schema.json``.

``schema.json`` describes the columns, and holds the settings of each point, so that the table can
be made again of the arrays in ``trajectory.npz``, which are read some 25 times faster than text is
by Python itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any, Final, Literal

from kavg.storage.tables.columns import to_setting
from kavg.storage.tables.lines import find_difference, write_lines
from kavg.storage.tables.parquet import compare_parquet, write_parquet
from kavg.storage.tables.result_table import ResultTable
from kavg.storage.text_files import read_json, write_json

FORMAT: Final = 1
"""The format of ``schema.json``."""
SCHEMA: Final = "schema.json"
TABLES: Final = ("points.csv", "points.parquet")


def write_result_table(
    folder: Path, table: ResultTable, form: Literal["csv", "parquet"] = "csv"
) -> None:
    """Write ``points.csv`` or ``points.parquet``, and ``schema.json``, each whole or not at all.

    ``kavg.load_results`` reads them, if ``trajectory.npz`` beside them holds the same runs in the
    same order.  Raises ``OSError``, and ``KavgError`` for parquet if pyarrow is not installed.
    """
    name = f"points.{form}"
    if form == "parquet":
        write_parquet(folder / name, table)
    else:
        write_lines(folder / name, table.format_lines())
    write_json(folder / SCHEMA, describe_table(table, name))


def describe_table(table: ResultTable, name: str) -> dict[str, Any]:
    """Return the content of ``schema.json``: format, name of the table, columns, places, points."""
    points = table.points or range(len(table.runs))
    settings = table.settings or [{}] * len(table.runs)
    return {
        "format": FORMAT,
        "table": name,
        "columns": [asdict(column) for column in table.schema],
        "places": dict(table.places),
        "points": [
            {"point": point, "settings": {key: _encode(x) for key, x in values.items()}}
            for point, values in zip(points, settings, strict=True)
        ],
    }


def _encode(value: Any) -> Any:
    value = to_setting(value)
    is_json = not isinstance(value, float) or isfinite(value)
    return value if is_json else {"number": str(value)}


def list_table_disagreements(folder: Path, table: ResultTable) -> Iterator[str]:
    """Describe where the table in a folder, or its schema, differs from this one.

    Raises ``KavgError`` if it is in Parquet and pyarrow is not installed.
    """
    names = [name for name in TABLES if (folder / name).exists()]
    if not names:
        yield f"there is no {' or '.join(map(repr, TABLES))}"
    for name in names:
        difference = _compare_file(folder / name, table)
        if difference is not None:
            yield f"{name!r} {difference}"
    expected: Mapping[str, Any] = describe_table(table, names[0] if names else "")
    if names and read_json(folder / SCHEMA) != expected:
        yield f"{SCHEMA!r} describes another table than that of the arrays in 'trajectory.npz'"


def _compare_file(path: Path, table: ResultTable) -> str | None:
    if path.suffix == ".parquet":
        return compare_parquet(path, table)
    try:
        return find_difference(path, table.format_lines())
    except (OSError, ValueError):
        return "cannot be read"
