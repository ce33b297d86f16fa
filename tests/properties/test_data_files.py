"""Data files: any table comes back however it is written, and what is no table is refused."""

from __future__ import annotations

import csv
import gzip
import io
import string
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.errors import KavgError
from kavg.objectives.data.preparation import load_data

SEPARATORS = [",", ";", "\t", "|", " "]
NUMBERS = st.floats(-1e9, 1e9).map(lambda x: round(x, 3)) | st.floats(
    allow_nan=False, allow_infinity=False
)
WORDS = st.text(string.ascii_letters, min_size=3, max_size=8).filter(
    lambda word: word.lower() not in ("nan", "null", "none", "inf", "infinity", "true", "false")
)


@st.composite
def tables(draw):
    """Rows of numbers, the last of them a label that may be text."""
    n, p = draw(st.integers(2, 7)), draw(st.integers(1, 4))
    rows = [[draw(NUMBERS) for _ in range(p)] for _ in range(n)]
    labels = draw(
        st.lists(NUMBERS, min_size=n, max_size=n) | st.lists(WORDS, min_size=n, max_size=n)
    )
    return rows, labels


@st.composite
def ways_to_write(draw):
    """A separator, quotes, a header, an index, line ends, and so on."""
    separator = draw(st.sampled_from(SEPARATORS))
    header = draw(st.booleans())
    return {
        "separator": separator,
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        "header": header,
        # Only a name that is empty makes an index known; between blanks it cannot be written.
        "index": header and separator != " " and draw(st.booleans()),
        "comma": separator != "," and draw(st.booleans()),
        "end": draw(st.sampled_from(["\n", "\r\n"])),
        "mark": draw(st.sampled_from(["", "\ufeff"])),
        "comment": draw(st.sampled_from(["", "# a comment, with; separators\n"])),
        "blank": draw(st.booleans()),
        "packed": draw(st.booleans()),
        "suffix": draw(st.sampled_from([".csv", ".CSV", ".tsv", ".txt", ".data"])),
    }


def format_cell(value, way):
    text = value if isinstance(value, str) else repr(value)
    return text.replace(".", ",") if way["comma"] and not isinstance(value, str) else text


def write_table(folder, table, way):
    """Write a table in a way; return the path, and the line of each example."""
    rows, labels = table
    lines = [[format_cell(x, way) for x in [*row, y]] for row, y in zip(rows, labels, strict=True)]
    if way["index"]:
        lines = [[str(i), *line] for i, line in enumerate(lines)]
    if way["header"]:
        names = [f"x{i}" for i in range(len(rows[0]))] + ["y"]
        lines.insert(0, [""] * way["index"] + names)
    buffer = io.StringIO()
    writer = csv.writer(
        buffer, delimiter=way["separator"], quoting=way["quoting"], lineterminator=way["end"]
    )
    writer.writerows(lines)
    text = way["mark"] + way["comment"] + buffer.getvalue() + way["end"] * way["blank"]
    content = text.encode()
    path = Path(folder, f"table{way['suffix']}" + ".gz" * way["packed"])
    path.write_bytes(gzip.compress(content) if way["packed"] else content)
    first = 1 + way["header"] + bool(way["comment"])
    return path, range(first, first + len(rows))


@given(tables(), ways_to_write())
def test_a_table_comes_back_however_it_is_written(table, way):
    rows, labels = table
    with tempfile.TemporaryDirectory() as folder:
        path, _ = write_table(folder, table, way)
        try:
            data = load_data(str(path))
        except KavgError as error:
            # A first line 0, 1, 2, ... may be the names that pandas gives.
            is_count = not way["header"] and "header = true" in str(error)
            # So may 1,234 be a thousand or one and a fraction, and 1,5 oak a number and a label.
            doubts = ("mark thousands", "may be separated by")
            if not is_count and not (way["comma"] and any(doubt in str(error) for doubt in doubts)):
                raise
            return
    assert np.array_equal(data.features, rows)
    if isinstance(labels[0], str):
        assert [data.classes[int(i)] for i in data.labels] == labels
        assert list(data.classes) == sorted(set(labels))
    else:
        assert np.array_equal(data.labels, labels)


WRONG_CELLS = ["x7", "1_0", "inf", "1e999", "", "NA", "?", "null", "1.2.3", "--", "0x10", "1 2"]


@given(tables(), ways_to_write(), st.data())
def test_a_wrong_cell_is_refused_with_its_line(table, way, data):
    rows, labels = table
    i = data.draw(st.integers(0, len(rows) - 1))
    # Most of a column being text, the column is named instead; a blank separates cells.
    way = way | {"header": True, "separator": "," if way["separator"] == " " else way["separator"]}
    way["comma"] = way["comma"] and way["separator"] != ","
    rows = [list(row) for row in [*rows, *rows, *rows]]
    labels = labels * 3
    rows[i][data.draw(st.integers(0, len(rows[0]) - 1))] = data.draw(st.sampled_from(WRONG_CELLS))
    with tempfile.TemporaryDirectory() as folder:
        path, lines = write_table(folder, (rows, labels), way)
        with pytest.raises(KavgError, match=rf"line {lines[i]}\b"):
            load_data(str(path))


@given(tables(), ways_to_write(), st.data())
def test_a_line_of_another_length_is_refused_with_its_number(table, way, data):
    rows, labels = table
    i = data.draw(st.integers(0, 2 * len(rows) - 1))
    way = way | {"header": False, "index": False, "comment": ""}
    rows = [list(row) for row in [*rows, *rows, *rows]]
    if len(rows[0]) > 1 and data.draw(st.booleans()):
        rows[i].pop()
    else:
        rows[i].append(1.5)
    with tempfile.TemporaryDirectory() as folder:
        path, lines = write_table(folder, (rows, labels * 3), way)
        text = gzip.decompress(path.read_bytes()) if way["packed"] else path.read_bytes()
        text = text.removeprefix("\ufeff".encode())
        width = len(rows[-1]) + 1
        header = way["separator"].join(f"name{j}" for j in range(width)) + "\n"
        path = Path(folder, "ragged.csv")
        path.write_bytes(header.encode() + text)
        with pytest.raises(KavgError, match=rf"line {lines[i] + 1} has \d+ columns"):
            load_data(str(path))


@given(tables(), ways_to_write(), st.data())
def test_damaged_bytes_are_read_or_refused(table, way, data):
    with tempfile.TemporaryDirectory() as folder:
        path, _ = write_table(folder, table, way)
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(content) - 1))
            content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
            content = content or bytearray(b"\n")
        path.write_bytes(content)
        try:
            found = load_data(str(path))
        except KavgError:
            return
    assert np.isfinite(found.features).all()
    assert found.features.shape == (len(found.labels), found.features.shape[1])


@given(
    tables(),
    st.sampled_from(["features labels", "X y", "data target", "arr_0 arr_1", "x_train y_train"]),
    st.booleans(),
)
def test_an_archive_comes_back_whatever_its_arrays_are_called(table, names, column):
    rows, labels = table
    features, y = names.split()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.npz")
        np.savez(path, **{features: rows, y: np.reshape(labels, (-1, 1)) if column else labels})
        data = load_data(str(path))
    assert np.array_equal(data.features, rows)
    given_back = [data.classes[int(i)] for i in data.labels] if data.classes else list(data.labels)
    assert given_back == list(labels)
