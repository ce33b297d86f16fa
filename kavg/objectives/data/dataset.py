"""The data set: arrays of features and labels, validated once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from kavg.arrays import adopt, own_array, refuse_masked
from kavg.base import Floats
from kavg.errors import KavgError


@final
@dataclass(frozen=True, eq=False)
class Data:
    """Examples ``features (n, p)`` with one label or target each, ``labels (n,)``.

    Both arrays are finite, contiguous float64, and read-only copies: what is later done to the
    given arrays changes nothing.  Arrays of another ``Data`` are not copied again.

    Labels may have shape ``(n, 1)``.  Labels that are text become the numbers 0, 1, ...
    in the sorted order of the texts, which are ``classes``.  ``names`` are those of the features,
    and ``notes`` say how a file was read; neither changes the examples.

    Two ``Data`` are equal only if they are the same object: comparing the numbers at each look-up
    would cost too much.

    >>> Data([[1, 2], [3, 4], [5, 6]], [0, 1, 1])
    <Data of 3 examples, 2 features>
    >>> named = Data([[1], [3], [5]], ["yes", "no", "yes"])
    >>> named.labels, named.classes
    (array([1., 0., 1.]), ('no', 'yes'))
    """

    features: Floats
    labels: Floats
    classes: tuple[str, ...] = field(default=(), kw_only=True)
    names: tuple[str, ...] = field(default=(), kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        labels, classes = _number_classes(self.labels)
        # A frozen dataclass can be assigned to in no other way.
        object.__setattr__(self, "features", _as_numbers("features", self.features, "(n, p)", 2))
        object.__setattr__(self, "labels", _as_numbers("labels", labels, "(n,) or (n, 1)", 1))
        object.__setattr__(self, "classes", classes or tuple(self.classes))
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
        return self.with_features(adopt(self.features[indices]), adopt(self.labels[indices]))

    def with_features(self, features: Floats, labels: Floats) -> Data:
        """Return a data set of other examples with the same names of classes and features.

        >>> named = Data([[1.0], [2.0]], ["a", "b"])
        >>> named.with_features(named.features * 3, named.labels).classes
        ('a', 'b')
        """
        return Data(features, labels, classes=self.classes, names=self.names, notes=self.notes)


def _number_classes(given: Any) -> tuple[Any, tuple[str, ...]]:
    """Labels as one axis, and the names of the classes if they were text."""
    refuse_masked(given, "labels")
    try:
        labels = np.asarray(given)
    except ValueError:  # rows of unequal length, which _as_numbers explains
        return given, ()
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    # pandas keeps texts as objects.
    if labels.dtype.kind == "O" and all(isinstance(label, str) for label in labels.flat):
        labels = labels.astype(np.str_)
    if labels.dtype.kind != "U" or labels.ndim != 1:
        return labels, ()
    classes, numbers = np.unique(labels, return_inverse=True)
    return numbers, tuple(str(name) for name in classes)


def _as_numbers(name: str, given: Any, shape: str, axes: int) -> Floats:
    refuse_masked(given, name)
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
