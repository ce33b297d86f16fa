"""Data sets from tables of text, with a report of what was read and what was left out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Final

import numpy as np

from kavg.errors import KavgError
from kavg.objectives.data.data_file import SEPARATORS, DataFile
from kavg.objectives.data.dataset import Data
from kavg.objectives.data.dialect import SAMPLE, find_dialect
from kavg.objectives.data.table_columns import assign_roles
from kavg.objectives.data.table_reader import TOO_LARGE, TableReader
from kavg.objectives.data.text_lines import NumberedLines, open_lines

SHOWN: Final = 5
"""Lines and columns that a message names at most."""


def read_table(path: Path, choices: DataFile) -> Data:
    """Read a table of text: a header or none, then one example a line.

    Raises KavgError, with the line, for anything that can be neither read nor left out.
    """
    with open_lines(path) as lines:
        numbered = ((lines.number, line) for line in lines)
        sample = [*islice(numbered, SAMPLE)]
        if sample and _names_separator(sample[0][1]):
            del sample[0]
        if not sample:
            raise KavgError("there are no examples")
        dialect = find_dialect([line for _, line in sample], choices)
        reader = TableReader(dialect, assign_roles(dialect.names, dialect.width, choices))
        if dialect.names:
            del sample[0]
        for number, line in chain(sample, numbered):
            reader.add_line(number, line)
        _check_texts(reader)
        _check_missing(reader, choices)
        return _to_data(reader, lines)


def _names_separator(line: str) -> bool:
    # A spreadsheet program may name the separator in a line of its own.
    return line[:4].lower() == "sep=" and line[4:].rstrip("\r\n") in SEPARATORS


def _check_texts(reader: TableReader) -> None:
    """Raise KavgError if a feature is no number: a single cell, or most of a column."""
    columns: list[int] = []
    rows = len(reader.labels) + len(reader.incomplete)
    for place in sorted(reader.texts.keys() | reader.booleans.keys()):
        present = rows - reader.missing[place]
        if 2 * reader.texts[place] >= present:
            columns.append(place)
        elif reader.texts[place]:
            number, cell = reader.first_text[place]
            where = reader.describe(place)
            raise KavgError(f"line {number} has {cell[:40]!r} in {where}, which is no number")
        elif reader.booleans[place] < present:
            raise KavgError(f"{reader.describe(place)} holds numbers and also true or false")
    if columns:
        firsts = "; ".join(_describe_text(reader, i) for i in columns[:SHOWN])
        raise KavgError(
            f"{len(columns)} {'columns hold' if len(columns) > 1 else 'column holds'} text "
            f"({firsts}); leave out what is no feature, as in data = {{ kind = 'file', "
            f"path = '...', ignore = {_name_columns(reader, columns)} }}, or write each "
            "value as a column of 0 and 1"
        )


def _name_columns(reader: TableReader, places: Sequence[int]) -> str:
    """The columns as a list for settings: by name where it is the only one of this name."""
    names = reader.dialect.names
    chosen = [names[i] if names and names.count(names[i]) == 1 else i for i in places]
    return repr(chosen[:SHOWN])


def _describe_text(reader: TableReader, place: int) -> str:
    number, cell = reader.first_text[place]
    return f"{reader.describe(place)}, as {cell[:20]!r} in line {number}"


def _check_missing(reader: TableReader, choices: DataFile) -> None:
    if not reader.incomplete:
        return
    columns = ", ".join(map(reader.describe, sorted(reader.missing)[:SHOWN]))
    rows = len(reader.labels) + len(reader.incomplete)
    empty = [i for i in reader.roles.features if reader.missing[i] == rows]
    if empty:
        raise KavgError(
            f"{reader.describe(empty[0])} has no values; leave it out, as in data = {{ kind = "
            f"'file', path = '...', ignore = {_name_columns(reader, empty)} }}"
        )
    if choices.missing == "drop":
        return
    raise KavgError(
        f"{reader.missing.total()} values are missing in {_list_lines(reader.incomplete)}, in "
        f"{columns}; fill them, or leave these lines out with data = {{ kind = 'file', "
        "path = '...', missing = 'drop' }"
    )


def _list_lines(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:SHOWN])) + ", ..." * (len(numbers) > SHOWN)
    return f"{len(numbers)} lines ({shown})" if len(numbers) > 1 else f"line {shown}"


def _to_data(reader: TableReader, lines: NumberedLines) -> Data:
    labels, places, names = _convert_labels(reader), reader.roles.features, reader.dialect.names
    if not labels:
        raise KavgError("there are no examples")
    if reader.decimal == "," and reader.is_unclear:
        raise KavgError(
            "all commas in its numbers, as in 1,234, may be decimal commas or mark thousands; "
            "write the numbers with decimal points, or without marks"
        )
    features = np.frombuffer(reader.values, np.float64).reshape(len(labels), len(places))
    own = tuple(names[i] for i in places) if names else ()
    return Data(features, np.asarray(labels), names=own, notes=tuple(_notes(reader, lines)))


def _notes(reader: TableReader, lines: NumberedLines) -> Iterator[str]:
    yield from (*reader.dialect.notes, *reader.roles.notes)
    if reader.decimal == ",":
        yield "decimal commas"
    if reader.booleans:
        named = ", ".join(map(reader.describe, sorted(reader.booleans)))
        yield f"true is 1 and false is 0 in {named}"
    if reader.incomplete:
        yield f"dropped for missing values: {_list_lines(reader.incomplete)}"
    if lines.comments:
        yield f"lines of comments: {lines.comments}"


def _convert_labels(reader: TableReader) -> list[float] | list[str]:
    """The labels as numbers, or as text if none is a number."""
    values = [reader.parse(label) for label in reader.labels]
    texts = [i for i, value in enumerate(values) if value is None]
    numbers = [value for value in values if value is not None]
    if not numbers:
        return reader.labels
    wrong = texts or [i for i, value in enumerate(numbers) if math.isinf(value)]
    if wrong:
        reason = (
            f"which is no number, as {len(numbers)} other labels are; give numbers or texts alone"
            if texts
            else TOO_LARGE
        )
        raise KavgError(
            f"line {reader.lines[wrong[0]]} has {reader.labels[wrong[0]][:40]!r} in "
            f"{reader.describe(reader.roles.label)}, the label, {reason}"
        )
    return numbers
