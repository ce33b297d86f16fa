"""Readers of data files: from a name or path, and choices, to a data set.

No other module knows the file formats.  Every failure is a ``KavgError``; no pickled object is
ever read.
"""

from __future__ import annotations

import difflib
import zlib
from pathlib import Path
from typing import Final

from kavg.errors import KavgError
from kavg.objectives.data.array_files import read_array, read_feature_arrays
from kavg.objectives.data.data_file import NAMED, DataFile
from kavg.objectives.data.dataset import Data
from kavg.objectives.data.named_sets import load_named
from kavg.objectives.data.text_lines import check_regular_file
from kavg.objectives.data.text_table import read_table

FORMATS: Final = {".npz": read_feature_arrays, ".npy": read_array}
"""Readers by the end of a name, in small letters; any other file is a table of text."""
NEEDS: Final = {
    ".npz": "an .npz file with the arrays 'features' (n, p) and 'labels' (n,), or X and y",
    ".npy": "an .npy file with a table of numbers (n, p + 1), the labels last",
    "": "a table of text such as .csv, with one example a line and the label in the last column",
}


def load_data(source: str | DataFile) -> Data:
    """Load a data set by its name, or from a file.

    Names are those of scikit-learn's ``"iris"``, ``"wine"``, ``"breast_cancer"``, ``"diabetes"``
    and ``"digits"`` (grey levels in [0, 1]), and ``"mnist1d"``.  A file is an ``.npz`` with the
    arrays ``features (n, p)`` and ``labels (n,)``, an ``.npy`` with a table, or a table of text,
    which may be compressed by gzip (``docs/settings.md``); ``DataFile`` chooses columns.

    Raises KavgError if there is no such file, or if it does not hold a data set.

    >>> load_data("irises")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kavg.errors.KavgError: there is no data set 'irises'; the closest is 'iris'; use 'iris', ...
    """
    choices = source if isinstance(source, DataFile) else DataFile(source)
    if choices.is_named:
        return load_named(choices)
    return _load_file(choices)


def _load_file(choices: DataFile) -> Data:
    path = Path(choices.path)
    # repr, because control characters in a name could rewrite the terminal's text.
    shown = choices.path if choices.path.isprintable() else repr(choices.path)
    suffix = path.suffix.lower()
    need = NEEDS.get(suffix, NEEDS[""])
    try:
        check_regular_file(path)
        return FORMATS.get(suffix, read_table)(path, choices)
    except UnicodeDecodeError as error:
        raise KavgError(
            f"{shown}: it is not text in UTF-8 (byte {error.object[error.start]:#x}); "
            "save it in UTF-8, as with: iconv -f latin1 -t utf-8"
        ) from None
    except KavgError as error:
        if str(error) == "no such file":
            raise KavgError(_describe_absence(choices.path, shown, need)) from None
        # An error without advice of its own.
        end = "" if ";" in str(error) else f"; needed is {need}"
        raise KavgError(f"{shown}: {error}{end}") from None
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise KavgError(f"{shown}: it cannot be read ({error}); needed is {need}") from None


def _describe_absence(path: str, shown: str, need: str) -> str:
    if "." in path or "/" in path:
        return f"{shown[:400]}: no such file; give the path of {need}"
    names = ", ".join(map(repr, NAMED))
    close = difflib.get_close_matches(path[:200], NAMED, n=1)
    closest = f"the closest is {close[0]!r}; " if close else ""
    return f"there is no data set {path[:200]!r}; {closest}use {names}, or the path of {need}"
