"""Data files to raw arrays: the only place that knows file formats.

Every fault is a ``KavgError``; no pickled object is ever read.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kavg.base import KavgError

Raw = tuple[NDArray[Any], NDArray[Any]]
NEEDS = {
    ".npz": "an .npz file with the arrays 'features' (n, p) and 'labels' (n,)",
    ".csv": "a .csv file with one header line, then numbers only, the label in the last column",
}


def read(source: str) -> Raw:
    """``"digits"`` or the path of an .npz or .csv file to ``features (n, p)``, ``labels (n,)``."""
    if source == "digits":
        return digits()
    path = Path(source)
    if path.suffix not in NEEDS:
        raise KavgError(
            f"there is no data set {source!r}; use 'digits', or the path of "
            f"{NEEDS['.npz']}, or of {NEEDS['.csv']}"
        )
    if not path.is_file():
        raise KavgError(f"{source}: no such file; give the path of {NEEDS[path.suffix]}")
    try:
        return npz(path) if path.suffix == ".npz" else csv(path)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as fault:
        if isinstance(fault, KavgError):
            raise
        raise KavgError(f"{source}: {fault}; needed is {NEEDS[path.suffix]}") from fault


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


def npz(path: Path) -> Raw:
    """The arrays ``features`` and ``labels`` of an archive."""
    with path.open("rb") as file:
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise KavgError(f"{path}: holds a single array; needed is {NEEDS['.npz']}")
        for name in ("features", "labels"):
            if name not in archive.files:
                raise KavgError(
                    f"{path}: has no array {name!r}, only {archive.files}; "
                    f"needed is {NEEDS['.npz']}"
                )
        return archive["features"], archive["labels"]


def csv(path: Path) -> Raw:
    """A header line, then one example a line; the last column is the label."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    if lines and all(_is_number(word) for word in lines[0].split(",")):
        # Skipping it regardless would lose an example without a word.
        raise KavgError(
            f"{path}: the first line is {lines[0][:40]!r}, an example; needed is {NEEDS['.csv']}"
        )
    examples = [line for line in lines[1:] if line.strip()]
    if not examples:
        raise KavgError(f"{path}: there are no examples; needed is {NEEDS['.csv']}")
    try:
        table = np.loadtxt(examples, delimiter=",", comments=None, ndmin=2)
    except ValueError as fault:
        raise KavgError(f"{path}: {_first_fault(lines)}; needed is {NEEDS['.csv']}") from fault
    return table[:, :-1], table[:, -1]


def _first_fault(lines: list[str]) -> str:
    """Where a table goes wrong, by line of the file: NumPy would count what it was given."""
    filled = [(number, line) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    columns = len(filled[0][1].split(","))
    for number, line in filled:
        words = line.split(",")
        if len(words) != columns:
            return f"line {number} has {len(words)} columns where the first example has {columns}"
        for word in words:
            if not _is_number(word):
                return f"line {number} has {word.strip()!r}, which is no number"
    return "its examples are no table of numbers"


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
