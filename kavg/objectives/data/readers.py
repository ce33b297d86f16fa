"""Data files to raw arrays: the only place that knows file formats.

Every fault is a ``KavgError``; no pickled object is ever read.
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
from kavg.storage.limits import in_words, room

Raw = tuple[NDArray[Any], NDArray[Any]]
NEEDS: Final = {
    ".npz": "an .npz file with the arrays 'features' (n, p) and 'labels' (n,)",
    ".csv": "a .csv file with one header line, then numbers only, the label in the last column",
}
LINE: Final = 2**22
"""Letters of the longest line of a table: some 200 000 features."""


def read(source: str) -> Raw:
    """``"digits"`` or the path of an .npz or .csv file to ``features (n, p)``, ``labels (n,)``."""
    if source == "digits":
        return digits()
    path, shown = Path(source), source if source.isprintable() else repr(source)
    if path.suffix not in NEEDS:
        raise KavgError(
            f"there is no data set {source[:200]!r}; use 'digits', or the path of "
            f"{NEEDS['.npz']}, or of {NEEDS['.csv']}"
        )
    if not os.path.isfile(path):  # pathlib's own raises where a name is too long
        raise KavgError(f"{shown[:400]}: no such file; give the path of {NEEDS[path.suffix]}")
    try:
        return archived(path) if path.suffix == ".npz" else tabulated(path)
    except (ValueError, OSError) as fault:
        raise KavgError(f"{shown}: {fault}; needed is {NEEDS[path.suffix]}") from fault


def archived(path: Path) -> Raw:
    """The arrays of an archive."""
    arrays = npz.read_archive(path, ("features", "labels"))
    return arrays["features"], arrays["labels"]


def digits() -> Raw:
    """The UCI digits that ship inside scikit-learn: 1797 images of 8 by 8, grey in [0, 1]."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as fault:
        raise KavgError(
            "the data set 'digits' is read from scikit-learn, which is not installed; "
            "run: pip install 'kavg[data]'"
        ) from fault
    bunch = load_digits()
    return bunch.data / 16.0, bunch.target


def tabulated(path: Path) -> Raw:
    """A header line, then one example a line; the last column is the label."""
    check_room(path.stat().st_size)
    lines = (line for _, line in numbered(path))
    first = next(lines, "")
    if first and all(_is_number(word) for word in first.split(",")):
        # Skipping it regardless would lose an example without a word.
        raise KavgError(f"the first line is {first[:40].strip()!r}, an example")
    examples = (line for line in lines if not line.isspace())
    found = next(examples, None)
    if found is None:
        raise KavgError("there are no examples")
    try:
        table = np.loadtxt(chain([found], examples), delimiter=",", comments=None, ndmin=2)
    except ValueError as fault:
        raise KavgError(_first_fault(path) or str(fault)) from fault
    return table[:, :-1], table[:, -1]


def check_room(size: int) -> None:
    """Refuse a table that could not be held: a digit and a comma become eight bytes."""
    if 4.0 * size > room():
        raise KavgError(
            f"its numbers may take {in_words(4.0 * size)}, and there are {in_words(room())}; "
            "give it as an .npz file, or a part of it"
        )


def numbered(path: Path) -> Iterator[tuple[int, str]]:
    """Every line with its number; one that never ends takes no more than ``LINE`` letters."""
    with path.open(encoding="utf-8-sig") as file:
        for number in count(1):
            line = file.readline(LINE + 1)
            if len(line) > LINE:
                raise KavgError(f"line {number} has more than {LINE} letters")
            if not line:
                return
            yield number, line


def _first_fault(path: Path) -> str:
    """Where a table goes wrong, by line of the file: NumPy would count what it was given."""
    columns = 0
    for number, line in numbered(path):
        if number == 1 or line.isspace():
            continue
        words = line.split(",")
        columns = columns or len(words)
        if len(words) != columns:
            return f"line {number} has {len(words)} columns where the first example has {columns}"
        strange = next((word for word in words if not _is_number(word)), None)
        if strange is not None:
            return f"line {number} has {strange.strip()[:40]!r}, which is no number"
    return ""


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
