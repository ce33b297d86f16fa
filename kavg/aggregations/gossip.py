"""Gossip: learners keep their iterates, and mix them with those of their neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, Final, Literal, final

from kavg.aggregations.contradictions import refuse_averaged_slots, require_averaging
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.ranges import NonNegative, check_ranges

SUM_ERROR: Final = 1e-12
"""How far a row or a column of a mixing matrix may sum from 1."""

Matrix = tuple[tuple[NonNegative, ...], ...]


@final
@dataclass(frozen=True)
class Gossip:
    """Decentralised SGD: after K steps learner j goes on from ``sum_i W_ji x^i``.

    Round n, in which each learner begins at its own ``x^j``::

        w = w + (1/P) sum_j (x_K^j - w)     one Allreduce: the mean of all, which is recorded
        x^j = sum_i W_ji x_K^i              in the order of i, where W_ji > 0: one Allgather

    ``mixing`` is W by a name or as P rows of P numbers of at least 0: ``"ring"`` (a learner and its
    two neighbours, 1/3 each; 1/2 each of two learners), ``"complete"`` (``1/P`` each) or
    ``"identity"`` (learners that never meet).  Rows and columns must sum to 1, to 1e-12: a matrix
    of which the rows alone do changes the mean at every mixing.  W need not be symmetric.

    D-PSGD mixes the iterates from before the step, ``x^j = sum_i W_ji x^i - gamma g(x^j)``, and is
    another recursion (Lian et al. 2017, arXiv 1705.09056).

    ``"complete"`` is K-AVG up to rounding: the sum of the weighted iterates is not the exact mean.
    ``"identity"`` has the bits of ``ElasticAveraging(alpha=0)``.  Every rank holds the iterates of
    all P learners.

    Raises ``KavgError`` if ``mixing`` is not doubly stochastic, does not have P rows, or if the
    outer rule is not averaging or the optimizer's state is averaged.

    Source: Koloskova, Loizou, Boreiri, Jaggi and Stich 2020, arXiv 2003.10422.

    >>> Gossip().list_weights(0, P=4)
    [(0, 0.3333333333333333), (1, 0.3333333333333333), (3, 0.3333333333333333)]
    >>> Gossip(mixing=[[0.75, 0.25], [0.25, 0.75]]).list_weights(1, P=2)
    [(0, 0.25), (1, 0.75)]
    """

    kind = "gossip"
    same_bits = "any machine"
    mixing: Literal["ring", "complete", "identity"] | Matrix = "ring"

    def __post_init__(self) -> None:
        given: Any = self.mixing
        if getattr(given, "ndim", 0) == 2:  # an array; a range is one row of numbers
            object.__setattr__(self, "mixing", given.tolist())
        check_ranges(self)
        if not isinstance(self.mixing, str):
            _check_doubly_stochastic(self.mixing)

    def check_method(self, method: Any) -> None:
        """Raise ``KavgError`` unless W has P rows and learners can go on from what it mixes."""
        if not isinstance(self.mixing, str) and len(self.mixing) != method.P:
            raise KavgError(
                f"mixing must have a row for each learner, got {len(self.mixing)} rows and "
                f"P={method.P}; give P rows of P numbers, or the name of a matrix, such as 'ring'"
            )
        why = "no learner begins at the point that another rule moves"
        require_averaging(method, "gossip", why)
        refuse_averaged_slots(method, "gossip")

    def release(self, x: Floats, w: Floats) -> None:
        """Leave the iterates, which are mixed when all are known."""

    def list_weights(self, j: int, P: int) -> Sequence[tuple[int, float]]:
        """Return the learners i with ``W_ji > 0``, which rise, and these weights."""
        if not isinstance(self.mixing, str):
            return [(i, weight) for i, weight in enumerate(self.mixing[j]) if weight > 0]
        # A set, as the two neighbours of one of two learners are the same.
        near = {j} if self.mixing == "identity" else {j, (j + 1) % P, (j - 1) % P}
        who = range(P) if self.mixing == "complete" else sorted(near)
        return [(i, 1 / len(who)) for i in who]


def _check_doubly_stochastic(matrix: Matrix) -> None:
    P, sizes = len(matrix), {len(row) for row in matrix}
    if sizes != {P}:
        raise KavgError(
            f"mixing must have P rows of P numbers, got {P} rows of "
            f"{' and '.join(map(str, sorted(sizes))) or 'no'} numbers"
        )
    for what, lines in (("row", matrix), ("column", zip(*matrix, strict=True))):
        for j, line in enumerate(lines):
            # A plain sum has an error that grows with P, and would be taken for the matrix's.
            total = fsum(line)
            if abs(total - 1) > SUM_ERROR:
                raise KavgError(
                    "mixing must be doubly stochastic: each row and each column sums to 1, got "
                    f"{what} {j} with the sum {total:.15g}; otherwise mixing would move the mean "
                    "of the learners"
                )
