"""A table of quantiles of the normal law, the same bits on every machine.

Entry k of 65,536 is the quantile of ``(k + 1/2) / 65536``, so a uniform 16-bit number looks up a
number that is normal but for its resolution.  Quantiles alone lack the tails beyond them: 2e-5 of
the second moment and 2 % of the tenth.  So the outer ones are moved, by at most 1.3 of the
65,536 parts of the law, to where the moments are those of the normal law.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats
from kavg.elementary.logarithm import log

SIZE: Final = 2**16
"""Entries of the table: the values of a 16-bit number."""
CORRECTION: Final = (2.3416513, -26.49070889, 83.07174947, -96.59664819, 37.26927131)
"""The numbers of ``correct_tails``, made by ``experiments/noise/moments.py``."""
# Wichura's coefficients, the highest power first: a ratio in 0.425^2 - (1/2 - p)^2 where p is
# within 0.425 of 1/2, and one in sqrt(-log p) - 1.6 further out.
CENTRE: Final = (
    (
        2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
        4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
        1.3314166789178437745e2, 3.3871328727963666080e0,
    ),
    (
        5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
        2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
        4.2313330701600911252e1, 1.0,
    ),
)  # fmt: skip
TAIL: Final = (
    (
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
        1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
        4.63033784615654529590e0, 1.42343711074968357734e0,
    ),
    (
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
        1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
        2.05319162663775882187e0, 1.0,
    ),
)  # fmt: skip


@lru_cache(maxsize=1)
def normal_quantiles() -> NDArray[np.float32]:
    """Return the table, ``(65536,)`` in ascending order; each entry has its opposite.

    Its mean is 0 exactly, and its moments of order 2, 4, 6, 8 and 10 are those of the normal law to
    a relative 1e-8.

    >>> table = normal_quantiles()
    >>> bool(np.all(table == -table[::-1])), round(float(table[49152]), 4)
    (True, 0.6745)
    """
    quantiles = upper_quantiles((np.arange(SIZE // 2) + 0.5) / SIZE)
    upper = correct_tails(quantiles, CORRECTION).astype(np.float32)
    table = np.concatenate((-upper, upper[::-1]))
    table.flags.writeable = False
    return table


def upper_quantiles(p: Floats) -> Floats:
    """Return the numbers that a normal exceeds with probability ``p``, from ``2^-17`` to 1/2.

    To a relative 1e-15, by operations that IEEE 754 defines exactly.

    Source: Wichura 1988, "Algorithm AS 241: The percentage points of the normal distribution".
    """
    from_middle = 0.5 - p
    inner = 0.425 * 0.425 - from_middle * from_middle
    centre = from_middle * _ratio(CENTRE, inner)
    # Where p is in the centre the logarithm is not needed, and its square root would be of less.
    outer = np.sqrt(-log(np.minimum(p, 0.075))) - 1.6
    return np.where(inner >= 0, centre, _ratio(TAIL, outer))


def correct_tails(quantiles: Floats, c: Sequence[float]) -> Floats:
    """Move the k-th largest quantile u by ``(u/4) (c_0 + c_1 (u/4)^2 + ...) / (2 k + 1)``."""
    quarters = quantiles / 4.0
    squares, total = quarters * quarters, np.zeros_like(quantiles)
    for each in reversed(c):
        total = total * squares + each
    return quantiles + quarters * total / (2.0 * np.arange(len(quantiles)) + 1.0)


def _ratio(coefficients: Sequence[Sequence[float]], x: Floats) -> Floats:
    over, under = (np.zeros_like(x) for _ in range(2))
    for above, below in zip(*coefficients, strict=True):
        over, under = over * x + above, under * x + below
    return over / under
