"""Aggregations: whose models are averaged, and with what the learners go on.

================  ==================================================================
aggregation       round
================  ==================================================================
AllLearners       all learners are averaged, and begin the next round at one point
ElasticAveraging  learners keep their iterates, pulled towards the mean by ``alpha``
Gossip            learners keep their iterates, mixed with those of their neighbours
StaleGradients    no mean: P updates in turn, each from an iterate some updates old
================  ==================================================================
"""

from __future__ import annotations

from kavg.aggregations.all_learners import AllLearners as AllLearners
from kavg.aggregations.elastic import ElasticAveraging as ElasticAveraging
from kavg.aggregations.gossip import Gossip as Gossip
from kavg.aggregations.stale_gradients import StaleGradients as StaleGradients
from kavg.families import collect_kinds

KINDS = collect_kinds(vars())
"""The classes by the ``kind`` of ``aggregation`` in a settings file."""
