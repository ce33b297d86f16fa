"""Averaging periods as functions of the round: ``K(n)`` local steps in round n = 1, 2, ...

A plain number is a constant period.  Every block has exactly its ``K(n)`` steps, the first
included.  With ``gamma(n)`` the step size and ``D(n)`` the dispersion of round n:

========================  =================================================================
period                    K
========================  =================================================================
PiecewisePeriod           ``Ks[i]``, where i of the boundaries lie below n
WarmUpPeriod              1 in the first rounds, then another period
QuadraticSynchronization  ``max(least, floor((alpha/gamma(n))^2))``, or the cube
DispersionControl         doubled where ``4 D(n) < spread``, halved where ``D(n) > spread``
========================  =================================================================

The first three are known before the run; the last is found by it (``base.AdaptivePeriod``).
"""

from __future__ import annotations

from kavg.families import collect_kinds
from kavg.periods.dispersion_control import DispersionControl as DispersionControl
from kavg.periods.piecewise import PiecewisePeriod as PiecewisePeriod
from kavg.periods.quadratic_synchronization import (
    QuadraticSynchronization as QuadraticSynchronization,
)
from kavg.periods.warm_up import WarmUpPeriod as WarmUpPeriod

KINDS = collect_kinds(vars())
"""The classes by the ``kind`` of ``K`` in a settings file."""
