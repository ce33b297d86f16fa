"""Outer rules: how the mean displacement of a round updates the meta-iterate.

With ``d_n`` the mean over learners of (end minus start) of round n, and ``alpha`` the outer step,
1 unless another one is given (``FedAdam`` and ``FedAdagrad`` need one):

=================  ==================  =======================  ==================================
rule               learners start at   memory                   meta-iterate
=================  ==================  =======================  ==================================
Averaging          w                   none                     w + alpha d
BlockMomentum      w                   v = mu v + d             w + alpha v
NesterovMomentum   y = w + alpha mu v  v = mu v + d             w + alpha v, which is y + alpha d
NesterovLookAhead  w                   v = mu v + d             w + alpha (d + mu v)
QuasiHyperbolic    w                   v = mu v + d             w + alpha [(1 - nu) d
                                                                + nu (1 - mu) v]
SlowMo             w                   u = mu u - d/gamma       w - alpha gamma u
FedAdam            w                   m = beta1 m + (1-beta1)  w + alpha m/(sqrt(s) + tau)
                                       d, s = beta2 s
                                       + (1-beta2) d^2
FedAdagrad         w                   m as above, s = s + d^2  w + alpha m/(sqrt(s) + tau)
=================  ==================  =======================  ==================================

When every learner moves by exactly 1 a round, ``BlockMomentum``, both Nesterov rules and ``SlowMo``
with a constant gamma all settle at a displacement of ``alpha/(1 - mu)`` a round; ``Averaging`` and
``QuasiHyperbolic``, the one rule that scales by ``1 - mu``, at ``alpha``.  None is skipped when
there is one learner.
"""

from __future__ import annotations

from kavg.families import collect_kinds
from kavg.outer.averaging import Averaging as Averaging
from kavg.outer.block_momentum import BlockMomentum as BlockMomentum
from kavg.outer.fed_adagrad import FedAdagrad as FedAdagrad
from kavg.outer.fed_adam import FedAdam as FedAdam
from kavg.outer.nesterov_look_ahead import NesterovLookAhead as NesterovLookAhead
from kavg.outer.nesterov_momentum import NesterovMomentum as NesterovMomentum
from kavg.outer.quasi_hyperbolic import QuasiHyperbolic as QuasiHyperbolic
from kavg.outer.slowmo import SlowMo as SlowMo

KINDS = collect_kinds(vars())
"""The classes by the ``kind`` of ``outer`` in a settings file."""
