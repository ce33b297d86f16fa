"""Preparation of data sets: shuffling, splitting, standardising, an intercept, and a digest.

Arrays and synthetic data are taken as they are, unless ``standardise`` or ``intercept`` says so.
Data that kavg reads from a file or by name are standardised if their scales differ by more than
100, and get an intercept, unless told otherwise.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from typing import Annotated, Final, final

import numpy as np
from annotated_types import Interval

from kavg.arrays import adopt, freeze
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.objectives.data.data_file import DataFile
from kavg.objectives.data.dataset import Data
from kavg.objectives.data.readers import load_data
from kavg.objectives.data.report import DataReport, counting_columns, scale_range
from kavg.objectives.data.synthetic import Synthetic
from kavg.ranges import Count

Source = str | os.PathLike[str] | DataFile | Data | Synthetic
"""What an objective accepts as its ``data``; a path becomes text."""
UNLIKE: Final = 100.0
"""The ratio of the features' scales above which what kavg reads is standardised."""
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
    increasing order, so that a class without a training example still counts.  ``report`` says what
    was read.
    """

    train: Data
    held_out: Data | None
    label_values: Floats
    report: DataReport


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
    """Subtract the mean of ``by`` from features and divide by its deviation; keep constant ones.

    A constant feature, such as a column of ones for an intercept, stays as it is.

    >>> train = Data([[0.0, 1.0], [4.0, 1.0]], [0, 1])
    >>> standardise_features(train, by=train).features.tolist()
    [[-1.0, 1.0], [1.0, 1.0]]
    """
    # The standard deviation of a constant column may be rounding instead of 0.
    constant = by.features.min(axis=0) == by.features.max(axis=0)
    mean = np.where(constant, 0.0, by.features.mean(axis=0))
    deviation = np.where(constant, 1.0, by.features.std(axis=0))
    return data.with_features(adopt((data.features - mean) / deviation), data.labels)


def add_intercept(data: Data) -> Data:
    """Append a column of ones to the features, of which w has the intercept as its last number.

    >>> add_intercept(Data([[2.0], [3.0]], [0, 1])).features.tolist()
    [[2.0, 1.0], [3.0, 1.0]]
    """
    features = adopt(np.concatenate([data.features, np.ones((len(data), 1))], axis=1))
    return Data(features, data.labels, classes=data.classes, notes=data.notes)


def digest_data(data: Data) -> str:
    """Return the SHA-256 over ``n``, ``p``, features and labels, as little-endian bytes.

    The names of classes follow, if the labels were text.

    Equal digests on all ranks mean that all have read the same data.

    >>> digest_data(Data([[1.0]], [0]))[:16]
    '9ceed2d18cdd27d3'
    """
    sha = hashlib.sha256(np.array(data.features.shape, dtype="<i8").tobytes())
    sha.update(np.ascontiguousarray(data.features, dtype="<f8").data)
    sha.update(np.ascontiguousarray(data.labels, dtype="<f8").data)
    # Numbers alone have the digest that they always had.
    if data.classes:
        sha.update("\0".join(data.classes).encode())
    return sha.hexdigest()


@final
@dataclass(frozen=True)
class Preparation:
    """The choices that lead from a data set to the examples of an objective.

    ``standardise`` and ``intercept`` of None leave the choice to kavg.
    """

    held_out: float = 0.0
    split_seed: int = 0
    use: int | None = None
    standardise: bool | None = None
    intercept: bool | None = False


def prepare_data(source: Source, choices: Preparation) -> DataSplit:
    """Load or draw, shuffle, hold out, cut the training examples to ``use``, standardise.

    The order is that of ``shuffle_examples`` by ``split_seed``, also where nothing is held out.
    With ``use`` the number of examples can be made to divide evenly among learners.  Held-out
    examples are standardised by the mean and deviation of the training examples, as in practice
    their own would not be known.

    >>> split = prepare_data(Synthetic("regression", examples=10), Preparation(0.2, use=6))
    >>> len(split.train), len(split.held_out)
    (6, 2)
    """
    data, name = _obtain_data(source)
    train, test = _split_data(data, choices)
    scales = scale_range(train.features)
    choices = _complete_choices(
        choices, train, scales, is_read=not isinstance(source, (Data, Synthetic))
    )
    report = DataReport(
        name,
        len(data),
        data.features.shape[1],
        len(train),
        len(test) if test is not None else 0,
        tuple(np.unique(data.labels).tolist()),
        data.classes,
        scales,
        bool(choices.standardise),
        bool(choices.intercept),
        counting_columns(data),
        data.notes,
    )
    if choices.standardise:
        test = standardise_features(test, by=train) if test is not None else None
        train = standardise_features(train, by=train)
    if choices.intercept:
        train, test = add_intercept(train), add_intercept(test) if test is not None else None
    return DataSplit(train, test, freeze(np.unique(data.labels)), report)


def _obtain_data(source: Source) -> tuple[Data, str]:
    """The data set and what to call it."""
    if isinstance(source, Data):
        return source, "arrays"
    if isinstance(source, Synthetic):
        return source.draw(), "synthetic"
    file = source if isinstance(source, DataFile) else DataFile(os.fspath(source))
    return load_data(file), os.path.basename(file.path)


def _split_data(data: Data, choices: Preparation) -> tuple[Data, Data | None]:
    test: Data | None = None
    if choices.held_out > 0:
        train, test = hold_out(data, choices.held_out, choices.split_seed)
    else:
        train = shuffle_examples(data, choices.split_seed)
    if choices.use is not None and choices.use > len(train):
        raise KavgError(
            f"use={choices.use} examples were asked for, but there are only {len(train)}"
        )
    return train.take(slice(choices.use)), test


def _complete_choices(
    choices: Preparation, train: Data, scales: tuple[float, float], *, is_read: bool
) -> Preparation:
    """The choices with what was left to kavg: nothing is changed in data that it did not read."""
    low, high = scales
    is_constant = ((train.features == train.features[0]) & (train.features != 0)).all(axis=0)
    standardise, intercept = is_read and high > UNLIKE * low, is_read and not is_constant.any()
    return replace(
        choices,
        standardise=standardise if choices.standardise is None else choices.standardise,
        intercept=intercept if choices.intercept is None else choices.intercept,
    )
