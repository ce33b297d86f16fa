"""The choices for reading a data file: its label, its columns, missing values."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final, Literal, final

from kavg.errors import KavgError
from kavg.ranges import check_ranges

BUNDLED: Final = ("iris", "wine", "breast_cancer", "diabetes", "digits")
"""Names of the data sets that scikit-learn brings."""
GENERATED: Final = ("mnist1d",)
"""Names of data sets that a package generates."""
NAMED: Final = (*BUNDLED, *GENERATED)
"""Names of data sets that no file is needed for."""
Column = int | str
"""A column by its place from 0, or from -1 backwards, or by its name in the header."""


@final
@dataclass(frozen=True)
class DataFile:
    """A data file, or the name of a data set, with the choices for reading it.

    ``label`` is the column of labels.  ``columns`` are those of the features; left out, all others
    but those in ``ignore``.  Left out, ``ignore`` leaves out an index that pandas or R wrote, and
    ``[]`` leaves out nothing.  Lines with missing values are refused, or dropped by
    ``missing="drop"``.  ``separator`` and ``header`` are found out if not given.

    >>> DataFile("iris.csv", label="species", ignore=("id",)).label
    'species'
    """

    path: str
    label: Column = -1
    columns: tuple[Column, ...] = ()
    ignore: tuple[Column, ...] | None = None
    missing: Literal["refuse", "drop"] = "refuse"
    separator: str | None = None
    header: bool | None = None
    kind: Literal["file"] = "file"

    def __post_init__(self) -> None:
        for name in ("columns", "ignore"):
            given = getattr(self, name)
            if isinstance(given, (str, int)):
                raise KavgError(f"{name} must be a list of columns, got {given!r}; use [{given!r}]")
        path: object = self.path
        if isinstance(path, os.PathLike):
            object.__setattr__(self, "path", os.fsdecode(path))
        check_ranges(self)
        if self.separator is not None and self.separator not in SEPARATORS:
            raise KavgError(
                f"separator must be one of {', '.join(map(repr, SEPARATORS))}, "
                f"got {self.separator!r}"
            )

    @property
    def is_named(self) -> bool:
        """True for the name of a data set that no file is needed for."""
        return self.path in NAMED


SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
"""The separators of columns that are tried, with their names; in a draw the earlier one wins."""
