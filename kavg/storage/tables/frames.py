"""Data frames of other libraries, made of a table's columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from kavg.errors import KavgError


def make_pandas(columns: Mapping[str, NDArray[Any]]) -> Any:
    """Return a ``pandas.DataFrame`` of columns; raise ``KavgError`` if pandas is not installed."""
    try:
        import pandas
    except ImportError as error:
        raise _explain_absence("pandas") from error
    return pandas.DataFrame(dict(columns))


def make_polars(columns: Mapping[str, NDArray[Any]]) -> Any:
    """Return a ``polars.DataFrame`` of columns; raise ``KavgError`` if polars is not installed."""
    try:
        import polars
    except ImportError as error:
        raise _explain_absence("polars") from error
    # A column of texts without rows has no value that would show its type.
    texts = {name: polars.String for name, x in columns.items() if x.dtype == object}
    return polars.DataFrame(dict(columns), schema_overrides=texts)


def _explain_absence(library: str) -> KavgError:
    return KavgError(
        f"a data frame of {library} needs {library}, which is not installed; "
        f"run: pip install {library}"
    )
