"""Tables of text as people have them: what is read, what is said, what is refused."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kavg.errors import KavgError
from kavg.objectives.data import Data, DataFile
from kavg.objectives.data.readers import load_data

ROWS = [[1.5, 2.0], [3.0, 4.5], [5.0, 6.0]]


def load(tmp_path: Path, content: str | bytes, name: str = "a.csv", **choices: Any) -> Data:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_data(DataFile(str(path), **choices))


READ = {
    "semicolons and decimal commas": ("a;b;y\n1,5;2;0\n3;4,5;1\n5;6;1\n",
                                      ("separated by semicolons", "decimal commas")),
    "tabs": ("a\tb\ty\n1.5\t2\t0\n3\t4.5\t1\n5\t6\t1\n", ("separated by tabs",)),
    "blanks, some at the beginning": ("  1.5   2.0 0\n  3.0  4.5 1\n  5.0 6.0  1 \n",
                                      ("separated by blanks", "no header")),
    "bars": ("a|b|y\n1.5|2|0\n3|4.5|1\n5|6|1\n", ("separated by bars",)),
    "quoted": ('"a","b","y"\n"1.5","2","0"\n"3","4.5","1"\n"5","6","1"\n', ()),
    "no header": ("1.5,2,0\n3,4.5,1\n5,6,1\n", ("no header",)),
    "comments": ("# by hand\na,b,y\n1.5,2,0\n# half\n3,4.5,1\n5,6,1\n", ("lines of comments: 2",)),
    "a separator at each end": ("a,b,y,\n1.5,2,0,\n3,4.5,1,\n5,6,1,\n", ()),
    "a line that names the separator": ("sep=;\na;b;y\n1.5;2;0\n3;4.5;1\n5;6;1\n",
                                        ("separated by semicolons",)),
    "an index of pandas": (",a,b,y\n0,1.5,2,0\n1,3,4.5,1\n2,5,6,1\n",
                           ("column 0 is an index of the rows and is left out (ignore = [] keeps "
                            "it)",)),
    "an index of shuffled rows": (",a,b,y\n73,1.5,2,0\n4,3,4.5,1\n118,5,6,1\n",
                                  ("column 0 is an index of the rows and is left out (ignore = [] "
                                   "keeps it)",)),
    "an index that was read back": ("Unnamed: 0,a,b,y\n0,1.5,2,0\n1,3,4.5,1\n2,5,6,1\n",
                                    ("column 0 ('Unnamed: 0') is an index of the rows and is left "
                                     "out (ignore = [] keeps it)",)),
    "pandas without names": (",0,1,2\n0,1.5,2,0\n1,3,4.5,1\n2,5,6,1\n",
                             ("column 0 is an index of the rows and is left out (ignore = [] keeps "
                              "it)",)),
    "R with names of rows": ('"a" "b" "y"\n"one" 1.5 2 0\n"two" 3 4.5 1\n"three" 5 6 1\n',
                             ("separated by blanks", "column 0 is an index of the rows and is left "
                              "out (ignore = [] keeps it)")),
    "UTF-16": ("a,b,y\n1.5,2,0\n3,4.5,1\n5,6,1\n".encode("utf-16"), ()),
    "old line ends": ("a,b,y\r1.5,2,0\r3,4.5,1\r5,6,1\r", ()),
    "compressed": (gzip.compress(b"a,b,y\n1.5,2,0\n3,4.5,1\n5,6,1\n"), ()),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_a_table_is_read_and_what_is_unusual_is_said(tmp_path: Path, name: str) -> None:
    content, notes = READ[name]
    data = load(tmp_path, content)
    assert data.features.tolist() == ROWS
    assert data.labels.tolist() == [0.0, 1.0, 1.0]
    assert data.notes == notes


NAMED = "id,a,sex,b,y\n7,1.5,m,2,0\n8,3,f,4.5,1\n9,5,f,6,1\n"
CHOSEN = {
    "ignored by name": (NAMED, {"ignore": ("id", "sex")}),
    "ignored by place": (NAMED, {"ignore": (0, 2)}),
    "ignored from the end": (NAMED, {"ignore": (-5, -3)}),
    "chosen by name": (NAMED, {"columns": ("a", "b")}),
    "chosen by place": (NAMED, {"columns": (1, 3)}),
    "label by name": ("y,a,b\n0,1.5,2\n1,3,4.5\n1,5,6\n", {"label": "y"}),
    "label by place": ("y,a,b\n0,1.5,2\n1,3,4.5\n1,5,6\n", {"label": 0}),
    "label in the middle": ("a,y,b\n1.5,0,2\n3,1,4.5\n5,1,6\n", {"label": -2}),
    "a header of numbers": ("1990,1991,1992\n1.5,2,0\n3,4.5,1\n5,6,1\n", {"header": True}),
    "a line of counts": ("0,1,2\n1.5,2,0\n3,4.5,1\n5,6,1\n", {"header": True}),
    "a separator that is given": ("1.5 2 0\n3 4.5 1\n5 6 1\n", {"separator": " "}),
    "missing values": ("a,b,y\n1.5,2,0\n,2,0\n3,4.5,1\nNA,1,0\n1,2,?\n5,6,1\n",
                       {"missing": "drop"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CHOSEN)
def test_columns_and_lines_are_chosen(tmp_path: Path, name: str) -> None:
    content, choices = CHOSEN[name]
    data = load(tmp_path, content, **choices)
    assert data.features.tolist() == ROWS
    assert data.labels.tolist() == [0.0, 1.0, 1.0]


def test_a_decimal_comma_separates_no_columns(tmp_path: Path) -> None:
    # Both separators make one cell in two a number.
    data = load(tmp_path, "0,5;low\n1,5;high\n")
    assert data.features.tolist() == [[0.5], [1.5]]
    assert data.classes == ("high", "low")


def test_dropped_lines_are_named(tmp_path: Path) -> None:
    content = "a,y\n1,0\n?,0\n3,1\n4,\n" + "null,1\n" * 5 + "5,1\n"
    data = load(tmp_path, content, missing="drop")
    assert data.notes == ("dropped for missing values: 7 lines (3, 5, 6, 7, 8, ...)",)
    assert data.features.ravel().tolist() == [1.0, 3.0, 5.0]


def test_an_index_is_kept_if_nothing_is_to_be_ignored(tmp_path: Path) -> None:
    content = ",a,y\n0,1.5,0\n1,3,1\n"
    assert load(tmp_path, content, ignore=()).features.tolist() == [[0.0, 1.5], [1.0, 3.0]]
    assert load(tmp_path, content, columns=(0, 1)).features.tolist() == [[0.0, 1.5], [1.0, 3.0]]
    # A column of the user's own choice does not bring it back.
    assert load(tmp_path, ",i,a,y\n0,9,1.5,0\n1,9,3,1\n", ignore=("i",)).features.tolist() == [
        [1.5],
        [3.0],
    ]


def test_text_labels_are_numbered_in_sorted_order(tmp_path: Path) -> None:
    data = load(tmp_path, "a,species\n1,virginica\n2,setosa\n3,versicolor\n4,setosa\n")
    assert data.classes == ("setosa", "versicolor", "virginica")
    assert data.labels.tolist() == [2.0, 0.0, 1.0, 0.0]
    assert data.names == ("a",)
    assert data.take(slice(1, 3)).classes == data.classes


def test_true_and_false_are_one_and_zero(tmp_path: Path) -> None:
    data = load(tmp_path, "a,b,y\nTrue,1,no\nFALSE,2,yes\ntrue,3,yes\n")
    assert data.features.tolist() == [[1.0, 1.0], [0.0, 2.0], [1.0, 3.0]]
    assert data.notes == ("true is 1 and false is 0 in column 0 ('a')",)


MORE = "1,2,0\n" * 5
REFUSED = {
    "a column of text": ("a,sex,y\n1,m,0\n2,f,1\n", {},
        r"1 column holds text \(column 1 \('sex'\), as 'm' in line 2\); .*ignore = \['sex'\]"),
    "text without a header": ("1,m,0\n2,f,1\n", {}, r"as 'm' in line 1\); .*ignore = \[1\]"),
    "a single text": ("a,b,y\n" + MORE + "1,x,0\n", {},
        r"line 7 has 'x' in column 1 \('b'\), which is no number"),
    "a text among labels": ("a,b,y\n" + MORE + "1,2,3+\n", {},
        r"line 7 has '3\+' in column 2 \('y'\), the label, which is no number, as 5 other labels"),
    "missing": ("a,b,y\n" + MORE + "1,,0\nNA,2,1\n1,2,\n", {},
        r"3 values are missing in 3 lines \(7, 8, 9\), in column 0 \('a'\), column 1 \('b'\), "
        r"column 2 \('y'\); .*missing = 'drop'"),
    "a number too large": ("a,b,y\n" + MORE + "1,1e400,0\n", {},
        r"line 7 has '1e400' in column 1 \('b'\), which is infinite or too large"),
    "an infinite label": ("a,b,y\n" + MORE + "1,1,-inf\n", {}, "line 7 has '-inf' .* infinite"),
    "too many columns": ("a,b,y\n" + MORE + "1,2,3,4\n", {},
        "line 7 has 4 columns where the others have 3"),
    "a header that is too short": ("a,b\n" + MORE.replace("1,2,0", "1,2,3,0"), {},
        "has 4 columns where|header has 2 columns where the examples have 4"),
    "thousands in quotes": ('a,y\n"1,234",0\n"2,345",1\n', {},
        r"column 0 \('a'\), as '1,234' in line 2"),
    "thousands or decimals": ("a;y\n1,234;0\n-12,345;1\n", {}, "may be decimal commas or mark"),
    "thousands and decimals": ("a;y\n1.234,5;0\n2.345,6;1\n", {},
        r"column 0 \('a'\), as '1.234,5' in line 2"),
    "a column without values": ("a,b,y\n1,,0\n3,NA,1\n", {"missing": "drop"},
        r"column 1 \('b'\) has no values; .*ignore = \['b'\]"),
    "quotes without end": ('a,b,y\n' + MORE + '1,"2,0\n', {}, "line 7 has quotes that do not fit"),
    "true among numbers": ("a,b,y\n" + MORE + "1,true,0\n", {},
        r"column 1 \('b'\) holds numbers and also true or false"),
    "a point among commas": ("a;b;y\n1,5;2;0\n2;2,5;1\n3;2.5;0\n4;5;1\n5;6;1\n", {},
        "line 4 has '2.5' .* which is no number"),
    "no such name": ("a,b,y\n" + MORE, {"label": "Y"},
        "label = 'Y': there is no such column; .*'y'"),
    "no such place": ("a,b,y\n" + MORE, {"ignore": (3,)}, "ignore = 3: there are 3 columns"),
    "a name without a header": (MORE, {"label": "y"}, "label = 'y': it has no header; use a place"),
    "a name twice": ("a,a,y\n" + MORE, {"ignore": ("a",)},
        "ignore = 'a': 2 columns have this name; use one of the places 0, 1"),
    "the label left out": ("a,b,y\n" + MORE, {"ignore": ("y",)}, "is the label, and ignore leaves"),
    "no feature": ("a,b,y\n" + MORE, {"ignore": ("a", 1)}, "no feature is left of 3 columns"),
    "one column": ("y\n1\n2\n", {}, "its lines have one column, as '2'"),
    "a header or not": ("x1,2,y\n" + MORE, {}, "may name the columns or be an example; .*header"),
    "counts or an example": ("0,1,2\n" + MORE, {}, "may name the columns or be an example"),
    "a workbook": (b"PK\x03\x04....", {}, "is a zip archive or a workbook .* save it as a .csv"),
    "Latin-1": ("gr\xf6\xdfe,y\n1,0\n".encode("latin1"), {}, "it is not text in UTF-8 .*iconv"),
    "damaged compression": (gzip.compress(b"a,y\n1,0\n" * 99)[:-9], {}, "cannot be read"),
    "a pickle": (b"\x80\x04\x95\x00", {}, "a pickle, which kavg does not read"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path: Path, name: str) -> None:
    content, choices, message = REFUSED[name]
    with pytest.raises(KavgError, match=message):
        load(tmp_path, content, **choices)


def test_a_choice_in_a_message_can_be_followed(tmp_path: Path) -> None:
    content = "a,sex,b,y\n1,m,2,0\n3,f,,1\n5,f,6,1\n"
    with pytest.raises(KavgError, match=r"ignore = \['sex'\]"):
        load(tmp_path, content)
    with pytest.raises(KavgError, match="missing = 'drop'"):
        load(tmp_path, content, ignore=("sex",))
    assert load(tmp_path, content, ignore=("sex",), missing="drop").features.tolist() == [
        [1.0, 2.0],
        [5.0, 6.0],
    ]


def test_a_pipe_and_a_folder_are_no_files_of_data(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    (tmp_path / "b.csv").mkdir()
    for name in ("a.csv", "b.csv"):
        with pytest.raises(KavgError, match=f"{name}: it is no regular file"):
            load_data(str(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "arrays", "choices", "notes"),
    [
        ("a.npz", {"X": ROWS, "y": [0, 1, 1]}, {}, ("arrays 'X' and 'y'",)),
        ("a.NPZ", {"arr_0": ROWS, "arr_1": [0, 1, 1]}, {}, ("arrays 'arr_0' and 'arr_1'",)),
        ("a.npz", {"features": ROWS, "labels": [[0], [1], [1]]}, {}, ()),
        ("a.npz", {"data": ROWS, "target": [0, 1, 1], "more": [1]}, {},
         ("arrays 'data' and 'target'", "not read: 'more'")),
        ("a.npz", {"X": [[9, *row] for row in ROWS], "y": [0, 1, 1]}, {"ignore": (0,)},
         ("arrays 'X' and 'y'", "left out: column 0")),
        ("a.npz", {"only": [[*row, y] for row, y in zip(ROWS, (0, 1, 1), strict=True)]}, {}, ()),
        ("a.npz", {"X": [[np.nan, 1], *ROWS], "y": [9, 0, 1, 1]}, {"missing": "drop"},
         ("arrays 'X' and 'y'", "dropped for missing values: 1 examples")),
    ],
)  # fmt: skip
def test_archives_are_read(
    tmp_path: Path, name: str, arrays: dict[str, Any], choices: dict[str, Any], notes: Any
) -> None:
    with (tmp_path / name).open("wb") as file:
        np.savez(file, **arrays)
    data = load_data(DataFile(str(tmp_path / name), **choices))
    assert data.features.tolist() == ROWS
    assert data.labels.tolist() == [0.0, 1.0, 1.0]
    assert data.notes == notes


def test_a_single_array_is_a_table(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", [[0, 1.5, 2.0], [1, 3.0, 4.5], [1, 5.0, 6.0]])
    data = load_data(DataFile(str(tmp_path / "a.npy"), label=0))
    assert data.features.tolist() == ROWS
    assert data.labels.tolist() == [0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("name", "arrays", "choices", "message"),
    [
        ("a.npz", {"X": ROWS, "z": [1]}, {}, r"has the arrays \['X', 'z'\]; needed are 'features'"),
        ("a.npz", {"X": ROWS, "y": [0, 1, 1]}, {"label": 0}, "has an array of labels; leave"),
        ("a.npz", {"X": [[np.nan], [1]], "y": [0, 1]}, {}, "in 1 examples, the first at index 0"),
        ("a.npz", {"X": np.ones((3, 2, 2)), "y": [0, 1, 1]}, {}, r"shape \(3, 2, 2\); needed is"),
    ],
)
def test_archives_that_hold_no_data_set_are_refused(
    tmp_path: Path, name: str, arrays: dict[str, Any], choices: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / name, **arrays)
    with pytest.raises(KavgError, match=message):
        load_data(DataFile(str(tmp_path / name), **choices))


def test_an_array_of_objects_is_not_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[{}, 1]], dtype=object), allow_pickle=True)
    with pytest.raises(KavgError, match="only numbers and text are read"):
        load_data(str(tmp_path / "a.npy"))


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"missing": "fill"}, "missing must be one of refuse, drop, got missing='fill'"),
        ({"separator": "::"}, "separator must be one of ',', ';'"),
        ({"ignore": "id"}, r"ignore must be a list of columns, got 'id'; use \['id'\]"),
        ({"columns": 3}, r"columns must be a list of columns, got 3; use \[3\]"),
    ],
)
def test_wrong_choices_are_refused(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(KavgError, match=message):
        DataFile("a.csv", **choices)
