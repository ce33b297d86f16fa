"""Measures of rounds: quantities that a run records on request.

===============  ====================================================================
measure          series
===============  ====================================================================
Alignment        products of successive displacements, and what they make of momentum
Consensus        distance of the learners' own iterates from ``w``
Distance         distance of ``w`` from the minimiser, or from the best point known
EffectiveStep    the step size that the outer rule makes of ``gamma``
Sharpness        the largest eigenvalue of the Hessian, estimated
Spread           the dispersion of the learners along some directions
ExponentialMean  F and its gradient at an exponential moving average of the meta-iterates
SuffixMean       the same at the mean of those after a round
UniformMean      the same at the mean of all
===============  ====================================================================

``record.measures`` in settings, and ``record`` of ``simulate``, take them, or their names where all
their numbers have defaults.  Functions of ``(n, w)`` need no class.  A measure that remembers has
its memory stored with the run, so that a run which is continued has the same bits.
"""

from __future__ import annotations

from dataclasses import MISSING, fields

from kavg.base import RoundMeasure
from kavg.errors import KavgError
from kavg.families import collect_kinds
from kavg.measures.alignment import Alignment as Alignment
from kavg.measures.averages import ExponentialMean as ExponentialMean
from kavg.measures.averages import SuffixMean as SuffixMean
from kavg.measures.averages import UniformMean as UniformMean
from kavg.measures.consensus import Consensus as Consensus
from kavg.measures.distance import Distance as Distance
from kavg.measures.effective_step import EffectiveStep as EffectiveStep
from kavg.measures.sharpness import Sharpness as Sharpness
from kavg.measures.spread import Spread as Spread
from kavg.text import shorten_repr

KINDS = collect_kinds(vars())
"""The classes by the ``kind`` of a measure in a settings file."""


def make_measure(name: str) -> RoundMeasure:
    """Return the measure of a kind with its defaults.

    Raises ``KavgError`` if there is no such kind, or if it has a number without a default.

    >>> make_measure("sharpness")
    Sharpness(tolerance=0.0001, iterations=200)
    """
    if name not in KINDS:
        raise KavgError(f"there is no measure {shorten_repr(name)}; use {', '.join(KINDS)}")
    cls = KINDS[name]
    needed = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
    if needed:
        raise KavgError(
            f"the measure {name!r} needs {', '.join(needed)}; give a table with kind = {name!r}"
        )
    measure: RoundMeasure = cls()
    return measure
