"""Readers of data files: from a name or path to raw arrays.

No other module knows the file formats.  Every failure is a ``KavgError``; no pickled object is
ever read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kavg.errors import KavgError
from kavg.storage import npz
from kavg.storage.limits import format_bytes, memory_limit

RawArrays = tuple[NDArray[Any], NDArray[Any]]
NEEDS: Final = {
    ".npz": "an .npz file with the arrays 'features' (n, p) and 'labels' (n,)",
    ".csv": "a .csv file with one header line, then numbers only, the label in the last column",
}
LONGEST_LINE: Final = 2**22
"""Characters of the longest line of a table that is read: some 200 000 features."""


def read_arrays(source: str) -> RawArrays:
    """Read ``features (n, p)`` and ``labels (n,)`` of ``"digits"`` or of an .npz or .csv file.

    The arrays are as the file has them, of any type and shape; ``Data`` checks them.

    Raises KavgError if there is no such file or it cannot be parsed.
    """
    if source == "digits":
        return _read_digits()
    # repr, because control characters in a name could rewrite the terminal's text.
    path, shown = Path(source), source if source.isprintable() else repr(source)
    if path.suffix not in NEEDS:
        raise KavgError(
            f"there is no data set {source[:200]!r}; use 'digits', or the path of "
            f"{NEEDS['.npz']}, or of {NEEDS['.csv']}"
        )
    if not os.path.isfile(path):  # pathlib's own raises where a name is too long
        raise KavgError(f"{shown[:400]}: no such file; give the path of {NEEDS[path.suffix]}")
    try:
        return _read_archive(path) if path.suffix == ".npz" else _read_table(path)
    except (ValueError, OSError) as error:
        raise KavgError(f"{shown}: {error}; needed is {NEEDS[path.suffix]}") from error


def _read_archive(path: Path) -> RawArrays:
    arrays = npz.read_archive(path, ("features", "labels"))
    return arrays["features"], arrays["labels"]


def _read_digits() -> RawArrays:
    """The UCI digits that scikit-learn ships: 1797 images of 8 by 8, grey levels in [0, 1]."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise KavgError(
            "the data set 'digits' is read from scikit-learn, which is not installed; "
            "run: pip install 'kavg[data]'"
        ) from error
    bunch = load_digits()
    return bunch.data / 16.0, bunch.target


def _read_table(path: Path) -> RawArrays:
    """A header line, then one example a line; the last column is the label."""
    _check_table_size(path.stat().st_size)
    lines = (line for _, line in _numbered_lines(path))
    header = next(lines, "")
    if header and all(_is_numeral(cell) for cell in header.split(",")):
        # Skipping it regardless would lose an example silently.
        raise KavgError(f"the first line is {header[:40].strip()!r}, an example")
    examples = (line for line in lines if not line.isspace())
    first = next(examples, None)
    if first is None:
        raise KavgError("there are no examples")
    try:
        table = np.loadtxt(chain([first], examples), delimiter=",", comments=None, ndmin=2)
    except ValueError as error:
        # NumPy counts the lines it was given; the user needs the line of the file.
        raise KavgError(_first_bad_line(path) or str(error)) from error
    return table[:, :-1], table[:, -1]


def _check_table_size(size: int) -> None:
    # The densest text, a digit and a comma, becomes eight bytes: four times its size.
    most = memory_limit()
    if 4.0 * size > most:
        raise KavgError(
            f"its numbers may take {format_bytes(4.0 * size)}, and there are {format_bytes(most)}; "
            "give it as an .npz file, or a part of it"
        )


def _numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8-sig") as file:
        for number in count(1):
            # The limit stops a file without line ends from being read into memory whole.
            line = file.readline(LONGEST_LINE + 1)
            if len(line) > LONGEST_LINE:
                raise KavgError(f"line {number} has more than {LONGEST_LINE} characters")
            if not line:
                return
            yield number, line


def _first_bad_line(path: Path) -> str | None:
    columns = 0
    for number, line in _numbered_lines(path):
        if number == 1 or line.isspace():
            continue
        cells = line.split(",")
        columns = columns or len(cells)
        if len(cells) != columns:
            return f"line {number} has {len(cells)} columns where the first example has {columns}"
        text = next((cell for cell in cells if not _is_numeral(cell)), None)
        if text is not None:
            return f"line {number} has {text.strip()[:40]!r}, which is no number"
    return None


def _is_numeral(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
