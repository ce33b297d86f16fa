"""Aggregations: whose models are averaged, and with what the learners go on.

================  ==================================================================
aggregation       round
================  ==================================================================
AllLearners       all learners are averaged, and begin the next round at one point
ElasticAveraging  learners keep their iterates, pulled towards the mean by ``alpha``
Gossip            learners keep their iterates, mixed with those of their neighbours
StaleGradients    no mean: P updates in turn, each from an iterate some updates old
GroupedLearners   groups are averaged every ``K1`` local steps, all learners every K
SampledLearners   ``m`` of the learners, drawn anew in each round, are averaged
OwnSteps          all are averaged after numbers of local steps of their own
Stragglers        as ``OwnSteps``, but who is slow is drawn in each round
================  ==================================================================
"""

from __future__ import annotations

from kavg.aggregations.all_learners import AllLearners as AllLearners
from kavg.aggregations.elastic import ElasticAveraging as ElasticAveraging
from kavg.aggregations.gossip import Gossip as Gossip
from kavg.aggregations.groups import GroupedLearners as GroupedLearners
from kavg.aggregations.own_steps import OwnSteps as OwnSteps
from kavg.aggregations.sampled import SampledLearners as SampledLearners
from kavg.aggregations.stale_gradients import StaleGradients as StaleGradients
from kavg.aggregations.stragglers import Stragglers as Stragglers
from kavg.families import collect_kinds

KINDS = collect_kinds(vars())
"""The classes by the ``kind`` of ``aggregation`` in a settings file."""
