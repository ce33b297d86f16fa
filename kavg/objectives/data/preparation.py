"""Data sets as arrays: loaded, shuffled, divided, standardised, digested.

Nothing is scaled and no intercept is added unless asked: for an intercept, give the features a
column of ones.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Floats
from kavg.errors import KavgError, at_least_one
from kavg.objectives.data.dataset import Data
from kavg.objectives.data.readers import read
from kavg.objectives.data.synthetic import Synthetic

__all__ = [
    "Data",
    "Parts",
    "Source",
    "Synthetic",
    "check_choices",
    "digest",
    "load",
    "prepare",
    "shuffle",
    "split",
    "standardise",
]

Source = str | Data | Synthetic
"""What an objective accepts as its ``data``."""


def load(source: str) -> Data:
    """``"digits"``, or the path of an ``.npz`` or ``.csv`` file.

    An ``.npz`` file holds the arrays ``features (n, p)`` and ``labels (n,)``; a ``.csv`` file has
    one header line, then one example a line with its label in the last column.  The digits (UCI,
    from scikit-learn) are 1797 images of 8 by 8 pixels in [0, 1], labels 0 to 9.

    >>> load("irises")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kavg.errors.KavgError: there is no data set 'irises'; use 'digits', or the path of an .npz ...
    """
    raw = read(source)
    try:
        return Data(*raw)
    except KavgError as fault:
        raise KavgError(f"{source}: {fault}") from fault


def shuffle(data: Data, seed: int) -> Data:
    """The examples in an order that is a function of ``seed`` and their number alone.

    >>> shuffle(Data([[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0]), seed=0).labels.tolist()
    [1.0, 3.0, 2.0]
    """
    # Raw Philox words are the same in every NumPy; Generator.permutation promises less.
    words = np.random.Philox(key=seed).random_raw(len(data))
    return data.take(np.argsort(words, kind="stable"))


def split(data: Data, held_out: float, seed: int) -> tuple[Data, Data]:
    """Shuffle, then part in two: ``(training, held out)``, the second ``round(held_out n)`` long.

    >>> train, held = split(Data([[1.0], [2.0], [3.0], [4.0]], [0, 0, 1, 1]), 0.25, seed=0)
    >>> len(train), len(held)
    (3, 1)
    """
    n = len(data)
    count = round(held_out * n)
    if not 0 < count < n:
        raise KavgError(
            f"held_out={held_out!r} of {n} examples is {count} held out and {n - count} for "
            "training; at least one of each is needed"
        )
    shuffled = shuffle(data, seed)
    return shuffled.take(slice(count, None)), shuffled.take(slice(count))


def standardise(data: Data, by: Data) -> Data:
    """Features less the mean of ``by``, divided by its standard deviation (where that is not 0).

    >>> train = Data([[0.0, 5.0], [4.0, 5.0]], [0, 1])
    >>> standardise(train, by=train).features.tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    centred = data.features - by.features.mean(axis=0)
    constant = by.features.min(axis=0) == by.features.max(axis=0)
    return Data(centred / np.where(constant, 1.0, by.features.std(axis=0)), data.labels)


def digest(data: Data) -> str:
    """SHA-256 over ``n``, ``p``, features and labels, little-endian: do all ranks read the same?

    >>> digest(Data([[1.0]], [0]))[:16]
    '9ceed2d18cdd27d3'
    """
    sha = hashlib.sha256(np.array(data.features.shape, dtype="<i8").tobytes())
    sha.update(np.ascontiguousarray(data.features, dtype="<f8").data)
    sha.update(np.ascontiguousarray(data.labels, dtype="<f8").data)
    return sha.hexdigest()


@final
@dataclass(frozen=True, eq=False)
class Parts:
    """What an objective works on; ``label_values`` are all distinct labels, held-out ones too."""

    train: Data
    held: Data | None
    label_values: Floats


def check_choices(held_out: float, split_seed: int, use: int | None) -> None:
    """Refuse impossible choices before anything is read."""
    if not 0 <= held_out < 1:
        raise KavgError(f"held_out must be at least 0 and below 1, got held_out={held_out!r}")
    if not isinstance(split_seed, (int, np.integer)) or not 0 <= split_seed < 2**64:
        raise KavgError(f"split_seed must be a whole number in 0..2**64-1, got {split_seed!r}")
    if use is not None:
        at_least_one("use", use, "leave it out to use all training examples")


def prepare(
    source: Source, held_out: float, split_seed: int, use: int | None, scale: bool
) -> Parts:
    """Load or draw; shuffle; hold out; keep the first ``use`` for training; standardise if asked.

    The order is that of ``shuffle`` by ``split_seed``, also where nothing is held out.  ``use``
    makes the examples divide evenly among learners.  Held-out examples are standardised by the
    training examples' figures, since theirs would not be known.

    >>> parts = prepare(Synthetic("regression", examples=10), 0.2, 0, 6, scale=False)
    >>> len(parts.train), len(parts.held)
    (6, 2)
    """
    data = source.draw() if isinstance(source, Synthetic) else source
    data = load(data) if isinstance(data, str) else data
    held: Data | None = None
    if held_out > 0:
        train, held = split(data, held_out, split_seed)
    else:
        train = shuffle(data, split_seed)
    if use is not None and use > len(train):
        raise KavgError(f"use={use} examples were asked for, but there are only {len(train)}")
    train = train.take(slice(use))
    if scale:
        held = standardise(held, by=train) if held is not None else None
        train = standardise(train, by=train)
    return Parts(train, held, np.unique(data.labels))
