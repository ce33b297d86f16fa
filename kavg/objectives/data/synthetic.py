"""Synthetic data sets, generated from a known linear model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, final

import numpy as np

from kavg.base import Floats
from kavg.objectives.data.dataset import Data
from kavg.ranges import Count, DataSeed, NonNegative, Share, check_ranges


@final
@dataclass(frozen=True)
class Synthetic:
    """Labels that follow a linear model ``u`` of length 1 with noise, and a share of outliers.

    Features ``a_i ~ N(0, I)``.  Regression: ``y_i = a_i.u + noise z_i`` with ``z_i ~ N(0, 1)``;
    outliers get a further ``N(0, 10^2)``.  Classification: ``y_i = sign(a_i.u + noise z_i)``, -1
    or 1; outliers have the other sign.  Exactly ``round(outliers examples)`` examples are outliers.
    The arrays depend on these settings alone.

    >>> data = Synthetic("classification", examples=50, features=3, seed=1).draw()
    >>> data.features.shape, np.unique(data.labels).tolist()
    ((50, 3), [-1.0, 1.0])
    """

    kind: Literal["regression", "classification"]
    examples: Annotated[Count, "a data set holds something"] = 1000
    features: Annotated[Count, "an intercept is added by the objective"] = 10
    noise: NonNegative = 0.1
    outliers: Share = 0.0
    seed: DataSeed = 0

    def __post_init__(self) -> None:
        check_ranges(self)

    def _generator(self, purpose: int) -> np.random.Generator:
        # One key for each array, so that more features or outliers leave the others as they are.
        key = np.array([self.seed, purpose], dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=key))

    @property
    def truth(self) -> Floats:
        """The direction ``u (features,)``, of length 1, that the labels follow.

        For a regression without outliers it is the best w, up to the noise.
        """
        u = self._generator(0).standard_normal(self.features)
        length = float(np.linalg.norm(u))
        return u / length

    def draw(self) -> Data:
        """Generate ``features (examples, features)`` and ``labels (examples,)``."""
        a = self._generator(1).standard_normal((self.examples, self.features))
        # Both for all examples, so that the number of outliers changes no other label.
        z, far = self._generator(2).standard_normal((2, self.examples))
        is_outlier = np.arange(self.examples) < round(self.outliers * self.examples)
        y = np.vecdot(a, self.truth) + self.noise * z
        if self.kind == "regression":
            return Data(a, y + 10 * far * is_outlier)
        # The sign of y, and the other one for an outlier.
        return Data(a, np.where((y > 0) == is_outlier, -1.0, 1.0))
