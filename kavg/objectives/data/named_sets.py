"""Data sets by name: those that scikit-learn brings, and MNIST-1D, which is generated."""

from __future__ import annotations

from typing import Final

import numpy as np

from kavg.errors import KavgError
from kavg.objectives.data.data_file import GENERATED, DataFile
from kavg.objectives.data.dataset import Data
from kavg.objectives.data.generated_sets import generate_mnist1d
from kavg.objectives.data.table_columns import assign_roles

GRID: Final = 2.0**32
"""Features of diabetes, which are below 0.2, are multiples of ``1 / GRID``."""


def load_named(choices: DataFile) -> Data:
    """Load iris, wine, breast_cancer, diabetes, digits or mnist1d, without a network.

    Digits have grey levels in [0, 1], and diabetes is rounded to multiples of ``2^-32``; the other
    sets of scikit-learn are as it has them.  MNIST-1D has 5000 examples of 40 features, those of
    its own test set last.  Raises KavgError if the library is not installed.
    """
    name = choices.path
    if choices.label != -1:
        raise KavgError(f"label = {choices.label!r}: the labels of {name!r} are no column")
    whole = generate_mnist1d() if name in GENERATED else _load_bundled(name)
    # As if the labels were one more column, behind the features.
    roles = assign_roles((*whole.names, "label"), len(whole.names) + 1, choices)
    own = tuple(whole.names[i] for i in roles.features)
    notes = (*whole.notes, *roles.notes)
    # All columns as they are, without a copy.
    features = whole.features if own == whole.names else whole.features[:, roles.features]
    return Data(features, whole.labels, names=own, notes=notes)


def _load_bundled(name: str) -> Data:
    try:
        import sklearn.datasets as datasets
    except ImportError as error:
        raise KavgError(
            f"the data set {name!r} is read from scikit-learn, which is not installed; "
            "run: pip install 'kavg[data]'"
        ) from error
    bunch = getattr(datasets, f"load_{name}")()
    features = bunch.data / 16.0 if name == "digits" else bunch.data
    if name == "diabetes":
        # It is scaled when it is loaded, and versions of scikit-learn differ in last bits.
        features = np.rint(features * GRID) / GRID
    return Data(features, bunch.target, names=tuple(map(str, bunch.feature_names)))
