"""The division of examples among learners, alike or by their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from kavg.arrays import as_array
from kavg.base import Indices
from kavg.errors import KavgError
from kavg.oracles.streams import Purpose, Streams
from kavg.ranges import Seed, Share, check_count, check_ranges


@final
@dataclass(frozen=True)
class Partition:
    """Each learner has its own ``n / P`` examples, so ``F = (1/P) sum_j f_j`` exactly.

    Of every part, the share ``skew`` is dealt in the order of the labels and the rest at random:
    0 gives parts of the same distribution, 1 gives each learner a stretch of the sorted labels.
    The partition belongs to the problem: it is addressed by its own ``seed``, not by that of the
    run.

    >>> Partition(skew=1.0).deal(np.array([1, 0, 1, 0]), P=2)
    array([[1, 3],
           [0, 2]])
    """

    skew: Share = 0.0
    seed: Seed = 0

    def __post_init__(self) -> None:
        check_ranges(self)

    def deal(self, labels: NDArray[Any], P: int) -> Indices:
        """Deal the examples to P learners: the indices of each learner's part, ``(P, n/P)``.

        Raises KavgError if P does not divide the number of labels.  With parts of unequal size
        the mean of the learners' objectives would not be the mean over the data.
        """
        labels, P = as_array(labels, "labels"), check_count("P", P, "use P=1 for a single learner")
        n = len(labels)
        if n % P:
            advice = f"use={n - n % P} in the objective leaves the last {n % P} out"
            raise KavgError(
                f"{n} examples cannot be dealt evenly to P={P} learners; "
                + (advice if n > P else f"use P of at most {n}")
            )
        # Words, unlike floats, have no ties and are the same on every machine.
        words = Streams(seed=self.seed, purpose=Purpose.PARTITION, R=1, tile=1, W=n).words(0)
        shuffled = np.argsort(words[0, 0])
        skewed = round(self.skew * (n // P))
        by_label, rest = shuffled[: P * skewed], shuffled[P * skewed :]
        # By label, then by index: equal labels have one order, whatever the shuffle was.
        by_label = by_label[np.lexsort((by_label, labels[by_label]))]
        dealt = (by_label.reshape(P, skewed), rest.reshape(P, n // P - skewed))
        return np.concatenate(dealt, axis=1)
