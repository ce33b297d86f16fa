"""Elastic averaging: learners keep their iterates, and centre and learners pull each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np

from kavg.aggregations.contradictions import refuse_averaged_slots
from kavg.base import Floats
from kavg.base.outer_rules import describe_outer_rule
from kavg.ranges import Share, check_ranges


@final
@dataclass(frozen=True)
class ElasticAveraging:
    """EASGD: learners go on from ``x^j - alpha (x^j - w)``, and the centre moves to their mean.

    After K steps of each learner from its own ``x^j``, with ``w`` the centre before the round::

        d = (1/P) sum_j (x^j - w)          one Allreduce
        x^j = x^j - alpha (x^j - w)
        w = step(w, d)                     the outer rule; Averaging(alpha=P alpha) is the paper's

    ``first_gradient = "last"`` is the paper's algorithm: the pull and the first step of the next
    round are one update, whose gradient is taken where the learner was before the pull, so with
    ``x_K`` the end of the round before and ``w`` its centre::

        x_1 = x_K - alpha (x_K - w) - gamma g(x_K)

    With ``"released"``, the default, that gradient is taken at the pulled iterate, as by programs
    that pull first and go on from there.  The two differ by ``alpha gamma h (x_K - w)`` a round
    where F curves by h; the paper's learners keep ``x_K`` too.

    Learners are pulled to the centre as it was, and not to the new one; with ``AllLearners``
    everyone goes on from the new ``w`` instead.  The centre of the paper moves by
    ``beta = P alpha`` of the way to the mean, so ``alpha = beta/P``.  With ``alpha = 0`` learners
    never meet, which has the bits of ``Gossip(mixing="identity")``.

    EAMSGD has Nesterov steps inside, whose state is kept.  With ``optimizers.NesterovSteps`` the
    iterate is the look-ahead, and so is what is pulled and what the centre averages; the paper's is
    the point behind it, ``x + gamma beta m``.

    On a quadratic, with ``rho = (1 - gamma h)^K``, centre and mean of learners whose first gradient
    is at the released iterate converge if ``|rho (1 - alpha - beta)| < 1``, ``rho < 1`` and
    ``rho (2 - 2 alpha - beta) > beta - 2``.

    Raises ``KavgError`` if ``alpha`` is out of range or the optimizer's state is averaged.

    Source: Zhang, Choromanska and LeCun 2015, arXiv 1412.6651; its period tau is our K.

    >>> x, w = np.array([[[2.0]]]), np.array([[0.0]])
    >>> ElasticAveraging(alpha=0.25).release(x, w)
    >>> x
    array([[[1.5]]])
    """

    kind = "elastic"
    same_bits = "any machine"
    alpha: Share
    first_gradient: Literal["released", "last"] = "released"

    def __post_init__(self) -> None:
        check_ranges(self)

    def check_method(self, method: Any) -> None:
        """Raise ``KavgError`` if the state of the optimizer is averaged, as no model is."""
        refuse_averaged_slots(method, "elastic averaging")

    def list_warnings(self, method: Any) -> list[str]:
        """Return what is likely to be a slip: a centre that moves beyond the mean."""
        step = float(describe_outer_rule(method.outer).get("alpha", 1.0))
        if step <= 1:
            return []
        return [
            f"the centre moves by outer alpha = {step:g} of the way to the mean of the learners, "
            f"which is beyond it (the paper's step is P alpha = {method.P * self.alpha:g}); "
            "an outer alpha up to 1 is safe from it"
        ]

    def release(self, x: Floats, w: Floats) -> None:
        """Pull the learners towards the centre: ``x = x - alpha (x - w)``."""
        # In blocks of one learner, so that the workspace does not grow with the tile.
        pull = np.empty_like(w)
        for one in x:
            np.subtract(one, w, out=pull)
            np.multiply(pull, self.alpha, out=pull)
            np.subtract(one, pull, out=one)
