"""Theorems about runs: one a module, each with its conditions, its value and its source.

Nothing here is the theorem of the paper that introduced block momentum on averaging for general
nonconvex functions (Cong and Liu 2020): its text could not be read (docs/theory.md, section 1).
"""

from __future__ import annotations

from typing import Final

from kavg.analysis.bounds.affine_variance import AffineVariance
from kavg.analysis.bounds.bound import Bound, Quantity, Status
from kavg.analysis.bounds.heterogeneous import Heterogeneous
from kavg.analysis.bounds.k_avg import KAvg
from kavg.analysis.bounds.k_avg_improved import KAvgImproved
from kavg.analysis.bounds.polyak_lojasiewicz import PolyakLojasiewicz
from kavg.analysis.bounds.polyak_lojasiewicz_momentum import PolyakLojasiewiczMomentum
from kavg.analysis.bounds.setting import BoundValue, Condition, Setting
from kavg.analysis.bounds.slowmo_squared import SlowMoSquared
from kavg.analysis.bounds.theorem_1 import Theorem1
from kavg.analysis.bounds.theorem_1_log_free import Theorem1LogFree
from kavg.analysis.bounds.theorem_1s import Theorem1S

BOUNDS: Final[tuple[Bound, ...]] = (
    Theorem1(),
    Theorem1LogFree(),
    Theorem1S(),
    AffineVariance(),
    Heterogeneous(),
    KAvg(),
    KAvgImproved(),
    PolyakLojasiewicz(),
    PolyakLojasiewiczMomentum(),
    SlowMoSquared(),
)
"""Every bound, in the order of tables: the general theorem first, then its variants.

A new theorem is a module of this package and a line here; a test lists the modules that are not.
"""

__all__ = ["BOUNDS", "Bound", "BoundValue", "Condition", "Quantity", "Setting", "Status"]
