"""Preparation of data sets: loading, shuffling, splitting, standardising, and a digest.

Nothing is scaled unless ``standardise`` says so, and no intercept is added: for an intercept, give
the features a column of ones.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, final

import numpy as np
from annotated_types import Interval

from kavg.arrays import freeze
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.objectives.data.dataset import Data
from kavg.objectives.data.readers import read_arrays
from kavg.objectives.data.synthetic import Synthetic
from kavg.ranges import Count

Source = str | Data | Synthetic
"""What an objective accepts as its ``data``."""
HeldOut = Annotated[float, Interval(ge=0, lt=1)]
"""The share of the examples that is held out of training."""
UsedExamples = Annotated[Count, "leave it out to use all training examples"]
"""How many training examples are used."""


@final
@dataclass(frozen=True, eq=False)
class DataSplit:
    """The examples that an objective works on.

    ``train`` are those that F is the mean over, ``held_out`` those that it is only measured on
    (None without any), ``label_values`` all distinct labels ``(C,)`` of the whole data set in
    increasing order, so that a class without a training example still counts.
    """

    train: Data
    held_out: Data | None
    label_values: Floats


def load_data(source: str) -> Data:
    """Load ``"digits"``, or the path of an ``.npz`` or ``.csv`` file.

    An ``.npz`` file holds the arrays ``features (n, p)`` and ``labels (n,)``; a ``.csv`` file has
    one header line, then one example a line with its label in the last column.  The digits (UCI,
    from scikit-learn) are 1797 images of 8 by 8 pixels in [0, 1], labels 0 to 9.

    Raises KavgError if there is no such file, or if it does not hold such arrays.

    >>> load_data("irises")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kavg.errors.KavgError: there is no data set 'irises'; use 'digits', or the path of an .npz ...
    """
    arrays = read_arrays(source)
    try:
        # Nobody else holds what was read, so it need not be copied.
        return Data(*map(freeze, arrays))
    except KavgError as error:
        raise KavgError(f"{source}: {error}") from error


def shuffle_examples(data: Data, seed: int) -> Data:
    """Return the examples in an order that is a function of ``seed`` and their number alone.

    >>> shuffle_examples(Data([[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0]), seed=0).labels.tolist()
    [1.0, 3.0, 2.0]
    """
    # Raw Philox words are the same in every NumPy; Generator.permutation promises less.
    words = np.random.Philox(key=seed).random_raw(len(data))
    return data.take(np.argsort(words, kind="stable"))


def hold_out(data: Data, share: float, seed: int) -> tuple[Data, Data]:
    """Shuffle and split: ``(training, held out)``, the second ``round(share n)`` examples long.

    Raises KavgError if either would be empty.

    >>> train, held_out = hold_out(Data([[1.0], [2.0], [3.0], [4.0]], [0, 0, 1, 1]), 0.25, seed=0)
    >>> len(train), len(held_out)
    (3, 1)
    """
    n = len(data)
    count = round(share * n)
    if not 0 < count < n:
        raise KavgError(
            f"held_out={share!r} of {n} examples is {count} held out and {n - count} for "
            "training; at least one of each is needed"
        )
    shuffled = shuffle_examples(data, seed)
    return shuffled.take(slice(count, None)), shuffled.take(slice(count))


def standardise_features(data: Data, by: Data) -> Data:
    """Subtract the mean of ``by`` from features, and divide by its deviation where not 0.

    >>> train = Data([[0.0, 5.0], [4.0, 5.0]], [0, 1])
    >>> standardise_features(train, by=train).features.tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    centred = data.features - by.features.mean(axis=0)
    # The standard deviation of a constant column may be rounding instead of 0.
    constant = by.features.min(axis=0) == by.features.max(axis=0)
    return Data(centred / np.where(constant, 1.0, by.features.std(axis=0)), data.labels)


def digest_data(data: Data) -> str:
    """Return the SHA-256 over ``n``, ``p``, features and labels, as little-endian bytes.

    Equal digests on all ranks mean that all have read the same data.

    >>> digest_data(Data([[1.0]], [0]))[:16]
    '9ceed2d18cdd27d3'
    """
    sha = hashlib.sha256(np.array(data.features.shape, dtype="<i8").tobytes())
    sha.update(np.ascontiguousarray(data.features, dtype="<f8").data)
    sha.update(np.ascontiguousarray(data.labels, dtype="<f8").data)
    return sha.hexdigest()


def prepare_data(
    source: Source, held_out: float, split_seed: int, use: int | None, standardise: bool
) -> DataSplit:
    """Load or draw, shuffle, hold out, cut the training examples to ``use``, standardise.

    The order is that of ``shuffle_examples`` by ``split_seed``, also where nothing is held out.
    With ``use`` the number of examples can be made to divide evenly among learners.  Held-out
    examples are standardised by the mean and deviation of the training examples, as in practice
    their own would not be known.

    >>> split = prepare_data(Synthetic("regression", examples=10), 0.2, 0, 6, standardise=False)
    >>> len(split.train), len(split.held_out)
    (6, 2)
    """
    data = source.draw() if isinstance(source, Synthetic) else source
    data = load_data(data) if isinstance(data, str) else data
    test: Data | None = None
    if held_out > 0:
        train, test = hold_out(data, held_out, split_seed)
    else:
        train = shuffle_examples(data, split_seed)
    if use is not None and use > len(train):
        raise KavgError(f"use={use} examples were asked for, but there are only {len(train)}")
    train = train.take(slice(use))
    if standardise:
        test = standardise_features(test, by=train) if test is not None else None
        train = standardise_features(train, by=train)
    return DataSplit(train, test, freeze(np.unique(data.labels)))
