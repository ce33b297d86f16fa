"""The data sets that scikit-learn brings."""

from __future__ import annotations

from kavg.errors import KavgError
from kavg.objectives.data.data_file import DataFile
from kavg.objectives.data.dataset import Data
from kavg.objectives.data.table_columns import assign_roles


def load_bundled(choices: DataFile) -> Data:
    """Load iris, wine, breast_cancer, diabetes or digits, without a network.

    Digits have grey levels in [0, 1]; the others are as scikit-learn has them.  Raises KavgError
    if scikit-learn is not installed.
    """
    name = choices.path
    try:
        import sklearn.datasets as datasets
    except ImportError as error:
        raise KavgError(
            f"the data set {name!r} is read from scikit-learn, which is not installed; "
            "run: pip install 'kavg[data]'"
        ) from error
    bunch = getattr(datasets, f"load_{name}")()
    features = bunch.data / 16.0 if name == "digits" else bunch.data
    if choices.label != -1:
        raise KavgError(f"label = {choices.label!r}: the labels of {name!r} are no column")
    names = tuple(map(str, bunch.feature_names))
    # As if the labels were one more column, behind the features.
    roles = assign_roles((*names, "label"), len(names) + 1, choices)
    own = tuple(names[i] for i in roles.features)
    return Data(features[:, roles.features], bunch.target, names=own, notes=roles.notes)
