"""The columns of a table: which holds the labels, which are features, which are left out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from kavg.errors import KavgError
from kavg.objectives.data.data_file import Column, DataFile

INDEX_NAME: Final = re.compile(r"Unnamed: 0(\.\d+)?")
"""What pandas calls an index that it reads back as a column."""
SHOWN: Final = 12
"""Names that a message lists at most."""


@final
@dataclass(frozen=True)
class ColumnRoles:
    """The place of the label and those of the features, with a note for each column left out."""

    label: int
    features: tuple[int, ...]
    notes: tuple[str, ...]


def assign_roles(names: Sequence[str], width: int, choices: DataFile) -> ColumnRoles:
    """Return the roles of the ``width`` columns of a table by the choices for reading it.

    ``names`` are () without a header.  Raises KavgError for a column that is not there, and if no
    feature is left.

    >>> assign_roles(["", "length", "species"], 3, DataFile("iris.csv")).features
    (1,)
    """
    columns = _Columns(names, width)
    label = columns.place("label", choices.label)
    ignored = [columns.place("ignore", each) for each in choices.ignore or ()]
    if label in ignored:
        raise KavgError(
            f"{describe_column(names, label)} is the label, and ignore leaves it out; say which "
            "column is the label, as in label = 0"
        )
    chosen = [columns.place("columns", each) for each in choices.columns]
    notes = []
    if ignored:
        notes.append(f"left out: {', '.join(describe_column(names, i) for i in ignored)}")
    if not chosen and choices.ignore != () and columns.has_index and label != 0:
        ignored.append(0)
        notes.append(
            f"{describe_column(names, 0)} is an index of the rows and is left out "
            "(ignore = [] keeps it)"
        )
    kept = chosen or range(width)
    features = tuple(i for i in dict.fromkeys(kept) if i != label and i not in ignored)
    if not features:
        raise KavgError(f"no feature is left of {width} columns, the label being {label}")
    if chosen:
        notes.append(f"{len(features)} of {width - 1} columns are features")
    return ColumnRoles(label, features, tuple(notes))


@final
class _Columns:
    """The columns of a table by place and name."""

    def __init__(self, names: Sequence[str], width: int) -> None:
        self.names, self.width = names, width

    @property
    def has_index(self) -> bool:
        # A first column without a name, beside named ones, is written by pandas and R alone.
        first, *others = self.names or ("-",)
        return bool(INDEX_NAME.fullmatch(first) or (not first and any(others)))

    def place(self, setting: str, column: Column) -> int:
        if isinstance(column, str):
            return self._place_of_name(setting, column)
        if not -self.width <= column < self.width:
            raise KavgError(
                f"{setting} = {column}: there are {self.width} columns; use a place from 0 to "
                f"{self.width - 1}, or from -1 backwards"
            )
        return column % self.width

    def _place_of_name(self, setting: str, name: str) -> int:
        places = [i for i, each in enumerate(self.names) if each == name]
        if len(places) == 1:
            return places[0]
        if places:
            raise KavgError(
                f"{setting} = {name!r}: {len(places)} columns have this name; use one of the "
                f"places {', '.join(map(str, places))}"
            )
        if not self.names:
            raise KavgError(
                f"{setting} = {name!r}: it has no header; use a place from 0 to {self.width - 1}"
            )
        close = difflib.get_close_matches(name, self.names, n=1)
        shown = ", ".join(map(repr, self.names[:SHOWN])) + (", ..." * (self.width > SHOWN))
        advice = f"the closest is {close[0]!r}" if close else f"the columns are {shown}"
        raise KavgError(f"{setting} = {name!r}: there is no such column; {advice}")


def describe_column(names: Sequence[str], place: int) -> str:
    """Return a column's place, with its name if it has one.

    >>> describe_column(["", "length"], 1), describe_column([], 1)
    ("column 1 ('length')", 'column 1')
    """
    name = names[place] if names else ""
    return f"column {place} ({name[:40]!r})" if name else f"column {place}"
