"""Asynchronous SGD: learners update the model in turn, from iterates that are some updates old."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any, Final, Literal, final

import numpy as np

from kavg.aggregations.addressed_words import DrawPurpose, draw_words, to_uniform
from kavg.aggregations.contradictions import require_averaging
from kavg.base import Floats, Indices
from kavg.errors import KavgError
from kavg.ranges import Count, NonNegative, check_ranges

SPAN: Final = 20
"""Means of a geometric law after which it is cut off, unless ``longest`` says it."""
ENDS: Final = {"uniform": 2, "constant": 1}
"""Means up to which the other laws reach."""


@final
@dataclass(frozen=True)
class StaleGradients:
    """Asynchronous SGD: each update is of one learner, and begins tau updates ago.

    A round is P updates, ``t = (n - 1) P + j`` that of learner ``j = 0, ..., P - 1``, from
    ``u_0 = w_1`` on::

        x_0 = u_{t - tau}           tau updates old; u_0 before the start
        x_{k+1} = x_k - gamma g^j(x_k)              for k = 0, ..., K - 1
        u_{t+1} = u_t + (x_K - x_0)                 the full step, not 1/P of it

    and ``w = u_{n P}``.  ``tau`` is drawn for each (replica, update) from a ``law`` of this
    ``mean``, by default ``P - 1``: ``"geometric"`` (from 0), ``"uniform"`` on 0 to twice the mean,
    or ``"constant"``.  A geometric tau is at most ``longest``, by default 20 (mean + 1), which it
    would exceed with probability ``(mean/(mean + 1))^(longest + 1)``, 2e-9 by default.

    With a geometric law and steps that are linear in the iterate, the mean of u over replicas obeys
    the heavy ball with momentum ``1 - 1/(mean + 1)``, hence ``1 - 1/P``, and a step of ``1/P``:
    ``E u_{t+1} - E u_t = (1 - 1/P) (E u_t - E u_{t-1}) + (1/P) E(x_K - x_0 at u_t)``.

    Updates follow each other, so every rank computes all of them, and ranks send requests alone.
    ``dispersion`` is the mean over updates of ``||x_K - u_{t+1}||^2``, the square of how far the
    model has moved meanwhile.  ``mean = 0`` with P = 1 has the bits of ``AllLearners``.

    Raises ``KavgError`` if the law has no such mean or no cut, or is cut below its mean, or if the
    outer rule is not averaging or the optimizer's state is carried on.

    Source: Mitliagkas, Zhang, Hadjis and Re 2016, arXiv 1605.09774 (momentum by asynchrony).

    >>> law = StaleGradients()
    >>> law.count_past(P=4), law.list_probabilities(P=4)[:3]
    (80, array([0.25    , 0.1875  , 0.140625]))
    """

    kind = "stale_gradients"
    same_bits = "any machine"
    law: Literal["geometric", "uniform", "constant"] = "geometric"
    mean: NonNegative | None = None
    longest: Annotated[Count, "leave it out for 20 (mean + 1)"] | None = None

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.law in ENDS and self.longest is not None:
            raise KavgError(
                f"longest cuts off a geometric law, and a {self.law} one ends by itself, got "
                f"longest={self.longest}; leave it out"
            )
        if self.law in ENDS and not ((self.mean or 0.0) * ENDS[self.law]).is_integer():
            raise KavgError(
                f"a {self.law} staleness is a whole number of updates up to "
                f"{ENDS[self.law]} times its mean, got mean={self.mean}; use law='geometric'"
            )

    def check_method(self, method: Any) -> None:
        """Raise ``KavgError`` unless a round is updates by plain averaging, one after another."""
        why = "each update is added to the model in full"
        require_averaging(method, "stale_gradients", why)
        if method.optimizer.slots and method.optimizer.at_average != "reset":
            raise KavgError(
                "stale_gradients has no average at which the state of the optimizer is kept or "
                f"averaged, got at_average={method.optimizer.at_average!r}; use 'reset', with "
                "which each update begins anew"
            )
        mean = self.mean_staleness(method.P)
        if self.longest is not None and self.longest < mean:
            raise KavgError(
                f"longest must be at least the mean of the staleness, got longest={self.longest} "
                f"and a mean of {mean:g}; use a smaller mean, or leave longest out"
            )

    def count_past(self, P: int) -> int:
        """Return the longest staleness, in updates."""
        mean = self.mean_staleness(P)
        # A geometric law of mean 0 has no tail to cut off.
        if self.law != "geometric" or mean == 0:
            return int(mean * ENDS.get(self.law, 1))
        return self.longest or ceil(SPAN * (mean + 1))

    def list_probabilities(self, P: int) -> Floats:
        """Return the probabilities of the staleness 0, 1, ..., ``count_past(P)``."""
        return np.asarray(-np.diff(self._list_tails(P), append=0.0))

    def draw_staleness(self, seed: int, n: int, R: int, P: int) -> Indices:
        """Return the staleness of the updates of round n, ``(R, P)``."""
        # In [0, 1), so that a probability of 1 always exceeds it.
        U = to_uniform(draw_words(seed, DrawPurpose.STALENESS, n, (R, P)))
        # The probabilities of at least 1, 2, ..., which fall: as many of them as exceed U.
        rising = self._list_tails(P)[:0:-1]
        return np.asarray(len(rising) - np.searchsorted(rising, U, side="right"))

    def mean_staleness(self, P: int) -> float:
        """Return the mean of the law, before it is cut off: ``P - 1`` unless it is given."""
        return P - 1.0 if self.mean is None else self.mean

    def _list_tails(self, P: int) -> Floats:
        """Return the probabilities of at least 0, 1, ..., ``count_past(P)``."""
        mean, most = self.mean_staleness(P), self.count_past(P)
        if self.law == "constant":
            return np.ones(most + 1)
        if self.law == "uniform":
            return 1 - np.arange(most + 1) / (most + 1)
        # By products one after another: a power may have other bits on another machine.
        return np.asarray(np.multiply.accumulate(np.array([1.0, *[mean / (mean + 1)] * most])))
