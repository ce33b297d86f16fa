"""The arrays of a data set, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats
from kavg.errors import KavgError


@final
@dataclass(frozen=True, eq=False)
class Data:
    """Examples ``features (n, p)`` with one label or target each, ``labels (n,)``; read-only.

    >>> len(Data([[1, 2], [3, 4], [5, 6]], [0, 1, 1]))
    3
    """

    features: Floats
    labels: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", _numbers("features", self.features, "(n, p)", 2))
        object.__setattr__(self, "labels", _numbers("labels", self.labels, "(n,)", 1))
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
        """How many examples."""
        return len(self.labels)

    def __repr__(self) -> str:
        """Its size; thousands of numbers would tell nobody anything."""
        n, p = self.features.shape
        return f"<Data of {n} examples, {p} features>"

    def take(self, chosen: NDArray[np.intp] | slice) -> Data:
        """These examples, in this order."""
        return Data(self.features[chosen], self.labels[chosen])


def _numbers(name: str, given: Any, shape: str, axes: int) -> Floats:
    """A read-only, contiguous float64 view (or copy) of an array of finite numbers."""
    try:
        array = np.asarray(given)
    except ValueError as fault:
        raise KavgError(f"{name} are not an array ({fault}); give rows of equal length") from fault
    if array.dtype.kind not in "fiub":
        raise KavgError(f"{name} have type {array.dtype}; give real numbers only")
    if array.ndim != axes:
        raise KavgError(f"{name} have shape {array.shape}; needed is {shape}")
    numbers = np.ascontiguousarray(array, dtype=np.float64).view()
    bad = int(np.count_nonzero(~np.isfinite(numbers)))
    if bad:
        raise KavgError(f"{name} hold {bad} values that are NaN or infinite; remove or fill them")
    numbers.flags.writeable = False
    return numbers
