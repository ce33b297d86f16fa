"""Outer rules: what is done with the mean displacement of a round.

With ``d_n`` the mean over learners of (end minus start) of round n:

=================  ====================  ===============================  =====================
rule               learners start at     memory                           meta-iterate
=================  ====================  ===============================  =====================
Averaging          w                     none                             w + d
BlockMomentum      w                     v = mu v + d                     w + v
NesterovMomentum   y = w + mu v          v = mu v + d                     w + v, which is y + d
SlowMo             w                     u = mu u - d/gamma               w - alpha gamma u
=================  ====================  ===============================  =====================

When every learner moves by exactly 1 a round, the first three and SlowMo with ``alpha = 1`` all
settle at a displacement of ``1/(1 - mu)`` a round.  No rule scales by ``1 - mu``, and none is
skipped when there is one learner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from kavg.base import Floats, Outer
from kavg.errors import KavgError, positive


def check_momentum(mu: float) -> None:
    """Refuse a momentum outside [0, 1)."""
    if not 0 <= mu < 1:
        raise KavgError(f"mu must be at least 0 and below 1, got mu={mu!r}; use 0 for averaging")


@final
@dataclass(frozen=True)
class Averaging:
    """K-AVG: ``w_{n+1} = w_n + d_n``, the mean of the learners' models (Zhou and Cong 2018).

    The same bits as ``BlockMomentum(mu=0)``, without carrying ``v``.

    >>> w = np.array([[1.0]])
    >>> Averaging().step(w, np.empty(0), displacement=np.array([[-0.5]]), gamma=0.1)
    >>> w
    array([[0.5]])
    """

    memory = False

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Learners start at the meta-iterate."""
        out[...] = w

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Move to the mean."""
        np.add(w, displacement, out=w)


@final
@dataclass(frozen=True)
class BlockMomentum:
    """M-AVG: ``v_{n+1} = mu v_n + d_n``, ``w_{n+1} = w_n + v_{n+1}`` (Cong and Liu 2020).

    ``v`` is in units of displacement.  ``SlowMo`` keeps it in units of gradient, which is the same
    only while gamma is constant; ``NesterovMomentum`` lets the learners start from ``w + mu v``;
    ``Averaging`` is ``mu = 0``.  A filter ``v = mu v + (1 - mu) d`` would be another method with
    ``1 - mu`` times the step.

    >>> w, v = np.array([[0.0]]), np.array([[1.0]])
    >>> BlockMomentum(mu=0.5).step(w, v, displacement=np.array([[1.0]]), gamma=0.1)
    >>> w
    array([[1.5]])
    """

    mu: float
    memory = True

    def __post_init__(self) -> None:
        check_momentum(self.mu)

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Learners start at the meta-iterate."""
        out[...] = w

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Add the displacement to the decayed momentum, then move by it."""
        np.multiply(v, self.mu, out=v)
        np.add(v, displacement, out=v)
        np.add(w, v, out=w)


@final
@dataclass(frozen=True)
class NesterovMomentum:
    """Nesterov block momentum: as ``BlockMomentum``, but learners start from ``y = w + mu v``.

    The anchor ``w`` and the look-ahead ``y`` are kept apart: ``w_{n+1}`` is the mean of the
    learners and not a further look-ahead.  Code that keeps the look-ahead as the next anchor is
    another method, with ``1 + mu`` times the steady displacement (docs/theory.md, section 4.8).

    >>> y = np.empty((1, 1))
    >>> NesterovMomentum(mu=0.5).start(np.array([[1.0]]), np.array([[1.0]]), y)
    >>> y
    array([[1.5]])
    """

    mu: float
    memory = True

    def __post_init__(self) -> None:
        check_momentum(self.mu)

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Learners start from the look-ahead."""
        np.multiply(v, self.mu, out=out)
        np.add(w, out, out=out)

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """The displacement is seen from the look-ahead: ``w + mu v + d``."""
        np.multiply(v, self.mu, out=v)
        np.add(v, displacement, out=v)
        np.add(w, v, out=w)


@final
@dataclass(frozen=True)
class SlowMo:
    """SlowMo: ``u_{n+1} = mu u_n - d_n/gamma``, ``w_{n+1} = w_n - alpha gamma u_{n+1}``.

    Wang, Tantia, Ballas and Rabbat 2019 (arXiv 1910.00643), whose ``beta`` is our ``mu``.  The
    memory ``u`` (carried as ``v``) is in units of gradient, divided by the gamma of its own round.
    With ``alpha = 1`` and a constant gamma this is ``BlockMomentum`` with ``u = -v/gamma``; when
    gamma changes from round to round the two are different methods.  With ``P = 1`` and ``mu = 0``
    it is Lookahead.

    >>> w, u = np.array([[0.0]]), np.array([[0.0]])
    >>> SlowMo(mu=0.5).step(w, u, displacement=np.array([[-2.0]]), gamma=0.5)
    >>> w, u
    (array([[-2.]]), array([[4.]]))
    """

    mu: float
    alpha: float = 1.0
    memory = True

    def __post_init__(self) -> None:
        check_momentum(self.mu)
        positive("alpha", self.alpha)

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Learners start at the meta-iterate."""
        out[...] = w

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Move by the decayed mean of the pseudo-gradients; overwrites ``displacement``."""
        np.multiply(v, self.mu, out=v)
        np.divide(displacement, gamma, out=displacement)
        np.subtract(v, displacement, out=v)
        np.multiply(v, self.alpha * gamma, out=displacement)
        np.subtract(w, displacement, out=w)


KINDS: Final[Mapping[str, type[Outer]]] = {
    "averaging": Averaging,
    "block_momentum": BlockMomentum,
    "nesterov": NesterovMomentum,
    "slowmo": SlowMo,
}
