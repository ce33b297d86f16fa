"""The data set: arrays of features and labels, validated once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from kavg.arrays import freeze, own_array
from kavg.base import Floats
from kavg.errors import KavgError


@final
@dataclass(frozen=True, eq=False)
class Data:
    """Examples ``features (n, p)`` with one label or target each, ``labels (n,)``.

    Both arrays are finite, contiguous float64, and read-only copies: what is later done to the
    given arrays changes nothing.  Arrays that nobody can write to are not copied.  Two ``Data`` are
    equal only if they are the same object: comparing the numbers at each look-up would cost too
    much.

    >>> Data([[1, 2], [3, 4], [5, 6]], [0, 1, 1])
    <Data of 3 examples, 2 features>
    >>> len(Data([[1, 2], [3, 4], [5, 6]], [0, 1, 1]))
    3
    """

    features: Floats
    labels: Floats

    def __post_init__(self) -> None:
        # A frozen dataclass can be assigned to in no other way.
        object.__setattr__(self, "features", _as_numbers("features", self.features, "(n, p)", 2))
        object.__setattr__(self, "labels", _as_numbers("labels", self.labels, "(n,)", 1))
        n, p = self.features.shape
        if len(self.labels) != n:
            raise KavgError(
                f"features are for {n} examples and labels for {len(self.labels)}; "
                "give one label an example"
            )
        if n == 0 or p == 0:
            raise KavgError(
                f"features have shape ({n}, {p}); at least one example and one feature are needed"
            )

    def __len__(self) -> int:
        """The number n of examples."""
        return len(self.labels)

    def __repr__(self) -> str:
        n, p = self.features.shape
        return f"<Data of {n} examples, {p} features>"

    def take(self, indices: NDArray[np.intp] | slice) -> Data:
        """Return the examples at these indices, in the order of the indices.

        >>> Data([[1.0], [2.0], [3.0]], [0, 1, 2]).take(slice(2)).labels
        array([0., 1.])
        """
        return Data(freeze(self.features[indices]), freeze(self.labels[indices]))


def _as_numbers(name: str, given: Any, shape: str, axes: int) -> Floats:
    try:
        array = np.asarray(given)
    except ValueError as error:
        raise KavgError(f"{name} are not an array ({error}); give rows of equal length") from error
    if array.dtype.kind not in "fiub":
        raise KavgError(f"{name} have type {array.dtype}; give real numbers only")
    if array.ndim != axes:
        raise KavgError(f"{name} have shape {array.shape}; needed is {shape}")
    numbers: Floats = own_array(array, np.float64)
    not_finite = int(np.count_nonzero(~np.isfinite(numbers)))
    if not_finite:
        raise KavgError(
            f"{name} hold {not_finite} values that are NaN or infinite; remove or fill them"
        )
    return numbers
