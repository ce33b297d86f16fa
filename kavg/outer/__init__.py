"""Outer rules: how the mean displacement of a round updates the meta-iterate.

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

from kavg.families import collect_kinds
from kavg.outer.averaging import Averaging as Averaging
from kavg.outer.block_momentum import BlockMomentum as BlockMomentum
from kavg.outer.nesterov_momentum import NesterovMomentum as NesterovMomentum
from kavg.outer.slowmo import SlowMo as SlowMo

KINDS = collect_kinds(vars())
"""The classes by the ``kind`` of ``outer`` in a settings file."""
