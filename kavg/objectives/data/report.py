"""The report of a data set: what an objective reads, in a line and as values for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, final

import numpy as np

from kavg.base import Floats
from kavg.objectives.data.dataset import Data

SHOWN: Final = 6
"""Classes and columns that a line names at most."""
FEWEST: Final = 10
"""Examples below which a column that counts the rows may be chance."""


@final
@dataclass(frozen=True)
class DataReport:
    """What was read, and what was made of it before the first round.

    ``source`` is the name or path; ``examples`` and ``features`` count what was read, ``training``
    and ``held_out`` the parts.  ``labels`` are the distinct labels, ``classes`` their names if they
    were text.  ``scales`` are the smallest and the largest of the features' largest values,
    ``counting`` names features that count the rows, and ``notes`` say how a file was read.
    """

    source: str
    examples: int
    features: int
    training: int
    held_out: int
    labels: tuple[float, ...] = field(repr=False)
    classes: tuple[str, ...]
    scales: tuple[float, float]
    is_standardised: bool
    has_intercept: bool
    counting: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def scale_ratio(self) -> float:
        """The largest scale of a feature by the smallest."""
        return self.scales[1] / self.scales[0]

    @property
    def line(self) -> str:
        """All in one line.

        >>> report = DataReport("a.csv", 3, 2, 3, 0, (0.0, 1.0), ("no", "yes"), (1.0, 8.0), False,
        ...     False, (), ("separated by tabs",))
        >>> report.line
        'a.csv: 3 examples, 2 features up to 8, labels no = 0, yes = 1; separated by tabs'
        """
        low, high = (f"{scale:.3g}" for scale in self.scales)
        scales = f"up to {high}" if self.scale_ratio < 10 else f"of scales from {low} to {high}"
        held_out = f" ({self.held_out} held out)" if self.held_out else ""
        facts = (
            f"{self.source}: {_count(self.examples, 'example')}{held_out}, "
            f"{_count(self.features, 'feature')} {scales}, {_describe_labels(self)}"
        )
        treatment = ["standardised"] * self.is_standardised + ["with an intercept"] * (
            self.has_intercept
        )
        return "; ".join([facts, *treatment, *self.notes])

    @property
    def json(self) -> Mapping[str, Any]:
        """All as values for JSON, the mapping of text labels to numbers included."""
        return {
            "source": self.source,
            "examples": self.examples,
            "training": self.training,
            "held_out": self.held_out,
            "features": self.features,
            "distinct_labels": len(self.labels),
            "classes": {name: i for i, name in enumerate(self.classes)},
            "scales": list(self.scales),
            "standardised": self.is_standardised,
            "intercept": self.has_intercept,
            "counts_rows": list(self.counting),
            "notes": list(self.notes),
        }


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _describe_labels(report: DataReport) -> str:
    values = report.labels
    if report.classes or len(values) <= SHOWN:
        return f"labels {shorten_labels(values, report.classes)}"
    return f"{len(values)} distinct labels from {values[0]:g} to {values[-1]:g}"


def shorten_labels(values: Iterable[float], classes: Sequence[str]) -> str:
    """Return the first labels as text, with their names if they were text.

    >>> shorten_labels([1.0, 2.5], ()), shorten_labels([0.0, 1.0], ("no", "yes"))
    ('1, 2.5', 'no = 0, yes = 1')
    """
    texts = [f"{name[:20]} = {i}" for i, name in enumerate(classes)]
    texts = texts or [f"{value:g}" for value in values]
    end = f", ... ({len(texts)} of them)" if len(texts) > SHOWN else ""
    return f"{', '.join(texts[:SHOWN])}{end}"


def feature_scales(features: Floats) -> Floats:
    """Return the largest absolute value of each feature that is not constant.

    >>> feature_scales(np.array([[1.0, 5.0, -30.0], [1.0, 2.0, 20.0]])).tolist()
    [5.0, 30.0]
    """
    varies = features.min(axis=0) < features.max(axis=0)
    scales: Floats = np.abs(features[:, varies]).max(axis=0)
    return scales


def scale_range(features: Floats) -> tuple[float, float]:
    """Return the smallest and the largest scale of the features; (1, 1) if all are constant.

    >>> scale_range(np.array([[1.0, 5.0, -30.0], [1.0, 2.0, 20.0]]))
    (5.0, 30.0)
    """
    scales = feature_scales(features)
    return (float(scales.min()), float(scales.max())) if scales.size else (1.0, 1.0)


def counting_columns(data: Data) -> tuple[str, ...]:
    """Return the features that count the rows, by their names or places.

    >>> counting_columns(Data(np.arange(20.0).reshape(20, 1), np.zeros(20)))
    ('column 0',)
    """
    if len(data) < FEWEST:
        return ()
    steps = data.features[1:] - data.features[:-1]
    places = np.flatnonzero((steps == 1).all(axis=0))
    return tuple(repr(data.names[i]) if data.names else f"column {i}" for i in places)
