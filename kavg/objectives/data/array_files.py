"""Reader of data sets in NumPy's files, ``.npz`` and ``.npy``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kavg.errors import KavgError
from kavg.objectives.data.data_file import DataFile
from kavg.objectives.data.dataset import Data
from kavg.objectives.data.table_columns import assign_roles
from kavg.storage import npy, npz

PAIRS: Final = (
    ("features", "labels"),
    ("X", "y"),
    ("x", "y"),
    ("data", "target"),
    ("data", "labels"),
    ("X_train", "y_train"),
    ("x_train", "y_train"),
    ("arr_0", "arr_1"),
)
"""Names of the arrays of features and labels; the first pair that is there is read."""


def read_feature_arrays(path: Path, choices: DataFile) -> Data:
    """Read the features ``(n, p)`` and the labels ``(n,)`` or ``(n, 1)`` of an ``.npz`` file.

    An archive with a single array is read as a table.  Raises KavgError if there are other arrays
    only.
    """
    names = npz.list_arrays(path)
    pair = next((pair for pair in PAIRS if {*pair} <= {*names}), None)
    if pair is None and len(names) == 1:
        return _split_table(npz.read_archive(path, names)[names[0]], choices)
    if pair is None:
        pairs = ", ".join(" and ".join(map(repr, pair)) for pair in PAIRS)
        raise KavgError(f"it has the arrays {names[:9]}; needed are {pairs}")
    arrays = npz.read_archive(path, pair)
    others = sorted({*names} - {*pair})
    notes = [] if pair == PAIRS[0] else [f"arrays {pair[0]!r} and {pair[1]!r}"]
    notes += [f"not read: {', '.join(map(repr, others[:9]))}"] if others else []
    return _choose_features(arrays[pair[0]], arrays[pair[1]], choices, notes)


def read_array(path: Path, choices: DataFile) -> Data:
    """Read an ``.npy`` file, a table of numbers ``(n, p + 1)`` with a column of labels."""
    return _split_table(npy.read_array_file(path), choices)


def _split_table(table: NDArray[Any], choices: DataFile) -> Data:
    if table.ndim != 2 or table.dtype.kind not in "fiub":
        raise KavgError(
            f"it is an array of {table.dtype} of shape {table.shape}; needed is a table of "
            "numbers (n, p + 1), one column being the labels"
        )
    roles = assign_roles((), table.shape[1], choices)
    features, labels = table[:, roles.features], table[:, roles.label]
    return _drop_missing(features, labels, choices, list(roles.notes))


def _choose_features(
    features: NDArray[Any], labels: NDArray[Any], choices: DataFile, notes: list[str]
) -> Data:
    """Data of separate arrays, of which ``columns`` and ``ignore`` can choose features."""
    if choices.label != -1:
        raise KavgError(
            f"label = {choices.label!r} chooses a column of a table, and this file has an array "
            "of labels; leave label out"
        )
    if features.ndim == 2 and (choices.columns or choices.ignore):
        # As if the labels were one more column, behind the features.
        roles = assign_roles((), features.shape[1] + 1, choices)
        features, notes = features[:, roles.features], [*notes, *roles.notes]
    return _drop_missing(features, labels, choices, notes)


def _drop_missing(
    features: NDArray[Any], labels: NDArray[Any], choices: DataFile, notes: list[str]
) -> Data:
    if features.dtype.kind != "f" or features.ndim != 2:
        return Data(features, labels, notes=tuple(notes))
    lost = np.isnan(features).any(axis=1)
    count = int(lost.sum())
    if count and choices.missing == "refuse":
        raise KavgError(
            f"features are missing (NaN) in {count} examples, the first at index {lost.argmax()}; "
            "fill them, or leave these examples out with data = { kind = 'file', path = '...', "
            "missing = 'drop' }"
        )
    if count and labels.ndim and len(labels) == len(lost):
        features, labels = features[~lost], labels[~lost]
        notes.append(f"dropped for missing values: {count} examples")
    return Data(features, labels, notes=tuple(notes))
