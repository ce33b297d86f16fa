"""Local optimizers: the rule of the learners' own steps, and what becomes of its state.

With ``g`` the stochastic gradient of a local step:

==========  ======  =======================================================
optimizer   slots   step
==========  ======  =======================================================
SGD         0       ``x = x - gamma g``
HeavyBall   1       ``m = beta m + g``, ``x = x - gamma m``
==========  ======  =======================================================

When the models are averaged, the slots are reset, kept by each learner, or averaged too
(``at_average``): three algorithms, which most programs choose between without a word.
"""

from __future__ import annotations

from kavg.families import collect_kinds
from kavg.optimizers.heavy_ball import HeavyBall as HeavyBall
from kavg.optimizers.sgd import SGD as SGD

KINDS = collect_kinds(vars())
"""The classes by the ``kind`` of ``optimizer`` in a settings file."""
