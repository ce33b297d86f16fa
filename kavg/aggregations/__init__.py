"""Aggregations: whose models are averaged, and with what the learners go on.

================  ==================================================================
aggregation       round
================  ==================================================================
AllLearners       all learners are averaged, and begin the next round at one point
ElasticAveraging  learners keep their iterates, pulled towards the mean by ``alpha``
================  ==================================================================
"""

from __future__ import annotations

from kavg.aggregations.all_learners import AllLearners as AllLearners
from kavg.aggregations.elastic import ElasticAveraging as ElasticAveraging
from kavg.families import collect_kinds

KINDS = collect_kinds(vars())
"""The classes by the ``kind`` of ``aggregation`` in a settings file."""
