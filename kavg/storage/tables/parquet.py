"""Tables in Apache Parquet, written and compared by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from kavg.errors import KavgError
from kavg.storage.atomic import write_atomically
from kavg.storage.tables.result_table import ResultTable, count_rows

GROUP: Final = 2**17
"""Rows of a part of the file, which is in memory at once."""


def write_parquet(path: Path, table: ResultTable) -> None:
    """Write a table as Parquet, whole or not at all; a part of it is in memory at a time.

    Numbers keep their bits.  Raises ``KavgError`` if pyarrow is not installed.
    """
    pyarrow = _import_pyarrow()
    types = {
        "integer": pyarrow.int64(),
        "number": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "text": pyarrow.string(),
    }
    schema = pyarrow.schema([(column.name, types[column.type]) for column in table.schema])
    with (
        write_atomically(path) as file,
        pyarrow.parquet.ParquetWriter(file, schema) as writer,
    ):
        for part in _split_runs(table):
            columns = [pyarrow.array(table.read_column(name, part)) for name in table]
            writer.write_table(pyarrow.table(columns, schema=schema))


def compare_parquet(path: Path, table: ResultTable) -> str | None:
    """Describe the first difference of a file from a table; None if there is none.

    The description can follow the name of the file.  Raises ``KavgError`` if pyarrow is not
    installed.
    """
    pyarrow = _import_pyarrow()
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            if file.schema_arrow.names != list(table) or file.metadata.num_rows != table.rows:
                return "has other columns or rows than 'trajectory.npz'"
            for name in table:
                found = file.read([name]).column(0).to_numpy()
                expected = table[name]
                if found.dtype != expected.dtype or not _have_same_bits(found, expected):
                    return f"differs from 'trajectory.npz' in the column {name[:60]!r}"
    except (OSError, pyarrow.ArrowException):
        return "cannot be read"
    return None


def _import_pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise KavgError(
            "a table in Parquet needs pyarrow, which is not installed; "
            "run: pip install 'kavg[table]', or choose csv"
        ) from error
    return pyarrow


def _split_runs(table: ResultTable) -> Iterator[range]:
    """Ranges of consecutive runs, each of at most ``GROUP`` rows or of a single run."""
    start = rows = 0
    for i, run in enumerate(table.runs):
        if i > start and rows + count_rows(run) > GROUP:
            yield range(start, i)
            start, rows = i, 0
        rows += count_rows(run)
    if start < len(table.runs):
        yield range(start, len(table.runs))


def _have_same_bits(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    # Bytes, as NaN is unequal to itself and -0.0 equal to 0.0.
    return bool((a == b).all()) if a.dtype == object else a.tobytes() == b.tobytes()
