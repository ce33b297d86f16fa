"""Baselines: what the same gradients, or the same communications, do without local steps.

======================  =======================================  ==========================
baseline                a round                                  at equal gradients it has
======================  =======================================  ==========================
``minibatch_sgd``       K gradients at one point, one step       as many communications
``synchronous_sgd``     one gradient of each learner             K times the communications
``single_learner``      K steps of one learner, no other         P times the local steps
``large_batch``         as ``minibatch_sgd``, steps P times      as many communications
======================  =======================================  ==========================
"""

from __future__ import annotations

from dataclasses import replace

from kavg.base import Outer, Schedule
from kavg.errors import KavgError
from kavg.optimizers import SGD, Accumulation, HeavyBall
from kavg.outer import Averaging, BlockMomentum
from kavg.problem import Algorithm


def minibatch_sgd(P: int, K: int, gamma: float | Schedule, *, mu: float = 0.0) -> Algorithm:
    """Mini-batch SGD: all K gradients of a round at its start, one step, and momentum ``mu``.

    A step of ``gamma K`` with a batch K times as large: the baseline of local SGD at equal
    gradients and equal communications.

    Source: Woodworth et al. 2020, arXiv 2002.07839.

    >>> minibatch_sgd(P=4, K=8, gamma=0.05).optimizer
    Accumulation()
    """
    return Algorithm(P, K, gamma, _momentum(mu), optimizer=Accumulation())


def synchronous_sgd(
    P: int,
    K: int,  # noqa: ARG001 - as other methods
    gamma: float | Schedule,
    *,
    mu: float = 0.0,
) -> Algorithm:
    """Synchronous SGD: an average after every step, and momentum ``mu``.

    ``K`` is that of the method it is compared with: its own is 1.  With as many rounds it has as
    many communications and 1/K of the gradients; with K times as many, the same gradients.

    >>> synchronous_sgd(P=4, K=8, gamma=0.05).K
    1
    """
    return Algorithm(P, 1, gamma, _momentum(mu))


def single_learner(P: int, K: int, gamma: float | Schedule, *, beta: float = 0.9) -> Algorithm:
    """One learner with momentum of its own, which no average interrupts.

    Its path does not depend on K, which only says how often it is recorded.  Raises ``KavgError``
    for more than one learner.

    >>> single_learner(P=1, K=8, gamma=0.05).optimizer.at_average
    'kept'
    """
    if P != 1:
        raise KavgError(f"a single learner was asked for, got P={P}; use P=1")
    return Algorithm(1, K, gamma, Averaging(), optimizer=HeavyBall(beta, "kept"))


def large_batch(P: int, K: int, gamma: float, *, mu: float = 0.0) -> Algorithm:
    """Large batches with the linear scaling rule: a step of ``gamma P K`` with P K mini-batches.

    ``gamma`` is the step of one learner with one mini-batch; the local step is P times that.
    Raises ``KavgError`` if it is a schedule.

    Source: Goyal et al. 2017, arXiv 1706.02677.

    >>> large_batch(P=4, K=8, gamma=0.05).gamma
    0.2
    """
    if callable(gamma):
        raise KavgError(f"linear scaling needs gamma as a number, got {gamma!r:.60}")
    return minibatch_sgd(P, K, P * gamma, mu=mu)


def baselines(algorithm: Algorithm, mu: float | None = None) -> tuple[Algorithm, ...]:
    """Return the baselines of a method, each with a name, for the same P, K and gamma.

    ``mu`` is the momentum of those that have any: by default that of the outer rule, or 0.9 if it
    has none.  ``large_batch`` is left out where gamma is a schedule.  Rounds are for the caller to
    choose; ``kavg compare --at gradients`` compares at equal gradients.

    >>> from kavg.methods import m_avg
    >>> names = [each.name for each in baselines(m_avg(P=4, K=8, gamma=0.05))]
    >>> names[:4]
    ['mini-batch SGD', 'mini-batch SGD, momentum', 'synchronous SGD', 'synchronous SGD, momentum']
    >>> names[4:]
    ['one learner', 'one learner, momentum', 'large batch']
    """
    P, K, gamma = algorithm.P, algorithm.K, algorithm.gamma
    momentum = float(getattr(algorithm.outer, "mu", 0.0)) or 0.9 if mu is None else mu
    batch = Algorithm(P, K, gamma, Averaging(), optimizer=Accumulation())
    each = replace(batch, K=1, optimizer=SGD())
    alone = replace(each, P=1, K=K)
    found = {
        "mini-batch SGD": batch,
        "mini-batch SGD, momentum": replace(batch, outer=BlockMomentum(momentum)),
        "synchronous SGD": each,
        "synchronous SGD, momentum": replace(each, outer=BlockMomentum(momentum)),
        "one learner": alone,
        "one learner, momentum": replace(alone, optimizer=HeavyBall(momentum, "kept")),
    }
    if not callable(gamma):
        found["large batch"] = replace(batch, gamma=P * gamma)
    return tuple(replace(one, name=name) for name, one in found.items())


def _momentum(mu: float) -> Outer:
    return BlockMomentum(mu) if mu else Averaging()
