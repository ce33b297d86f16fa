"""Local optimizers: the rule of the learners' own steps, and what becomes of its state.

With ``g`` the stochastic gradient of a local step, and ``t`` the steps since the slots were zero:

==============  ======  =====================================================================
optimizer       slots   step
==============  ======  =====================================================================
SGD             0       ``x = x - gamma g``
Accumulation    0       the same, with all gradients of a round taken at its start
HeavyBall       1       ``m = beta m + g``, ``x = x - gamma m``
NesterovSteps   1       ``m = beta m + g``, ``x = x - gamma (g + beta m)``
Adam            2       ``x = x - gamma (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)``
AdamW           2       ``x = x - gamma weight_decay x``, then the step of Adam
==============  ======  =====================================================================

When the models are averaged, the slots are reset, kept by each learner, or averaged too
(``at_average``): three algorithms, which most programs choose between without a word.  Each can
clip gradients by their norm and decay weights (``gradient_changes``).
"""

from __future__ import annotations

from kavg.families import collect_kinds
from kavg.optimizers.accumulation import Accumulation as Accumulation
from kavg.optimizers.adam import Adam as Adam
from kavg.optimizers.adamw import AdamW as AdamW
from kavg.optimizers.heavy_ball import HeavyBall as HeavyBall
from kavg.optimizers.nesterov_steps import NesterovSteps as NesterovSteps
from kavg.optimizers.sgd import SGD as SGD

KINDS = collect_kinds(vars())
"""The classes by the ``kind`` of ``optimizer`` in a settings file."""
